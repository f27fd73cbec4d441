"""Routes that change while the adapter runs."""

import os
import time
from collections.abc import Iterator, MutableMapping
from datetime import date
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
import structlog.testing

from intyg.adapter.bootstrap.reload_routes import RoutesReloader
from intyg.adapter.console.metrics import _RoutesCollector
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.environment import Environment
from intyg.adapter.routing.table import Routes
from intyg.adapter.settings.settings import SettingsError, load_settings

Logs = list[MutableMapping[str, Any]]

FK = """
[destinations.fk]
url = "http://127.0.0.1:1"
kind = "test"
[[routes]]
contract = "*"
logical_address = "FK"
destination = "fk"
"""
PERMISSION = """
[[permissions]]
sender = "SE2321000016-EHR1"
contract = "*"
logical_address = "FK"
"""


class Rig:
    def __init__(self, folder: Path, environment: str = "test", recipients: str = "") -> None:
        self.path = folder / "routes.toml"
        self.now = 1_000
        self.write(FK)
        settings = folder / "adapter.toml"
        settings.write_text(
            f'environment = "{environment}"\nroutes_file = "routes.toml"\n{recipients}'
        )
        self.routes = Routes(load_settings(settings), system_clock)
        self.reloader = RoutesReloader(
            self.path, Environment(environment), self.routes, {"RegisterCertificate"}
        )

    def write(self, text: str) -> None:
        self.path.write_text(text)
        self.now += 1
        os.utime(self.path, (self.now, self.now))

    def found(self, address: str = "FK") -> str | None:
        found = self.routes.table.find("RegisterCertificate", address, date(2026, 1, 1)).route
        return found.destination if found else None


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture(autouse=True)
def logs() -> Iterator[Logs]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_the_rows_of_the_file_count(rig: Rig) -> None:
    assert rig.found() == "fk"


def test_a_change_counts_at_the_next_look_and_is_told_row_by_row(rig: Rig, logs: Logs) -> None:
    rig.write(FK.replace('"FK"', '"FK2"') + PERMISSION)
    rig.reloader.look()
    assert (rig.found("FK"), rig.found("FK2")) == (None, "fk")
    assert [(line.get("intyg.change"), line.get("intyg.row")) for line in logs] == [
        ("removed", "route * at FK to fk"),
        ("added", "route * at FK2 to fk"),
        ("added", "permission SE2321000016-EHR1 calls * at FK"),
        (None, None),
    ]
    assert (logs[-1]["event"], logs[-1]["intyg.added"]) == ("routes.read", 2)


def test_a_changed_destination_is_told_with_what_it_says(rig: Rig, logs: Logs) -> None:
    rig.write(FK.replace(":1", ":2"))
    rig.reloader.look()
    assert [line.get("intyg.row") for line in logs[:2]] == [
        "destination fk: url http://127.0.0.1:1, kind test",
        "destination fk: url http://127.0.0.1:2, kind test",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[routes]", "routes.toml:1: not TOML"),
        (FK.replace("contract", "contrakt"), "routes.toml:5: routes.0.contract is missing"),
        (FK + '[[routes]]\ncontract="*"\nlogical_address="X"\ndestination="no"\n', "'no'"),
        (FK.replace('"test"', '"real"'), "destination fk is real"),
        (FK.replace('"test"', '"test"\nca = "gone.pem"'), "destination fk: gone.pem"),
        ('environment = "demo"\n' + FK, "routes.toml:1: environment is no setting here"),
        (FK.replace('"*"', '"RegisterCertficate"'), "did you mean RegisterCertificate?"),
    ],
    ids=[
        "no TOML",
        "wrong key",
        "no destination",
        "real",
        "no such file",
        "other settings",
        "no contract",
    ],
)
def test_a_file_that_is_no_good_changes_nothing(rig: Rig, logs: Logs, text: str, says: str) -> None:
    rig.write(text)
    rig.reloader.look()
    rig.reloader.look()
    assert rig.found() == "fk"
    assert [line["event"] for line in logs] == ["routes.refused"]  # told once
    assert says in logs[0]["error.message"]


def test_a_file_that_is_gone_changes_nothing_until_it_is_back(rig: Rig, logs: Logs) -> None:
    rig.path.unlink()
    rig.reloader.look()
    assert logs == []  # somebody may be putting another in its place
    rig.reloader.look()
    assert [line["event"] for line in logs] == ["routes.refused"]
    assert rig.found() == "fk"
    rig.write(FK.replace('"FK"', '"FK2"'))
    rig.reloader.look()
    assert rig.found("FK2") == "fk"


def test_production_stays_production(tmp_path: Path, logs: Logs) -> None:
    rig = Rig(tmp_path, "production")
    for text, says in (
        (FK.replace('"test"', '"mock"'), "is a mock"),
        (FK + PERMISSION.replace("SE2321000016-EHR1", "*"), "lets any sender in"),
    ):
        rig.write(text)
        rig.reloader.look()
        assert says in logs[-1]["error.message"]
    assert rig.routes.table.routing.permissions == ()


def test_an_authority_does_not_become_an_ehr(tmp_path: Path, logs: Logs) -> None:
    rig = Rig(tmp_path, recipients='[recipients.FKASSA]\nname = "FK"\nlogical_address = "FK"\n')
    rig.write(FK.replace('kind = "test"', 'kind = "test"\nrole = "care"'))
    rig.reloader.look()
    (line,) = logs
    assert line["event"] == "routes.refused"
    assert "recipient FKASSA" in line["error.message"]


def test_a_file_that_may_be_half_written_is_left_for_the_next_look(rig: Rig) -> None:
    rig.path.write_text(FK + PERMISSION)
    os.utime(rig.path, (time.time() + 5, time.time() + 5))
    rig.reloader.look()
    assert rig.routes.table.routing.permissions == ()
    rig.reloader.reload()  # asked for by hand
    assert len(rig.routes.table.routing.permissions) == 1


def test_a_file_from_the_future_counts_when_it_stays_as_it_is(rig: Rig) -> None:
    """Its time may be another machine's."""
    rig.path.write_text(FK + PERMISSION)
    os.utime(rig.path, (time.time() + 5000, time.time() + 5000))
    rig.reloader.look()
    rig.reloader.look()
    assert len(rig.routes.table.routing.permissions) == 1


def test_the_watch_finds_a_change_by_itself(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intyg.adapter.clients.watch.LOOK_SECONDS", 0.02)
    rig.reloader.start()
    try:
        rig.write(FK + PERMISSION)
        until = time.monotonic() + 5
        while not rig.routes.table.routing.permissions and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        rig.reloader.stop()
    assert len(rig.routes.table.routing.permissions) == 1


def test_metrics_tell_whether_the_newest_rows_count(rig: Rig) -> None:
    registry = prometheus_client.CollectorRegistry()
    registry.register(_RoutesCollector(rig.routes))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("intyg_routes_current") == 1
    rig.write("nonsense")
    rig.reloader.look()
    assert value("intyg_routes_current") == 0
    assert value("intyg_routes_reads_total", outcome="refused") == 1
    rig.write(FK)
    rig.reloader.look()
    assert value("intyg_routes_current") == 1
    assert value("intyg_routes_reads_total", outcome="taken") == 1


def test_the_tables_stand_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text(FK)
    settings = tmp_path / "adapter.toml"
    settings.write_text('environment = "demo"\nroutes_file = "routes.toml"\n' + FK)
    with pytest.raises(SettingsError, match="and nowhere else"):
        load_settings(settings)


def test_a_routes_file_is_as_good_as_the_settings_at_the_start(tmp_path: Path) -> None:
    settings = tmp_path / "adapter.toml"
    settings.write_text('environment = "demo"\nroutes_file = "routes.toml"\n')
    with pytest.raises(SettingsError, match="No such file"):
        load_settings(settings)
    (tmp_path / "routes.toml").write_text(FK.replace('destination = "fk"', 'destination = "x"'))
    with pytest.raises(SettingsError, match="no destination is named 'x'"):
        load_settings(settings)


def test_paths_are_read_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/routes.toml").write_text(FK.replace('"test"', '"test"\nca = "ca.pem"'))
    settings = tmp_path / "adapter.toml"
    settings.write_text('environment = "demo"\nroutes_file = "sub/routes.toml"\n')
    assert load_settings(settings).destinations["fk"].ca == tmp_path / "sub/ca.pem"
