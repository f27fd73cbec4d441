import pytest

from intyg.adapter.domain import errors
from intyg.adapter.domain.errors import (
    AdapterError,
    RuleError,
    SchemaError,
    TechnicalError,
)
from intyg.adapter.domain.inbound import Result
from intyg.adapter.formats.result_writer import (
    error_result,
    response_element,
    xml_text,
)
from intyg.schemas.codes import ErrorId, ResultCode
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import MAX_FINDINGS, Finding, Severity

RESULT_CONTRACTS = (
    ("RegisterCertificate", 3),
    ("SendCertificateToRecipient", 2),
    ("RevokeCertificate", 2),
    ("SendMessageToCare", 2),
    ("SendMessageToRecipient", 2),
    ("CertificateStatusUpdateForCare", 3),
)


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return Contracts()


@pytest.mark.parametrize(("name", "major"), RESULT_CONTRACTS)
@pytest.mark.parametrize(
    "result",
    [
        Result.ok(),
        Result.info("redan"),
        Result.error(ErrorId.TECHNICAL_ERROR, "å <&> \x00 \x0b \ud800 \uffff"),
        Result(ResultCode.ERROR),
    ],
    ids=["ok", "info", "error", "bare"],
)
def test_every_result_is_valid_by_the_contract(
    contracts: Contracts, name: str, major: int, result: Result
) -> None:
    contract = contracts.get(name, major)
    assert contracts.check(contract, response_element(contract, result)) == []


PLAIN_ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, AdapterError)
    and kind is not errors.SignatureError  # takes its own code first
    and kind is not errors.DraftConflictError  # says who, and is told by REST alone
]


@pytest.mark.parametrize("kind", PLAIN_ERRORS)
def test_every_error_answers_with_the_code_of_its_class(kind: type[AdapterError]) -> None:
    result = error_result(kind("what is wrong"))
    assert result == Result(ResultCode.ERROR, "what is wrong", kind.error_id)


def test_findings_are_listed_one_a_line_with_rule_place_and_line() -> None:
    error = RuleError(
        "Two rules do not hold.",
        [
            Finding("FK7804/1/R1", "only a hint", "/intyg", severity=Severity.WARNING),
            Finding("FK7804/1/R21", "answer 35 first", "/intyg/svar[3]", line=12),
        ],
    )
    assert error_result(error).text == (
        "Two rules do not hold.\n"
        "FK7804/1/R21 /intyg/svar[3] line 12: answer 35 first\n"
        "FK7804/1/R1 /intyg: warning: only a hint"
    )


def test_a_long_list_is_cut_and_counted() -> None:
    finding = Finding("XSD", "wrong", "/a")
    text = error_result(SchemaError("Wrong.", [finding] * (MAX_FINDINGS + 7))).text
    assert text is not None
    lines = text.split("\n")
    assert len(lines) == 1 + MAX_FINDINGS + 1
    assert lines[-1] == "and 7 more"
    assert "more" not in (error_result(TechnicalError("x", [finding] * MAX_FINDINGS)).text or "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\tb\nc\rd å 😀 \ue000\ufffd", "a\tb\nc\rd å 😀 \ue000\ufffd"),
        ("\x00\x08\x0b\x1f\ud800\ufffe\uffff", "\ufffd" * 7),
    ],
)
def test_characters_that_xml_lacks_are_replaced(text: str, expected: str) -> None:
    assert xml_text(text) == expected
