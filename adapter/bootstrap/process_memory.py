"""Memory of a process that serves: small again after large messages, and without long pauses."""

import ctypes
import gc
from typing import Final

LARGE_BLOCK_BYTES: Final = 256 * 1024
"""A certificate fits into one several times over."""

_M_MMAP_THRESHOLD: Final = -3  # glibc's malloc.h


def give_back_large_blocks() -> None:
    """
    Give blocks of memory from `LARGE_BLOCK_BYTES` up back to the system when they are free.

    By itself glibc takes each such block for the first of many: it keeps what is freed, up to 64 MB
    in each of its arenas, of which there are eight for each core. Other C libraries have no such
    threshold; nothing happens there.

    Source:
        mallopt(3), M_MMAP_THRESHOLD: setting it ends its being adjusted.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def keep_what_is_there() -> None:
    """
    Let later garbage collections pass over every object there is now.

    Contracts and types stay as long as the process, and are most of its objects: looking at them
    all stops every thread for 0.15 s.
    """
    gc.collect()
    gc.freeze()
