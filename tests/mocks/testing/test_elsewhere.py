"""The same sentences on mocks that run already and are shared by many tests."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer

from intyg.mocks import forsakringskassan
from intyg.mocks.forsakringskassan import SETTINGS
from intyg.mocks.server.serving import MockServer, serve
from intyg.mocks.testing import ControlError
from intyg.mocks.testing.ehr import Issuer, Keys
from intyg.mocks.testing.link import OverHttp
from intyg.mocks.testing.servers import Servers
from intyg.mocks.testing.stage import Elsewhere, Stage
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes

TOKEN = "token-of-a-test"


@pytest.fixture
def shared(contracts: Contracts, types: IntygTypes) -> Iterator[MockServer]:
    """A Försäkringskassan that runs."""
    settings = replace(SETTINGS, control_token=TOKEN)
    with serve(forsakringskassan.PERSONA.make(contracts, types, settings)) as running:
        yield running


class Tests:
    """Tests that share it, each with an EHR that calls it directly."""

    __test__ = False

    def __init__(self, servers: Servers, keys: Keys, url: str) -> None:
        self._servers = servers
        self._issuer = Issuer(lambda: servers.types, keys)
        self._urls = {"forsakringskassan": url, "journalsystem": url}

    def begin(self, name: str, *, run: bool = True, token: str = TOKEN) -> Stage:
        there = Elsewhere(self._urls, token, run)
        stage = Stage(self._servers, self._issuer, there, name)
        stage.journalsystem.connect(stage.forsakringskassan.url, "FKASSA")
        return stage


@pytest.fixture
def tests(intyg_servers: Servers, intyg_keys: Keys, shared: MockServer) -> Tests:
    return Tests(intyg_servers, intyg_keys, shared.url)


def test_tests_that_are_runs_do_not_see_each_other(tests: Tests, shared: MockServer) -> None:
    one, other = tests.begin("run-1"), tests.begin("run-2")
    failing = one.forsakringskassan.expect("RegisterCertificate", typ="LISJP")
    failing.answers("ERROR", "TECHNICAL_ERROR").times(1)
    intyg = one.journalsystem.issue()

    refused = one.journalsystem.register(intyg, check=False).answer
    taken = other.journalsystem.register(intyg).answer

    assert refused is not None
    assert taken is not None
    assert (refused.error_id, taken.code) == ("TECHNICAL_ERROR", "OK")
    assert one.missing() == other.missing() == []
    assert (len(one.forsakringskassan.calls()), len(other.forsakringskassan.calls())) == (1, 1)
    assert other.forsakringskassan.intyg(intyg).intygs_id == intyg.intygs_id
    with pytest.raises(ControlError, match="not known here"):
        one.forsakringskassan.intyg(intyg)
    assert shared.mock.journal.count() == 0
    one.end()
    other.end()


def test_a_test_on_what_all_share_sees_what_came_since_it_began(
    tests: Tests, shared: MockServer
) -> None:
    first = tests.begin("first", run=False)
    first.forsakringskassan.expect("RegisterCertificate").answers("ERROR", "REVOKED")
    first.journalsystem.register(check=False)
    first.end()

    second = tests.begin("second", run=False)
    assert second.forsakringskassan.calls() == ()
    intyg = second.journalsystem.register()
    [call] = second.forsakringskassan.calls()
    assert (call.number, call.intygs_id, call.rules) == (2, intyg.intygs_id, ())
    second.end()
    assert shared.mock.rules.book.all() == ()


def test_a_mock_that_is_not_there_is_told() -> None:
    url = "http://127.0.0.1:9"
    with pytest.raises(ControlError) as gone:
        OverHttp(f"{url}/").newest_call()
    told = f"{url}/control/journal/count does not answer: ConnectionError"
    assert (str(gone.value), gone.value.status) == (told, 0)


@pytest.fixture
def other() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", port=0) as running:
        yield running


def test_what_is_no_mock_is_told(other: HTTPServer) -> None:
    other.expect_request("/control/journal/count").respond_with_data("<html>", 502)
    other.expect_request("/control/rules").respond_with_json({}, 500)
    there = OverHttp(other.url_for(""))
    with pytest.raises(ControlError) as none:
        there.newest_call()
    assert (str(none.value), none.value.status) == ("HTTP 502, which is no mock's answer", 502)
    with pytest.raises(ControlError, match=r"^HTTP 500$"):
        there.ask("GET", "/rules")
    there.close()


def test_a_wrong_token_is_told(tests: Tests) -> None:
    with pytest.raises(ControlError, match=r"[Tt]oken|Bearer"):
        tests.begin("no", run=False, token="wrong")
