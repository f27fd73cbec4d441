"""Runs: what one test does on a shared mock, no other sees."""

import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from intyg.mocks import forsakringskassan
from intyg.mocks.journalsystem import Journalsystem
from intyg.mocks.runs import (
    RunError,
    Runs,
    run_of,
    run_of_caller,
)
from intyg.mocks.server.serving import MockServer, serve
from intyg.mocks.wire.identity import Identity
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import (
    PATHS,
    envelope,
    fault,
    result,
)
from tests.mocks.kinds import Kassan

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
RUN = "x-intyg-run"


def register(
    server: MockServer, intygs_id: str, run: str | None = None, prefix: str = ""
) -> requests.Response:
    headers = {"Content-Type": "text/xml", **({} if run is None else {RUN: run})}
    return requests.post(
        f"{server.url}{prefix}{PATHS['RegisterCertificate']}",
        data=envelope(builders.register_certificate(intygs_id)),
        headers=headers,
        timeout=10,
    )


def control(
    server: MockServer, method: str, path: str, run: str | None = None, body: Any = None
) -> Any:
    headers = {} if run is None else {RUN: run}
    url = f"{server.url}/control{path}"
    answer = requests.request(method, url, json=body, headers=headers, timeout=10)
    assert answer.status_code < 300, answer.text
    return answer.json()


def ids(server: MockServer, run: str | None = None) -> list[str]:
    return [each["intygs_id"] for each in control(server, "GET", "/intyg", run)["intyg"]]


# --- over a port ----------------------------------------------------------------------------------


def test_a_run_has_its_own_state_journal_and_rules(server: MockServer) -> None:
    rule = {"id": "no", "answers": {"kind": "error", "error_id": "REVOKED"}}
    control(server, "POST", "/rules", "one", rule)
    assert result(register(server, "a", "one"))[:2] == ["ERROR", "REVOKED"]
    assert result(register(server, "a", "two"))[0] == "OK"
    assert result(register(server, "a"))[0] == "OK"
    assert (ids(server, "one"), ids(server, "two"), ids(server)) == ([], ["a"], ["a"])
    for run, code in (("one", "ERROR"), ("two", "OK"), (None, "OK")):
        [call] = control(server, "GET", "/journal", run)["calls"]
        assert (call["number"], call["result_code"]) == (1, code)
    assert control(server, "GET", "/rules", "two") == {"rules": []}


def test_a_run_is_named_by_path_or_header_and_the_path_goes_first(server: MockServer) -> None:
    assert result(register(server, "a", prefix="/run/one"))[0] == "OK"
    assert result(register(server, "b", "two", prefix="/run/one"))[0] == "OK"
    assert (ids(server, "one"), ids(server, "two")) == (["a", "b"], [])
    by_path = requests.get(f"{server.url}/run/one/control/intyg", timeout=5).json()
    assert [each["intygs_id"] for each in by_path["intyg"]] == ["a", "b"]
    # the path in the journal is the one below the run
    [first, _] = control(server, "GET", "/journal", "one")["calls"]
    assert first["path"] == PATHS["RegisterCertificate"]


def test_a_wsdl_of_a_run_leads_back_into_the_run(server: MockServer) -> None:
    address = f"{server.url}/run/one{PATHS['RegisterCertificate']}"
    assert f'location="{address}"' in requests.get(f"{address}?wsdl", timeout=5).text


def test_a_run_begins_with_the_rules_of_the_shared_mock(server: MockServer) -> None:
    for rule_id, code in (("older", "REVOKED"), ("newer", "TECHNICAL_ERROR")):
        rule = {"id": rule_id, "answers": {"kind": "error", "error_id": code}}
        control(server, "POST", "/rules", body=rule)
    assert result(register(server, "a", "one"))[1] == "TECHNICAL_ERROR"
    control(server, "DELETE", "/rules/newer")
    assert result(register(server, "a", "one"))[1] == "TECHNICAL_ERROR"
    assert result(register(server, "a"))[1] == "REVOKED"


def test_runs_are_listed_and_ended(server: MockServer) -> None:
    register(server, "a", "one")
    register(server, "b", "one")
    register(server, "a", "two")
    listed = control(server, "GET", "/runs")["runs"]
    assert [(each["run_id"], each["calls"]) for each in listed] == [("one", 2), ("two", 1)]
    control(server, "DELETE", "/runs/one")
    assert ids(server, "one") == []  # it has begun anew
    control(server, "POST", "/reset", body={"run": "two"})
    control(server, "DELETE", "/runs")
    assert control(server, "GET", "/runs") == {"runs": []}
    unknown = requests.delete(f"{server.url}/control/runs/three", timeout=5)
    assert unknown.status_code == 404


def test_a_reset_in_a_run_is_of_that_run_alone(server: MockServer) -> None:
    for run in ("one", "two", None):
        register(server, "a", run)
    control(server, "POST", "/reset", "one", {})
    assert (ids(server, "one"), ids(server, "two"), ids(server)) == ([], ["a"], ["a"])


def test_a_certificate_is_forgotten_as_if_it_had_never_come(server: MockServer) -> None:
    register(server, "a")
    register(server, "b")
    control(server, "POST", "/reset", body={"intygs_id": "a"})
    assert ids(server) == ["b"]
    assert control(server, "GET", "/journal/count?intygs_id=a")["count"] == 0
    assert result(register(server, "a"))[0] == "OK"
    url = f"{server.url}/control/reset"
    unknown = requests.post(url, json={"intygs_id": "bb"}, timeout=5)
    assert unknown.status_code == 404
    assert "nearest: b" in unknown.json()["detail"]


@pytest.mark.parametrize("run", ["", "a b", "x" * 65, "å", "../a"])
def test_what_is_no_id_of_a_run_is_refused_and_kept(server: MockServer, run: str) -> None:
    refused = register(server, "a", run.encode().decode("latin-1"))
    assert refused.status_code == 400
    assert fault(refused) == (
        "soap:Client",
        "a run's id is 1 to 64 letters, digits, dots, hyphens and underscores",
    )
    url, headers = f"{server.url}/control/intyg", {RUN: run.encode().decode("latin-1")}
    problem = requests.get(url, headers=headers, timeout=5)
    assert (problem.status_code, problem.json()["detail"][:4]) == (400, "run:")
    [call] = control(server, "GET", "/journal")["calls"]
    assert call["http_status"] == 400
    assert control(server, "GET", "/runs") == {"runs": []}


def test_more_runs_than_the_mock_takes_are_refused_without_harm(
    contracts: Contracts, types: IntygTypes
) -> None:
    settings = replace(forsakringskassan.SETTINGS, max_runs=2)
    with serve(forsakringskassan.PERSONA.make(contracts, types, settings)) as server:
        for run in ("one", "two"):
            assert result(register(server, "a", run))[0] == "OK"
        refused = register(server, "a", "three")
        assert (refused.status_code, fault(refused)[0]) == (503, "soap:Server")
        assert "2 runs already" in str(fault(refused)[1])
        control(server, "DELETE", "/runs/one")
        assert result(register(server, "a", "three"))[0] == "OK"


def test_what_a_run_sends_bears_its_id(
    contracts: Contracts, types: IntygTypes, ehr_server: MockServer
) -> None:
    """The EHR stands in for the adapter: it takes SendMessageToCare as well, in the same run."""
    settings = replace(forsakringskassan.SETTINGS, adapter_url=ehr_server.url)
    with serve(forsakringskassan.PERSONA.make(contracts, types, settings)) as server:
        register(server, "a", "one")
        question = {"intygs_id": "a", "amne": "OVRIGT", "text": "?"}
        assert control(server, "POST", "/ask", "one", question)["accepted"]
    ehr = ehr_server.mock
    assert isinstance(ehr.persona, Journalsystem)
    assert ehr.persona.meddelanden() == ()
    in_run = ehr.runs.get("one").persona
    assert isinstance(in_run, Journalsystem)
    assert [each.amne for each in in_run.meddelanden()] == ["OVRIGT"]


def test_stopping_wakes_those_who_wait_in_a_run(kassan: Kassan) -> None:
    with serve(kassan) as server, ThreadPoolExecutor() as pool:
        register(server, "a", "one")
        run = kassan.runs.get("one")
        wait = pool.submit(run.journal.wait, 2, timeout_seconds=60)
        while not run.journal._waiters:
            assert not wait.done()
        server.stop()
        assert len(wait.result(5)) == 1


# --- interleaved ----------------------------------------------------------------------------------


@dataclass
class Model:
    """What a run must have, and nothing else."""

    intyg: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    refused: bool = False


def play(server: MockServer, run: str, seed: int, steps: int) -> Model:
    """Random things in one run, each answer as if nobody else were there."""
    dice, model = random.Random(seed), Model()
    for _ in range(steps):
        intygs_id = f"id-{dice.randrange(4)}"
        match dice.choice(["register"] * 5 + ["rule", "reset", "forget", "end", "look"]):
            case "register":
                known = intygs_id in model.intyg
                expected = "ERROR" if model.refused else "INFO" if known else "OK"
                assert result(register(server, intygs_id, run))[0] == expected
                model.calls.append(expected)
                if expected == "OK":
                    model.intyg.append(intygs_id)
            case "rule":
                model.refused = not model.refused
                if model.refused:
                    rule = {"id": "no", "answers": {"kind": "error", "error_id": "REVOKED"}}
                    control(server, "PUT", "/rules/no", run, rule)
                else:
                    control(server, "DELETE", "/rules/no", run)
            case "reset":
                control(server, "POST", "/reset", run, {})
                model = Model()
            case "end":
                control(server, "GET", "", run)  # there must be one to end
                control(server, "DELETE", f"/runs/{run}")
                model = Model()
            case "forget":
                if intygs_id in model.intyg:
                    model.intyg.remove(intygs_id)
                    control(server, "POST", "/reset", run, {"intygs_id": intygs_id})
                    model.calls = codes(server, run)
            case "look":
                assert ids(server, run) == model.intyg
                assert codes(server, run) == model.calls
    return model


def codes(server: MockServer, run: str) -> list[str]:
    calls = control(server, "GET", "/journal", run)["calls"]
    return [each["result_code"] for each in calls]


def test_interleaved_runs_never_see_each_other(server: MockServer) -> None:
    """`INTYG_TEST_RUN_STEPS` plays longer; the seed is in the run's name."""
    steps = int(os.environ.get("INTYG_TEST_RUN_STEPS", "25"))
    seeds = [random.randrange(2**32) for _ in range(8)]
    with ThreadPoolExecutor(max_workers=len(seeds)) as pool:
        played = [pool.submit(play, server, f"seed-{seed}", seed, steps) for seed in seeds]
        models = {seed: each.result() for seed, each in zip(seeds, played, strict=True)}
    for seed, model in models.items():
        assert ids(server, f"seed-{seed}") == model.intyg, seed
        assert codes(server, f"seed-{seed}") == model.calls, seed
    assert (ids(server), control(server, "GET", "/journal")["count"]) == ([], 0)


# --- by itself ------------------------------------------------------------------------------------


class Sheet:
    """A run's mock."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.ended = False

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def runs(now: list[float]) -> Runs[Sheet]:
    return Runs(Sheet, lambda: NOW, 3, 60.0, lambda: now[0])


def test_a_run_that_nobody_calls_is_forgotten(runs: Runs[Sheet], now: list[float]) -> None:
    first, second = runs.get("first"), runs.get("second")
    now[0] = 59
    assert runs.get("second") is second
    now[0] = 61  # the first has been idle for 61 s, the second for 2 s
    assert [(run.id, run.idle_seconds) for run in runs.all()] == [("second", 2.0)]
    assert (first.ended, second.ended) == (True, False)
    assert runs.get("first") is not first


def test_idle_runs_make_room_for_new_ones(runs: Runs[Sheet], now: list[float]) -> None:
    for run_id in "abc":
        runs.get(run_id)
    with pytest.raises(RunError) as caught:
        runs.get("d")
    assert caught.value.status == 503
    now[0] = 61
    assert runs.get("d").run_id == "d"


def test_a_run_is_made_once_however_many_ask_at_once(runs: Runs[Sheet]) -> None:
    start = threading.Barrier(20)

    def get(_: int) -> Sheet:
        start.wait()
        return runs.get("one")

    with ThreadPoolExecutor(max_workers=20) as pool:
        assert len(set(pool.map(get, range(20)))) == 1


CERTIFIED = Identity("TSTNMT2321000156-EHR", "2.5.4.5=TSTNMT2321000156-EHR,O=Region")


@pytest.mark.parametrize(
    ("path", "header", "caller", "run", "rest"),
    [
        pytest.param("/a", None, None, None, "/a", id="none"),
        pytest.param("/run/one/a/b", None, None, "one", "/a/b", id="path"),
        pytest.param("/run/one", None, None, "one", "/", id="path without anything below"),
        pytest.param("/run/", None, None, "", "/", id="path without a run"),
        pytest.param("/runs/one", None, None, None, "/runs/one", id="another path"),
        pytest.param("/a", " two ", CERTIFIED, "two", "/a", id="header before certificate"),
        pytest.param("/run/one/run/x", "two", None, "one", "/run/x", id="path before header"),
        pytest.param("/a", None, CERTIFIED, CERTIFIED.sender, "/a", id="certificate"),
        pytest.param("/a", None, Identity("SE1"), None, "/a", id="no certificate"),
    ],
)
def test_which_run_a_request_belongs_to(
    path: str, header: str | None, caller: Identity | None, run: str | None, rest: str
) -> None:
    environ = {"PATH_INFO": path, **({} if header is None else {"HTTP_X_INTYG_RUN": header})}
    found, inner = run_of(environ, caller)
    assert (found, inner["PATH_INFO"]) == (run, rest)
    assert path.startswith(inner.get("SCRIPT_NAME", ""))


def test_every_client_certificate_has_a_run_of_its_own() -> None:
    callers = [
        CERTIFIED,
        Identity(None, "CN=ÅÄÖ"),
        Identity("Å 1", "2.5.4.5=Å 1"),
        Identity("", "O="),
    ]
    found = [str(run_of_caller(each)) for each in callers]
    assert len(set(found)) == len(found)
    for run in found:
        assert Runs(Sheet, lambda: NOW, 1, 60.0).get(run).run_id == run
