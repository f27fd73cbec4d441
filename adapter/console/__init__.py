"""The control interface: what has become of a certificate, and marking questions as handled."""

from adapter.console.app import build_console
from adapter.console.clock import build_clock
from adapter.console.token import Token

__all__ = ["Token", "build_clock", "build_console"]
