"""A client that has only fetched the WSDLs reads what a running adapter has stored."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import zeep
import zeep.exceptions

from intyg.mocks.journalsystem.sample import UNIT
from intyg.sandbox.demo.stage import PATIENT, Stage, set_stage
from intyg.sandbox.demo.story import issue
from intyg.schemas.codes import (
    HSA_ID_ROOT,
    INTYGSTYP_SYSTEM,
    PART_SYSTEM,
    PERSONNUMMER_ROOT,
    STATUS_SYSTEM,
)
from tests import builders

INTYGS_ID: Final = builders.INTYGS_ID
IDENTITY: Final = {"root": "any", "extension": INTYGS_ID}
PERSON: Final = {"root": PERSONNUMMER_ROOT, "extension": PATIENT}
LISJP: Final = {"code": "LISJP", "codeSystem": INTYGSTYP_SYSTEM}


def part(code: str) -> dict[str, str]:
    return {"code": code, "codeSystem": PART_SYSTEM}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Stage]:
    """One certificate is registered."""
    with set_stage(tmp_path_factory.mktemp("stage"), keys_folder) as running:
        assert running.ehr.register(issue(running, INTYGS_ID)).code == "OK"
        yield running


def call(stage: Stage, contract: str, **parameters: Any) -> Any:
    """Call a contract, `GetCertificate:2`, as its WSDL says."""
    name, _, major = contract.partition(":")
    path = stage.adapter.services.contracts.get(name, int(major)).path
    with zeep.Client(f"{stage.adapter.url}/services{path}?wsdl") as client:
        (service,) = client.wsdl.services
        operation = getattr(client.bind(service), name)
        return operation(**parameters, _soapheaders={"LogicalAddress": "INTYGSADAPTER"})


def test_a_certificate_with_its_states(stage: Stage) -> None:
    answer = call(stage, "GetCertificate:2", **{"intygs-id": IDENTITY, "part": part("HSVARD")})
    intyg = answer["intyg"]
    assert intyg["intygs-id"]["extension"] == INTYGS_ID
    assert [status["status"]["code"] for status in intyg["status"]] == ["RECEIV"]
    assert intyg["svar"]
    assert intyg["underskrift"]


def test_a_fault(stage: Stage) -> None:
    nobody = {"root": "any", "extension": "nobody"}
    with pytest.raises(zeep.exceptions.Fault, match="no such certificate") as caught:
        call(stage, "GetCertificate:2", **{"intygs-id": nobody, "part": part("HSVARD")})
    assert "Client" in caught.value.code  # sending it again helps nobody


def test_what_happened_to_a_units_certificates(stage: Stage) -> None:
    unit = {"root": HSA_ID_ROOT, "extension": UNIT}
    answer = call(
        stage, "ListCertificatesForCareWithQA:3", **{"person-id": PERSON, "enhets-id": [unit]}
    )
    (item,) = answer["list"]["item"]
    assert item["intyg"]["intygs-id"]["extension"] == INTYGS_ID
    assert [one["handelsekod"]["code"] for one in item["handelser"]["handelse"]] == ["SIGNAT"]
    assert item["mottagnaFragor"]["totalt"] == 0


def test_the_citizen_archives_a_certificate(stage: Stage) -> None:
    answer = call(
        stage,
        "SetCertificateStatus:2",
        **{
            "intygs-id": IDENTITY,
            "part": part("INVANA"),
            "status": {"code": "DELETE", "codeSystem": STATUS_SYSTEM},
            "tidpunkt": "2026-11-23T10:00:00",
        },
    )
    assert answer["result"]["resultCode"] == "OK"
    asked = {"person-id": PERSON, "arkiverade": True, "part": part("INVANA")}
    for major in (3, 4):
        answer = call(stage, f"ListCertificatesForCitizen:{major}", **asked)
        found = answer["intygsLista"]["intyg"]
        assert [intyg["intygs-id"]["extension"] for intyg in found] == [INTYGS_ID]


def test_care_approves_receivers(stage: Stage) -> None:
    answer = call(
        stage,
        "RegisterApprovedReceivers:1",
        **{
            "intyg-id": IDENTITY,
            "typAvIntyg": LISJP,
            "approvedReceivers": [{"receiverId": "FBA", "approvalStatus": "YES"}],
        },
    )
    assert answer["result"]["resultCode"] == "OK"
    approved = call(stage, "ListApprovedReceivers:1", **{"intygs-id": IDENTITY})
    assert {one["receiverId"]: one["approvalStatus"] for one in approved["receiverList"]} == {
        "FBA": "YES",
        "FKASSA": "YES",
    }
    answer = call(
        stage,
        "GetRecipientsForCertificate:1",
        certificateId=INTYGS_ID,
        certificateType="lisjp",
    )
    assert [one["id"] for one in answer["recipient"]] == ["FBA", "FKASSA"]
    assert answer["result"]["resultCode"] == "OK"


def test_the_service_is_up(stage: Stage) -> None:
    answer = call(
        stage,
        "PingForConfiguration:1",
        serviceContractNamespace="urn:riv:x",
        logicalAddress="INTYGSADAPTER",
    )
    assert len(answer["pingDateTime"]) == 14
    assert answer["version"]
