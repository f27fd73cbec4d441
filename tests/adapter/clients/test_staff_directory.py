"""A staff directory in a file, and behind a real HTTP server."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pydantic
import pytest

from intyg.adapter.clients.staff_directory import (
    MAX_ANSWER_BYTES,
    FileDirectory,
    HttpDirectory,
    directory_from_settings,
)
from intyg.adapter.domain.errors import TechnicalError
from intyg.adapter.domain.intyg import Yrken
from intyg.adapter.settings.settings import StaffSettings

DOCTOR = "SE0000000000-DOC1"


def person(hsa_id: str = DOCTOR, **changes: Any) -> dict[str, Any]:
    uppdrag = {"enhetsId": "SE-UNIT", "andamal": "Vård och behandling", "tom": "2027-01-31"}
    return {"hsaId": hsa_id, "legitimeratYrke": ["LK"], "uppdrag": [uppdrag]} | changes


def write(path: Path, *people: dict[str, Any]) -> None:
    path.write_text(json.dumps(list(people)), "utf-8")


# --- a file ---------------------------------------------------------------------------------------


def test_a_file_knows_its_people_in_any_case(tmp_path: Path) -> None:
    write(tmp_path / "staff.json", person(), person("SE-OTHER"))
    directory = FileDirectory(tmp_path / "staff.json")
    member = directory.find(DOCTOR.lower())
    assert member is not None
    assert member.yrken == Yrken(frozenset({"LK"}))
    assert (member.uppdrag[0].first, str(member.uppdrag[0].last)) == (None, "2027-01-31")
    assert directory.find("SE-NOBODY") is None


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "staff.json"
    write(path, person())
    directory = FileDirectory(path)
    assert directory.find("SE-NEW") is None
    write(path, person(), person("SE-NEW"))
    assert directory.find("SE-NEW") is not None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[", id="no JSON"),
        pytest.param("{}", id="no list"),
        pytest.param(json.dumps([{"hsaId": DOCTOR}]), id="nothing about them"),
        pytest.param(json.dumps([person(uppdrag=[{"enhetsId": "SE"}])]), id="half an assignment"),
    ],
)
def test_a_damaged_file_is_a_directory_that_is_down(tmp_path: Path, text: str) -> None:
    path = tmp_path / "staff.json"
    write(path, person())
    directory = FileDirectory(path)
    assert directory.find(DOCTOR) is not None
    path.write_text(text, "utf-8")
    os.utime(path, ns=(1, 1))
    with pytest.raises(TechnicalError, match="damaged") as caught:
        directory.find(DOCTOR)
    assert DOCTOR not in str(caught.value)
    write(path, person())
    assert directory.find(DOCTOR) is not None


def test_a_missing_file_is_a_directory_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(TechnicalError):
        FileDirectory(tmp_path / "none.json").find(DOCTOR)


# --- HTTP -----------------------------------------------------------------------------------------


class Answers(BaseHTTPRequestHandler):
    """Answers as its server's `script` says; notes what was asked."""

    server: "Staff"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, body = self.server.script
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Staff(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[tuple[str, str | None]] = []
        self.script: tuple[int, bytes] = (200, json.dumps(person()).encode())

    def settings(self, **changes: Any) -> StaffSettings:
        values: dict[str, Any] = {
            "url": f"http://127.0.0.1:{self.server_port}/staff/",
            "timeout_seconds": 2.0,
        }
        return StaffSettings(**(values | changes))


@pytest.fixture
def staff() -> Iterator[Staff]:
    server = Staff()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_http_is_asked_by_hsa_id_with_the_token(staff: Staff) -> None:
    directory = HttpDirectory(staff.settings(token=pydantic.SecretStr("t0ken")))
    member = directory.find(DOCTOR)
    assert member is not None
    assert member.yrken.legitimerade == {"LK"}
    assert staff.asked == [(f"/staff/{DOCTOR}", "Bearer t0ken")]


def test_those_it_knows_are_remembered_for_a_while(staff: Staff) -> None:
    now = [0.0]
    directory = HttpDirectory(staff.settings(cache_seconds=60), lambda: now[0])
    for at in (0.0, 59.0, 61.0):
        now[0] = at
        directory.find(DOCTOR)
    assert len(staff.asked) == 2


def test_those_it_does_not_know_are_asked_about_again(staff: Staff) -> None:
    staff.script = (404, b"")
    directory = HttpDirectory(staff.settings())
    assert directory.find(DOCTOR) is None
    staff.script = (200, json.dumps(person()).encode())
    assert directory.find(DOCTOR) is not None


@pytest.mark.parametrize(
    "script",
    [
        pytest.param((500, b""), id="500"),
        pytest.param((302, b""), id="sent elsewhere"),
        pytest.param((200, b"<html>"), id="no JSON"),
        pytest.param((200, json.dumps(person("SE-OTHER")).encode()), id="somebody else"),
        pytest.param((200, b" " * (MAX_ANSWER_BYTES + 1)), id="too much"),
    ],
)
def test_any_other_answer_is_a_directory_that_is_down(
    staff: Staff, script: tuple[int, bytes]
) -> None:
    staff.script = script
    with pytest.raises(TechnicalError):
        HttpDirectory(staff.settings()).find(DOCTOR)
    assert len(staff.asked) == 1


def test_a_directory_that_is_gone_is_down(staff: Staff) -> None:
    settings = staff.settings(url="http://127.0.0.1:9/staff")
    with pytest.raises(TechnicalError) as caught:
        HttpDirectory(settings).find(DOCTOR)
    assert caught.value.__cause__ is None
    assert DOCTOR not in str(caught.value)


@pytest.mark.parametrize("hsa_id", ["..", "../x", "a/b", "a?b", "å", "", "x" * 65])
def test_what_is_no_hsa_id_is_not_asked_about(staff: Staff, hsa_id: str) -> None:
    assert HttpDirectory(staff.settings()).find(hsa_id) is None
    assert staff.asked == []


# --- settings -------------------------------------------------------------------------------------


def test_the_settings_choose(tmp_path: Path) -> None:
    assert directory_from_settings(StaffSettings()) is None
    assert isinstance(directory_from_settings(StaffSettings(file=tmp_path)), FileDirectory)
    assert isinstance(directory_from_settings(StaffSettings(url="http://a")), HttpDirectory)


@pytest.mark.parametrize("wrong", [{"file": "a", "url": "http://b"}, {"url": "file:///a"}])
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        StaffSettings(**wrong)


def test_the_token_is_not_shown() -> None:
    settings = StaffSettings(url="http://a", token=pydantic.SecretStr("t0ken"))
    assert "t0ken" not in repr(settings) + str(settings) + settings.model_dump_json()
