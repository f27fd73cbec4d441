"""What care is told of acts that move several questions at once: one table of acts × engines.

Nationally two engines keep certificates, and an EHR that counts events sees which. Whose a
certificate is, says its type's file (`engine`). Where two certificates are concerned, the events of
the older one's questions are those of the older one's engine: it holds them.

Source: the national editor's revoking, signing and answering, and those of the newer engine
(certificate-service); what each of them sends to the EHR, and in which order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from intyg.adapter.rules.fraga_moves import Cause
from intyg.schemas.intyg_model import Engine


class Act(StrEnum):
    """What somebody does to a certificate, or says of it."""

    REVOKED = "a certificate is revoked"
    FOLLOWED = "one that completes, replaces or renews an older one is signed"
    CANNOT_COMPLETE = "care answers that it cannot complete it (text to KOMPLT)"
    COMPLEMENT_REVOKED = "one that completes an older one is revoked"


class Tells(StrEnum):
    """Which events tell that questions moved."""

    NOTHING = "none"
    EACH_MOVED = "one for each question that moves, with the numbers as they stand then"
    EACH_KOMPLT = "one for each completion request, moved or not, with the numbers after all"
    ONE_IF_ASKED = "one if there is any completion request, also when none moves"
    ONE = "one, whatever number moves, with the numbers after all"
    ONE_IF_NEWEST = "one if the newest completion request was open, otherwise none"


@dataclass(frozen=True)
class Telling:
    """
    One cell of the table.

    Attributes:
        tells: Which events the questions give.
        says: The cell in words, for the documentation.
        makule_last: MAKULE comes when the questions are closed; otherwise before that.
        newest_only: Nothing moves if a newer complement has come since.
    """

    tells: Tells
    says: str
    makule_last: bool = False
    newest_only: bool = False


CAUSES: Final[Mapping[Act, Cause]] = {
    Act.REVOKED: Cause.REVOKED,
    Act.FOLLOWED: Cause.COMPLETED,
    Act.CANNOT_COMPLETE: Cause.ANSWERED,
    Act.COMPLEMENT_REVOKED: Cause.COMPLEMENT_REVOKED,
}
"""What an act is to a question."""

TELLINGS: Final[Mapping[tuple[Act, Engine], Telling]] = {
    (Act.REVOKED, Engine.CS): Telling(
        Tells.NOTHING,
        "one MAKULE, with the numbers after the questions are closed; no HANFRFM, no HANFRFV",
        makule_last=True,
    ),
    (Act.REVOKED, Engine.LEGACY): Telling(
        Tells.EACH_MOVED,
        "MAKULE, with the numbers before; then HANFRFM or HANFRFV for each question that was open",
    ),
    (Act.FOLLOWED, Engine.CS): Telling(
        Tells.ONE_IF_ASKED,
        "SIGNAT, then one HANFRFM for the older one if it has any KOMPLT, also when all were "
        "handled before; SKICKA when a recipient has accepted it",
    ),
    (Act.FOLLOWED, Engine.LEGACY): Telling(
        Tells.EACH_MOVED,
        "SIGNAT, then one HANFRFM for the older one for each KOMPLT that was open; SKICKA when a "
        "recipient has accepted it",
    ),
    (Act.CANNOT_COMPLETE, Engine.CS): Telling(Tells.ONE, "one HANFRFM"),
    (Act.CANNOT_COMPLETE, Engine.LEGACY): Telling(
        Tells.ONE_IF_NEWEST,
        "one HANFRFM, with the answer to the newest KOMPLT; the others are closed without an "
        "event; if the newest was closed already, none",
    ),
    (Act.COMPLEMENT_REVOKED, Engine.CS): Telling(
        Tells.EACH_KOMPLT,
        "MAKULE for it, then one NYFRFM for the older one for each KOMPLT; those that were "
        "handled are opened",
    ),
    (Act.COMPLEMENT_REVOKED, Engine.LEGACY): Telling(
        Tells.EACH_MOVED,
        "MAKULE and closings for it; then, only if it was the newest complement, one NYFRFM for "
        "the older one for each KOMPLT that was closed, those answered by text included",
        newest_only=True,
    ),
}
"""Every act × every engine."""
