"""The SOAP doors: HTTP and SOAP in, `Inbound` to a handler, its answer out. Alone knows spyne."""

from intyg.adapter.soap.app import build_wsgi
from intyg.adapter.soap.service import Answer, Handler

__all__ = ["Answer", "Handler", "build_wsgi"]
