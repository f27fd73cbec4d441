"""The receiver that tests deliver to ends whatever its callers do."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

from tests.adapter.receivers import receiver


def test_a_caller_that_is_killed_in_the_middle_of_a_body_does_not_hold_it() -> None:
    with receiver() as there:
        address = urlsplit(there.url)
        with socket.create_connection((address.hostname or "", address.port or 0)) as caller:
            caller.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf ")
            until = time.monotonic() + 10
            while there.connections == 0 and time.monotonic() < until:
                time.sleep(0.005)
        assert there.connections == 1
    assert there.received == []
