"""The control interface: what has become of a certificate, and marking questions as handled."""

from intyg.adapter.console.app import build_console
from intyg.adapter.console.clock import build_clock
from intyg.adapter.console.token import Token

__all__ = ["Token", "build_clock", "build_console"]
