"""The accident of the demonstration: it does not happen, and would have been noticed."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from adapter.app import build_app
from adapter.demo.accident import PATIENT, SOMEBODY, Accident
from adapter.demo.narrator import StoryError
from adapter.settings import load_settings


class InThisProcess(Accident):
    """Played with an adapter in the process of the test, which is quicker."""

    @contextmanager
    def adapter(self, _url: str) -> Iterator[None]:
        with build_app(load_settings(self.folder / "adapter.toml")):
            yield


@pytest.mark.timeout(180)  # starts a process of its own, on a machine that may be busy
def test_a_test_patients_certificate_does_not_reach_a_real_authority(tmp_path: Path) -> None:
    told = io.StringIO()
    played = Accident(tmp_path / "p", tmp_path / "p.log", Console(file=told, width=200))
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
    console = Console(file=io.StringIO())
    played = InThisProcess(tmp_path / "p", tmp_path / "p.log", console, list_patient=False)
    with pytest.raises(StoryError, match=r"step 2, .* expected ERROR VALIDATION_ERROR, got OK"):
        played.play()
