"""The accident of the demonstration: it does not happen, and would have been noticed."""

import contextlib
import io
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from intyg.adapter.bootstrap.app import build_app
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.signature.demo_keys import make_stand_in_keys
from intyg.sandbox.demo.accident import PATIENT, SOMEBODY, Accident
from intyg.sandbox.demo.narrator import OnTerminal, StoryError
from intyg.sandbox.demo.production import Authority


class InThisProcess(Accident):
    """Played with an adapter in the process of the test, which is quicker."""

    @contextmanager
    def adapter(self, _url: str) -> Iterator[None]:
        with build_app(load_settings(self.folder / "adapter.toml")):
            yield


@pytest.mark.timeout(180)  # starts a process of its own, on a machine that may be busy
def test_a_test_patients_certificate_does_not_reach_a_real_authority(tmp_path: Path) -> None:
    told = io.StringIO()
    played = Accident(tmp_path / "p", tmp_path / "p.log", OnTerminal(Console(file=told, width=200)))
    played.play()
    text = told.getvalue()
    assert "0 connections, 0 bytes" in text  # before somebody else's arrives
    assert "This patient's certificate may not be sent to authority" in text
    [row] = [line for line in text.splitlines() if played.intygs_id in line]
    assert row.split()[1:] == [
        played.intygs_id,
        "RegisterCertificate:3",
        "to",
        "authority",
        "list",
        "test-patients.csv",
    ]
    logged = (tmp_path / "p.log").read_text("utf-8")
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert {line["service.environment"] for line in lines} == {"production"}
    for secret in (PATIENT, SOMEBODY, "Provperson"):
        assert secret not in text + logged


def test_it_would_be_noticed_if_nothing_blocked_it(tmp_path: Path) -> None:
    telling = OnTerminal(Console(file=io.StringIO()))
    played = InThisProcess(tmp_path / "p", tmp_path / "p.log", telling, list_patient=False)
    with pytest.raises(StoryError, match=r"step 2, .* expected ERROR VALIDATION_ERROR, got OK"):
        played.play()


def test_a_request_that_comes_in_two_parts_is_counted_whole(tmp_path: Path) -> None:
    keys = make_stand_in_keys(tmp_path, system_clock())
    head, body = b"POST / HTTP/1.1\r\nContent-Length: 8000\r\n\r\n", b"x" * 8000
    with contextlib.closing(Authority(keys)) as authority:
        host, port = authority.url.removeprefix("https://").split(":")
        context = ssl.create_default_context(cafile=keys.ca)
        with (
            socket.create_connection((host, int(port)), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=host) as tls,
        ):
            tls.sendall(head + body[:1])
            while authority.bytes < len(head):
                time.sleep(0.01)
            assert authority.requests == 0
            tls.sendall(body[1:])
            assert tls.recv(12) == b"HTTP/1.1 200"
        assert (authority.requests, authority.bytes) == (1, len(head + body))
