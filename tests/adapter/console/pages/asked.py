"""Questions about two certificates, in every state that a list shows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from tests import builders
from tests.adapter.flows.rig import Rig

ONE: Final = "5a1e7d20-8c3b-4f19-9b5d-2e7c6a0f4d31"
TWO: Final = "e3c90b84-1d67-4a2f-8f0e-b94d5c7a1e62"
UNIT: Final = f"/console/arenden?unit={builders.UNIT}"

_ONE: Final[Mapping[str, Any]] = {"intygs_id": ONE}
_TWO: Final[Mapping[str, Any]] = {"intygs_id": TWO, "person": builders.OTHER_PATIENT}


def ask(rig: Rig) -> None:
    """Three days of them; the newest event is not delivered yet."""
    care, recipient = builders.send_message_to_care, builders.send_message_to_recipient
    rig.ok(
        builders.register_certificate(ONE),
        builders.send_certificate_to_recipient(ONE),
        builders.register_certificate(TWO, builders.OTHER_PATIENT),
        builders.send_certificate_to_recipient(TWO, builders.OTHER_PATIENT),
    )
    rig.deliver()
    rig.ok(
        recipient("a-read", "KONTKT", **_ONE),
        care("a-answer", "AVSTMN", sista_datum=_day(rig, 1), text="Kan ni mötas?", **_TWO),
    )
    with rig.services.store.begin() as rows:
        rows.arenden.set_forwarded(TWO, forwarded=True)
    rig.clock.now += timedelta(days=2, minutes=12)
    rig.ok(
        recipient("a-await", "OVRIGT", **_ONE),
        care("a-said", "KONTKT", svar_pa="a-read", text="Ja, på måndag.", **_ONE),
        care("a-komplt", "KOMPLT", sista_datum=_day(rig, 9), komplettering=WANTS, **_ONE),
    )
    rig.deliver()
    rig.clock.now += timedelta(hours=20)
    rig.ok(care("a-remind", "PAMINN", paminner="a-komplt", sista_datum=_day(rig, 5), **_ONE))


WANTS: Final = [("35", "Beskriv hur funktionsnedsättningen påverkar en vanlig arbetsdag.")]


def _day(rig: Rig, ahead: int) -> str:
    return (rig.clock.now + timedelta(days=ahead)).date().isoformat()
