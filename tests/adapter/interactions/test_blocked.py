"""What callers are told when the guard blocks, against the table in `guard.py`."""

import pytest

from adapter.guard import TOLD, Told
from adapter.model import DestinationKind, Result
from schemas.codes import ErrorId, ResultCode
from tests import builders
from tests.adapter.interactions.rig import Rig

REQUESTS = {
    "RegisterCertificate": builders.register_certificate(
        "0b8f7b1c-complement", relation=("KOMPLT", builders.INTYGS_ID)
    ),
    "SendCertificateToRecipient": builders.send_certificate_to_recipient(mottagare="AF"),
    "RevokeCertificate": builders.revoke_certificate(),
    "SendMessageToCare": builders.send_message_to_care(),
    "SendMessageToRecipient": builders.send_message_to_recipient(),
}


def told(result: Result) -> set[Told]:
    """Which of the ways to tell an answer can be."""
    if result.error_id is ErrorId.VALIDATION_ERROR:
        return {Told.VALIDATION_ERROR}
    if result.code is ResultCode.INFO and "not forwarded" in (result.text or ""):
        return {Told.NOT_FORWARDED}
    assert result == Result.ok()
    return {Told.SKIPPED, Told.LOCAL_ONLY}


@pytest.mark.parametrize("contract", TOLD)
def test_every_contract_is_answered_as_the_table_says(sent: Rig, contract: str) -> None:
    """The authority turns real: what a test patient's certificate could do, it can no more."""
    sent.ok(builders.send_message_to_care("k-1", "KOMPLT"))  # for a complement to answer
    real = sent.with_settings(kind=DestinationKind.REAL)
    before = real.to_authorities()
    assert TOLD[contract] in told(real.call(REQUESTS[contract]))
    assert len(real.blocked()) == 1
    assert real.to_authorities() == before
