"""A month of dialogue between scripts of both sides, over real sockets, through the adapter."""

import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from intyg.adapter.cli.options import swedish_now
from intyg.adapter.domain.clock import system_clock
from intyg.mocks.conversations.files import read_scripts
from intyg.mocks.journalsystem.sample import Parent
from intyg.mocks.personas import give_scripts
from intyg.mocks.rules.answers import Http
from intyg.sandbox.demo.stage import PATIENT, Stage, set_stage
from intyg.sandbox.demo.story import issue

SCRIPTS = """
- id: komplettering
  persona: forsakringskassan
  when: intyg
  match: {typ: LISJP, unit: TSTNMT*}
  steps:
    - after: 5m
      ask_komplt:
        as: komplt
        komplettering: [{frage_id: "35", text: Beskriv hur långt patienten kan gå.}]
    - after: 7d
      if: {unanswered: komplt}
      remind: {of: komplt}
    - after: 7d
      if: {answered: komplt}
      ask: {amne: OVRIGT, text: 'Tack. Arbetar patienten kvällar?'}
- id: accepted
  persona: forsakringskassan
  when: complement
- id: moten
  persona: forsakringskassan
  when: question
  match: {amne: AVSTMN}
  steps: [{after: 3d, answer: {text: Vi hör av oss.}}]
- id: other
  persona: forsakringskassan
  when: question
  otherwise: true
  steps: [{after: 2h, answer: {text: Tack för frågan.}}]
- id: ehr-answers
  persona: journalsystem
  when: question
  match: {amne: OVRIGT}
  steps: [{after: 1d, answer: {text: "Nej, bara dagtid."}}]
- id: ehr-asks
  persona: journalsystem
  when: handelse
  match: {handelse: SKICKA, typ: LISJP}
  steps:
    - after: 20d
      ask: {amne: KONTKT, text: 'Vem handlägger?', as: who}
    - after: 1d
      if: {answered: who}
      ask: {amne: AVSTMN, text: 'Kan vi ses?'}
"""

START: Final = (system_clock() + timedelta(days=1)).replace(
    hour=8, minute=0, second=0, microsecond=0
)
"""The next day: a clock goes back only when that is meant."""


def begin(stage: Stage, tmp_path: Path, text: str = SCRIPTS) -> None:
    """Stop the clocks at a known moment, and let both sides talk."""
    stage.timeline.freeze()
    stage.timeline.move_to(START)
    file = tmp_path / "scripts.yaml"
    file.write_text(text, "utf-8")
    scripts = read_scripts([file])
    give_scripts(scripts, {key: each.mock for key, each in stage.mocks.items()})


def send(stage: Stage, intygs_id: str, parent: Parent | None = None) -> None:
    assert stage.ehr.register(issue(stage, intygs_id, parent)).code == "OK"
    now = swedish_now()
    if parent is None:
        assert stage.ehr.send(intygs_id, PATIENT, "FKASSA", now).code == "OK"


def heard(stage: Stage) -> list[tuple[str, str, timedelta]]:
    """What came to both mocks and when, in the order in which it came."""
    both = [
        *stage.forsakringskassan.mock.journal.entries(),
        *stage.journalsystem.mock.journal.entries(),
    ]
    return sorted(
        (
            (entry.contract or "", entry.result_code or "", entry.received_at - START)
            for entry in both
        ),
        key=lambda each: (each[2], each[0]),
    )


def test_a_month_of_dialogue_takes_a_second_or_so_each_message_at_its_moment(
    stage: Stage, tmp_path: Path
) -> None:
    begin(stage, tmp_path)
    send(stage, "first")
    began = time.monotonic()
    stage.timeline.advance(timedelta(days=30))
    seconds = time.monotonic() - began
    said = [
        (each.amne, each.paminner is not None, each.svar_pa is not None, each.at - START)
        for each in stage.fk.meddelanden("first")
    ]
    minute, hour, day = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
    assert said == [
        ("KOMPLT", False, False, 5 * minute),
        ("PAMINN", True, False, 7 * day + 5 * minute),
        ("KONTKT", False, False, 20 * day),
        ("KONTKT", False, True, 20 * day + 2 * hour),
        ("AVSTMN", False, False, 21 * day),
        ("AVSTMN", False, True, 24 * day),
    ]
    komplettering, *_ = stage.fk.player.conversations()
    assert [each.came_to for each in komplettering.done] == [
        "accepted",
        "accepted",
        "left out: komplt is open",
    ]
    events = [(each.kod, each.received_at - START) for each in stage.journal.handelser("first")]
    assert ("NYFRFM", 7 * day + 5 * minute) in events
    assert ("NYSVFM", 24 * day) in events
    assert seconds < 15, f"{seconds:.1f} s"


def test_a_complement_is_accepted_and_ends_the_reminding(stage: Stage, tmp_path: Path) -> None:
    begin(stage, tmp_path)
    send(stage, "first")
    stage.timeline.advance(timedelta(days=2))
    [komplt] = [each.meddelande_id for each in stage.fk.meddelanden("first")]
    send(stage, "second", Parent("KOMPLT", "first", svar_pa=komplt))
    stage.timeline.advance(timedelta(days=28))
    assert stage.fk.player.conversations("second")[0].script.id == "accepted"
    [komplettering, *_] = stage.fk.player.conversations("first")
    assert [each.came_to for each in komplettering.done] == [
        "accepted",
        "left out: komplt is answered",
        "accepted",
    ]
    # What was asked then is answered by the other side's script, a day later.
    [asked] = [
        each for each in stage.fk.meddelanden("first") if each.amne == "OVRIGT" and each.state
    ]
    assert asked.at - START == timedelta(days=14, minutes=5)
    assert asked.state == "answered"
    [answer] = [e for e in stage.fk.meddelanden("first") if e.svar_pa == asked.meddelande_id]
    assert answer.at - asked.at == timedelta(days=1)


def test_retries_and_reminders_fall_in_their_order(stage: Stage, tmp_path: Path) -> None:
    """The EHR is down for the first three attempts to pass the question on to it."""
    begin(stage, tmp_path)
    send(stage, "first")
    stage.timeline.advance(timedelta(minutes=1))
    stage.journalsystem.mock.rules.fail_next(Http(status=503), "SendMessageToCare", count=3)
    stage.timeline.advance(timedelta(days=8))
    minute, day = timedelta(minutes=1), timedelta(days=1)
    assert [
        (entry.http_status, entry.received_at - START)
        for entry in stage.journalsystem.mock.journal.entries("SendMessageToCare")
    ] == [
        (503, 5 * minute),
        (503, 6 * minute),
        (503, 11 * minute),
        (200, 71 * minute),
        (200, 7 * day + 5 * minute),  # the reminder
    ]


def test_the_same_scripts_say_the_same_in_the_same_order(tmp_path: Path, keys_folder: Path) -> None:
    """Twice from the beginning, with several certificates whose moments coincide."""
    seen = []
    for turn in ("one", "two"):
        folder = tmp_path / turn
        folder.mkdir()
        with set_stage(folder, keys_folder) as stage:
            begin(stage, folder)
            for number in range(2):
                send(stage, f"intyg-{number}")
            stage.timeline.advance(timedelta(days=30))
            spoken = [
                (each.intygs_id, each.amne, each.at - START) for each in stage.fk.meddelanden()
            ]
            seen.append((spoken, heard(stage)))
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 12


def test_a_revoked_certificate_is_spoken_of_no_more(stage: Stage, tmp_path: Path) -> None:
    begin(stage, tmp_path)
    send(stage, "first")
    stage.timeline.advance(timedelta(days=1))
    now = swedish_now()
    assert stage.ehr.revoke("first", PATIENT, now, "Fel patient").code == "OK"
    stage.timeline.advance(timedelta(days=29))
    assert [each.amne for each in stage.fk.meddelanden("first")] == ["KOMPLT"]
    [komplettering] = stage.fk.player.conversations("first")
    left_out = "left out: the certificate is revoked"
    assert [each.came_to for each in komplettering.done] == ["accepted", left_out, left_out]


def test_scripts_come_and_go_over_rest_and_say_what_came_of_them(stage: Stage) -> None:
    control = f"{stage.forsakringskassan.url}/control"
    script: dict[str, Any] = {
        "id": "three-times",
        "persona": "forsakringskassan",
        "when": "intyg",
        "steps": [
            {"after": "1h", "ask": {"amne": "OVRIGT", "text": "Hur går det?", "as": "q"}},
            {
                "after": "7d",
                "times": 3,
                "every": "7d",
                "if": {"unanswered": "q"},
                "remind": {"of": "q"},
            },
        ],
    }
    assert requests.post(f"{control}/scripts", json=script, timeout=10).status_code == 200
    stage.timeline.freeze()
    intygs_id = str(uuid.uuid4())
    send(stage, intygs_id)
    moved = requests.post(f"{control}/clock/advance", json={"by": "30d"}, timeout=60).json()
    assert moved["carried_out"] == 4
    where = {"intygs_id": intygs_id}
    found = requests.get(f"{control}/conversations", params=where, timeout=10).json()
    [conversation] = found["conversations"]
    assert [(each["step"], each["does"], each["came_to"]) for each in conversation["done"]] == [
        (1, "ask", "accepted"),
        *[(2, "remind", "accepted")] * 3,
    ]
    listed = requests.get(f"{control}/scripts", timeout=10).json()["scripts"]
    assert [each["id"] for each in listed] == ["three-times"]
    assert requests.delete(f"{control}/scripts", timeout=10).status_code == 200
    nothing: dict[str, list[str] | None] = {"conversations": [], "nearest": None}
    assert requests.get(f"{control}/conversations", timeout=10).json() == nothing


def test_scripts_without_an_id_stand_side_by_side(shared_stage: Stage) -> None:
    url = f"{shared_stage.forsakringskassan.url}/control/scripts"
    script = {"persona": "forsakringskassan", "when": "revoked"}
    for count in (1, 2):
        made = requests.post(url, json=script, timeout=10).json()["scripts"]
        assert len({each["id"] for each in made}) == count
    requests.delete(url, timeout=10)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"when": "handelse"}, "when: handelse does not happen", id="event"),
        pytest.param(
            {"persona": "journalsystem"}, "persona: this is forsakringskassan", id="persona"
        ),
        pytest.param({"wehn": "intyg"}, "wehn: unknown; nearest: when", id="misspelt"),
        pytest.param(
            {"steps": [{"after": "7"}]}, "steps.0.after: '7' is no duration", id="duration"
        ),
        pytest.param(
            {"steps": [{"remindd": {"of": "q"}}]},
            "steps.0.remindd: unknown; nearest: remind",
            id="step",
        ),
        pytest.param({"match": {"tpy": "LISJP"}}, "match.tpy: unknown; nearest: typ", id="match"),
        pytest.param(
            {"match": {"typ": "LIJSP"}},
            "match.typ: LIJSP is unknown; the nearest is LISJP",
            id="type",
        ),
        pytest.param({"steps": [{}]}, "steps.0: a step does one of", id="nothing to do"),
    ],
)
def test_a_script_that_cannot_act_is_refused_with_the_field(
    shared_stage: Stage, changes: dict[str, Any], says: str
) -> None:
    script = {"persona": "forsakringskassan", "when": "intyg", **changes}
    url = f"{shared_stage.forsakringskassan.url}/control/scripts"
    answer = requests.post(url, json=script, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(says)
    assert requests.get(url, timeout=10).json() == {"scripts": []}


def test_a_run_has_the_scripts_of_the_mock_that_it_shares(stage: Stage, tmp_path: Path) -> None:
    begin(stage, tmp_path)
    url = f"{stage.forsakringskassan.url}/run/mine/control/scripts"
    ids = [each["id"] for each in requests.get(url, timeout=10).json()["scripts"]]
    assert ids == ["komplettering", "accepted", "moten", "other"]
    assert requests.delete(url, timeout=10).status_code == 200
    assert len(stage.fk.player.scripts()) == 4
