"""Questions, answers and reminders in the database."""

import pytest

from intyg.adapter.domain.intyg import MeddelandeReferens
from intyg.adapter.domain.meddelande import (
    FRAGA_MOVES,
    Direction,
    FragaState,
    Meddelande,
    StoredMeddelande,
)
from intyg.adapter.store import DuplicateRow, Store
from tests.adapter.samples import (
    LAKARE,
    NOW,
    add_intyg,
    inbound,
    meddelande,
)

ANSWER = meddelande(
    "meddelande-2",
    direction=Direction.TO_RECIPIENT,
    referens_id=None,
    rubrik=None,
    svar_pa=MeddelandeReferens("meddelande-1", None),
    sista_datum_for_svar=None,
    part=None,
    skickat_av=LAKARE,
    komplettering=(),
)
REMINDER = meddelande(
    "meddelande-3", amne="PAMINN", paminnelse_meddelande_id="meddelande-1", komplettering=()
)


@pytest.mark.parametrize(
    ("sample", "state"),
    [
        pytest.param(meddelande(), FragaState.OPEN_CARE, id="completion request"),
        pytest.param(ANSWER, None, id="answer from care"),
        pytest.param(REMINDER, None, id="reminder"),
    ],
)
def test_a_message_comes_back_as_it_was_stored(
    store: Store, sample: Meddelande, state: FragaState | None
) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        rows.meddelanden.add(sample, inbound(), state)
        found = rows.meddelanden.get(sample.meddelande_id)
    assert found == StoredMeddelande(sample, NOW, state, answered_by=None)


def test_messages_are_listed_in_order_of_arrival(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        for sample in (REMINDER, meddelande(), ANSWER):
            rows.meddelanden.add(sample, inbound(), None)
        found = rows.meddelanden.of_intyg("intyg-1")
    assert [m.meddelande.meddelande_id for m in found] == [
        "meddelande-3",
        "meddelande-1",
        "meddelande-2",
    ]
    assert [len(m.meddelande.komplettering) for m in found] == [0, 2, 0]


def test_a_taken_id_is_a_duplicate_even_for_another_certificate(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        add_intyg(rows, "intyg-2")
        rows.meddelanden.add(meddelande(), inbound(), None)
        with pytest.raises(DuplicateRow):
            rows.meddelanden.add(meddelande(intygs_id="intyg-2"), inbound(), None)
        assert rows.meddelanden.of_intyg("intyg-2") == ()


@pytest.mark.parametrize("start", [FragaState.OPEN_CARE, FragaState.OPEN_RECIPIENT])
@pytest.mark.parametrize("to", list(FragaState))
def test_a_question_moves_only_as_the_table_says(
    store: Store, start: FragaState, to: FragaState
) -> None:
    allowed = to in FRAGA_MOVES[start]
    with store.begin() as rows:
        add_intyg(rows)
        rows.meddelanden.add(meddelande(), inbound(), start)
        if allowed:
            rows.meddelanden.set_state("meddelande-1", to)
        else:
            with pytest.raises(ValueError, match="does not go"):
                rows.meddelanden.set_state("meddelande-1", to)
        found = rows.meddelanden.get("meddelande-1")
    assert found is not None
    assert found.state is (to if allowed else start)


def test_no_question_starts_in_its_middle(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        with pytest.raises(ValueError, match="starts"):
            rows.meddelanden.add(meddelande(), inbound(), FragaState.ANSWERED)


def test_an_answer_has_no_state_to_set(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        rows.meddelanden.add(ANSWER, inbound(), None)
        with pytest.raises(ValueError, match="no question"):
            rows.meddelanden.set_state("meddelande-2", FragaState.HANDLED)


def test_a_question_has_one_answer_for_good(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        rows.meddelanden.add(meddelande(), inbound(), FragaState.OPEN_CARE)
        rows.meddelanden.set_answered("meddelande-1", "meddelande-2")
        with pytest.raises(DuplicateRow):
            rows.meddelanden.set_answered("meddelande-1", "meddelande-9")
        with pytest.raises(ValueError, match="no message"):
            rows.meddelanden.set_answered("meddelande-8", "meddelande-9")
        found = rows.meddelanden.get("meddelande-1")
    assert found is not None
    assert found.answered_by == "meddelande-2"
