"""The demonstration is a test, and fails when a step has no effect."""

import io
from dataclasses import dataclass

import pytest
import requests
from rich.console import Console

from intyg.mocks.rules.answers import Error
from intyg.sandbox.demo.narrator import AsJson, Narrator, OnTerminal, StoryError, Telling
from intyg.sandbox.demo.stage import PATIENT, Stage
from intyg.sandbox.demo.story import Story
from intyg.schemas.codes import ErrorId


@dataclass
class Teller(Narrator):
    """Tells any story."""

    telling: Telling
    _started: float = 0.0


def play(stage: Stage, wait_seconds: float = 15.0) -> str:
    told = io.StringIO()
    Story(stage, OnTerminal(Console(file=told, width=160)), wait_seconds).play()
    return told.getvalue()


def test_whole_round_trip_has_every_effect(stage: Stage) -> None:
    told = play(stage)
    for kod in ("SIGNAT", "SKICKA", "NYFRFM", "HANFRFM", "NYFRFV", "NYSVFM", "HANFRFV", "MAKULE"):
        assert f"CertificateStatusUpdateForCare {kod}" in told
    assert stage.real.connections == 0
    assert PATIENT not in told


def test_refused_certificate_fails_the_step_that_sends_it(stage: Stage) -> None:
    stage.forsakringskassan.mock.rules.fail_next(
        Error(error_id=ErrorId.VALIDATION_ERROR, text="no"), "RegisterCertificate"
    )
    with pytest.raises(StoryError, match="step 2, The doctor signs it"):
        play(stage, wait_seconds=1.5)


def test_round_trip_leaves_no_person_in_the_log(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    play(stage)
    printed = "".join(capsys.readouterr())
    assert "soap.call" in printed  # the log was on
    for secret in (PATIENT, "Provperson", "Snickare", "Lumbago", "kvällar"):
        assert secret not in printed


def test_a_call_without_an_answer_fails_its_step() -> None:
    def call() -> None:
        raise requests.exceptions.ReadTimeout

    with pytest.raises(
        StoryError, match=r"^step 3, It calls: a call got no answer \(ReadTimeout\)$"
    ):
        Teller(OnTerminal(Console(file=io.StringIO()))).steps([("It calls", call)], first=3)


def test_a_program_is_told_each_call_and_the_end() -> None:
    told: list[dict[str, object]] = []
    narrator = Teller(AsJson(told.append))
    narrator.steps([("It calls", lambda: narrator.line("EHR", "adapter", "Ping", "OK"))], first=3)
    narrator.telling.end(0.5, "step 4, It ends: it did not")
    call, end = told
    assert (call["step"], call["title"], call["answer"]) == (3, "It calls", "OK")
    assert (end["passed"], end["failure"]) == (False, "step 4, It ends: it did not")
