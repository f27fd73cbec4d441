"""The control interface: what has become of a certificate, and marking questions as handled."""

from adapter.console.app import build_console

__all__ = ["build_console"]
