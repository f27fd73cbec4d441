"""What the goals are measured against is not made slow, and what is measured does what it says."""

from pathlib import Path
from typing import Final

from bench.goals import Plain, make_sample, take_in
from bench.intake import PATIENT
from bench.validate import Step

MOST: Final = 1.1
TURNS: Final = 12


def test_the_plain_stack_costs_what_its_calls_cost(tmp_path: Path) -> None:
    """Turn and turn about, the best turn of each: other work only ever makes one longer."""
    sample = make_sample(tmp_path, 1)
    plain = Plain(sample)
    whole, calls = Step(plain), [Step(call) for call in plain.calls.values()]
    for _ in range(TURNS):
        for step in (whole, *calls):
            step.take_turn()
    sample.services.store.close()
    assert whole.best <= MOST * sum(step.best for step in calls)


def test_what_is_taken_in_is_stored_with_its_event_and_told(tmp_path: Path) -> None:
    sample = make_sample(tmp_path, 1)
    answer = take_in(sample.services, next(sample.messages))
    with sample.services.store.read() as rows:
        (kept,) = rows.intyg.listed_of_patient(PATIENT, 10)
        events = [event.handelsekod for event in rows.events.of_intyg(kept.intygs_id)]
        (delivery,) = rows.deliveries.find(kept.intygs_id)
        (row,) = rows.audit.find(kept.intygs_id, 10)
    sample.services.store.close()
    assert b">OK<" in answer
    assert events == ["SIGNAT"]
    assert delivery.new.contract == "CertificateStatusUpdateForCare:3"
    assert row.entry.outcome == "OK"
