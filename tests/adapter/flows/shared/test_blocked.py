"""What callers are told when the guard blocks, against the tables in `told.py`."""

import pytest
from pydantic import ValidationError

from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.inbound import Result
from intyg.adapter.settings.guard_answers import MAY_BE_TOLD, TOLD, BlockReply
from intyg.adapter.settings.settings import GuardSettings
from intyg.schemas.codes import ErrorId, ResultCode
from tests import builders
from tests.adapter.flows.rig import Rig

REQUESTS = {
    "RegisterCertificate": builders.register_certificate(
        "0b8f7b1c-complement", relation=("KOMPLT", builders.INTYGS_ID)
    ),
    "SendCertificateToRecipient": builders.send_certificate_to_recipient(mottagare="AF"),
    "RevokeCertificate": builders.revoke_certificate(),
    "SendMessageToCare": builders.send_message_to_care(),
    "SendMessageToRecipient": builders.send_message_to_recipient(),
}


def told(result: Result) -> set[BlockReply]:
    """Which of the ways to tell an answer can be."""
    if result.error_id is ErrorId.VALIDATION_ERROR:
        return {BlockReply.VALIDATION_ERROR}
    if result.code is ResultCode.INFO and "not forwarded" in (result.text or ""):
        return {BlockReply.NOT_FORWARDED}
    assert result == Result.ok()
    return {BlockReply.SKIPPED, BlockReply.LOCAL_ONLY}


@pytest.mark.parametrize("contract", TOLD)
def test_every_contract_is_answered_as_the_table_says(sent: Rig, contract: str) -> None:
    """The authority turns real: what a test patient's certificate could do, it can no more."""
    sent.ok(builders.send_message_to_care("k-1", "KOMPLT"))  # for a complement to answer
    real = sent.with_settings(kind=DestinationKind.REAL)
    before = real.to_authorities()
    assert TOLD[contract] in told(real.call(REQUESTS[contract]))
    assert len(real.blocked()) == 1
    assert real.to_authorities() == before


@pytest.mark.parametrize(
    ("contract", "way"),
    [(contract, way) for contract in TOLD for way in sorted(MAY_BE_TOLD[contract])],
)
def test_settings_change_what_is_told_and_never_what_is_sent(
    sent: Rig, contract: str, way: BlockReply
) -> None:
    sent.ok(builders.send_message_to_care("k-1", "KOMPLT"))
    real = sent.with_settings(kind=DestinationKind.REAL, guard=GuardSettings(told={contract: way}))
    before = real.to_authorities()
    rows_before = real.row_count()
    assert way in told(real.call(REQUESTS[contract]))
    assert len(real.blocked()) == 1
    assert real.to_authorities() == before
    if way is BlockReply.VALIDATION_ERROR:
        assert real.row_count() == rows_before + 1  # the block


def test_a_question_that_is_skipped_is_not_kept(sent: Rig) -> None:
    skip = GuardSettings(told={"SendMessageToCare": BlockReply.SKIPPED})
    real = sent.with_settings(kind=DestinationKind.REAL, guard=skip)
    rows_before = real.row_count()
    assert real.call(REQUESTS["SendMessageToCare"]) == Result.ok()
    assert real.row_count() == rows_before + 1


@pytest.mark.parametrize(
    "told",
    [
        {"RegisterCertificate": BlockReply.VALIDATION_ERROR},
        {"SendMessageToCare": BlockReply.NOT_FORWARDED},
        {"GetCertificate": BlockReply.SKIPPED},
    ],
)
def test_settings_choose_among_what_a_contract_allows(told: dict[str, BlockReply]) -> None:
    with pytest.raises(ValidationError, match=f"{next(iter(told))}: give one of"):
        GuardSettings(told=told)


def test_every_contract_may_be_answered_as_nationally() -> None:
    assert MAY_BE_TOLD.keys() == TOLD.keys()
    assert all(told in MAY_BE_TOLD[contract] for contract, told in TOLD.items())


# --- messages to care -----------------------------------------------------------------------------


def test_events_about_nobody_of_the_tests_are_not_even_queued(rig: Rig) -> None:
    """A real person's certificate in a demonstration: the mock EHR hears nothing of it."""
    rig.ok(builders.register_certificate(person=builders.UNLISTED_PATIENT))
    assert rig.events() == ["SIGNAT"]
    assert rig.deliveries() == ()
    with rig.services.store.read() as rows:
        [block] = rows.blocks.find()
    assert (block.contract, block.destination) == ("CertificateStatusUpdateForCare:3", "ehr")


def test_a_question_from_an_authority_is_blocked_on_its_way_to_a_test_ehr(sent: Rig) -> None:
    """The list loses the patient after the certificate has gone out."""
    emptied = sent.with_test_patients(builders.OTHER_PATIENT)
    before = len(emptied.deliveries())
    emptied.call(builders.send_message_to_care())
    assert len(emptied.deliveries()) == before
    assert emptied.blocked() == ["SendMessageToCare:2"]
