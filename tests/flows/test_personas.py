"""One certificate for each authority, from the EHR through the adapter to its mock."""

from datetime import timedelta

import pytest
from lxml import etree

from intyg.adapter import signature
from intyg.adapter.cli.options import swedish_now
from intyg.mocks.server.authority import Authority
from intyg.mocks.wire.signature import SignatureOutcome
from intyg.sandbox.demo.stage import PATIENT, Stage
from intyg.schemas.examples.draft import request_element
from intyg.schemas.examples.example import Size, Workshop, frame_of
from intyg.schemas.typefile.lookup import IntygTypes


def issue(stage: Stage, name: str, intygs_id: str) -> bytes:
    """A signed example of a certificate type."""
    intyg_type = IntygTypes().lookup(name)
    now = swedish_now(timedelta(minutes=1))
    frame = frame_of(
        intyg_type,
        now,
        intygs_id=intygs_id,
        person_id=PATIENT,
        signer=stage.staff.personal_id,
    )
    draft = Workshop(intyg_type, now.date()).draft(frame, Size.MINIMAL, 0)
    key = signature.load_signing_key(stage.keys.signer.key, stage.keys.signer.cert)
    return signature.sign_document(etree.tostring(request_element(intyg_type, draft)), key)


@pytest.mark.parametrize(
    ("name", "persona", "part", "sent_on_signing"),
    [
        pytest.param("FK7804", "forsakringskassan", "FKASSA", False, id="FKASSA"),
        pytest.param("TS8071", "transportstyrelsen", "TRANSP", False, id="TRANSP"),
        pytest.param("DB", "skatteverket", "SKV", True, id="SKV"),
        pytest.param("DOI", "socialstyrelsen", "SOS", True, id="SOS"),
        pytest.param("AF00213", "arbetsformedlingen", "AF", True, id="AF"),
        pytest.param("AF00251", "arbetsformedlingen", "AF", False, id="AF, when asked"),
    ],
)
def test_each_authority_gets_its_own_certificates_and_nobody_elses(
    shared_stage: Stage, name: str, persona: str, part: str, sent_on_signing: bool
) -> None:
    stage, intygs_id = shared_stage, f"intyg-for-{part}-{name}"
    now = swedish_now()
    assert stage.ehr.register(issue(stage, name, intygs_id)).code == "OK"
    if not sent_on_signing:
        assert stage.ehr.send(intygs_id, PATIENT, part, now).code == "OK"
    mock = stage.mocks[persona].mock
    assert isinstance(mock.persona, Authority)
    this = {"intygs_id": intygs_id}
    [call] = mock.journal.wait(1, timeout_seconds=15, contract="RegisterCertificate", **this)
    assert (call.result_code, call.logical_address) == ("OK", part)
    assert mock.persona.intyg(intygs_id).signature is SignatureOutcome.VALID
    others = [
        each.mock for key, each in stage.mocks.items() if key not in (persona, "journalsystem")
    ]
    assert not [each for each in others if each.journal.entries(f"intygs_id={intygs_id}")]
    assert stage.ehr.revoke(intygs_id, PATIENT, now, "Fel patient").code == "OK"
    mock.journal.wait(1, timeout_seconds=15, contract="RevokeCertificate", **this)
    assert mock.persona.intyg(intygs_id).revoked_at is not None
