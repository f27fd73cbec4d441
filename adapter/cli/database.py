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
        StoreError: There is none, it does not answer, or it belongs to another environment.
    """
    url = settings.effective_database_url
    database_version(url)  # says what to do where it does not answer
    store = Store(url, system_clock, read_only=True)
    try:
        store.must_belong_to(settings.environment)
        with store.read() as rows:
            yield rows
    finally:
        store.close()
