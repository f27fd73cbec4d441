"""Codes and roots against the contracts' own files, and against the national lists."""

from enum import StrEnum
from pathlib import Path

import pytest
from lxml import etree

import intyg.schemas
from intyg.schemas import codes, ns

COMPONENTS = Path(intyg.schemas.__file__).parent / "contracts" / "core_components"
TYPES = "clinicalprocess_healthcond_certificate_types_3.2.xsd"
CORE = "clinicalprocess_healthcond_certificate_3.3.xsd"


def stated(file: str, xpath: str) -> list[str]:
    """Attributes in a file of the contracts; `x` is XML Schema."""
    found = etree.parse(COMPONENTS / file).xpath(xpath, namespaces={"x": ns.XS})
    assert isinstance(found, list)
    return [str(value) for value in found]


@pytest.mark.parametrize(
    ("code_list", "type_name"),
    [(codes.ResultCode, "ResultCodeType"), (codes.ErrorId, "ErrorIdType")],
)
def test_codes_are_those_of_the_schema(code_list: type[StrEnum], type_name: str) -> None:
    values = stated(CORE, f"//x:simpleType[@name='{type_name}']//x:enumeration/@value")
    assert [code.value for code in code_list] == values


@pytest.mark.parametrize(
    ("code_list", "values"),
    [
        (codes.Part, "HSVARD INVANA FKASSA TRANSP SKV SOS AF"),
        (codes.Status, "RECEIV SENTTO CANCEL DELETE RESTOR"),
        (codes.TypAvRelation, "ERSATT KOMPLT FRLANG KOPIA"),
        (codes.Amne, "KOMPLT AVSTMN KONTKT OVRIGT PAMINN"),
        (
            codes.Handelse,
            "SKAPAT ANDRAT KFSIGN RADERA SIGNAT SKICKA MAKULE NYFRFM NYSVFM NYFRFV HANFRFM HANFRFV",
        ),
    ],
)
def test_codes_are_those_of_the_national_lists(code_list: type[StrEnum], values: str) -> None:
    """What is sent is the code itself, and no schema would refuse another."""
    assert [code.value for code in code_list] == values.split()


@pytest.mark.parametrize(
    ("root", "type_name"),
    [
        (codes.PART_SYSTEM, "Part"),
        (codes.STATUS_SYSTEM, "Statuskod"),
        (codes.RELATION_SYSTEM, "TypAvRelation"),
        (codes.AMNE_SYSTEM, "Amneskod"),
        (codes.HANDELSE_SYSTEM, "Handelsekod"),
        (codes.HSA_ID_ROOT, "HsaId"),
        (codes.ARBETSPLATSKOD_ROOT, "ArbetsplatsKod"),
    ],
)
def test_a_root_is_what_the_schema_fixes(root: str, type_name: str) -> None:
    assert [root] == stated(TYPES, f"//x:complexType[@name='{type_name}']//@fixed")


def test_the_roots_of_persons_are_those_of_the_schema() -> None:
    both = stated(TYPES, "//x:simpleType[@name='PersonIdRoot']//x:enumeration/@value")
    assert both == [codes.PERSONNUMMER_ROOT, codes.SAMORDNINGSNUMMER_ROOT]


def test_the_code_system_of_types_of_intyg() -> None:
    """Fixed by practice only: every message of the national service holds it."""
    assert codes.INTYGSTYP_SYSTEM == "b64ea353-e8f6-4832-b563-fc7d46f29548"


def test_code_systems_are_the_published_ones() -> None:
    """National code lists, most of which no file of the contracts names."""
    assert {name: value for name, value in vars(codes).items() if name.endswith("_SYSTEM")} == {
        "PART_SYSTEM": "769bb12b-bd9f-4203-a5cd-fd14f2eb3b80",
        "STATUS_SYSTEM": "9871cd17-8755-4ed9-b894-ff3729e775a4",
        "RELATION_SYSTEM": "c2362fcd-eda0-4f9a-bd13-b3bbaf7f2146",
        "AMNE_SYSTEM": "ffa59d8f-8d7e-46ae-ac9e-31804e8e8499",
        "HANDELSE_SYSTEM": "dfd7bbad-dbe5-4a2f-ba25-f7b9b2cc6b14",
        "INTYGSTYP_SYSTEM": "b64ea353-e8f6-4832-b563-fc7d46f29548",
        "YRKE_SYSTEM": "1.2.752.29.23.1.6",
    }
