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
    ExpectationError,
    Forsakringskassan,
    Journalsystem,
    NotAcceptedError,
)
from intyg.mocks.testing.ehr import Issuer, Keys
from intyg.mocks.testing.sentences import SentenceError
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


# --- how the adapter is set -----------------------------------------------------------------------


@pytest.mark.intyg(environment="production")
def test_production_is_production(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    """TLS, a real destination, the guard: a test patient's stays, somebody else's arrives."""
    assert adapter.url.startswith("https://")
    test_patients = journalsystem.register()
    answer = journalsystem.send(test_patients, check=False)
    assert "test" in (answer.text or "").lower()
    somebody = journalsystem.register(journalsystem.issue(person="195801082743"))
    journalsystem.send(somebody)
    assert forsakringskassan.await_intyg(somebody).signature == "valid"
    assert [each.intygs_id for each in forsakringskassan.all_intyg()] == [somebody.intygs_id]
    assert adapter.await_delivery(somebody).result_code == "OK"
    asked = forsakringskassan.ask("OVRIGT", somebody)  # over TLS, with a client certificate
    assert journalsystem.await_event("NYFRFM", somebody).mottagna_fragor.ej_besvarade == 1
    assert asked.http_status == 200


@pytest.mark.intyg(environment="production")
def test_a_test_patients_certificate_never_leaves_in_few_lines(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    forsakringskassan.expect("RegisterCertificate").never()
    intyg = journalsystem.register()
    journalsystem.send(intyg, check=False)
    assert [block["signal"] for block in adapter.get(f"/api/intyg/{intyg.intygs_id}")["blocks"]]


@pytest.mark.intyg(environment="test", destinations={"skatteverket": {"timeout_seconds": 0.2}})
def test_one_destination_is_set_alone(adapter: Adapter) -> None:
    settings = adapter.app.services.settings
    assert settings.environment == "test"
    assert settings.destinations["skatteverket"].timeout_seconds == 0.2
    assert settings.destinations["forsakringskassan"].timeout_seconds == 35.0
    assert settings.destinations["forsakringskassan"].kind == "mock"


@pytest.mark.intyg(timeout=0.3)
def test_a_short_time_out_ends_a_call_that_hangs(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    forsakringskassan.expect("RegisterCertificate").hangs().times(1)
    intyg = journalsystem.register()
    journalsystem.send(intyg)
    forsakringskassan.await_calls("RegisterCertificate&answer=caller_gone")
    adapter.clock.advance("1h")
    assert adapter.await_delivery(intyg).attempts == 2


@pytest.mark.intyg(delivery={"max_attempts": 1}, signature="accept")
def test_any_setting_is_set_by_its_name(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    forsakringskassan.expect("RegisterCertificate").answers("HTTP503").times(1)
    intyg = journalsystem.register()
    journalsystem.send(intyg)
    failed = adapter.await_delivery(intyg, "failed")
    assert (failed.attempts, failed.http_status) == (1, 503)
    assert adapter.app.services.settings.delivery.workers == 4


def test_the_clock_ends_a_call_that_hangs(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    """Also one that comes while it is moved: no scenario waits half a minute."""
    forsakringskassan.expect("RegisterCertificate").hangs().times(2)
    intyg = journalsystem.register()
    journalsystem.send(intyg)
    started = time.monotonic()
    adapter.clock.advance("1h")
    assert adapter.await_delivery(intyg).attempts == 3
    assert time.monotonic() - started < 10
    answers = [call.answer for call in forsakringskassan.calls("RegisterCertificate")]
    assert answers == ["caller_gone", "caller_gone", "sent"]


def test_where_no_delivery_stands_is_told(adapter: Adapter, journalsystem: Journalsystem) -> None:
    intyg = journalsystem.register()
    journalsystem.send(intyg)
    adapter.await_delivery(intyg)
    with pytest.raises(
        ExpectationError, match="RegisterCertificate:3 to FKASSA: delivered"
    ) as told:
        adapter.await_delivery(intyg, "refused", timeout=0)
    assert f"no RegisterCertificate of {intyg.intygs_id} was refused" in str(told.value)
    with pytest.raises(SentenceError, match="the nearest is refused"):
        adapter.await_delivery(intyg, "refuse")


def test_a_question_that_is_refused_fails_the_test(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    intyg = journalsystem.register()
    journalsystem.send(intyg)
    forsakringskassan.await_intyg(intyg)
    journalsystem.revoke(intyg)
    with pytest.raises(NotAcceptedError, match="SendMessageToCare was answered ERROR") as told:
        forsakringskassan.ask("OVRIGT", intyg)
    unchecked = forsakringskassan.ask("OVRIGT", intyg, check=False)
    assert (unchecked.accepted, unchecked.error_id) == (False, told.value.answer.error_id)


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ("enviroment='production'", "enviroment is unknown; the nearest is environment"),
        ("environment='prod'", "environment: prod is unknown; "),
        ("destinations={'fk': {}}", "destinations: fk is unknown; "),
        ("destinations={'skatteverket': {'kid': 'real'}}", "kid"),
        ("environment='production', signature='accept'", "signature must be"),
        ("'production'", "takes keywords alone"),
    ],
)
def test_a_marker_that_cannot_be_is_told(
    pytester: pytest.Pytester, keywords: str, text: str
) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.intyg({keywords})
        def test_one(adapter):
            pass
        """
    )
    result = pytester.runpytest(*WARNINGS, "--strict-markers")
    result.assert_outcomes(errors=1)
    assert text in result.stdout.str()


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


def test_arbetsformedlingen_is_a_mock_as_the_others(
    adapter: Adapter, journalsystem: Journalsystem, arbetsformedlingen: Authority
) -> None:
    at_once, on_demand = journalsystem.register("AF00213"), journalsystem.register("AF00251")
    arbetsformedlingen.await_intyg(at_once)
    journalsystem.send(on_demand, to="AF")
    arbetsformedlingen.await_intyg(on_demand)
    journalsystem.revoke(on_demand)
    arbetsformedlingen.await_revoked(on_demand)


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
