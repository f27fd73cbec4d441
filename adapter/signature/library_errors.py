"""The one place where what a library raises about a document becomes a verdict of ours.

signxml, cryptography and lxml say no to data by raising. Every call that hands them something of a
message stands in `with refusing(code)`; what they raise there is never an error of ours, and a
sender who tries again will get it again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from cryptography import exceptions as crypto
from cryptography import x509
from cryptography.x509 import verification
from lxml import etree
from signxml import exceptions as signxml

from intyg.adapter.signature.result import Refusal, SignatureCode

CERT_ERRORS: Final = (
    ValueError,  # what cryptography raises for most damage
    TypeError,  # …and for a bit string in a name
    crypto.UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.ExtensionNotFound,
    x509.AttributeNotFound,
    UserWarning,  # where warnings are errors: a name that is too long, a serial number of 0
)
"""Everything that reading a damaged certificate or key may raise."""

_CODES: Final[Mapping[type[Exception], SignatureCode | None]] = {
    signxml.SignXMLException: None,
    signxml.InvalidInput: None,
    signxml.InvalidSignature: None,
    signxml.InvalidDigest: SignatureCode.DIGEST_MISMATCH,
    signxml.InvalidCertificate: SignatureCode.CERT_PATH,
    signxml.RedundantCert: SignatureCode.KEYINFO,
    crypto.InvalidSignature: None,
    crypto.UnsupportedAlgorithm: None,
    verification.VerificationError: None,
    etree.Error: None,
    ValueError: None,
}
"""What may be raised for data; the most specific class wins. None: it is what the step is about."""


@contextmanager
def refusing(code: SignatureCode, *also: type[Exception]) -> Iterator[None]:
    """
    A step that asks libraries about data of a message.

    Args:
        code: What their no means here, unless the error itself says more.
        also: What they may raise in this step beside the usual. Not for all:
            a `TypeError` elsewhere is a fault of ours, and must show.

    Raises:
        Refusal: With the error's class as its detail; never with its text,
            which may quote the message or a name in a certificate.
    """
    try:
        yield
    except (*_CODES, *also) as exc:
        raise Refusal(code_of(exc) or code, type(exc).__name__) from None


def code_of(exc: Exception) -> SignatureCode | None:
    """The code that an error stands for wherever it is raised."""
    return next((_CODES[cls] for cls in type(exc).__mro__ if cls in _CODES), None)
