import pytest

from intyg.mocks.journal import Filter, FilterError
from intyg.mocks.journal.filters import FIELDS
from intyg.mocks.rules.xpath import MAX_MARKUP
from tests.mocks.calls import envelope
from tests.mocks.journal.entries import entry


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        pytest.param("", True, id="everything"),
        pytest.param("contract=RegisterCertificate", True, id="contract without version"),
        pytest.param("contract=RegisterCertificate:3", True, id="contract with version"),
        pytest.param("contract=RegisterCertificate:2", False, id="another version"),
        pytest.param("RegisterCertificate", True, id="a bare word is a contract"),
        pytest.param("RegisterCertificate:3&result_code=OK", True, id="both hold"),
        pytest.param("RegisterCertificate&result_code=ERROR", False, id="one does not hold"),
        pytest.param("result_code=ERROR&result_code=OK", True, id="one of two values"),
        pytest.param("result_code!=OK", False, id="is not"),
        pytest.param("result_code!=ERROR&result_code!=INFO", True, id="is neither"),
        pytest.param("error_id=", True, id="has none"),
        pytest.param("error_id!=", False, id="has one"),
        pytest.param("http_status>=200&http_status<=200", True, id="number in a range"),
        pytest.param("duration_seconds>=0.3", False, id="number below"),
        pytest.param("received_at>=2026-11-23T10:00:00+01:00", True, id="time in another zone"),
        pytest.param("received_at<=2026-11-23T08:59:59", False, id="time without a zone is UTC"),
        pytest.param("header.x-correlation=c-1", True, id="header in any case"),
        pytest.param("header.X-Missing=", True, id="header that is not there"),
        pytest.param("step.signature=not_checked", True, id="verdict of a step"),
        pytest.param("step.rules=ok", False, id="step that was not reached"),
        pytest.param("typ=LISJP&unit!=X", True, id="type and unit"),
        pytest.param("handelse=", True, id="no event"),
        pytest.param("xpath=//types:code[.='KOMPLT']", True, id="XPath"),
        pytest.param("xpath=self::tns:b", False, id="XPath that does not hold"),
        pytest.param("xpath!=self::tns:b", True, id="XPath that is not to hold"),
        pytest.param("rule=slow", True, id="rule that acted"),
        pytest.param("rule=twice", False, id="rule that did not act"),
        pytest.param("request~=KVÄLLAR", True, id="bytes, in any case"),
        pytest.param("reply~=kvällar", False, id="bytes of the other side"),
        pytest.param("request~=%3Camne%3E&intygs_id=id%2D1", True, id="percent-encoded"),
        pytest.param("path=/ & number=1", True, id="spaces around"),
    ],
)
def test_a_filter_finds_what_it_says(text: str, matches: bool) -> None:
    assert Filter.parse(text).matches(entry(1)) is matches


@pytest.mark.parametrize(
    ("text", "field", "position", "words"),
    [
        pytest.param("contract=X&resultcode=OK", "resultcode", 12, "no such field", id="misspelt"),
        pytest.param("http_status=ok", "http_status", 1, "a number", id="no number"),
        pytest.param("a b", "a b", 1, "a field and one of", id="no criterion"),
        pytest.param("number=1&path>=2", "path", 10, "numbers and times", id="text compared"),
        pytest.param("request=<a/>", "request", 1, "~=", id="bytes compared"),
        pytest.param("number~=1", "number", 1, "looks into texts", id="number looked into"),
        pytest.param("received_at>=now", "received_at", 1, "a time", id="no time"),
        pytest.param("http_status>=", "http_status", 1, "a number", id="nothing"),
        pytest.param("xpath=//[", "xpath", 1, "expression", id="XPath that does not compile"),
        pytest.param("xpath=//x:a", "xpath", 1, "a prefix", id="XPath with a strange prefix"),
        pytest.param("xpath~=//a", "xpath", 1, "holds", id="XPath contained"),
        pytest.param("header.=x", "header.", 1, "no such field", id="header without a name"),
    ],
)
def test_a_filter_that_cannot_be_says_where(
    text: str, field: str, position: int, words: str
) -> None:
    with pytest.raises(FilterError, match=words) as caught:
        Filter.parse(text)
    assert (caught.value.field, caught.value.position) == (field, position)


def test_a_filter_of_a_query_is_the_filter_of_its_text() -> None:
    pairs = [("result_code!", "OK"), ("number>", "2"), ("request~", "a&b"), ("result_code!", "x")]
    made = Filter.of(pairs)
    assert str(made) == "result_code!=OK&result_code!=x&number>=2&request~=a%26b"
    assert Filter.parse(str(made)) == made


@pytest.mark.parametrize("request_bytes", [b"", b"\x00", b"<a/>", b"<a"])
def test_an_expression_holds_for_no_request_that_is_no_envelope(request_bytes: bytes) -> None:
    assert not Filter.parse("xpath=true()").matches(entry(1, request=request_bytes))


def test_an_expression_holds_for_no_request_that_is_far_larger_than_a_certificate() -> None:
    for inside, hit in ((b"<a/>", True), (b"<a/>" * MAX_MARKUP, False)):
        request = envelope(b"<r>%b</r>" % inside)
        assert Filter.parse("xpath=true()").matches(entry(1, request=request)) is hit


def test_every_field_can_be_read() -> None:
    every = entry(1, handelse="NYFRFM", error_id="REVOKED", result_text="?", meddelande_id="m")
    for name, field in FIELDS.items():
        assert [each for each in field.read(every) if each is not None] or name == "tls_subject"
