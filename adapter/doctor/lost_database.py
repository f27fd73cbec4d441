"""A database that was here and is not: told before an empty one is made in its place."""

from pathlib import Path

from intyg.adapter.audit.log import OWN_KEY
from intyg.adapter.settings.settings import Settings
from intyg.adapter.store import file_of, lock_of, seen_of


def why_lost(settings: Settings, *, is_empty: bool = False) -> str | None:
    """
    In one line: what shows that there was a database, and what to do.

    Args:
        is_empty: The file that is there has no tables; one of 0 bytes is known to have none.

    Returns:
        None when the database is there, there has been none, or it is no SQLite file.
    """
    path = file_of(settings.effective_database_url)
    if path is None or (_has_bytes(path) and not is_empty):
        return None
    left = list(_left_over(settings, path))
    if not left:
        return None
    names = " and ".join(map(str, left))
    return (
        f"there is no database {path}, but there was one: {names} stayed. Put it back, or a backup "
        f"(docs/operations.md); to begin with an empty one, remove {names} first"
    )


def _left_over(settings: Settings, path: Path) -> list[Path]:
    """What only a start that made its tables leaves behind."""
    own_key, lock = settings.data_dir / OWN_KEY, lock_of(path)
    left = [own_key] if own_key.exists() and _beside(own_key, path) else []
    seen = seen_of(path)
    if lock.exists() and (not path.exists() or (seen is not None and seen.seq)):
        left.append(lock)
    return left


def _beside(key: Path, path: Path) -> bool:
    return key.parent.resolve() == path.parent.resolve()


def _has_bytes(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
