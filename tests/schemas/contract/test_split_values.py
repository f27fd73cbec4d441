"""No value in two pieces, in any contract."""

import time

import pytest
from lxml import etree

from intyg.schemas import ns
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.contract.split_values import RULE, split_values
from intyg.schemas.finding import MAX_FINDINGS
from tests.schemas import samples
from tests.schemas.conftest import element_in_envelope


def _split(leaf: etree._Element, made: etree._Element) -> None:
    """Put a comment or an instruction into the middle of a value."""
    text = leaf.text or ""
    leaf.text, made.tail = text[: len(text) // 2], text[len(text) // 2 :]
    leaf.insert(0, made)


def _undone(leaf: etree._Element) -> None:
    text = (leaf.text or "") + (leaf[0].tail or "")
    leaf.remove(leaf[0])
    leaf.text = text


def _contract(contracts: Contracts, key: str) -> Contract:
    name, _, major = key.partition(":")
    return contracts.get(name, int(major))


@pytest.mark.parametrize("key", samples.KEYS)
@pytest.mark.parametrize("instruction", [False, True], ids=["comment", "instruction"])
def test_every_value_of_every_contract_is_in_one_piece(
    contracts: Contracts, key: str, instruction: bool
) -> None:
    contract = _contract(contracts, key)
    element = element_in_envelope(contract)
    leaves = [each for each in element.iter(etree.Element) if not len(each) and each is not element]
    for leaf in leaves:
        _split(leaf, etree.PI("x", "y") if instruction else etree.Comment("y"))
        (found,) = contracts.check(contract, element)
        assert found.rule == RULE
        assert found.xpath.startswith(f"/{contract.name}/")
        name = etree.QName(leaf).localname
        assert found.xpath.rpartition("/")[2].partition("[")[0] == name
        _undone(leaf)
        assert contracts.check(contract, element) == []


@pytest.mark.parametrize("key", samples.KEYS)
def test_between_elements_they_may_stand(contracts: Contracts, key: str) -> None:
    contract = _contract(contracts, key)
    element = element_in_envelope(contract)
    for each in [each for each in element.iter(etree.Element) if len(each)]:
        each.insert(0, etree.Comment("y"))
        each.append(etree.PI("x", "y"))
    assert contracts.check(contract, element) == []


def test_the_response_is_looked_at_too(contracts: Contracts) -> None:
    contract = contracts.get("RevokeCertificate", 2)
    answer = etree.fromstring(
        f'<RevokeCertificateResponse xmlns="{contract.namespace}"><result><c:resultCode '
        f'xmlns:c="{ns.CORE}">OK<!-- --></c:resultCode></result></RevokeCertificateResponse>'
    )
    assert [each.rule for each in contracts.check(contract, answer)] == [RULE]


@pytest.mark.parametrize(
    ("xml", "found"),
    [
        ("<a>x<!-- -->y</a>", ["/a"]),
        ("<a><!-- -->xy</a>", ["/a"]),
        ("<a>xy<!-- --></a>", ["/a"]),
        ("<a><!-- --></a>", ["/a"]),
        ("<a><?x?>xy</a>", ["/a"]),
        ("<a><b>1</b><b>1<!-- --></b></a>", ["/a/b[2]"]),
        pytest.param("<a>x<!-- -->y<b/></a>", ["/a"], id="text beside elements"),
        pytest.param("<a><b/>x<!-- -->y</a>", ["/a"], id="text after elements"),
        ("<a> <!-- --> <b/><?x?> </a>", []),
        ("<!-- --><a/><?x?>", []),
    ],
)
def test_what_is_a_value(xml: str, found: list[str]) -> None:
    assert [each.xpath for each in split_values(etree.fromstring(xml))] == found


def test_with_the_schemas_own_faults_both_are_told(contracts: Contracts) -> None:
    contract = contracts.get("RevokeCertificate", 2)
    element = element_in_envelope(contract)
    leaf = next(each for each in element.iter(etree.Element) if each.text and each.text.strip())
    _split(leaf, etree.Comment("x"))
    element.append(etree.Element("surplus"))
    assert {each.rule for each in contracts.check(contract, element)} == {RULE, "XSD"}


@pytest.mark.parametrize(
    "xml",
    [
        pytest.param(b"<a>" + b"<!---->" * 10_000 + b"</a>", id="in one value"),
        pytest.param(b"<a>" + b"<b><!----></b>" * 3_300 + b"</a>", id="in many"),
    ],
)
def test_many_of_them_take_no_time(xml: bytes) -> None:
    root = etree.fromstring(xml)
    seconds = []
    for _ in range(3):
        started = time.process_time()
        assert len(split_values(root)) in (1, MAX_FINDINGS)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.1
