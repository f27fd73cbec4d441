"""The database of the settings, as commands read it: also beside an adapter that has it open."""

from collections.abc import Iterator
from contextlib import contextmanager

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.settings.settings import Settings
from intyg.adapter.store import Rows, Store, database_version


@contextmanager
def reading(settings: Settings) -> Iterator[Rows]:
    """
    Its rows, for as long as the block lasts; nothing can be written.

    Raises:
        StoreError: As `reading_store`.
    """
    with reading_store(settings) as store, store.read() as rows:
        yield rows


@contextmanager
def reading_store(settings: Settings) -> Iterator[Store]:
    """
    The store itself, for who reads in more than one transaction: a long one lets SQLite's journal
    grow.

    Raises:
        StoreError: There is none, it does not answer, or it belongs to another environment.
    """
    url = settings.effective_database_url
    database_version(url)  # says what to do where it does not answer
    store = Store(url, system_clock, read_only=True)
    try:
        store.must_belong_to(settings.environment)
        yield store
    finally:
        store.close()
