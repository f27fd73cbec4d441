"""Rules inside pytest-httpserver, and calls that are passed through."""

import socket
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from intyg.mocks import forsakringskassan
from intyg.mocks.rules import RuleError, parse_rule
from intyg.mocks.rules.answers import Destination, PassThrough
from intyg.mocks.rules.passing import PassingError, pass_on
from intyg.mocks.server.serving import MockServer, mount, serve
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests.flows.guard_proof.listeners import listening
from tests.mocks.calls import fault, post, result
from tests.mocks.kinds import Kassan
from tests.mocks.rules.callers import REGISTER, ZeepCaller, raw


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        pytest.param({"kind": "reset"}, "reset", id="reset"),
        pytest.param({"kind": "reset", "store": True}, "reset", id="stored, then reset"),
        pytest.param({"kind": "garbage", "size": 9}, 9, id="garbage"),
        pytest.param({"kind": "tls_failure"}, 7, id="TLS failure"),
        pytest.param({"kind": "hang"}, "silence", id="hang"),
        pytest.param(
            {"kind": "normal", "delay": {"kind": "fixed", "seconds": 0.1}}, b">OK<", id="delay"
        ),
    ],
)
def test_the_wire_effects_work_inside_pytest_httpserver(
    httpserver: HTTPServer, kassan: Kassan, answer: dict[str, Any], seen: object
) -> None:
    mount(httpserver, kassan)
    kassan.rules.add(parse_rule({"answers": answer, "count": 1}))
    got = raw(httpserver, timeout=0.5 if seen == "silence" else 5.0)
    if isinstance(seen, bytes):
        assert isinstance(got, bytes)
        assert seen in got
    else:
        assert (len(got) if isinstance(seen, int) else got) == seen
    afterwards = raw(httpserver)
    assert isinstance(afterwards, bytes)
    assert b"resultCode" in afterwards
    httpserver.check()  # no handler has failed


# --- passing through ------------------------------------------------------------------------------


def passing(url: str, **more: Any) -> dict[str, Any]:
    return {"answers": {"kind": "pass_through", "url": url, "destination": "mock", **more}}


def test_a_call_passes_through_as_it_came_and_so_does_its_answer(
    server: MockServer, kassan: Kassan, contracts: Contracts, by_zeep: ZeepCaller
) -> None:
    other = forsakringskassan.PERSONA.make(contracts, IntygTypes())
    with serve(other) as there:
        kassan.rules.add(parse_rule(passing(there.url)))
        assert by_zeep.call(server) == "OK"
        assert by_zeep.call(server) == "INFO Certificate already exists"
        assert kassan.persona.all_intyg() == ()
        assert len(other.persona.all_intyg()) == 1
        for mine, theirs in zip(kassan.journal.entries(), other.journal.entries(), strict=True):
            assert mine.request == theirs.request
            assert mine.reply == theirs.reply
            assert dict(theirs.headers)["Soapaction"] == dict(mine.headers)["Soapaction"]
        assert isinstance(raw(server), bytes)


def test_a_call_that_comes_back_is_a_routing_loop(server: MockServer, kassan: Kassan) -> None:
    kassan.rules.add(parse_rule(passing(server.url)))
    response = post(server, REGISTER)
    assert (response.status_code, (fault(response)[1] or "")[:5]) == (500, "VP014")
    assert len(kassan.journal.entries()) == 2


def test_nobody_at_the_other_end_is_what_the_platform_says(
    server: MockServer, kassan: Kassan
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        kassan.rules.add(parse_rule(passing(url, timeout_seconds=0.2)))
        assert (fault(post(server, REGISTER))[1] or "")[:5] == "VP009"


def test_a_rule_that_passes_too_far_is_refused_by_the_mock_and_again_at_the_socket(
    kassan: Kassan, contracts: Contracts
) -> None:
    effect = PassThrough(url="http://192.0.2.1/", destination=Destination.TEST)
    rule = parse_rule(passing("http://192.0.2.1/"), allowed=["http://192.0.2.1"])
    with pytest.raises(RuleError, match=r"^answers\.0\.url: http://192"):
        kassan.rules.add(rule)
    contract = contracts.get("RegisterCertificate", 3)
    with pytest.raises(PassingError):
        pass_on(effect, contract, "FKASSA", b"", (), (), "me")


def test_a_redirect_takes_no_call_on_to_a_real_destination(
    server: MockServer, kassan: Kassan
) -> None:
    """Whoever answers for the mock cannot send it further: every byte that arrives is kept."""
    with listening() as there:
        there.moods["test"] = "elsewhere"
        kassan.rules.add(parse_rule(passing(there.url("test"), destination="test")))
        assert post(server, REGISTER).status_code == 307
        heard = there.heard()
    assert [name for name, _ in heard] == ["test"]
    assert b"RegisterCertificate" in heard[0][1]


def test_a_rule_about_a_contract_that_the_mock_lacks_is_refused(kassan: Kassan) -> None:
    rule = parse_rule({"answers": {"kind": "ok"}, "match": {"contract": "GetCertificate"}})
    with pytest.raises(RuleError, match=r"^match\.contract: Försäkringskassan takes"):
        kassan.rules.add(rule)


def test_an_address_that_a_rule_names_is_answered_at(server: MockServer, kassan: Kassan) -> None:
    assert "logical address FKASSA" in (fault(post(server, REGISTER, logical_address="X"))[1] or "")
    rule = {"answers": {"kind": "vp", "code": "VP004"}, "match": {"logical_address": "X"}}
    kassan.rules.add(parse_rule(rule))
    assert (fault(post(server, REGISTER, logical_address="X"))[1] or "")[:5] == "VP004"
    assert result(post(server, REGISTER))[0] == "OK"
