"""The signals that the settings name."""

import time
from collections.abc import Callable, Iterator

from intyg.adapter.clients.people import People
from intyg.adapter.guard.lists import ListFile, ReservedNumbers
from intyg.adapter.guard.register import (
    FileRegister,
    HttpRegister,
    RegisterSignal,
    Remembered,
    RememberedPeople,
)
from intyg.adapter.guard.signals import Signal, TestPatients
from intyg.adapter.settings.settings import RegisterSettings, TestPatientSettings


def build_test_patients(
    settings: TestPatientSettings, monotonic: Callable[[], float] = time.monotonic
) -> TestPatients:
    """Make every signal; those that ask elsewhere come last, since one that says test is enough."""
    register = _register(settings.population_register, monotonic)
    signals = list(_signals(settings, register, monotonic))
    return TestPatients(signals, _people(settings.population_register, register, monotonic))


def _people(
    settings: RegisterSettings,
    register: FileRegister | HttpRegister | None,
    monotonic: Callable[[], float],
) -> People | None:
    """The register as drafts and status updates ask it; what is read from a file costs nothing."""
    if not isinstance(register, HttpRegister):
        return register
    find = Remembered(
        register.find,
        cache_seconds=settings.cache_seconds,
        down_seconds=settings.down_seconds,
        monotonic=monotonic,
    )
    return RememberedPeople(find)


def _signals(
    settings: TestPatientSettings,
    register: FileRegister | HttpRegister | None,
    monotonic: Callable[[], float],
) -> Iterator[Signal]:
    for path in settings.list_files:
        yield ListFile("list", path, monotonic)
    for path in settings.ehr_list_files:
        # Its own test patients are few of all there are: it says who is one, and never who is not.
        yield ListFile("EHR's list", path, monotonic, clears=False)
    if settings.reserved_numbers:
        yield ReservedNumbers()
    told = settings.population_register
    match register:
        case FileRegister():
            yield RegisterSignal(register, unknown=told.unknown)
        case HttpRegister():
            yield RegisterSignal(
                register,
                unknown=told.unknown,
                cache_seconds=told.cache_seconds,
                down_seconds=told.down_seconds,
                monotonic=monotonic,
            )


def _register(
    settings: RegisterSettings, monotonic: Callable[[], float]
) -> FileRegister | HttpRegister | None:
    """One, for the signal and for drafts: a file is read and kept once."""
    if settings.file is not None:
        return FileRegister(settings.file, monotonic)
    return HttpRegister(settings) if settings.url is not None else None
