"""Deliveries made in the thread of the test."""

from intyg.adapter.deliver.worker import Workers


def drain(workers: Workers) -> int:
    """Deliver until nothing is due; returns how many attempts were made."""
    workers.recover()
    attempts = 0
    while workers.run_once():
        attempts += 1
    return attempts
