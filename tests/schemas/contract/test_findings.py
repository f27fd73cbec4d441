"""What a refused message is told: where, what would be right, and nothing of what it said."""

import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import islice

import pytest
import xmlschema
from lxml import etree

from intyg.schemas import ns
from intyg.schemas.contract import files as contract_files
from intyg.schemas.contract import findings as schema_findings
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.finding import MAX_FINDINGS, Finding
from tests.schemas import samples
from tests.schemas.conftest import element_in_envelope

SECRET = "189001029819"
"""A person's number in a place where it does not belong."""

REGISTER, REVOKE, SEND, TO_CARE, STATUS = (
    "RegisterCertificate:3",
    "RevokeCertificate:2",
    "SendCertificateToRecipient:2",
    "SendMessageToCare:2",
    "CertificateStatusUpdateForCare:3",
)


def _findings(contracts: Contracts, key: str, *changes: tuple[str, str]) -> list[Finding]:
    """The findings about a sample in which each text, a regular expression, is replaced once."""
    name, major = key.split(":")
    contract = contracts.get(name, int(major))
    text = samples.request(contract)
    for old, new in changes:
        text, count = re.subn(old, new, text, count=1, flags=re.DOTALL)
        assert count == 1, old
    return contracts.check(contract, element_in_envelope(contract, text))


def _schema_of(contracts: Contracts, contract: Contract) -> xmlschema.XMLSchema10:
    wsdl = contracts.wsdl_path(contract)
    imports = dict(contract_files.import_paths(wsdl, etree.parse(str(wsdl)).getroot()))
    return schema_findings.compile_schema(imports[contract.namespace])


@pytest.mark.parametrize(
    ("key", "change", "xpath", "message"),
    [
        pytest.param(
            REGISTER,
            (r"(<c:relation>.*</c:relation>)(.*)(<e2:underskrift>)", r"\2\1\3"),
            "/RegisterCertificate/intyg/relation",
            "`relation` must come before `status`; the order is fixed: intygs-id, ",
            id="relation after svar",
        ),
        pytest.param(
            REGISTER,
            (r"(<c:instans>1</c:instans>)(.*?)(</c:svar>)", r"\2\1\3"),
            "/RegisterCertificate/intyg/svar[1]/instans",
            "`instans` must come before `delsvar`; the order is fixed: instans, delsvar",
            id="instans after delsvar",
        ),
        pytest.param(
            REGISTER,
            (r"(<t:code>LISJP</t:code>)(<t:codeSystem>[^<]*</t:codeSystem>)", r"\2\1"),
            "/RegisterCertificate/intyg/typ/codeSystem",
            "`codeSystem` must come after `code`; the order is fixed: code, codeSystem, ",
            id="code after codeSystem",
        ),
        pytest.param(
            REGISTER,
            (r"(<m:svarPa>.*</m:svarPa>)(.*</m:intyg>)", r"\2\1"),
            "/RegisterCertificate/intyg",
            "`intyg` must come after `svarPa`; the order is fixed: svarPa, intyg",
            id="svarPa after intyg",
        ),
        pytest.param(
            TO_CARE,
            (r"(<m:komplettering>.*</m:komplettering>)(.*</m:sistaDatumForSvar>)", r"\2\1"),
            "/SendMessageToCare/sistaDatumForSvar",
            "`sistaDatumForSvar` must come after `komplettering`; ",
            id="sistaDatumForSvar before komplettering",
        ),
        pytest.param(
            REGISTER,
            (r"<c:fornamn/>", ""),
            "/RegisterCertificate/intyg/patient",
            "`fornamn` is missing; it comes after `person-id` in `patient`",
            id="empty element dropped",
        ),
        pytest.param(
            REGISTER,
            ("enheten@example.org", ""),
            "/RegisterCertificate/intyg/skapadAv/enhet/epost",
            "`epost` must not be empty; an optional element is left out instead",
            id="epost empty",
        ),
        pytest.param(
            REGISTER,
            (r'(<c:svar id="32">).*?(</c:svar>)', r"\1\2"),
            "/RegisterCertificate/intyg/svar[2]",
            "`delsvar` is missing; it comes first in `svar`; "
            "an unanswered question is left out, with its whole `svar`",
            id="svar without delsvar",
        ),
        pytest.param(
            REGISTER,
            ("2026-11-20T10:00:00<", "2026-11-20T10:00:00+01:00<"),
            "/RegisterCertificate/intyg/signeringstidpunkt",
            "`signeringstidpunkt` must be Swedish local time as YYYY-MM-DDThh:mm:ss, "
            "without time zone and without fraction of a second",
            id="time zone",
        ),
        pytest.param(
            STATUS,
            (r"08:00:00\.100", "08:00:00.1"),
            "/CertificateStatusUpdateForCare/handelse/tidpunkt",
            "`tidpunkt` must be Swedish local time as YYYY-MM-DDThh:mm:ss.fff, "
            "with exactly three decimals and without time zone",
            id="one decimal of a second",
        ),
        pytest.param(
            REVOKE,
            (samples.PATIENT, "18900101-9802"),
            "/RevokeCertificate/patientPerson-id/extension",
            "`extension` must be 12 digits without a dash",
            id="dash in person-id",
        ),
        pytest.param(
            REVOKE,
            (r"1\.2\.752\.129\.2\.1\.3\.1", "1.2.3"),
            "/RevokeCertificate/patientPerson-id/root",
            "`root` must be one of 1.2.752.129.2.1.3.1, 1.2.752.129.2.1.3.3",
            id="unknown kind of person-id",
        ),
        pytest.param(
            REVOKE,
            (r"1\.2\.752\.129\.2\.1\.4\.1", "1.2.3"),
            "/RevokeCertificate/skickatAv/personal-id/root",
            "`root` must be exactly 1.2.752.129.2.1.4.1",
            id="another value than the fixed one",
        ),
        pytest.param(
            SEND,
            (r"(<m:skickatAv>)(.*)(</m:skickatAv>)", r"\1\3"),
            "/SendCertificateToRecipient/skickatAv",
            "one of `hosPersonal`, `person-id` is missing; it comes first in `skickatAv`",
            id="nothing chosen",
        ),
        pytest.param(
            "ListCertificatesForCare:3",
            (
                r"<m:enhets-id>.*?</m:enhets-id>",
                r"<m:vardgivar-id><t:root>1.2.752.129.2.1.4.1</t:root>"
                r"<t:extension>SE-GIVARE</t:extension></m:vardgivar-id>",
            ),
            "/ListCertificatesForCare/enhets-id",
            "only one of `vardgivar-id`, `enhets-id` may be used",
            id="both chosen",
        ),
        pytest.param(
            REVOKE,
            (r"<(m:intygs-id)>(.*?)</m:intygs-id>", r"<c:intygs-id>\2</c:intygs-id>"),
            "/RevokeCertificate/intygs-id",
            "`intygs-id` is in the wrong namespace; here it belongs to "
            "urn:riv:clinicalprocess:healthcond:certificate:RevokeCertificateResponder:2",
            id="namespace of the type instead of the message",
        ),
        pytest.param(
            REGISTER,
            (
                r"<e2:legitimeratYrke>(.*?)</e2:legitimeratYrke>",
                r"<c:legitimeratYrke>\1</c:legitimeratYrke>",
            ),
            "/RegisterCertificate/intyg/skapadAv/legitimeratYrke",
            "`legitimeratYrke` is in the wrong namespace; here it belongs to "
            "urn:riv:clinicalprocess:healthcond:certificate:3.2",
            id="core instead of its extension",
        ),
        pytest.param(
            REGISTER,
            (r"<t:cv>(.*?)</t:cv>", r"<c:cv>\1</c:cv>"),
            "/RegisterCertificate/intyg/svar[1]/delsvar[1]/cv",
            "`cv` is in the wrong namespace; here it belongs to "
            "urn:riv:clinicalprocess:healthcond:certificate:types:3",
            id="a code inside an answer, as three clients write it",
        ),
        pytest.param(
            REGISTER,
            (r'<c:delsvar id="1.2">', "<c:delsvar>"),
            "/RegisterCertificate/intyg/svar[1]/delsvar[2]",
            "`delsvar` lacks the attribute `id`",
            id="no id",
        ),
        pytest.param(
            REGISTER,
            (r'<c:delsvar id="1.2">', '<c:delsvar id="1">'),
            "/RegisterCertificate/intyg/svar[1]/delsvar[2]/@id",
            "the attribute `id` must be the number of a part of a question, such as 6.2",
            id="id of a question on a delsvar",
        ),
        pytest.param(
            REGISTER,
            ("<t:codeSystem>KV_FKMU_0001</t:codeSystem>", ""),
            "/RegisterCertificate/intyg/svar[1]/delsvar[1]/cv",
            "`codeSystem` is missing; it comes after `code` in `cv`",
            id="inside what a lax wildcard lets in",
        ),
        pytest.param(
            REGISTER,
            ('Filter="subtract"', 'Filter="remove"'),
            "/RegisterCertificate/intyg/underskrift/Signature/SignedInfo/Reference/Transforms/"
            "Transform/XPath/@Filter",
            "the attribute `Filter` must be one of intersect, subtract, union",
            id="XPath filter inside a transform",
        ),
        pytest.param(
            REGISTER,
            (r"<ds:SignatureValue>AAAA</ds:SignatureValue>", ""),
            "/RegisterCertificate/intyg/underskrift/Signature",
            "`SignatureValue` is missing; it comes after `SignedInfo` in `Signature`",
            id="inside the signature",
        ),
        pytest.param(
            REGISTER,
            (r"<c:fornamn/>", "<c:fornamn/>Ada"),
            "/RegisterCertificate/intyg/patient",
            "`patient` holds elements only; there is text between them",
            id="text between elements",
        ),
        pytest.param(
            TO_CARE,
            (r"<m:frage-id>35</m:frage-id>", r"\g<0><m:frage-id>36</m:frage-id>"),
            "/SendMessageToCare/komplettering/frage-id[2]",
            "`frage-id` may occur at most once here",
            id="twice",
        ),
        pytest.param(
            REGISTER,
            ("<t:value>1.5</t:value>", "<t:value>1,5</t:value>"),
            "/RegisterCertificate/intyg/svar[3]/delsvar[2]/pq/value",
            "`value` must be a number with a point as decimal sign",
            id="decimal comma",
        ),
        pytest.param(
            TO_CARE,
            ("<m:instans>1</m:instans>", "<m:instans>ett</m:instans>"),
            "/SendMessageToCare/komplettering/instans",
            "`instans` must be a whole number",
            id="not a number",
        ),
    ],
)
def test_one_fault_gives_one_finding_that_says_what_is_right(
    contracts: Contracts, key: str, change: tuple[str, str], xpath: str, message: str
) -> None:
    (finding,) = _findings(contracts, key, change)
    assert finding.xpath == xpath
    assert finding.message.startswith(message)
    assert finding.rule == "XSD"


def test_every_fault_is_listed_in_document_order(contracts: Contracts) -> None:
    findings = _findings(
        contracts,
        REGISTER,
        ("10:00:01", "10:00"),
        (samples.PATIENT, "x"),
        (r"<c:postort/>", ""),
        ("<c:vardgivarnamn>Regionen</c:vardgivarnamn>", ""),
        ("2026-11-30", "2026-02-30"),
    )
    assert [finding.xpath.rpartition("/")[2] for finding in findings] == [
        "skickatTidpunkt",
        "patient",
        "extension",
        "vardgivare",
        "end",
    ]
    assert [f.line for f in findings] == sorted(f.line or 0 for f in findings)


def test_a_finding_names_its_question(contracts: Contracts) -> None:
    (finding,) = _findings(contracts, REGISTER, ("<t:unit>h</t:unit>", ""))
    assert (finding.svar, finding.delsvar) == ("2", "2.2")


def test_an_id_that_may_be_a_persons_number_is_no_question(contracts: Contracts) -> None:
    (finding,) = _findings(
        contracts,
        REGISTER,
        ('<c:svar id="2">', f'<c:svar id="{SECRET}">'),
        ("<t:unit>h</t:unit>", ""),
    )
    assert finding.svar is None
    assert SECRET not in repr(finding)


def test_the_line_is_the_one_in_the_message(contracts: Contracts) -> None:
    contract = contracts.get("RevokeCertificate", 2)
    text = samples.request(contract).replace("2026-11-20T10:00:00", "never")
    line = (samples.ENVELOPE % text)[: (samples.ENVELOPE % text).index("never")].count("\n") + 1
    (finding,) = contracts.check(contract, element_in_envelope(contract, text))
    assert finding.line == line


def test_a_type_named_in_the_message_is_judged_without_raising(contracts: Contracts) -> None:
    xsi = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="%s"'
    for name in ("t:PersonId", "t:NoSuchType", "no:prefix", SECRET):
        change = ("<m:patientPerson-id", "<m:patientPerson-id" + xsi % name)
        findings = _findings(contracts, REVOKE, change, (samples.PATIENT, SECRET + "0"))
        assert findings
        assert SECRET not in repr(findings)


def test_a_fault_inside_an_unknown_element_is_found(contracts: Contracts) -> None:
    """libxml2 looks inside what a lax wildcard lets in; xmlschema does not."""
    strange = '<y:z xmlns:y="urn:y"><t:cv><t:code>A</t:code></t:cv></y:z>'
    (finding,) = _findings(contracts, REGISTER, (">2026-11-19<", f">{strange}<"))
    assert finding.xpath == "/RegisterCertificate/intyg/svar[1]/delsvar[2]/z/cv"
    assert finding.message == "`codeSystem` is missing; it comes after `code` in `cv`"


def test_an_empty_element_with_a_fixed_value_is_explained_where_libxml2_refuses_it(
    contracts: Contracts,
) -> None:
    """Whether it does depends on its version, so the explanation is asked for without it."""
    contract = contracts.get("RevokeCertificate", 2)
    schema = _schema_of(contracts, contract)
    text = samples.request(contract).replace("1.2.752.129.2.1.4.1", "", 1)
    (finding,) = schema_findings.explain(schema, element_in_envelope(contract, text), 1)
    assert finding.message == "`root` must be exactly 1.2.752.129.2.1.4.1"


def test_the_list_of_findings_has_an_end(contracts: Contracts) -> None:
    findings = _findings(contracts, REGISTER, ("<c:svar ", "<c:svar/>" * 500 + "<c:svar "))
    assert len(findings) == MAX_FINDINGS
    assert findings[-1].message == "there are more faults than are listed"


def test_a_large_message_is_explained_in_part_and_says_so(contracts: Contracts) -> None:
    more = '<c:svar id="9"><c:delsvar id="9.1">x</c:delsvar></c:svar>' * 3000
    findings = _findings(
        contracts, REGISTER, (r"<c:postort/>", ""), (r'<c:svar id="1">', more + r"\g<0>")
    )
    assert [finding.message for finding in findings] == [
        "`postort` is missing; it comes after `postnummer` in `patient`",
        "only 5000 elements are explained",
    ]


def test_a_message_of_much_text_is_explained_in_part_and_says_so(contracts: Contracts) -> None:
    """The fault before it is told; nothing that comes after."""
    much = "x" * schema_findings.MAX_CHARACTERS
    findings = _findings(
        contracts, REGISTER, (r"<c:postort/>", ""), ("2026-11-19", much), ("2026-11-30", "x")
    )
    assert [finding.message for finding in findings] == [
        "`postort` is missing; it comes after `postnummer` in `patient`",
        "only the first 500000 characters are explained",
    ]


def test_a_fault_that_is_too_large_to_explain_is_told_as_such(contracts: Contracts) -> None:
    findings = _findings(contracts, REGISTER, ("10:00:01", "1" * schema_findings.MAX_CHARACTERS))
    assert [finding.message for finding in findings] == [
        "does not follow the schema",
        "only the first 500000 characters are explained",
    ]


def test_the_search_ends_when_enough_is_found(contracts: Contracts) -> None:
    """Errors of the library itself, each of which holds all attributes of its element."""
    thirty = "".join(f" a{n}=''" for n in range(30))
    many = f"<c:svar{thirty}/>" * (schema_findings.MAX_ERRORS // 30 + 1)
    findings = _findings(contracts, REGISTER, ('<c:svar id="1"', f'{many}<c:svar id="1"'))
    assert len(findings) == MAX_FINDINGS
    assert findings[-1].message == "there are more faults than are listed"
    contract = contracts.get("RegisterCertificate", 3)
    text = samples.request(contract).replace('<c:svar id="1"', f'{many}<c:svar id="1"')
    element = element_in_envelope(contract, text)
    _, all_found = schema_findings._faulty(_schema_of(contracts, contract), element)
    assert not all_found


def test_a_comment_inside_a_value_hides_no_other_fault(contracts: Contracts) -> None:
    comment = ("<c:version>2", "<c:version><!-- comment -->2")
    assert [each.rule for each in _findings(contracts, REGISTER, comment)] == ["SPLIT_VALUE"]
    found = _findings(contracts, REGISTER, comment, (r"<c:postort/>", ""))
    assert [each.rule for each in found] == ["SPLIT_VALUE", "XSD"]


def _spoilt(root: etree._Element) -> Iterator[etree._Element]:
    """The message with a person's number in every wrong place, and with every part out of place."""
    for index, original in enumerate(root.iter(etree.Element)):

        def copy(index: int = index) -> tuple[etree._Element, etree._Element]:
            envelope = deepcopy(root.getroottree()).getroot()
            return envelope[1][0], list(envelope[1][0].iter(etree.Element))[index]

        message, element = copy()
        element.text = SECRET
        yield message
        message, element = copy()
        element.set("extra", SECRET)
        yield message
        message, element = copy()
        element.append(etree.Element(f"{{{ns.CORE}}}strange"))
        element[-1].text = SECRET
        yield message
        for name in original.attrib:
            message, element = copy()
            element.set(name, f"{SECRET}-")
            yield message
        if index == 0:
            continue
        message, element = copy()
        element.tail = SECRET
        yield message
        message, element = copy()
        element.tag = f"{{urn:wrong}}{etree.QName(element).localname}"
        yield message
        message, element = copy()
        parent = element.getparent()
        assert parent is not None
        parent.append(element)
        yield message


@pytest.mark.parametrize("key", [REGISTER, TO_CARE])
def test_no_finding_holds_a_value_and_none_is_vague(contracts: Contracts, key: str) -> None:
    name, major = key.split(":")
    contract = contracts.get(name, int(major))
    refused = 0
    # every third, for the sake of time: seven kinds of spoiling take turns over the elements
    for message in islice(_spoilt(element_in_envelope(contract)), 0, None, 3):
        for finding in contracts.check(contract, message):
            refused += 1
            assert SECRET not in repr(finding)
            assert "does not follow" not in finding.message
    assert refused > 40
