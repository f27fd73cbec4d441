"""`intyg statistics` as somebody calls it, beside an adapter that runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from intyg.adapter.audit.log import AuditKey
from intyg.adapter.console.app import build_console
from intyg.adapter.domain.environment import Environment
from intyg.adapter.httpd.mount import Mount
from intyg.adapter.httpd.server import Server
from intyg.adapter.settings.settings import AuditSettings, Settings, SettingsError, load_settings
from intyg.adapter.statistics.catalogue import REPORTS
from intyg.adapter.store import Store
from tests.adapter.cli.calls import lines, run
from tests.adapter.conftest import VirtualClock
from tests.adapter.flows.rig import VirtualClock as RigClock
from tests.adapter.flows.rig import make_services
from tests.adapter.statistics.history import ANNA, BO, NORTH, Cert, keep, leave

SETTINGS = 'environment = "test"\ndata_dir = "."\n'
TOKEN = "t" * 16
MONTH = ("--from", "2026-01", "--to", "2026-01", "--shape", "period")


@pytest.fixture
def running(here: Path, clock: VirtualClock) -> Iterator[Store]:
    (here / "adapter.toml").write_text('environment = "test"\ndata_dir = "."\n', "utf-8")
    AuditKey.from_settings(AuditSettings(), here, make=True)
    store = Store(f"sqlite:///{here / 'adapter.sqlite'}", clock)
    store.migrate(Environment.TEST)
    with store.begin() as rows:
        keep(rows, [Cert(ANNA, (leave("01-01", "01-14"),)), Cert(BO, (leave("01-01", "01-30"),))])
    yield store
    store.close()


def test_without_a_name_the_reports_are_listed(here: Path) -> None:
    assert [line.split()[0] for line in run("statistics").stdout.splitlines()] == [*REPORTS]
    assert [row["report"] for row in lines(run("statistics", "--json"))] == [*REPORTS]


def test_a_report_as_table_json_csv_and_plot(running: Store) -> None:
    asked = ("statistics", "sjukfall-length", *MONTH, "-c", "adapter.toml")
    shown = run(*asked)
    assert shown.exit_code == 0
    assert "Sjukfallens längd, 2026-01" in shown.stdout
    assert "15–30 dagar" in shown.stdout
    [told] = lines(run(*asked, "--json"))
    assert {row["group"]: row["total"] for row in told["rows"] if row["total"]} == {
        "0-14": 1,
        "15-30": 1,
    }
    assert "Hela perioden;15–30 dagar;0;1;1" in run(*asked, "--csv").stdout
    assert run(*asked, "--svg", "plot.svg").exit_code == 0
    assert Path("plot.svg").read_text("utf-8").startswith("<svg ")


def test_filters_and_levels(running: Store) -> None:
    asked = ("statistics", "sjukfall", *MONTH, "-c", "adapter.toml", "--json")
    [told] = lines(run(*asked, "--unit", NORTH.lower(), "--age", "61-65"))
    assert [row["total"] for row in told["rows"]] == [1]
    [told] = lines(run(*asked, "--level", "region"))
    assert told["rows"][0]["hidden"] == ["female", "male"]  # five, outside a demonstration
    assert told["notes"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("nothing",), "no such report"),
        (("sjukfall", "--unit", "NOWHERE"), "no certificate of NOWHERE"),
        (("sjukfall", "--from", "2026-03", "--to", "2026-01"), "ends before it begins"),
        (("sjukfall-title",), "no staff directory"),
    ],
)
def test_what_cannot_be_ends_with_2_and_says_why(
    running: Store, words: tuple[str, ...], text: str
) -> None:
    result = run("statistics", *words, "-c", "adapter.toml")
    assert result.exit_code == 2
    assert text in result.stderr


def test_a_rebuild_needs_the_adapter_that_has_the_database(running: Store, here: Path) -> None:
    """Here none answers, though the database is taken; then it is free."""
    (here / "adapter.toml").write_text(
        'environment = "test"\ndata_dir = "."\n[console]\nport = 1\n', "utf-8"
    )
    asked = ("statistics", "rebuild", "-c", "adapter.toml")
    refused = run(*asked)
    assert refused.exit_code == 2
    assert "is in use by process" in refused.stderr
    assert "http://127.0.0.1:1/api/statistics/rebuild: " in refused.stderr
    running.close()
    assert lines(run(*asked, "--json")) == [{"intyg": 2}]
    told = lines(run("statistics", "sjukfall", *MONTH, "-c", "adapter.toml", "--json"))
    assert [row["total"] for row in told[0]["rows"]] == [2]


@pytest.mark.parametrize(
    ("environment", "cutoff", "counts"),
    [("demo", None, 0), ("test", None, 5), ("demo", 2, 2), ("test", 3, 3), ("test", 2, None)],
)
def test_small_numbers_are_hidden_by_the_settings(
    environment: str, cutoff: int | None, counts: int | None
) -> None:
    values = {} if cutoff is None else {"statistics": {"cutoff": cutoff}}
    if counts is None:
        with pytest.raises(SettingsError, match=r"statistics.cutoff is at least 3"):
            load_settings(None, environment=environment, **values)
    else:
        settings: Settings = load_settings(None, environment=environment, **values)
        assert settings.cutoff == counts


def test_the_same_person_has_the_same_hash_and_not_the_audit_logs() -> None:
    key = AuditKey(b"k" * 32)
    assert key.person_in_statistics(ANNA) == key.person_in_statistics(ANNA)
    assert key.person_in_statistics(ANNA) != key.person_in_statistics(BO)
    assert key.person_in_statistics(ANNA) != key.person(ANNA)


def test_a_running_adapter_makes_its_facts_anew(here: Path, clock: VirtualClock) -> None:
    """Over its control interface, with its token, in parts."""
    (here / "adapter.toml").write_text(
        f'{SETTINGS}[server]\nport = 0\n[console]\ntoken = "{TOKEN}"\n',
        "utf-8",
    )
    store = Store(f"sqlite:///{here / 'adapter.sqlite'}", clock)
    settings_now = load_settings(here / "adapter.toml")
    services = make_services(settings_now, store, RigClock())
    store.migrate(Environment.TEST)
    with store.begin() as rows:
        keep(rows, [Cert(ANNA, (leave("01-01", "01-14"),)) for _ in range(3)])
    server = Server(Mount({"/api": build_console(services)}), "127.0.0.1", 0, threads=1)
    server.start()
    try:
        port = server.address.rpartition(":")[2]
        settings = f"{SETTINGS}[server]\nport = {port}\n"
        (here / "adapter.toml").write_text(f'{settings}[console]\ntoken = "{TOKEN}"\n', "utf-8")
        assert lines(run("statistics", "rebuild", "-c", "adapter.toml", "--json")) == [{"intyg": 3}]
        (here / "adapter.toml").write_text(settings, "utf-8")
        refused = run("statistics", "rebuild", "-c", "adapter.toml")
        assert (refused.exit_code, "HTTP 401" in refused.stderr) == (2, True)
    finally:
        server.stop()
        store.close()
