"""`intyg deliveries` as an operator calls it: beside an adapter that runs, and without one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from intyg.adapter.bootstrap.app import App, build_app
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.environment import Environment
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.store import Rows, Store
from tests.adapter.cli.calls import lines, run
from tests.adapter.samples import PERSON, add_delivery, add_intyg
from tests.builders import PATIENT

TOKEN = "operators-of-the-adapter"
TOML = """\
environment = "demo"
data_dir = "data"
signature = "accept"

[server]
port = {port}

[console]
token = "{token}"

[test_patients]
list_files = ["patients.csv"]

[delivery]
workers = 0

[destinations.fk]
url = "http://127.0.0.1:1"
kind = "mock"

[[routes]]
contract = "*"
logical_address = "FKORG"
destination = "fk"
"""
REFUSED = Outcome(
    OutcomeKind.REFUSED, error_id="VALIDATION_ERROR", detail="the request is wrong; so it said"
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Settings, and a database with three refused deliveries."""
    with held_port() as port:
        (tmp_path / "adapter.toml").write_text(TOML.format(port=port, token=TOKEN))
        (tmp_path / "patients.csv").write_text(f"{PERSON.extension}\n")
        store = Store(f"sqlite:///{tmp_path / 'data/adapter.sqlite'}", system_clock)
        store.migrate(Environment.DEMO)
        with store.begin() as rows:
            for n in range(3):
                add_intyg(rows, f"intyg-{n}", is_test=True)
                add_delivery(rows, f"intyg-{n}", contract="RevokeCertificate:2")
        for delivery in store.claim("test", 3, 60.0):
            with store.begin() as rows:
                rows.deliveries.record_attempt(delivery, REFUSED)
        store.close()
        yield tmp_path


def settings_file(folder: Path) -> Path:
    return folder / "adapter.toml"


@pytest.fixture
def running(folder: Path) -> Iterator[App]:
    with build_app(load_settings(settings_file(folder))) as app:
        yield app


@pytest.fixture(params=["running", "alone"])
def either(request: pytest.FixtureRequest, folder: Path) -> Path:
    """The same folder, with an adapter that has its database open, or without."""
    if request.param == "running":
        request.getfixturevalue("running")
    return folder


def deliveries(folder: Path, command: str, *words: str) -> Result:
    return run("deliveries", command, *words, "-c", settings_file(folder))


def states(folder: Path) -> list[str]:
    found = lines(deliveries(folder, "list", "--json"))
    return [one["state"] for one in found if one["kind"] == "delivery"]


def test_looking_needs_nobody(either: Path) -> None:
    result = deliveries(either, "list", "--state", "refused", "--destination", "fk")
    assert result.exit_code == 1  # nobody has asked the routes yet
    result = deliveries(either, "list", "--state", "refused")
    assert result.exit_code == 0
    assert "3  RevokeCertificate:2  refused  VALIDATION_ERROR  the request is wrong" in (
        result.stdout
    )
    assert "3 deliveries" in result.stdout
    assert PATIENT not in result.stdout


def test_what_is_sent_again_is_the_same_by_the_adapter_and_without_it(either: Path) -> None:
    words = ("--state", "refused", "--reason", "their schema is mended", "--request-id", "r-1")
    dry = deliveries(either, "retry", *words, "--dry-run")
    assert (dry.exit_code, "retry: 3 would be changed, 0 left" in dry.stdout) == (0, True)
    assert states(either) == ["refused"] * 3
    done = deliveries(either, "retry", *words, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["left"] == []
    assert states(either) == ["queued"] * 3
    again = deliveries(either, "retry", *words)
    assert (again.exit_code, "when this request came first" in again.stdout) == (0, True)


def test_a_pause_is_the_same_by_the_adapter_and_without_it(either: Path) -> None:
    paused = deliveries(either, "pause", "fk", "--reason", "they move", "--by", "anna")
    assert (paused.exit_code, paused.stdout) == (0, "paused: fk\n")
    shown = deliveries(either, "ways").stdout
    assert "fk  paused  0 wait" in shown
    assert "they move, by anna" in shown
    resumed = deliveries(either, "resume", "fk")
    assert (resumed.exit_code, resumed.stdout) == (0, "resumed: fk * *\n")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param(("retry", "--state", "failed", "--reason", "x"), 1, "no delivery", id="none"),
        pytest.param(("retry", "--state", "refused"), 1, "a reason is needed", id="no reason"),
        pytest.param(
            ("retry", "--state", "refused", "--reason", "x", "--max", "2"),
            1,
            "3 deliveries are like this, and at most 2 may be",
            id="too many",
        ),
        pytest.param(("pause", "mars", "--reason", "x"), 1, "no destination mars", id="unknown"),
        pytest.param(("resume", "fk"), 1, "nothing is stopped", id="nothing stopped"),
        pytest.param(("retry", "--reason", "x"), 2, "say which deliveries", id="everything"),
        pytest.param(("list", "--state", "lost"), 2, "lost is none of", id="no such state"),
        pytest.param(("show", "nothing"), 1, "no such delivery", id="no such delivery"),
        pytest.param(("list", "--state", "failed"), 1, "", id="nothing to list"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(
    either: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    command, *rest = words
    result = deliveries(either, command, *rest)
    assert result.exit_code == code
    assert says in result.stderr
    assert states(either) == ["refused"] * 3


def test_one_delivery_is_given_up_or_has_arrived(folder: Path) -> None:
    ids = [one["id"] for one in lines(deliveries(folder, "list", "--json"))[1:]]
    done = deliveries(folder, "mark-delivered", ids[0], "--reason", "they called")
    assert done.exit_code == 0
    shown = deliveries(folder, "show", ids[0])
    assert "delivered" in shown.stdout
    assert "marked as delivered: they called" in shown.stdout
    assert " 1  " in shown.stdout  # the attempt that was refused
    left = deliveries(folder, "give-up", ids[1], "--reason", "no more")
    assert (left.exit_code, f"left {ids[1]}" in left.stdout) == (0, True)  # it has ended already


def test_the_wrong_token_is_told(folder: Path, running: App) -> None:
    text = settings_file(folder).read_text()
    settings_file(folder).write_text(text.replace(TOKEN, "somebody-elses-token"))
    result = deliveries(folder, "retry", "--state", "refused", "--reason", "x")
    assert (result.exit_code, "token" in result.stderr) == (2, True)
    with running.services.store.read() as rows:
        assert {one.state for one in _all(rows)} == {DeliveryState.REFUSED}


def _all(rows: Rows) -> tuple[Delivery, ...]:
    return rows.deliveries.find()
