"""Why a certificate and its key cannot be used, where more can be said than OpenSSL does."""

from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

NOT_USABLE: Final = "not PEM, or the key is another's, or its password is wrong"
WRONG_ORDER: Final = (
    "the certificates are in the wrong order: the one that the key belongs to comes first, then "
    "who issued it"
)


def why_not_usable(cert: Path, key: Path | None, password: str = "") -> str:
    """
    Why OpenSSL takes no certificate with its key.

    Args:
        cert: PEM, with the chain if it has one.
        key: PEM; None: in `cert`.
    """
    try:
        certs = x509.load_pem_x509_certificates(cert.read_bytes())
        secret = password.encode() or None
        own = load_pem_private_key((key or cert).read_bytes(), secret).public_key()
    except (OSError, ValueError, TypeError):
        return NOT_USABLE
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    wanted = own.public_bytes(*form)
    later = (each.public_key().public_bytes(*form) for each in certs[1:])
    return WRONG_ORDER if wanted in later else NOT_USABLE
