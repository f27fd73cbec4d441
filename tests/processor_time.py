"""Processor time, held to bounds on a machine that does other things meanwhile."""

import time
from typing import Final

ATTEMPTS: Final = 3
"""Other work only ever makes a measurement longer: the best of these counts."""

SPIN_SECONDS: Final = 0.09
"""What a million additions take on a core that has nothing else to do."""


def slowness() -> float:
    """How many times as slow a core is as by itself; one that is shared with others is slower."""
    started, total = time.process_time(), 0
    for number in range(1_000_000):
        total += number
    return max(1.0, (time.process_time() - started) / SPIN_SECONDS)
