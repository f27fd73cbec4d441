"""An adapter with four days behind it: everything that a page may have to show."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from intyg.adapter.audit.log import AuditKey, AuditLog
from intyg.adapter.bootstrap.app import App, build_app
from intyg.adapter.domain.delivery import Outcome
from intyg.adapter.domain.delivery import OutcomeKind as Kind
from intyg.adapter.domain.draft import Draft, DraftState
from intyg.adapter.domain.intyg import Enhet, HosPersonal
from intyg.adapter.domain.person import PersonId
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import DeliverySettings, ServerSettings
from intyg.adapter.store import Store
from tests import builders
from tests.adapter.console.pages.asked import ask
from tests.adapter.flows.rig import FK, Rig, VirtualClock, make_services, make_settings

HOSTILE: Final = "<script>alert(1)</script> \u202egnidael \"' &amp; " + "lång " * 2000
"""What somebody else may write."""

SENT: Final = builders.INTYGS_ID
NEWER: Final = "7c1e0f5a-93d4-4b8e-a2f1-5d0c6b7e9a14"
WAITING: Final = "4f0d9c12-52f1-4a07-9a11-0d2f9b3ea7e1"
REFUSED: Final = "b1836e77-1f0a-4b5c-8e21-6f5d4c3b09cd"
DRAFT: Final = "2d6a1f0e-6c1b-4f35-9a57-0b1d1c7e4a55"
SECRET: Final = b"a secret of tests, long enough for it"


@dataclass
class _Story:
    rig: Rig

    def after(self, **length: float) -> None:
        self.rig.clock.now += timedelta(**length)

    def tried(self, kind: Kind, detail: str, wait_minutes: float, **said: Any) -> None:
        """What is due is tried, and goes wrong."""
        again = self.rig.clock.now + timedelta(minutes=wait_minutes)
        outcome = Outcome(kind, retry_at=again, detail=detail, **said)
        self.rig.deliver(addresses={FK: outcome})


def play(rig: Rig) -> None:
    """Three days of questions, and four of everything."""
    ask(rig)
    play_four_days(rig)


def play_four_days(rig: Rig) -> None:
    story = _Story(rig)
    rig.ok(builders.register_certificate(), builders.send_certificate_to_recipient())
    lacking = "the platform lacks something for the moment; VP008"
    story.tried(Kind.RETRY, lacking, 1, http_status=500)
    story.after(minutes=1, seconds=2)
    story.tried(Kind.UNKNOWN, "it may have arrived", 5)
    story.after(minutes=5, seconds=4)
    rig.deliver()
    story.after(hours=15, minutes=58)
    rig.ok(builders.send_message_to_care("q-1", "KOMPLT", sista_datum="2026-12-01"))
    rig.deliver()
    story.after(days=2, hours=18)
    for hour in range(9):
        for number in range(1 + hour % 4 * 2):
            _one_more(rig, f"{hour:02}{number:02}")
        rig.deliver()
        story.after(hours=1)
    _trouble(story)
    rig.ok(builders.send_message_to_care("q-2", "KONTKT", sista_datum="2026-12-04", text=HOSTILE))


def _one_more(rig: Rig, number: str) -> None:
    intygs_id = f"0000{number}-0000-4000-8000-000000000000"
    rig.ok(
        builders.register_certificate(intygs_id, builders.OTHER_PATIENT, signed_at=None),
        builders.send_certificate_to_recipient(intygs_id, builders.OTHER_PATIENT),
    )


def _trouble(story: _Story) -> None:
    rig = story.rig
    rig.ok(
        builders.register_certificate(
            NEWER, relation=("ERSATT", SENT), diagnosis="En annan påhittad åkomma"
        ),
        builders.register_certificate(REFUSED, diagnosis="En tredje påhittad åkomma"),
        builders.send_certificate_to_recipient(REFUSED),
    )
    rig.deliver(
        addresses={
            FK: Outcome(
                Kind.REFUSED, detail="the request is wrong", http_status=200,
                result_code="ERROR", error_id="VALIDATION_ERROR", remote_text=HOSTILE,
            )
        }
    )  # fmt: skip
    story.after(minutes=9)
    rig.ok(
        builders.register_certificate(WAITING, builders.OTHER_PATIENT),
        builders.send_certificate_to_recipient(WAITING, builders.OTHER_PATIENT),
    )
    story.tried(Kind.RETRY, "the receiver failed", 5, http_status=503)
    _half_a_draft(rig)
    with rig.services.store.begin() as rows:
        for signal in ("reserved numbers", "reserved numbers", "list of the EHR"):
            rows.blocks.add(WAITING, "RegisterCertificate:3", "real", signal, rig.clock())


def _half_a_draft(rig: Rig) -> None:
    """Somebody has begun to write; one of the periods ends before it begins."""
    unit = Enhet(builders.UNIT, "Provenheten", builders.CARE_PROVIDER)
    doctor = HosPersonal(builders.DOCTOR, "Läkare Provperson", unit)
    number = PersonId(builders.PERSONNUMMER, builders.PATIENT)
    draft = Draft(
        DRAFT, "LISJP", "2.0", number, doctor, {"skapadAv": AUTHOR, "svar": HALF},
        DraftState.INCOMPLETE, rig.clock(), rig.clock(), builders.DOCTOR, "Läkare Provperson",
        is_test=True,
    )  # fmt: skip
    with rig.services.store.begin() as rows:
        rows.drafts.add(draft)


AUTHOR: Final = {
    "personal-id": {"root": builders.HSA, "extension": builders.DOCTOR},
    "fullstandigtNamn": "Läkare Provperson",
    "enhet": {
        "enhets-id": {"root": builders.HSA, "extension": builders.UNIT},
        "arbetsplatskod": {"root": "1.2.752.29.4.71", "extension": "0000000"},
        "enhetsnamn": "Provenheten",
        "postadress": "Provgatan 1",
        "postnummer": "12345",
        "postort": "Provstad",
        "telefonnummer": "010-000 00 00",
        "vardgivare": {
            "vardgivare-id": {"root": builders.HSA, "extension": builders.CARE_PROVIDER},
            "vardgivarnamn": "Provregionen",
        },
    },
}


def _code(code: str, register: int) -> dict[str, str]:
    return {"code": code, "codeSystem": f"KV_FKMU_000{register}"}


HALF: Final = {
    "1": [{"instans": 1, "1.1": _code("JOURNALUPPGIFTER", 1), "1.2": "2026-11-20"}],
    "28": [{"instans": 1, "28.1": _code("NUVARANDE_ARBETE", 2)}],
    "29": {"29.1": "Kock i en skola."},
    "6": {"6.1": "Lumbago", "6.2": {"code": "M545", "codeSystem": "1.2.752.116.1.1.1"}},
    "17": {"17.1": "Kan inte lyfta tungt eller stå länge."},
    "32": [
        {"instans": 1, "32.1": _code("HALFTEN", 3),
         "32.2": {"start": "2026-12-08", "end": "2026-12-01"}},
        {"instans": 2, "32.1": _code("HELT_NEDSATT", 3),
         "32.2": {"start": "2026-11-23", "end": "2026-12-07"}},
    ],
}  # fmt: skip


@contextmanager
def lively_services(
    folder: Path, story: Callable[[Rig], None] = play_four_days, **changes: Any
) -> Iterator[Services]:
    """Its parts, after those days; settings may be others than they were then."""
    clock = VirtualClock()
    store = Store(f"sqlite:///{folder / 'adapter.sqlite'}", clock)
    store.migrate()
    audit = AuditLog(store, AuditKey(SECRET))
    story(Rig(make_services(make_settings(), store, clock), clock))
    try:
        settings = make_settings(data_dir=folder, **changes)
        services = make_services(settings, store, clock)
        yield Services(**{**vars(services), "audit": audit})
    finally:
        store.close()


@contextmanager
def lively_app(
    folder: Path, port: int = 0, story: Callable[[Rig], None] = play, **changes: Any
) -> Iterator[App]:
    """The same, running; nothing of it goes on by itself."""
    with lively_services(folder, story) as services:
        now = services.clock()
    settings = make_settings(
        data_dir=folder,
        server=ServerSettings(port=port),
        delivery=DeliverySettings(workers=0),
        audit={"key": SECRET.decode()},
        **changes,
    )
    with build_app(settings, VirtualClock(now)) as app:
        yield app
