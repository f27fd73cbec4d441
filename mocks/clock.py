"""Time: aware and in UTC inside, Swedish local time without a zone on the wire."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

Clock: TypeAlias = Callable[[], datetime]
"""Now, aware and in UTC."""

_STOCKHOLM = ZoneInfo("Europe/Stockholm")


def system_clock() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """`types:TimeStampType`: YYYY-MM-DDThh:mm:ss, Swedish local time."""
    return moment.astimezone(_STOCKHOLM).strftime("%Y-%m-%dT%H:%M:%S")
