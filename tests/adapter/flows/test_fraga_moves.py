"""Every standing of a question × everything that can happen to it, tried over the flows."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.domain.meddelande import FRAGA_MOVES, FragaState
from intyg.adapter.rules.fraga_moves import (
    MOVES,
    STAY,
    Cause,
    Move,
    Refusal,
    Standing,
    Stay,
    standing,
)
from tests import builders
from tests.adapter.flows.rig import Rig, copied_rig

ask = builders.send_message_to_care
write = builders.send_message_to_recipient
COMPLEMENT, ANOTHER, NEWEST = "0b8f7b1c-complement", "0b8f7b1c-another", "0b8f7b1c-newest"


def complete(intygs_id: str) -> bytes:
    return builders.register_certificate(intygs_id, relation=("KOMPLT", builders.INTYGS_ID))


def mark(rig: Rig) -> None:
    rig.mark("q", handled=True)


BRING: Final[Mapping[Standing, tuple[Callable[[Rig], object], ...]]] = {
    Standing.FRAGA_OPEN: (lambda rig: rig.ok(ask("q", "KONTKT")),),
    Standing.FRAGA_CLOSED: (lambda rig: rig.ok(ask("q", "KONTKT")), mark),
    Standing.FRAGA_ANSWERED: (
        lambda rig: rig.ok(ask("q", "KONTKT"), write("a", "KONTKT", svar_pa="q")),
    ),
    Standing.KOMPLT_OPEN: (lambda rig: rig.ok(ask("q", "KOMPLT")),),
    Standing.KOMPLT_CLOSED: (lambda rig: rig.ok(ask("q", "KOMPLT")), mark),
    Standing.KOMPLT_ANSWERED: (
        lambda rig: rig.ok(ask("q", "KOMPLT"), write("a", "KOMPLT", svar_pa="q")),
    ),
    Standing.KOMPLT_REOPENED: (
        lambda rig: rig.ok(ask("q", "KOMPLT"), write("a", "KOMPLT", svar_pa="q")),
        lambda rig: rig.ok(complete(ANOTHER), builders.revoke_certificate(ANOTHER)),
    ),
    Standing.CARE_OPEN: (lambda rig: rig.ok(write("q", "KONTKT")),),
    Standing.CARE_ANSWERED: (
        lambda rig: rig.ok(write("q", "KONTKT"), ask("a", "KONTKT", svar_pa="q")),
    ),
    Standing.CARE_CLOSED: (lambda rig: rig.ok(write("q", "KONTKT")), mark),
    Standing.CARE_DONE: (
        lambda rig: rig.ok(write("q", "KONTKT"), ask("a", "KONTKT", svar_pa="q")),
        mark,
    ),
}
"""How a question gets to stand there, on a certificate that has a complement already."""


def answer(rig: Rig) -> None:
    fraga = rig.fraga("q").meddelande
    body = (ask if fraga.direction == "to_recipient" else write)("b", fraga.amne, svar_pa="q")
    rig.call_raising(body)


def answer_newer(rig: Rig) -> None:
    rig.ok(ask("q-newer", "KOMPLT"), write("b", "KOMPLT", svar_pa="q-newer"))


HAPPENS: Final[Mapping[Cause, Callable[[Rig], object]]] = {
    Cause.ANSWERED: answer,
    Cause.ANSWERED_ALONG: answer_newer,
    Cause.MARKED: mark,
    Cause.UNMARKED: lambda rig: rig.mark("q", handled=False),
    Cause.COMPLETED: lambda rig: rig.ok(complete(NEWEST)),
    Cause.COMPLEMENT_REVOKED: lambda rig: rig.ok(builders.revoke_certificate(COMPLEMENT)),
    Cause.REVOKED: lambda rig: rig.ok(builders.revoke_certificate()),
}

EVERY_PAIR = [
    pytest.param(stands, cause, id=f"{stands}: {cause}") for stands in Standing for cause in Cause
]


@pytest.fixture(scope="session")
def complemented_folder(
    sent_folder: Path, made: Callable[[Path, Callable[[Rig], None]], Path]
) -> Path:
    return made(sent_folder, lambda rig: rig.ok(complete(COMPLEMENT)))


@pytest.fixture
def rig(complemented_folder: Path, tmp_path: Path) -> Iterator[Rig]:
    with copied_rig(complemented_folder, tmp_path) as rig:
        yield rig


@pytest.mark.parametrize(("stands", "cause"), EVERY_PAIR)
def test_what_the_table_says_is_what_happens(rig: Rig, stands: Standing, cause: Cause) -> None:
    for step in BRING[stands]:
        step(rig)
    before, events = rig.fraga("q"), rig.events()
    assert standing(before) is stands
    said = MOVES.get((stands, cause), STAY)
    match said:
        case Refusal():
            with pytest.raises(AdapterError) as caught:
                HAPPENS[cause](rig)
            assert [finding.rule for finding in caught.value.findings] == [said.rule]
        case _:
            HAPPENS[cause](rig)
    told = [kod for kod in rig.events()[len(events) :] if kod != "MAKULE"]
    if cause is Cause.ANSWERED_ALONG:  # the newer one is asked and answered, and tells of both
        assert told == ["NYFRFM", "HANFRFM"]
        told = [said.event] if isinstance(said, Move) else []
    match said:
        case Move():
            assert (rig.fraga("q").state, told) == (said.to, [said.event])
        case Stay() | Refusal():
            assert (rig.fraga("q"), told) == (before, [])


@pytest.mark.parametrize("stands", Standing)
def test_a_reminder_moves_nothing(rig: Rig, stands: Standing) -> None:
    for step in BRING[stands]:
        step(rig)
    before = rig.fraga("q")
    rig.ok(ask("p-1", "PAMINN", paminner="q"), write("p-2", "PAMINN", paminner="q"))
    assert rig.fraga("q") == before
    assert rig.events()[-1] == "NYFRFM"  # the recipient's; care is not told of its own


@pytest.mark.parametrize("stands", Standing)
@pytest.mark.parametrize("cause", [Cause.ANSWERED, Cause.UNMARKED])
def test_on_a_revoked_certificate_all_is_handled_and_stays_so(
    rig: Rig, stands: Standing, cause: Cause
) -> None:
    for step in BRING[stands]:
        step(rig)
    rig.ok(builders.revoke_certificate())
    assert rig.fraga("q").state is FragaState.HANDLED
    events = rig.events()
    with pytest.raises(AdapterError) as caught:
        HAPPENS[cause](rig)
    assert "CERTIFICATE_REVOKED_ERROR" in {finding.rule for finding in caught.value.findings}
    assert rig.events() == events


def test_every_move_that_the_store_allows_is_in_the_table_and_no_other() -> None:
    states = {
        Standing.FRAGA_OPEN: FragaState.OPEN_CARE,
        Standing.KOMPLT_OPEN: FragaState.OPEN_CARE,
        Standing.KOMPLT_REOPENED: FragaState.OPEN_CARE,
        Standing.CARE_OPEN: FragaState.OPEN_RECIPIENT,
        Standing.CARE_ANSWERED: FragaState.ANSWERED,
    }
    moves = {
        (states.get(stands, FragaState.HANDLED), move.to)
        for (stands, _), move in MOVES.items()
        if isinstance(move, Move)
    }
    assert moves == {
        (before, after) for before, to in FRAGA_MOVES.items() if before for after in to
    }
