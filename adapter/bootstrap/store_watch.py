"""The database as it is looked at when the adapter starts, and every second from then on."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import structlog

from intyg.adapter.audit.log import AuditKey
from intyg.adapter.clients.watch import Watch
from intyg.adapter.doctor.lost_database import why_lost
from intyg.adapter.settings.settings import Settings, SettingsError
from intyg.adapter.store import CannotWriteError, Store

CHECK_SECONDS: Final = 10.0
"""How long SQLite looks through its file at the start; `intyg doctor` lets it come to the end."""

_log = structlog.get_logger("intyg.adapter.store")


def open_store(settings: Settings, make: Callable[[], Store]) -> tuple[Store, AuditKey]:
    """
    Open the database, bring its tables up to date, and read the key of its audit log.

    Nothing is made anew that was here before: neither the database nor the key.

    Args:
        make: Makes the store.

    Raises:
        SettingsError: The database is gone and has left its key or lock; or the key is gone.
        StoreError: It cannot be opened, is damaged, or belongs to another environment.
    """
    _refuse_lost(why_lost(settings))
    store = make()
    try:
        if not store.upkeep.must_be_whole(CHECK_SECONDS):
            _log.info("store.checked_in_part", **{"intyg.seconds": CHECK_SECONDS})
        _refuse_lost(why_lost(settings, is_empty=store.upkeep.is_empty))
        store.migrate(settings.environment)
        with store.read() as rows:
            begun = bool(rows.audit.heads())
        key = AuditKey.from_settings(settings.audit, settings.data_dir, make=not begun)
    except BaseException:
        store.close()
        raise
    return store, key


def _refuse_lost(why: str | None) -> None:
    if why is not None:
        raise SettingsError(f"not started: {why}")


class StoreWatch(Watch):
    """Looks at the database every second, and says when it cannot be written, and can again."""

    def __init__(self, store: Store) -> None:
        super().__init__("store")
        self._store = store
        store.trouble.told.append(_tell)

    def look(self) -> None:
        self._store.upkeep.look()

    def stop(self) -> None:
        super().stop()
        self.look()  # notes how far the database has come


def _tell(error: CannotWriteError | None) -> None:
    if error is None:
        _log.info("store.can_be_written_again")
    else:
        _log.error("store.cannot_be_written", **{"error.message": error.text})


def told_of_missing(store: Store) -> Iterator[str]:
    """What an operator should know who has put an older database back; said once."""
    found = store.upkeep.missing()
    store.upkeep.forget_missing()
    if found is None:
        return
    with store.read() as rows:
        waiting = {lane.destination: lane.waiting + lane.in_flight for lane in rows.search.lanes()}
    text = f"{found.text}; {_again(waiting)}"
    _log.warning("store.older_copy", **{"intyg.detail": text})
    yield text


def _again(waiting: Mapping[str, int]) -> str:
    """What is sent again: by destination, how many deliveries the copy holds."""
    each = ", ".join(f"{name or 'without a route'} {n}" for name, n in sorted(waiting.items()) if n)
    if not each:
        return "it holds no delivery that would go out once more"
    return f"{sum(waiting.values())} deliveries that wait in it go out, perhaps once more: {each}"
