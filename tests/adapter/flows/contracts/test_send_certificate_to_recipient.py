from dataclasses import replace

import pytest

from intyg.adapter.domain.delivery import DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import TestPatientError, UnknownIntygError
from intyg.adapter.settings.settings import RecipientSettings
from intyg.schemas.codes import ErrorId, ResultCode
from tests import builders
from tests.adapter.flows.rig import FK, Rig, make_services

SEND = builders.send_certificate_to_recipient()
REPLACEMENT = "0b8f7b1c-replacement"
REFUSED = Outcome(OutcomeKind.REFUSED)


def production(rig: Rig) -> Rig:
    """Everything is real now; the policy `require` is left out, it is not what is tried here."""
    real = rig.with_settings(kind=DestinationKind.REAL)
    settings = real.services.settings.model_copy(update={"environment": Environment.PRODUCTION})
    return replace(real, services=make_services(settings, rig.services.store, rig.clock))


# --- queued -------------------------------------------------------------------------------------


def test_it_is_queued_with_the_bytes_that_came(registered: Rig) -> None:
    assert registered.call(SEND).code == ResultCode.OK
    delivery = registered.deliveries()[-1]
    assert (delivery.new.contract, delivery.new.logical_address) == ("RegisterCertificate:3", FK)
    assert delivery.new.body == builders.register_certificate()
    assert delivery.state is DeliveryState.QUEUED


def test_queued_accepted_and_refused_stay_apart(registered: Rig) -> None:
    registered.ok(SEND, builders.send_certificate_to_recipient(mottagare="AF"))
    assert registered.statuses() == [("RECEIV", "HSVARD")]  # queued: no status, no event
    assert "SKICKA" not in registered.events()
    registered.deliver(addresses={"AF-ADDRESS": REFUSED})
    assert registered.statuses() == [("RECEIV", "HSVARD"), ("SENTTO", "FKASSA")]
    assert registered.events() == ["SIGNAT", "SKICKA"]
    states = {d.new.part: d.state for d in registered.deliveries() if d.new.part != "HSVARD"}
    assert states == {"FKASSA": DeliveryState.DELIVERED, "AF": DeliveryState.REFUSED}


@pytest.mark.parametrize(
    ("citizen", "by"), [pytest.param(False, builders.DOCTOR), pytest.param(True, None)]
)
def test_care_is_told_who_sent_it_unless_it_was_the_citizen(
    registered: Rig, citizen: bool, by: str | None
) -> None:
    registered.ok(builders.send_certificate_to_recipient(citizen=citizen))
    registered.deliver()
    told = registered.handelser()[-1]
    assert (told.handelsekod, told.hanterat_av) == ("SKICKA", by)


# --- nothing to do ------------------------------------------------------------------------------


def test_what_is_revoked_is_not_sent(registered: Rig) -> None:
    registered.ok(builders.revoke_certificate())
    result = registered.call(SEND)
    assert result.code == ResultCode.INFO
    assert registered.to_authorities() == []


def test_twice_to_one_recipient_is_told_and_sent_once(sent: Rig) -> None:
    result = sent.call(SEND)
    assert (result.code, result.text) == (
        ResultCode.INFO,
        "The certificate has already been sent to FKASSA.",
    )
    assert len(sent.to_authorities()) == 1


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(None, id="queued"),
        pytest.param(OutcomeKind.HELD, id="held"),
    ],
)
def test_what_is_on_its_way_is_not_sent_again(registered: Rig, outcome: OutcomeKind | None) -> None:
    registered.ok(SEND)
    if outcome is not None:
        late = builders.NOW.replace(year=2027) if outcome is OutcomeKind.HELD else None
        registered.deliver(addresses={FK: Outcome(outcome, retry_at=late)})
    assert registered.call(SEND).code == ResultCode.INFO
    assert len(registered.to_authorities()) == 1


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(REFUSED, id="refused"),
        pytest.param(Outcome(OutcomeKind.RETRY), id="failed"),
        pytest.param(Outcome(OutcomeKind.UNKNOWN), id="may have arrived"),
    ],
)
def test_what_did_not_arrive_is_sent_again_and_the_caller_is_told(
    registered: Rig, outcome: Outcome
) -> None:
    registered.ok(SEND)
    registered.deliver(addresses={FK: outcome})
    again = registered.call(SEND)
    assert (again.code, again.text) == (
        ResultCode.INFO,
        "It had not arrived at FKASSA, and is sent there once more.",
    )
    assert len(registered.to_authorities()) == 2


# --- refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(builders.send_certificate_to_recipient("unknown"), id="unknown"),
        pytest.param(
            builders.send_certificate_to_recipient(person=builders.OTHER_PATIENT),
            id="another person",
        ),
    ],
)
def test_unknown_and_another_persons_are_answered_alike(registered: Rig, body: bytes) -> None:
    before = registered.row_count()
    with pytest.raises(UnknownIntygError) as caught:
        registered.call_raising(body)
    assert caught.value.text == "There is no such certificate for this patient."
    assert caught.value.findings == ()
    assert registered.row_count() == before


@pytest.mark.parametrize(
    ("mottagare", "text"),
    [
        ("NOBODY", "not known"),
        ("HSVARD", "not known"),
        ("SKV", "at present"),
        ("TRANSP", "does not take"),
    ],
)
def test_a_recipient_that_is_none_is_refused(registered: Rig, mottagare: str, text: str) -> None:
    recipients = dict(registered.services.settings.recipients)
    recipients["TRANSP"] = RecipientSettings(name="x", logical_address="TS")
    result = registered.with_settings(recipients=recipients).call(
        builders.send_certificate_to_recipient(mottagare=mottagare)
    )
    assert result.error_id == ErrorId.APPLICATION_ERROR
    assert text in (result.text or "")


@pytest.mark.parametrize("logical_address", ["NO-ROUTE", builders.UNIT])
def test_without_a_route_to_an_authority_nothing_is_queued(
    registered: Rig, logical_address: str
) -> None:
    """A certificate is never posted to an EHR, whatever the recipients say."""
    recipients = {"FKASSA": RecipientSettings(name="x", logical_address=logical_address)}
    result = registered.with_settings(recipients=recipients).call(SEND)
    assert result.error_id == ErrorId.APPLICATION_ERROR
    assert registered.to_authorities() == []


def test_what_is_replaced_is_not_sent_until_each_replacement_is_revoked(registered: Rig) -> None:
    registered.ok(
        builders.register_certificate(REPLACEMENT, relation=("ERSATT", builders.INTYGS_ID))
    )
    result = registered.call(SEND)
    assert result.error_id == ErrorId.VALIDATION_ERROR
    assert "INTYG_REPLACED" in (result.text or "")
    another = "0b8f7b1c-another"
    registered.ok(
        builders.register_certificate(another, relation=("ERSATT", builders.INTYGS_ID)),
        builders.revoke_certificate(REPLACEMENT),
    )
    assert "INTYG_REPLACED" in (registered.call(SEND).text or "")
    registered.ok(builders.revoke_certificate(another), SEND)


def test_another_patients_certificate_replaces_nothing(registered: Rig) -> None:
    replaces = ("ERSATT", builders.INTYGS_ID)
    registered.ok(
        builders.register_certificate(REPLACEMENT, builders.OTHER_PATIENT, relation=replaces), SEND
    )


# --- the guard ----------------------------------------------------------------------------------


def test_a_test_patients_certificate_is_not_sent_to_a_real_authority(registered: Rig) -> None:
    real = registered.with_settings(kind=DestinationKind.REAL)
    with pytest.raises(TestPatientError):
        real.call_raising(SEND)
    assert real.to_authorities() == []
    assert real.blocked() == ["RegisterCertificate:3"]  # kept although the request was refused


def test_a_real_patients_certificate_is_not_sent_to_a_mock(rig: Rig) -> None:
    rig.ok(builders.register_certificate(person=builders.UNLISTED_PATIENT))
    result = rig.call(builders.send_certificate_to_recipient(person=builders.UNLISTED_PATIENT))
    assert result.error_id == ErrorId.VALIDATION_ERROR
    assert builders.UNLISTED_PATIENT not in (result.text or "")
    assert rig.to_authorities() == []


def test_in_production_a_real_patients_certificate_is_sent(rig: Rig) -> None:
    live = production(rig)
    live.ok(
        builders.register_certificate(person=builders.UNLISTED_PATIENT),
        builders.send_certificate_to_recipient(person=builders.UNLISTED_PATIENT),
    )


def test_a_mark_from_registration_outlives_the_list(rig: Rig) -> None:
    live = production(rig)
    live.ok(builders.register_certificate())
    with pytest.raises(TestPatientError):
        live.with_test_patients().call_raising(SEND)


def test_what_cannot_be_told_is_queued_and_the_caller_told_that_it_waits(rig: Rig) -> None:
    live = production(rig).with_test_patients(damage="no such file")
    live.ok(builders.register_certificate())
    result = live.call(SEND)
    assert result.code == ResultCode.INFO
    assert "cannot be told" in (result.text or "")
    assert live.to_authorities() == [("RegisterCertificate:3", "FKASSA")]
