"""The signals that the settings name."""

import time
from collections.abc import Callable, Iterator

from intyg.adapter.clients.people import People
from intyg.adapter.guard.lists import ListFile, ReservedNumbers
from intyg.adapter.guard.register import FileRegister, HttpRegister, RegisterSignal
from intyg.adapter.guard.signals import Signal, TestPatients
from intyg.adapter.settings.settings import RegisterSettings, TestPatientSettings


def build_test_patients(
    settings: TestPatientSettings, monotonic: Callable[[], float] = time.monotonic
) -> TestPatients:
    """Make every signal; those that ask elsewhere come last, since one that says test is enough."""
    return TestPatients(list(_signals(settings, monotonic)))


def _signals(settings: TestPatientSettings, monotonic: Callable[[], float]) -> Iterator[Signal]:
    for path in settings.list_files:
        yield ListFile("list", path, monotonic)
    for path in settings.ehr_list_files:
        # Its own test patients are few of all there are: it says who is one, and never who is not.
        yield ListFile("EHR's list", path, monotonic, clears=False)
    if settings.reserved_numbers:
        yield ReservedNumbers()
    yield from _register(settings.population_register, monotonic)


def _register(settings: RegisterSettings, monotonic: Callable[[], float]) -> Iterator[Signal]:
    if settings.file is not None:
        yield RegisterSignal(FileRegister(settings.file, monotonic), unknown=settings.unknown)
    if settings.url is not None:
        yield RegisterSignal(
            HttpRegister(settings),
            unknown=settings.unknown,
            cache_seconds=settings.cache_seconds,
            down_seconds=settings.down_seconds,
            monotonic=monotonic,
        )


def build_people(
    settings: RegisterSettings, monotonic: Callable[[], float] = time.monotonic
) -> People | None:
    """The population register as drafts ask it; None: there is none."""
    if settings.file is not None:
        return FileRegister(settings.file, monotonic)
    return HttpRegister(settings) if settings.url is not None else None
