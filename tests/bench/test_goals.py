"""What the goals are measured against is not made slow, and what is measured does what it says."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from typing import Final

from bench.goals import Plain, make_sample, take_in
from bench.intake import PATIENT

MOST: Final = 1.1
TURNS: Final = 25
CALLS: Final = 5


def test_the_plain_stack_costs_what_its_calls_cost(tmp_path: Path) -> None:
    """Turn and turn about, each turn compared with itself: other work makes both longer."""
    sample = make_sample(tmp_path, 1)
    plain = Plain(sample)
    ratios = [seconds(plain) / sum(map(seconds, plain.calls.values())) for _ in range(TURNS)]
    sample.services.store.close()
    assert quantiles(ratios, n=4)[0] <= MOST  # a quarter of the turns had the machine alone


def seconds(call: Callable[[], object]) -> float:
    """Processor time of a few calls."""
    started = time.process_time()
    for _ in range(CALLS):
        call()
    return time.process_time() - started


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
