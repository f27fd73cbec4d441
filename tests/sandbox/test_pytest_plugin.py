"""The plugin as its users meet it: their suites, the adapter of a test, and what it costs."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import requests

from intyg.mocks.testing import (
    Authority,
    ControlError,
    Forsakringskassan,
    Journalsystem,
)
from intyg.mocks.testing.ehr import Issuer, Keys
from intyg.mocks.testing.servers import Servers
from intyg.mocks.testing.stage import Stage
from intyg.sandbox.adapter_under_test import Adapter, Adapters, elsewhere
from intyg.sandbox.pytest_plugin import STAGE

READY_SECONDS = 0.2
"""From asking for a mock to its first answer."""

WARNINGS = ("-W", "error", "-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Errors, but for the one that an inner run in this process gets since the outer one has the plugin
already. Whether it does depends on how pytest was started."""


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys, intyg.sandbox.pytest_plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = [name for name in done.stdout.split() if name.partition(".")[0] == "intyg"]
    assert ours == ["intyg", "intyg.sandbox", "intyg.sandbox.pytest_plugin"]


def test_tests_of_mocks_alone_import_no_adapter(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_one(forsakringskassan, journalsystem):
            assert journalsystem.issue("LISJP").typ == "LISJP"
            heavy = ("intyg.adapter.bootstrap.app", "spyne", "sqlalchemy", "zeep")
            assert [name for name in heavy if name in sys.modules] == []
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_suite_that_does_not_use_it_is_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_nothing(request, journalsystem):
            assert journalsystem == "my own"

        def test_no_stage(request):
            assert not [name for name in request.fixturenames if name.startswith("intyg")]
        """
    )
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        def journalsystem():
            return "my own"
        """
    )
    pytester.runpytest(*WARNINGS).assert_outcomes(passed=2)


def test_a_suite_that_uses_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def ehr(journalsystem, forsakringskassan):
            journalsystem.connect(forsakringskassan.url, "FKASSA")
            return journalsystem

        def test_all_came(ehr, forsakringskassan):
            forsakringskassan.expect("RegisterCertificate", typ="LISJP").times(1)
            ehr.register()

        def test_missing(ehr, forsakringskassan):
            ehr.register()
            forsakringskassan.expect("RegisterCertificate", typ="LUSE").answers().times(2)
            ehr.register()

        def test_failing_for_another_reason(ehr, forsakringskassan):
            forsakringskassan.expect("RevokeCertificate")
            ehr.register()
            assert forsakringskassan.all_intyg() == ()

        def test_misspelt(forsakringskassan):
            forsakringskassan.expect("RegisterCertficate")

        def test_the_next_one_is_empty(forsakringskassan):
            assert forsakringskassan.calls() == ()
        """
    )
    result = pytester.runpytest(*WARNINGS, "-p", "no:randomly")
    result.assert_outcomes(passed=2, failed=3)  # failed, and not an error of the fixture
    result.stdout.fnmatch_lines(
        [
            "*_ test_missing _*",
            "forsakringskassan expected RegisterCertificate typ=LUSE, answered ok, twice; "
            "came 0 times",
            "  call 1: RegisterCertificate:3 to FKASSA about *: OK",
            "      came before the expectation was there",
            "  call 2: RegisterCertificate:3 to FKASSA about *: OK",
            "      contract: is RegisterCertificate",
            "      typ: expected LUSE, was LISJP",
            "*_ test_failing_for_another_reason _*",
            "*Captured what came to the mocks call*",
            "forsakringskassan",
            "  call 1: RegisterCertificate:3 to FKASSA about *: OK",
            "*_ test_misspelt _*",
            "E *match.contract: RegisterCertficate is unknown; the nearest is RegisterCertificate",
        ]
    )
    assert "During handling" not in result.stdout.str()


def test_options_that_lead_nowhere_stop_everything(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--intyg-up", "nowhere")
    assert result.ret is pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --intyg-up, --intyg-url:*nowhere/adapter.toml'"])


def test_a_name_that_there_is_not_is_told() -> None:
    with pytest.raises(ValueError, match="must be NAME=URL with forsakringskassan, "):
        elsewhere(None, ["forsakringkassan=http://127.0.0.1:1"])


def test_a_mock_that_is_not_there_is_told(intyg_servers: Servers, intyg_keys: Keys) -> None:
    there = elsewhere(None, ["skatteverket=http://127.0.0.1:1"])
    stage = Stage(intyg_servers, Issuer(lambda: intyg_servers.types, intyg_keys), there, "run-1")
    with pytest.raises(RuntimeError, match="--intyg-url forsakringskassan=… is missing"):
        stage.mock("forsakringskassan")
    with pytest.raises(ControlError, match=r"http://127.0.0.1:1/run/run-1/control/.* not answer"):
        stage.mock("skatteverket")
    with pytest.raises(KeyError, match="the nearest is skatteverket"):
        stage.mock("skattverket")


# --- what it costs --------------------------------------------------------------------------------


def test_a_mock_is_ready_at_once(
    intyg_servers: Servers, intyg_keys: Keys, record_property: Callable[[str, object], None]
) -> None:
    def seconds() -> float:
        started = time.perf_counter()
        stage = Stage(intyg_servers, Issuer(lambda: intyg_servers.types, intyg_keys), None, "x")
        with urllib.request.urlopen(f"{stage.forsakringskassan.url}/control") as answer:
            assert answer.status == 200
        taken = time.perf_counter() - started
        stage.end()
        return taken

    best = min(seconds() for _ in range(6))
    record_property("table", f"a mock as a fixture, to its first answer: {best * 1000:.0f} ms")
    assert best < READY_SECONDS


# --- the adapter ----------------------------------------------------------------------------------


def test_the_adapter_begins_empty_and_knows_every_mock(
    adapter: Adapter, journalsystem: Journalsystem, socialstyrelsen: Authority
) -> None:
    with adapter.app.services.store.read() as rows:
        assert rows.deliveries.next_retry() is None
    intyg = journalsystem.register("DOI")
    journalsystem.send(intyg, to="SOS")
    socialstyrelsen.await_intyg(intyg)
    assert adapter.get(f"/api/intyg/{intyg.intygs_id}")["intygsId"] == intyg.intygs_id


def test_the_next_test_has_an_adapter_of_its_own(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    assert journalsystem.events() == ()
    before = forsakringskassan.clock.now
    assert (adapter.clock.advance("30d") - before).days == 30
    told = requests.get(f"{adapter.url}/api/clock", timeout=5).json()
    assert (datetime.fromisoformat(told["now"]) - before).days == 30


def test_a_mock_asked_for_late_is_wired_too(
    adapter: Adapter, request: pytest.FixtureRequest
) -> None:
    ehr: Journalsystem = request.getfixturevalue("journalsystem")
    ehr.await_event("SIGNAT", ehr.register())
    assert request.node.stash[STAGE].journalsystem is ehr


def test_an_adapter_elsewhere_gives_no_parts(tmp_path: Path, intyg_stage: Stage) -> None:
    running = Adapter.elsewhere(elsewhere(None, ["adapter=http://127.0.0.1:1/"]), intyg_stage)
    assert running.services_url == "http://127.0.0.1:1/services"
    with pytest.raises(RuntimeError, match="over HTTP"):
        _ = running.app
    with pytest.raises(OSError, match=r"adapter\.toml"):
        elsewhere(tmp_path, [])


def test_a_call_that_hangs_does_not_keep_the_adapter_from_ending(
    intyg_adapters: Adapters, intyg_stage: Stage
) -> None:
    """It would wait for the answer as long as for any: half a minute."""
    fk, ehr = intyg_stage.forsakringskassan, intyg_stage.journalsystem
    with intyg_adapters.running(intyg_stage):
        fk.expect("RegisterCertificate").hangs()
        ehr.send(ehr.register())
        fk.await_calls("RegisterCertificate&answer=not_yet")
        started = time.monotonic()
    assert time.monotonic() - started < 10
