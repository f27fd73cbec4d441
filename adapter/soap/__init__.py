"""The SOAP doors: HTTP and SOAP in, `Inbound` to a handler, its answer out. Alone knows spyne."""

from adapter.soap.app import build_wsgi
from adapter.soap.service import Handler

__all__ = ["Handler", "build_wsgi"]
