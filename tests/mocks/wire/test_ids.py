import pytest

from intyg.mocks.rules import parse_rule
from intyg.mocks.server.serving import MockServer
from intyg.mocks.wire.ids import ById, same_hsa_id, same_id
from tests import builders
from tests.mocks.calls import post, result
from tests.mocks.kinds import Kassan

SMALL = "9f1c2e3a-5b6d-4c7e-8f90-a1b2c3d4e5f6"


def test_a_uuid_is_found_in_either_case() -> None:
    kept: ById[int] = ById()
    kept[SMALL.upper()] = 1
    kept["Fraga-1"] = 2
    assert (kept[SMALL], kept.get(SMALL.swapcase()), SMALL in kept) == (1, 1, True)
    assert ("fraga-1" in kept, kept.get("fraga-1")) == (False, None)
    del kept[SMALL]
    assert list(kept.values()) == [2]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (SMALL, SMALL.upper(), True),
        ("Fraga-1", "fraga-1", False),
        ("{" + SMALL + "}", SMALL, False),
        (f"urn:uuid:{SMALL}", SMALL, False),
    ],
)
def test_ids_that_are_one(one: str, other: str, same: bool) -> None:
    assert same_id(one, other) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("SE1-a", "se1-A", True), ("SE1-å", "SE1-Å", False), (None, None, False)],
)
def test_hsa_ids_that_are_one(one: str | None, other: str | None, same: bool) -> None:
    assert same_hsa_id(one, other) is same


def test_an_authority_finds_address_and_certificate_in_either_case(
    server: MockServer, kassan: Kassan
) -> None:
    no = {"kind": "vp", "code": "VP009"}
    unit = {"unit": builders.UNIT.lower(), "intygs_id": SMALL.upper()}
    registered = post(server, builders.register_certificate(SMALL), logical_address="fkassa")
    assert result(registered)[0] == "OK"
    assert result(post(server, builders.register_certificate(SMALL.upper())))[0] == "INFO"
    assert result(post(server, builders.revoke_certificate(SMALL.upper())))[0] == "OK"
    assert kassan.persona.known_intyg() == {SMALL}
    kassan.rules.add(parse_rule({"answers": no, "match": unit}))
    assert post(server, builders.register_certificate(SMALL)).status_code == 500
