"""
Who calls.

With TLS: the client certificate's subject, whose serialNumber (OID 2.5.4.5) is the system's HSA-id.
Without: what the national platform forwards to producers with an `http://` address.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from wsgiref.types import WSGIEnvironment


@dataclass(frozen=True)
class Identity:
    """
    Who calls; nothing is believed beyond what the connection shows.

    Attributes:
        sender: HSA-id, None when nobody says.
        tls_subject: Subject of the client certificate (RFC 4514), None without one.
    """

    sender: str | None = None
    tls_subject: str | None = field(default=None, repr=False)


def identify(environ: WSGIEnvironment) -> Identity:
    """Read it off the request."""
    certificate = environ.get("SSL_CLIENT_CERT")
    if certificate:
        return _of_certificate(certificate)
    if environ.get("wsgi.url_scheme") == "https":
        return Identity()  # the platform sends the header to http:// producers alone
    return Identity(sender=environ.get("HTTP_X_VP_SENDER_ID"))


@lru_cache(maxsize=256)
def _of_certificate(pem: str) -> Identity:
    from cryptography import x509  # a tenth of a second that mocks without TLS need not wait for
    from cryptography.x509.oid import NameOID

    subject = x509.load_pem_x509_certificate(pem.encode()).subject
    numbers = subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    sender = str(numbers[0].value) if numbers else None
    return Identity(sender, subject.rfc4514_string())
