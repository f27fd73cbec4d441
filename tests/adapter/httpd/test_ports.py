"""Ports that are taken before a server listens on them."""

import socket
import sys

import pytest

from intyg.adapter.httpd.ports import held_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a port be held")


def test_nobody_answers_on_a_held_port_until_the_server_that_was_told_of_it_is_there() -> None:
    with held_port() as port:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        with socket.create_server(("127.0.0.1", port)):
            socket.create_connection(("127.0.0.1", port)).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_no_other_server_is_given_a_held_port() -> None:
    """Whoever asks for any port is given one that could be bound like this."""
    with held_port() as port, socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
