from intyg.mocks.journal import (
    Filter,
    Mismatch,
    verify,
    verify_order,
)
from tests.mocks.journal.entries import entry

REVOKED = entry(2, contract="RevokeCertificate:2", result_code="ERROR", error_id="REVOKED")
CALLS = (entry(1), REVOKED, entry(3, intygs_id="id-1", result_code="INFO"))


def test_what_came_is_counted_between_bounds() -> None:
    where = Filter.parse("RegisterCertificate")
    assert verify(CALLS, where).numbers == (1, 3)
    assert verify(CALLS, where, 2, 2).met
    assert verify(CALLS, where, 0, 1).text == (
        "0 to 1 of contract=RegisterCertificate: 2 came (calls 1, 3)"
    )
    assert not verify(CALLS, where, 0, 1).met
    assert verify(CALLS, Filter.parse("intygs_id=nobody"), 0, 0).met


def test_what_is_missing_is_shown_beside_what_came_nearest_field_by_field() -> None:
    where = Filter.parse("RevokeCertificate&result_code=OK&result_code=INFO&intygs_id=id-2")
    verification = verify(CALLS, where)
    assert (verification.met, verification.numbers) == (False, ())
    assert verification.nearest is not None
    assert verification.nearest.number == 2
    assert verification.nearest.fields == (
        Mismatch("contract", "=RevokeCertificate", "RevokeCertificate:2", True),
        Mismatch("result_code", "=OK or INFO", "ERROR", False),
        Mismatch("intygs_id", "=id-2", "id-2", True),
    )
    assert verification.text.endswith(
        "nearest is call 2: result_code: expected =OK or INFO, was ERROR"
    )


def test_too_few_of_several_show_the_nearest_of_the_others() -> None:
    verification = verify(CALLS, Filter.parse("intygs_id=id-1"), 3)
    assert verification.numbers == (1, 3)
    assert verification.nearest is not None
    assert verification.nearest.number == 2


def test_nothing_is_nearest_where_nothing_came() -> None:
    assert verify((), Filter()).nearest is None
    assert verify((), Filter()).text.endswith("no other call came")


def test_filters_are_matched_by_calls_one_after_the_other() -> None:
    def order(*texts: str) -> tuple[bool, tuple[int, ...]]:
        verification = verify_order(CALLS, [Filter.parse(text) for text in texts])
        return verification.met, verification.numbers

    assert order("RegisterCertificate", "RevokeCertificate", "result_code=INFO") == (
        True,
        (1, 2, 3),
    )
    assert order("RegisterCertificate", "RegisterCertificate") == (True, (1, 3))
    assert order("RevokeCertificate", "result_code=OK") == (False, (2,))
    # each call counts once
    assert order("RevokeCertificate", "RevokeCertificate") == (False, (2,))


def test_a_call_that_came_too_early_is_told_as_such() -> None:
    filters = [Filter.parse("result_code=INFO"), Filter.parse("RevokeCertificate")]
    assert verify_order(CALLS, filters).text == (
        "nothing matches filter 2 (contract=RevokeCertificate) after call 3; "
        "nearest is call 2: it matches, but came too early"
    )
