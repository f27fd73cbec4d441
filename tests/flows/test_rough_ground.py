"""What an adapter says when its database is full, gone, replaced, or not the one it was."""

import contextlib
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from structlog.testing import capture_logs
from structlog.types import EventDict

from intyg.adapter.bootstrap.app import App, build_app, build_services
from intyg.adapter.bootstrap.store_watch import told_of_missing
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.flows.services import Services
from intyg.adapter.formats.safe_xml import envelope
from intyg.adapter.settings.settings import Settings, SettingsError, load_settings
from intyg.adapter.store import file_of
from intyg.schemas.contract.contract import Contracts
from tests import builders
from tests.adapter.cli.calls import lines, run
from tests.adapter.full_disk import SmallDisk, small_disk

REGISTER = Contracts().get("RegisterCertificate", 3).path
SEND = Contracts().get("SendCertificateToRecipient", 2).path
KEY, LOCK = "audit.key", "adapter.sqlite.lock"
DISK_BYTES = 8 * 1024 * 1024


def settings_in(folder: Path) -> Settings:
    return load_settings(
        environment="demo",
        data_dir=folder,
        signature="accept",
        server={"port": 0},
        test_patients={"reserved_numbers": True},
        destinations={"fk": {"url": "http://127.0.0.1:1", "kind": "mock"}},
        recipients={"FKASSA": {"name": "FK", "logical_address": "FK"}},
        routes=[{"contract": "*", "logical_address": "FK", "destination": "fk"}],
        delivery={"workers": 1, "poll_seconds": 0.05},
    )


def post(app: App, body: bytes, path: str = REGISTER) -> str:
    headers = {"Content-Type": "text/xml; charset=UTF-8"}
    data = envelope(body, "INTYGSADAPTER")
    return requests.post(f"{app.url}/services{path}", data, headers=headers, timeout=30).text


def register(app: App, intygs_id: str = "") -> str:
    return post(app, builders.register_certificate(intygs_id or str(uuid.uuid4())))


def is_taken(answer: str) -> bool:
    return ">OK<" in answer or ">INFO<" in answer


def health(app: App) -> tuple[int, str]:
    answer = requests.get(f"{app.url}/health", timeout=10)
    found = answer.json()
    return answer.status_code, found.get("detail") or found["status"]


def await_(happened: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def about_writing(logged: list[EventDict]) -> list[EventDict]:
    return [line for line in logged if line["event"].startswith("store.")]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path, DISK_BYTES) as disk:
        yield disk


def test_a_full_disk_is_said_everywhere_and_heals_by_itself(disk: SmallDisk) -> None:
    with capture_logs() as logged, build_app(settings_in(disk.folder)) as app:
        assert is_taken(register(app))
        assert health(app) == (200, "ok")
        disk.fill()
        refused = [register(app) for _ in range(8)]
        assert ">TECHNICAL_ERROR<" in refused[-1]
        assert "the database&#39;s disk is full" in refused[-1].replace("'", "&#39;")
        status, text = health(app)
        assert (status, "disk is full" in text) == (503, True)
        [first] = about_writing(logged)
        assert (first["event"], first["log_level"]) == ("store.cannot_be_written", "error")
        assert "SQLITE_FULL" in first["error.message"]
        disk.free()
        await_(lambda: health(app) == (200, "ok"))
        assert is_taken(register(app))
        assert [line["event"] for line in about_writing(logged)] == [
            "store.cannot_be_written",
            "store.can_be_written_again",
        ]


def test_a_full_disk_is_told_by_health_though_nobody_calls(disk: SmallDisk) -> None:
    with build_app(settings_in(disk.folder)) as app:
        disk.fill()
        await_(lambda: health(app)[0] == 503)
        assert "disk is full" in health(app)[1]


@pytest.mark.parametrize("what", ["deleted", "replaced by another"])
def test_a_database_that_is_gone_takes_no_certificate(tmp_path: Path, what: str) -> None:
    settings = settings_in(tmp_path)
    path = Path(str(file_of(settings.effective_database_url)))
    with capture_logs() as logged, build_app(settings) as app:
        assert is_taken(register(app))
        if what == "deleted":
            path.unlink()
        else:
            shutil.copy(path, tmp_path / "copy")
            (tmp_path / "copy").replace(path)
        await_(lambda: health(app)[0] == 503)
        assert f"was {what} while the adapter runs" in health(app)[1]
        assert ">TECHNICAL_ERROR<" in register(app)
        assert [line["event"] for line in about_writing(logged)] == ["store.cannot_be_written"]


# --- starts ---------------------------------------------------------------------------------------


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """The folder of an adapter that has run, with a certificate that waits."""
    with build_app(settings_in(tmp_path)) as app:
        assert is_taken(register(app, "intyg-1"))
        assert is_taken(post(app, builders.send_certificate_to_recipient("intyg-1"), SEND))
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises((SettingsError, StoreError)) as caught:
        build_services(settings_in(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def doctor(folder: Path) -> dict[str, dict[str, str]]:
    (folder / "adapter.toml").write_text(
        f'environment = "demo"\ndata_dir = "{folder}"\nsignature = "accept"\n[server]\nport = 0\n'
    )
    return {
        line["check"]: line
        for line in lines(run("doctor", "-c", folder / "adapter.toml", "--json"))
    }


def remove_database(folder: Path) -> None:
    for path in folder.glob("adapter.sqlite*"):
        if path.suffix != ".lock":
            path.unlink()


@pytest.mark.parametrize("left", [{KEY, LOCK}, {KEY}, {LOCK}])
def test_a_start_without_the_database_that_was_there_is_refused(ran: Path, left: set[str]) -> None:
    remove_database(ran)
    for name in {KEY, LOCK} - left:
        (ran / name).unlink()
    text = refusal(ran)
    assert f"there is no database {ran}/adapter.sqlite, but there was one" in text
    assert text.endswith("first")
    for name in left:
        assert f"{ran}/{name}" in text
    assert not (ran / "adapter.sqlite").exists()
    assert doctor(ran)["database"]["state"] == "fails"
    for name in left:
        (ran / name).unlink()  # as it says
    build_services(settings_in(ran)).store.close()


def test_an_empty_file_in_its_place_is_no_database(ran: Path) -> None:
    remove_database(ran)
    with contextlib.closing(sqlite3.connect(ran / "adapter.sqlite")) as made:
        made.execute("PRAGMA journal_mode = WAL")
    assert "but there was one" in refusal(ran)
    (ran / "adapter.sqlite").write_bytes(b"")
    assert "but there was one" in refusal(ran)


def test_a_start_that_was_cut_off_at_its_beginning_can_be_repeated(tmp_path: Path) -> None:
    (tmp_path / "adapter.sqlite").write_bytes(b"")
    (tmp_path / "adapter.sqlite.lock").write_text("4711\n")
    build_services(settings_in(tmp_path)).store.close()


def test_a_key_that_is_gone_is_not_made_anew(ran: Path) -> None:
    (ran / "audit.key").unlink()
    for _ in range(2):
        assert "put back the one that the audit log was begun with" in refusal(ran)
        assert not (ran / "audit.key").exists()
    assert doctor(ran)["audit log"]["state"] == "fails"


def test_a_damaged_database_does_not_start(ran: Path) -> None:
    path = ran / "adapter.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as whole:
        whole.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) * 3 // 4] = b"\x5a" * (len(data) * 3 // 4 - len(data) // 2)
    path.write_bytes(data)
    assert "is damaged" in refusal(ran)
    found = doctor(ran)["database"]
    assert (found["state"], found["todo"]) == ("fails", "put a backup back: docs/operations.md")


def test_a_database_of_a_newer_version_does_not_start(ran: Path) -> None:
    with contextlib.closing(sqlite3.connect(ran / "adapter.sqlite")) as newer:
        newer.execute("UPDATE alembic_version SET version_num = 'r9999'")
        newer.commit()
    assert "is of a newer version (tables r9999; this one knows up to r" in refusal(ran)
    assert doctor(ran)["database"]["state"] == "fails"


def test_a_read_only_folder_does_not_start(disk: SmallDisk) -> None:
    disk.read_only()
    assert "Read-only file system; set data_dir to a folder that this user may write" in refusal(
        disk.folder
    )


# --- an older copy --------------------------------------------------------------------------------


def services_of(folder: Path) -> Services:
    settings = settings_in(folder)
    assert settings.environment is Environment.DEMO
    return build_services(settings)


def test_a_restored_copy_says_what_is_missing_and_what_it_sends_again(ran: Path) -> None:
    config = ran / "adapter.toml"
    doctor(ran)  # writes the settings
    copied = run("backup", ran / "kept.sqlite", "-c", config)
    assert (copied.exit_code, copied.stdout.endswith("bytes, whole\n")) == (0, True)
    with build_app(settings_in(ran)) as app:
        assert is_taken(register(app))
    remove_database(ran)
    (ran / "kept.sqlite").rename(ran / "adapter.sqlite")
    found = doctor(ran)["database"]
    assert (found["state"], "the database is an older copy" in found["text"]) == ("note", True)
    services = services_of(ran)
    with capture_logs() as logged:
        [text] = told_of_missing(services.store)
    services.store.close()
    assert "what was answered OK from 20" in text
    assert " UTC is missing (1 rows of the audit log); " in text
    assert text.endswith("1 deliveries that wait in it go out, perhaps once more: fk 1")
    assert [line["event"] for line in logged] == ["store.older_copy"]
    services = services_of(ran)
    assert list(told_of_missing(services.store)) == []
    services.store.close()
