"""Every connection that this process opens, whichever library opens it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LEAVES: Final = frozenset(
    {
        "socket.connect",
        "socket.sendto",
        "socket.sendmsg",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
    }
)
STARTS: Final = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"})
"""Another program would not be watched: none is started."""


class Spy:
    """What was opened since the last time: the interpreter's own event, and the address."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, object]] = []

    def saw(self, event: str, address: object) -> None:
        self._seen.append((event, address))

    def seen(self) -> list[tuple[str, object]]:
        seen, self._seen = self._seen, []
        return seen


_watching: list[Spy] = []
_hooked: list[bool] = []


def _hook(event: str, args: tuple[object, ...]) -> None:
    if not _watching:
        return
    if event in LEAVES:
        address = args[:2] if event == "socket.getaddrinfo" else args[-1]
        _watching[-1].saw(event, address)
    elif event in STARTS:
        _watching[-1].saw(event, args[0] if args else None)


@contextmanager
def spying() -> Iterator[Spy]:
    """Watch until the block ends. The hook itself stays, and then looks at nothing."""
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked.append(True)
    spy = Spy()
    _watching.append(spy)
    try:
        yield spy
    finally:
        _watching.remove(spy)
