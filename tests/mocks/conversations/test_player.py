from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from intyg.mocks.clock.timeline import Timeline
from intyg.mocks.conversations import (
    Event,
    Happening,
    Player,
    Script,
)
from intyg.mocks.conversations.player import MAX_RUNS
from intyg.mocks.conversations.script import Action
from intyg.mocks.server.post import Sent

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Mouth:
    """Says nothing to anybody, and remembers it."""

    def __init__(self, line: Timeline) -> None:
        self.line = line
        self.said: list[tuple[str, float]] = []
        self.stand: dict[str, str] = {}
        self.revoked: set[str] = set()
        self.result_code = "OK"

    def say(self, action: Action, about: Happening, of: str | None) -> Sent:
        del about
        self.said.append(
            (f"{type(action).__name__} {of or ''}".strip(), (self.line() - NOON) / DAY)
        )
        meddelande_id = f"m-{len(self.said)}"
        self.stand.setdefault(meddelande_id, "open" if self.result_code == "OK" else "refused")
        return Sent(meddelande_id, 200, self.result_code)

    def stands(self, meddelande_id: str) -> str:
        return self.stand[meddelande_id]

    def is_revoked(self, intygs_id: str) -> bool:
        return intygs_id in self.revoked


@pytest.fixture
def line() -> Timeline:
    return Timeline(lambda: NOON)


@pytest.fixture
def mouth(line: Timeline) -> Mouth:
    return Mouth(line)


@pytest.fixture
def player(mouth: Mouth, line: Timeline) -> Iterator[Player]:
    player = Player(mouth, line)
    yield player
    player.stop()


def script(id_: str, when: str = "intyg", **rest: Any) -> Script:
    return Script.model_validate({"id": id_, "persona": "forsakringskassan", "when": when, **rest})


def ask(after: str = "1d", **rest: Any) -> dict[str, Any]:
    return {"after": after, "ask": {"amne": "OVRIGT", "text": "?", "as": "q"}, **rest}


def intyg(intygs_id: str = "i-1", **fields: str) -> Happening:
    return Happening(Event.INTYG, intygs_id, fields={"typ": "LISJP", **fields})


def test_delays_count_from_the_step_before(player: Player, mouth: Mouth, line: Timeline) -> None:
    player.add([script("s", steps=[ask("1d"), {"after": "7d", "remind": {"of": "q"}}])])
    player.happened(intyg())
    line.advance(30 * DAY)
    assert mouth.said == [("Ask", 1), ("Remind m-1", 8)]


@pytest.mark.parametrize(
    ("stands", "condition", "said"),
    [
        pytest.param("open", {"unanswered": "q"}, True, id="unanswered holds"),
        pytest.param("answered", {"unanswered": "q"}, False, id="unanswered fails"),
        pytest.param("answered", {"answered": "q"}, True, id="answered holds"),
        pytest.param(
            "refused", {"unanswered": "q"}, False, id="what was refused waits for nothing"
        ),
        pytest.param("refused", {"refused": "q"}, True, id="refused holds"),
        pytest.param("closed", {"answered": "q"}, False, id="closed is no answer"),
    ],
)
def test_a_step_is_left_out_unless_its_condition_holds(
    player: Player, mouth: Mouth, line: Timeline, stands: str, condition: dict[str, str], said: bool
) -> None:
    player.add(
        [script("s", steps=[ask(), {"after": "7d", "if": condition, "remind": {"of": "q"}}])]
    )
    mouth.stand["m-1"] = stands
    player.happened(intyg())
    line.advance(30 * DAY)
    assert len(mouth.said) == 1 + said
    [conversation] = player.conversations("i-1")
    expected = "accepted" if said else f"left out: q is {stands}"
    assert conversation.done[1].came_to == expected


def test_a_step_may_come_several_times_until_its_condition_fails(
    player: Player, mouth: Mouth, line: Timeline
) -> None:
    remind = {
        "after": "2d", "times": 5, "every": "3d", "if": {"unanswered": "q"}, "remind": {"of": "q"},
    }  # fmt: skip
    player.add([script("s", steps=[ask(), remind, ask("1d")])])
    player.happened(intyg())
    line.advance(7 * DAY)
    mouth.stand["m-1"] = "answered"
    line.advance(30 * DAY)
    assert mouth.said == [("Ask", 1), ("Remind m-1", 3), ("Remind m-1", 6), ("Ask", 10)]


def test_match_and_otherwise_choose_among_scripts(
    player: Player, mouth: Mouth, line: Timeline
) -> None:
    player.add(
        [
            script("lisjp", match={"typ": "LISJP", "unit": "TST*"}),
            script("luse", match={"typ": ["LUSE", "LUAE_*"]}),
            script("rest", otherwise=True),
        ]
    )
    for fields in ({"unit": "TST-1"}, {"unit": "SE-1"}, {"typ": "LUAE_NA"}, {"typ": "DB"}):
        player.happened(intyg(**fields))
    player.happened(Happening(Event.QUESTION, "i-1", "m", {"typ": "LISJP"}))
    assert [each.script.id for each in player.conversations()] == ["lisjp", "rest", "luse", "rest"]
    assert mouth.said == []
    assert line.read().pending == 0


def test_of_a_revoked_certificate_only_speaks_who_means_to(
    player: Player, mouth: Mouth, line: Timeline
) -> None:
    player.add([script("s", steps=[ask(), ask("1d", **{"if": {"revoked": True}})])])
    mouth.revoked.add("i-1")
    player.happened(intyg())
    line.advance(3 * DAY)
    assert mouth.said == [("Ask", 2)]


def test_what_was_not_accepted_is_kept_with_why(
    player: Player, mouth: Mouth, line: Timeline
) -> None:
    mouth.result_code = "ERROR"
    player.add([script("s", steps=[ask()])])
    player.happened(intyg())
    line.advance(2 * DAY)
    [conversation] = player.conversations()
    assert [each.came_to for each in conversation.done] == ["not accepted: ERROR"]


def test_scripts_that_answer_each_other_come_to_an_end(
    player: Player, mouth: Mouth, line: Timeline
) -> None:
    line.freeze()
    player.add([script("s", steps=[ask("0s")])])
    for _ in range(MAX_RUNS + 20):
        player.happened(intyg())
    line.advance(DAY)
    assert len(mouth.said) == MAX_RUNS


def test_what_is_said_of_a_forgotten_certificate_ends(
    player: Player, mouth: Mouth, line: Timeline
) -> None:
    player.add([script("s", steps=[ask(), ask("1d")])])
    for intygs_id in ("i-1", "i-2"):
        player.happened(intyg(intygs_id))
    line.advance(DAY)
    player.forget("i-1")
    line.advance(30 * DAY)
    assert [at for _, at in mouth.said] == [1, 1, 2]
    assert [each.about.intygs_id for each in player.conversations()] == ["i-2"]


def test_forgetting_ends_what_has_begun(player: Player, mouth: Mouth, line: Timeline) -> None:
    player.add([script("s", steps=[ask()])])
    player.happened(intyg())
    player.clear()
    line.advance(30 * DAY)
    assert (mouth.said, player.scripts(), player.conversations()) == ([], (), ())


def test_forgetting_while_something_is_said_ends_it_too(
    player: Player, mouth: Mouth, line: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    player.add([script("s", steps=[ask(), ask()])])
    say = mouth.say

    def say_and_forget(action: Action, about: Happening, of: str | None) -> Sent:
        player.clear()
        return say(action, about, of)

    monkeypatch.setattr(mouth, "say", say_and_forget)
    player.happened(intyg())
    line.advance(30 * DAY)
    assert mouth.said == [("Ask", 1)]
