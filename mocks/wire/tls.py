"""TLS: files that are read into a context, and what a mock shows to the adapter that it calls."""

import errno
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


def load_cert(context: ssl.SSLContext, cert: Path, key: Path) -> None:
    """
    Let a context show a certificate.

    Args:
        cert, key: PEM files of the certificate, with its chain, and its key, unencrypted.

    Raises:
        OSError: One cannot be read, does not hold what it should, or is not the other's; names it.
    """
    with _named(f"{cert}, {key}", lambda why: why.why_not_usable(cert, key)):
        context.load_cert_chain(cert, key, password="")


def load_ca(context: ssl.SSLContext, ca: Path) -> None:
    """
    Let a context believe in a CA, or several; also in one that was itself issued by another.

    Raises:
        OSError: The PEM file cannot be read or does not hold what it should; names it.
    """
    with _named(str(ca), lambda why: why.why_no_certs(ca.read_bytes())):
        context.load_verify_locations(ca)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


@contextmanager
def _named(files: str, fault: Callable[[ModuleType], str]) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as exc:
        from intyg.schemas import pem  # a tenth of a second that nobody else need wait for

        raise OSError(errno.EINVAL, f"no PEM that can be used: {fault(pem)}", files) from exc
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, files) from exc


@dataclass(frozen=True)
class AdapterTls:
    """
    TLS towards an adapter, for what a mock says by itself.

    Attributes:
        ca: PEM file with the CAs of the adapter's certificate; None: the
            usual ones.
        cert, key: PEM files of the client certificate, with its chain, and
            its key, unencrypted; None: it shows none.

    Raises:
        ValueError: A certificate without a key, or a key without.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.cert is None) is not (self.key is None):
            raise ValueError("cert and key go together")

    def check(self) -> None:
        """
        See that the files can be used, since they are read at every call.

        Raises:
            OSError: One cannot; names it.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca is not None:
            load_ca(context, self.ca)
        if self.cert is not None and self.key is not None:
            load_cert(context, self.cert, self.key)

    @property
    def verify(self) -> str | bool:
        """As `requests` takes it."""
        return True if self.ca is None else str(self.ca)

    @property
    def client(self) -> tuple[str, str] | None:
        """Certificate and key, as `requests` takes them."""
        return None if self.cert is None else (str(self.cert), str(self.key))
