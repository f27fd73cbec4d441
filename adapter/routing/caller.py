"""Who calls: the HSA-id from the client certificate, or from a header of a proxy that is believed.

Nothing in the message says who sent it. On the national platform the calling system is the
`serialNumber` of its client certificate's subject (OID 2.5.4.5), and what it may call is granted to
that id. Where TLS ends in a proxy in front, the proxy writes the id into a header; such a header
counts from listed addresses alone, since anybody can write one.

`x-rivta-original-serviceconsumer-hsaid` names the first system of a chain. It is for the log, and
never says what a caller may do.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from intyg.adapter.domain.hsa_id import hsa_key, same_hsa_id
from intyg.adapter.domain.log import looks_like_person_number
from intyg.adapter.domain.platform_fault import PlatformFaultError, VpCode
from intyg.adapter.settings.settings import CallerIdentity, Settings

Environ: TypeAlias = Mapping[str, Any]

PEER_CERT: Final = "intyg.peer_cert"
"""Key in the WSGI environment: the client certificate, verified, as `ssl` gives it (a dict)."""

ORIGINAL_SENDER: Final = "x-rivta-original-serviceconsumer-hsaid"
INSTANCE: Final = "x-vp-instance-id"

_HSA_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_/-]{0,63}")
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----")
_BYTES: Final = re.compile(rb":([^:]*):")  # RFC 8941 section 3.3.5
_NO_CERT: Final = "No client certificate came with the call."


@dataclass(frozen=True)
class Caller:
    """
    A system that calls.

    Attributes:
        sender: Its HSA-id; None where callers are not asked who they are.
        original: The first system of the chain, as it was told. For the log.
    """

    sender: str | None
    original: str | None = None


class Callers:
    """Finds out who calls, as the settings say."""

    def __init__(self, settings: Settings) -> None:
        self._identity = settings.caller_identity
        self._settings = settings.caller
        self._proxies = tuple(ipaddress.ip_network(text) for text in settings.caller.proxies)

    def identify(self, environ: Environ) -> Caller:
        """
        Find out who calls.

        Args:
            environ: Of the request; the body is not needed.

        Raises:
            PlatformFaultError: VP002 without a usable id; VP011 when the call came neither over TLS
                nor from a listed proxy; VP013 when the caller may not name an original sender.
        """
        sender = self._sender(environ)
        original = _header(environ, ORIGINAL_SENDER)
        allowed = self._settings.original_senders
        may = "*" in allowed or any(same_hsa_id(sender, each) for each in allowed)
        if original is not None and not may:
            raise PlatformFaultError(
                VpCode.VP013, f"{sender or 'An unknown caller'} set the header {ORIGINAL_SENDER}."
            )
        return Caller(sender, original)

    def _sender(self, environ: Environ) -> str | None:
        if self._identity is CallerIdentity.PROXY:
            if self._from_proxy(environ):
                return self._told(environ)
            if environ.get("wsgi.url_scheme") != "https":
                raise PlatformFaultError(
                    VpCode.VP011, f"The proxies that may call do not include {_address(environ)}."
                )
        cert = environ.get(PEER_CERT)
        if self._identity is CallerIdentity.NONE and not cert:
            return None
        return hsa_id_of(cert)

    def _from_proxy(self, environ: Environ) -> bool:
        """Whether the headers of this call are believed."""
        try:
            address = ipaddress.ip_address(_address(environ))
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        if not any(address in network for network in self._proxies):
            return False
        expected = self._settings.instance_id
        return expected is None or _header(environ, INSTANCE) == expected

    def _told(self, environ: Environ) -> str:
        """
        The id that a proxy tells.

        Where both headers came they must say the same: one that the proxy does not write may be the
        caller's own.
        """
        settings, told = self._settings, list[str]()
        sender = _header(environ, settings.sender_header)
        if sender is not None:
            told.append(_usable([sender], f"The header {settings.sender_header}"))
        cert = _header(environ, settings.cert_header)
        if cert is not None:
            told.append(
                _usable(_serial_numbers(cert), f"The certificate in {settings.cert_header}")
            )
        headers = f"{settings.sender_header} {{}} {settings.cert_header}"
        if not told:
            raise PlatformFaultError(
                VpCode.VP002, f"The proxy sent neither {headers.format('nor')}."
            )
        if len(set(map(hsa_key, told))) > 1:
            raise PlatformFaultError(VpCode.VP002, f"{headers.format('and')} name two callers.")
        return told[0]


def hsa_id_of(peer_cert: Mapping[str, Any] | None) -> str:
    """
    The HSA-id in a client certificate.

    Args:
        peer_cert: As `ssl.SSLSocket.getpeercert` gives it; None or empty without one.

    Raises:
        PlatformFaultError: VP002, there is none.
    """
    if not peer_cert:
        raise PlatformFaultError(VpCode.VP002, _NO_CERT)
    subject = peer_cert.get("subject", ())
    found = [value for rdn in subject for name, value in rdn if name == "serialNumber"]
    return _usable(found, "The client certificate")


def is_hsa_id(text: str) -> bool:
    """
    Whether it can be one: letters, digits and a few signs, at most 64.

    A person's own e-identification has a person number there: that is no system, and goes no
    further than here.
    """
    return _HSA_ID.fullmatch(text) is not None and not (
        text.isdigit() and looks_like_person_number(text)
    )


def _usable(found: Iterable[str], where: str) -> str:
    ids = list(found)
    if len(ids) == 1 and is_hsa_id(ids[0]):
        return ids[0]
    holds = {0: "none", 1: "something else"}.get(len(ids), "several")
    raise PlatformFaultError(
        VpCode.VP002, f"{where} must hold one HSA-id (subject, serialNumber); it holds {holds}."
    )


def _serial_numbers(header: str) -> list[str]:
    """
    Of the subject of the caller's certificate, as a proxy sends it.

    Args:
        header: One certificate or its chain, the caller's first: PEM, often escaped or with blanks
            for line ends, or base64 alone with commas between, perhaps in colons (RFC 9440).

    Returns:
        The caller's, normally one; none where something is no certificate, and several where they
        are no chain: one of two headers may be the caller's own.
    """
    try:
        certs = [x509.load_der_x509_certificate(der) for der in _ders(header)]
    except (ValueError, binascii.Error):
        return []
    if all(map(_issued, certs, certs[1:])):
        certs = certs[:1]
    numbers = [cert.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER) for cert in certs]
    if len(numbers) > 1:
        return [str(each[0].value) if each else "" for each in numbers]
    return [str(each.value) for each in numbers[0]] if numbers else []


def _ders(header: str) -> list[bytes]:
    text = unquote_to_bytes(header)
    if b"-----" in text:
        found = _PEM.findall(text)
        if _PEM.sub(b"", text).strip(b", \t\r\n"):  # perhaps what the proxy wrote, and not the rest
            raise ValueError("text beside certificates")
    else:
        found = [_BYTES.sub(rb"\1", each.strip()) for each in text.split(b",")]
    return [base64.b64decode(b"".join(each.split())) for each in found]


def _issued(cert: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether one signed the other, and may: a caller's own certificate is no issuer's."""
    try:
        may = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        cert.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, x509.ExtensionNotFound, InvalidSignature):
        return False
    return may


def _header(environ: Environ, name: str) -> str | None:
    value = environ.get("HTTP_" + name.upper().replace("-", "_"))
    return None if value is None else str(value)


def _address(environ: Environ) -> str:
    return str(environ.get("REMOTE_ADDR", ""))
