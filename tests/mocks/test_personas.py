from collections import Counter
from pathlib import Path

import pytest
from werkzeug.test import Client

from intyg.mocks.personas import PERSONAS, make_personas, ports_from
from intyg.mocks.rules.answers import Fault
from intyg.mocks.server.authority import Authority
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes

FOLDERS = Path(__file__).parents[2] / "mocks"


def test_every_persona_has_a_folder_a_port_and_an_address_of_its_own() -> None:
    assert {each.parent.name for each in FOLDERS.glob("*/persona.py")} == PERSONAS.keys()
    assert list(ports_from(8081).values()) == list(range(8081, 8081 + len(PERSONAS)))
    assert set(ports_from(0).values()) == {0}
    assert len({each.settings.logical_address for each in PERSONAS.values()}) == len(PERSONAS)


@pytest.mark.parametrize(
    ("key", "some"),
    [
        pytest.param("forsakringskassan", {"FK7804 1", "FK7804 2.0"}, id="FKASSA"),
        pytest.param("transportstyrelsen", {"TS8071 2.0", "TSTRK1031 3"}, id="TRANSP"),
        pytest.param("skatteverket", {"DB 1.0"}, id="SKV"),
        pytest.param("socialstyrelsen", {"DOI 1.0"}, id="SOS"),
        pytest.param("arbetsformedlingen", {"AF00213 1", "AF00251 1.0"}, id="AF"),
    ],
)
def test_an_authority_says_which_contracts_and_types_it_takes(
    key: str, some: set[str], contracts: Contracts, types: IntygTypes
) -> None:
    described = make_personas(contracts, types)[key].describe()
    assert {"RegisterCertificate:3", "RevokeCertificate:2"} <= set(described["contracts"])
    assert some <= set(described["types"])


def test_no_type_has_two_authorities(contracts: Contracts, types: IntygTypes) -> None:
    personas = [each.persona for each in make_personas(contracts, types).values()]
    authorities = [each for each in personas if isinstance(each, Authority)]
    assert authorities
    taken = Counter(t.key for t in types.headers() for each in authorities if each.takes(t))
    assert set(taken.values()) == {1}
    assert {t.key for t in types.headers() if t.recipient is not None} == set(taken)


def test_what_one_persona_keeps_no_other_sees(contracts: Contracts, types: IntygTypes) -> None:
    made = make_personas(contracts, types)
    assert len({id(each.journal) for each in made.values()}) == len(made)


def test_one_call_resets_all_that_were_started_together(
    contracts: Contracts, types: IntygTypes
) -> None:
    made = make_personas(contracts, types)
    post = Client(made["skatteverket"]).post
    for mock in made.values():
        mock.rules.fail_next(Fault())
        mock.runs.get("one").rules.fail_next(Fault())
    made["journalsystem"].runs.get("two").rules.fail_next(Fault())

    def rules(run: str | None = None) -> list[int]:
        every = [mock if run is None else mock.runs.find(run) for mock in made.values()]
        return [len(each.rules.book.all()) for each in every if each is not None]

    assert post("/control/reset", json={}).status_code == 200
    all_but_one = [int(key != "skatteverket") for key in made]
    nowhere = [0] * len(made)
    assert rules() == all_but_one
    assert post("/run/one/control/reset", json={"everywhere": True}).status_code == 200
    assert (rules("one"), rules()) == (nowhere, all_but_one)
    assert post("/control/reset", json={"everywhere": True}).status_code == 200
    assert (rules(), rules("two")) == (nowhere, [1])
    two = {"run": "two", "everywhere": True}
    assert post("/control/reset", json=two).status_code == 200  # the EHR has it, and that is enough
    assert [post("/control/reset", json=two).status_code, rules("two")] == [404, []]


def test_a_mock_is_put_together_and_not_inherited(contracts: Contracts, types: IntygTypes) -> None:
    for mock in make_personas(contracts, types).values():
        for part in (mock, mock.persona, mock.rules, mock.place):
            ours = [each for each in type(part).__mro__ if each.__module__.startswith("intyg.")]
            assert len(ours) <= 3  # itself, and at most two above it
