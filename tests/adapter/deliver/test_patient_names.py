"""Whose names stand in status updates, and what a register that is down does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from intyg.adapter.clients.people import PeopleDownError
from intyg.adapter.deliver import Deliverer, PatientNames
from intyg.adapter.domain.delivery import NewDelivery, OutcomeKind
from intyg.adapter.domain.person import PersonFacts, PersonId
from intyg.adapter.formats.event_writer import write_status_update
from intyg.adapter.formats.intyg_bytes import cut_intyg
from intyg.adapter.settings.settings import DeliverySettings
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.adapter.conftest import VirtualClock
from tests.adapter.deliver.test_deliverer import FixedGuard, delivery, destination
from tests.adapter.formats.test_event_writer import HANDELSE
from tests.adapter.receivers import OK, Receiver, http, receiver, soap
from tests.adapter.samples import NOW, new_delivery

TYPES = IntygTypes()
KNOWN = PersonFacts("Tolvan", "Tolvansson", postort="Provstad")


class Register:
    """Says the same of everybody."""

    def __init__(self, said: PersonFacts | str | None) -> None:
        self.said = said

    def find(self, _: PersonId) -> PersonFacts | None:
        if isinstance(self.said, str):
            raise PeopleDownError(self.said)
        return self.said


def update(typ: str = "LISJP", version: str = "1.3") -> NewDelivery:
    request = builders.register_certificate(typ=typ, version=version)
    body = write_status_update(cut_intyg(request), HANDELSE)
    return new_delivery(contract="CertificateStatusUpdateForCare:3", body=body)


def filled(said: PersonFacts | str | None, new: NewDelivery) -> bytes:
    return PatientNames(Register(said), TYPES).filled(new)


def is_changed(said: PersonFacts | None, new: NewDelivery) -> bool:
    return filled(said, new) != new.body


@pytest.mark.parametrize(
    ("typ", "version", "named"),
    [
        ("LISJP", "1.3", True),
        ("lisjp", "2.0", True),  # as the engine of FK7804 2.0 writes it, too
        ("LUSE", "1.3", True),
        ("LUMEK", "1.0", True),
        ("AG7804", "1.0", False),  # for an employer
        ("TS8071", "1.0", False),
        ("DB", "1.0", False),  # its name is the certificate's own
        ("XYZ", "1.0", False),
    ],
)
def test_certificates_of_forsakringskassan_are_told_with_names(
    typ: str, version: str, named: bool
) -> None:
    assert is_changed(KNOWN, update(typ, version)) is named


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(None, id="nobody with this number"),
        pytest.param(replace(KNOWN, is_protected=None), id="perhaps protected"),
    ],
)
def test_whoever_is_not_known_is_told_as_the_certificate_came(said: PersonFacts | None) -> None:
    assert not is_changed(said, update())


def test_nothing_but_status_updates_is_filled() -> None:
    new = new_delivery(body=builders.register_certificate())
    assert not is_changed(KNOWN, new)


def test_without_a_register_everything_goes_as_it_is() -> None:
    assert PatientNames(None, TYPES).filled(update()) == update().body


@pytest.fixture
def ehr() -> Iterator[Receiver]:
    with receiver() as served:
        served.answer = lambda _: http(soap(OK))
        yield served


def test_an_update_is_held_while_the_register_is_down_and_then_named(
    ehr: Receiver, clock: VirtualClock
) -> None:
    register, guard = Register("the register does not answer"), FixedGuard()
    deliverer = Deliverer(
        Contracts(), guard, DeliverySettings(hold_seconds=90), clock, PatientNames(register, TYPES)
    )
    waits = deliverer.deliver(delivery(new=update()), destination(ehr.url))
    assert (waits.kind, waits.detail) == (OutcomeKind.HELD, "the register does not answer")
    assert waits.retry_at == NOW + timedelta(seconds=90)
    assert ehr.connections == 0
    register.said = replace(KNOWN, is_protected=True)
    assert deliverer.deliver(delivery(new=update()), destination(ehr.url)).kind is (
        OutcomeKind.DELIVERED
    )
    deliverer.close()
    (request,) = ehr.received
    assert b"<efternamn>Skyddade personuppgifter</efternamn>" in request.body
    assert b"Tolvan" not in request.body
