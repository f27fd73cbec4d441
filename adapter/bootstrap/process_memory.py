"""Memory of a process that serves: small again after large messages, and without long pauses."""

import ctypes
import gc
from typing import Final

LARGE_BLOCK_BYTES: Final = 256 * 1024
"""A certificate fits into one several times over."""

ARENAS: Final = 2
"""Enough for threads that hold the interpreter's lock most of the time."""

_M_MMAP_THRESHOLD: Final = -3  # glibc's malloc.h
_M_ARENA_MAX: Final = -8


def give_memory_back() -> None:
    """
    Give memory that is free back to the system, or at least to other threads.

    By itself glibc takes each large block for the first of many, and keeps what is freed; and it
    keeps it for one of its arenas, of which there are eight for each core. Other C libraries do
    neither, and nothing happens there.

    Source:
        mallopt(3), M_MMAP_THRESHOLD (setting it ends its being adjusted) and M_ARENA_MAX.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
        mallopt(_M_ARENA_MAX, ARENAS)


def keep_what_is_there() -> None:
    """
    Let later garbage collections pass over every object there is now.

    Contracts and types stay as long as the process, and are most of its objects: looking at them
    all stops every thread for 0.15 s.
    """
    gc.collect()
    gc.freeze()
