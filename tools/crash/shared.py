"""The few numbers that all processes of a trial see."""

import mmap
import struct
import time
from datetime import datetime, timedelta
from typing import Final

from intyg.adapter.domain.clock import system_clock

_MAX_PROCESSES: Final = 4
_CLOCK, _PROGRESS, _FIRED, _PORTS = 0, 8, 16, 24


class Shared:
    """
    Memory that is shared with every process forked from this one.

    Attributes:
        skew: Seconds that the trial's clock is ahead of the machine's.
        progress: Grows with each arrival and each answered call.
        fired: Faults that happened.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 4096)

    def now(self) -> datetime:
        """The trial's clock."""
        return system_clock() + timedelta(seconds=self.skew)

    @property
    def skew(self) -> float:
        return float(struct.unpack_from("d", self._memory, _CLOCK)[0])

    @skew.setter
    def skew(self, seconds: float) -> None:
        struct.pack_into("d", self._memory, _CLOCK, seconds)

    @property
    def progress(self) -> int:
        return self._get(_PROGRESS)

    @progress.setter
    def progress(self, value: int) -> None:
        self._put(_PROGRESS, value)

    @property
    def fired(self) -> int:
        return self._get(_FIRED)

    @fired.setter
    def fired(self, value: int) -> None:
        self._put(_FIRED, value)

    def port(self, place: int) -> int:
        """Where an adapter listens; 0: it does not."""
        return self._get(_PORTS + 8 * place)

    def set_port(self, place: int, port: int) -> None:
        self._put(_PORTS + 8 * place, port)

    def ports(self) -> list[int]:
        """Of all adapters that listen."""
        return [port for place in range(_MAX_PROCESSES) if (port := self.port(place))]

    def reset(self) -> None:
        """For the next trial."""
        self._memory[:] = bytes(len(self._memory))

    def _get(self, at: int) -> int:
        return int(struct.unpack_from("q", self._memory, at)[0])

    def _put(self, at: int, value: int) -> None:
        struct.pack_into("q", self._memory, at, value)


def moment() -> float:
    """Seconds that every process of the machine counts alike."""
    return time.monotonic()
