import pytest

from intyg.mocks.rules.trouble import find
from intyg.mocks.server.serving import MockServer
from intyg.mocks.settings import ANY
from tests.mocks.calls import fault, post, result
from tests.mocks.kinds import Kassan
from tests.mocks.rules.callers import REGISTER


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("FK-VP016", id="no such fault"),
        pytest.param("FK-HTTP199", id="no final status"),
        pytest.param("FK-HTTP600", id="no status"),
        pytest.param("FK-SLOW-3601S", id="longer than an hour"),
        pytest.param("FK-SLOW-5", id="without unit"),
        pytest.param("FK-FLAKY-0", id="never flaky"),
        pytest.param("FK-FLAKY-101", id="more than always"),
        pytest.param("FK-timeout", id="small letters"),
        pytest.param("FK-TIMEOUT ", id="white space"),
        pytest.param("FK-", id="no name"),
        pytest.param("FKTIMEOUT", id="no dash"),
        pytest.param("TS-TIMEOUT", id="another authority's"),
        pytest.param("", id="empty"),
        pytest.param("FK-FAIL-" + "1" * 5000, id="a number that no computer reads"),
        pytest.param("FK-FAIL-" + "0" * 60 + "1", id="longer than the id of a rule"),
    ],
)
def test_other_addresses_are_no_trouble(address: str) -> None:
    assert find(address, "FKASSA", "FKASSA") is None


@pytest.mark.parametrize(
    ("part", "prefix"),
    [
        ("FKASSA", "FK"),
        ("TRANSP", "TS"),
        ("SKV", "SKV"),
        ("SOS", "SOS"),
        ("AF", "AF"),
        ("HSVARD", "EHR"),
    ],
)
def test_every_mock_has_its_own(part: str, prefix: str) -> None:
    rule = find(f"{prefix}-STORED-THEN-RESET", part, "X")
    assert rule is not None
    assert (rule.answers[0].kind, rule.answers[0].store) == ("reset", True)


def test_a_mock_that_takes_any_address_has_the_troubles_of_all() -> None:
    assert find("SKV-FAULT", "HSVARD", ANY) is not None


def test_trouble_needs_no_rule_and_gives_way_to_one_that_acts(
    server: MockServer, kassan: Kassan
) -> None:
    answer = post(server, REGISTER, logical_address="FK-VP007")
    assert (fault(answer)[1] or "").startswith("VP007 [NTJP-MOCK] ")
    assert kassan.rules.book.all() == ()
    (entry,) = kassan.journal.entries()
    assert [(each.rule_id, each.acted) for each in entry.rules] == [("FK-VP007", True)]
    assert "FKASSA" in (fault(post(server, REGISTER, logical_address="FK-VP016"))[1] or "")


def test_failures_are_counted_for_each_certificate_until_a_reset(
    server: MockServer, kassan: Kassan
) -> None:
    def codes(count: int) -> list[str | None]:
        address = "FK-FAIL-1"
        return [result(post(server, REGISTER, logical_address=address))[0] for _ in range(count)]

    assert codes(3) == ["ERROR", "OK", "INFO"]
    kassan.reset()
    assert codes(2) == ["ERROR", "OK"]
