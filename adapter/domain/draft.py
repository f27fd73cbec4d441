"""A draft (`utkast`): a certificate that nobody has signed yet.

Fields that hold person data are left out of `repr`, so that no log line or traceback can show them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from intyg.adapter.domain.intyg import HosPersonal, MeddelandeReferens, Relation
from intyg.adapter.domain.person import PersonId

Json: TypeAlias = Mapping[str, Any]


class DraftState(StrEnum):
    """State of a draft. Ready for signing, forwarded and revoked are facts beside it."""

    INCOMPLETE = "DRAFT_INCOMPLETE"  # something that its type demands is missing or wrong
    COMPLETE = "DRAFT_COMPLETE"  # could be signed
    LOCKED = "DRAFT_LOCKED"  # too old: read, copied, revoked, and nothing else
    SIGNED = "SIGNED"  # a certificate with the same id has taken its place
    DELETED = "DELETED"  # its content is gone


DRAFT_MOVES: Final[Mapping[DraftState | None, frozenset[DraftState]]] = {
    None: frozenset({DraftState.INCOMPLETE, DraftState.COMPLETE}),
    DraftState.INCOMPLETE: frozenset(
        {DraftState.INCOMPLETE, DraftState.COMPLETE, DraftState.LOCKED, DraftState.DELETED}
    ),
    DraftState.COMPLETE: frozenset(
        {
            DraftState.INCOMPLETE,
            DraftState.COMPLETE,
            DraftState.LOCKED,
            DraftState.SIGNED,
            DraftState.DELETED,
        }
    ),
    DraftState.LOCKED: frozenset({DraftState.DELETED}),  # by disposal only
    DraftState.SIGNED: frozenset(),
    DraftState.DELETED: frozenset(),
}
"""From state to the states that may follow; None is before it was created."""

EDITABLE: Final = frozenset({DraftState.INCOMPLETE, DraftState.COMPLETE})
"""States in which a draft can be saved, deleted, signed."""

OPEN: Final = EDITABLE | {DraftState.LOCKED}
"""States in which a draft has content."""


@dataclass(frozen=True)
class ToSign:
    """
    What a signer was given, and must bring back signed.

    Attributes:
        method: Of `intyg.adapter.signature.Method`.
        digest: SHA-256 of what the signature covers.
        signed_info: The octets that are signed.
        body: The RegisterCertificate request, complete but for `underskrift`.
        stamp: The draft's stamp then.
        by: HSA-id of the signer.
    """

    method: str
    digest: bytes = field(repr=False)
    signed_info: bytes = field(repr=False)
    body: bytes = field(repr=False)
    stamp: int
    by: str


@dataclass(frozen=True)
class Draft:
    """
    A draft as stored.

    Attributes:
        intygs_id: Fixed from creation; the certificate gets the same.
        typ, version: Of the certificate, as in its XML: `LISJP`, `1.3`.
        skapad_av: Who created it, and the unit that it belongs to.
        content: `skapadAv` and `svar` as `intyg_json` has them.
        stamp: Version of the content: 0 at first, one more at each save.
        saved_by, saved_by_name: Who saved it last.
        ready_at: When somebody said that it is ready for signing; once.
        forwarded: Somebody was asked by mail to go on with it.
        revoked_at: With LOCKED only.
        svar_pa: The completion request that it answers.
        source: The certificate or draft that its content was taken from.
        changed_at: The first change that the unit has not been told of yet.
        prefill: What became of each answer that it was begun with.
        is_test: Whether the patient was a test patient; None: could not tell.
    """

    intygs_id: str
    typ: str
    version: str
    patient: PersonId
    skapad_av: HosPersonal
    content: Json = field(repr=False)
    state: DraftState
    created_at: datetime
    saved_at: datetime
    saved_by: str
    saved_by_name: str = field(repr=False)
    stamp: int = 0
    ready_at: datetime | None = None
    forwarded: bool = False
    revoked_at: datetime | None = None
    relation: Relation | None = None
    svar_pa: MeddelandeReferens | None = None
    source: str | None = None
    changed_at: datetime | None = None
    prefill: Json | None = field(default=None, repr=False)
    is_test: bool | None = None
    to_sign: ToSign | None = None

    @property
    def is_editable(self) -> bool:
        """It can be saved, deleted and signed."""
        return self.state in EDITABLE
