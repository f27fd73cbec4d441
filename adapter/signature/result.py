"""What a signature check comes to, and the codes it says no with.

Steps named in this package (`step 7`) are those of the verification policy: structure first, which
is cheap, then trust, then cryptography, then the digest. The first failure decides the code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from intyg.adapter.domain.errors import SignatureError
from intyg.adapter.settings.settings import TrustSettings

DEFAULT_MAX_BYTES: Final = 2 * 1024 * 1024
DEFAULT_MAX_DEPTH: Final = 64


class SignatureOutcome(StrEnum):
    """What became of it."""

    VALID = "VALID"
    INVALID = "INVALID"  # signature value or digest is wrong
    REFUSED = "REFUSED"  # not of the national profile; the code says where
    ABSENT = "ABSENT"  # no signature: normal for some signing methods
    UNTRUSTED = "UNTRUSTED"  # cryptographically right, but no path to an anchor or not the author
    TIME_UNSIGNED = "TIME_UNSIGNED"  # right only when `signeringstidpunkt` is left out


class SignatureCode(StrEnum):
    """Why it is not VALID, in the order the checks are made."""

    SIZE = "SIZE"  # step 1: too many bytes or levels
    XML = "XML"  # step 1: not XML, or with a DTD or entities
    SCHEMA = "SCHEMA"  # step 2
    PLACE = "PLACE"  # step 2: not exactly one `intyg` where the interaction has it
    ABSENT = "ABSENT"  # step 3
    SIGNATURE_PLACE = "SIGNATURE_PLACE"
    SIGNATURE_COUNT = "SIGNATURE_COUNT"
    SIGNATURE_CHILDREN = "SIGNATURE_CHILDREN"
    SIGNEDINFO_CHILDREN = "SIGNEDINFO_CHILDREN"  # step 4
    C14N = "C14N"
    SIGNATURE_METHOD = "SIGNATURE_METHOD"
    DIGEST_METHOD = "DIGEST_METHOD"
    REFERENCE_URI = "REFERENCE_URI"  # step 5
    TRANSFORMS = "TRANSFORMS"
    STYLESHEET = "STYLESHEET"  # step 6
    XPATH_INTERSECT = "XPATH_INTERSECT"
    XPATH_SUBTRACT = "XPATH_SUBTRACT"
    COMMENT_OR_PI = "COMMENT_OR_PI"  # step 7
    NAMESPACED_ATTRIBUTE = "NAMESPACED_ATTRIBUTE"
    FOREIGN_NAMESPACE = "FOREIGN_NAMESPACE"
    UNSIGNED_NAME_MISPLACED = "UNSIGNED_NAME_MISPLACED"
    ID_NOT_UNIQUE = "ID_NOT_UNIQUE"  # step 8
    KEYINFO = "KEYINFO"  # step 9
    LEAF_AMBIGUOUS = "LEAF_AMBIGUOUS"
    CERT_PATH = "CERT_PATH"  # step 10
    KEY_USAGE = "KEY_USAGE"
    REVOKED = "REVOKED"
    KEY = "KEY"  # step 11
    SIGNATURE_INVALID = "SIGNATURE_INVALID"  # step 12
    DIGEST_MISMATCH = "DIGEST_MISMATCH"  # step 13
    TIME_UNSIGNED = "TIME_UNSIGNED"
    SIGNER_NOT_AUTHOR = "SIGNER_NOT_AUTHOR"  # step 14
    SIGNER_UNRESOLVED = "SIGNER_UNRESOLVED"
    # when signing only
    INTYGS_ID = "INTYGS_ID"
    NO_TIME = "NO_TIME"
    ALREADY_SIGNED = "ALREADY_SIGNED"
    CHANGED = "CHANGED"


TEXTS: Final[Mapping[SignatureCode, str]] = MappingProxyType(
    {
        SignatureCode.SIZE: "the message is larger or deeper than signatures are checked for",
        SignatureCode.XML: "the message is not XML without DTD and entities",
        SignatureCode.SCHEMA: "the message does not follow its contract's schema",
        SignatureCode.PLACE: "the message does not hold exactly one intyg where its contract "
        "has it",
        SignatureCode.ABSENT: "the intyg has no underskrift",
        SignatureCode.SIGNATURE_PLACE: "the ds:Signature must be in underskrift (namespace "
        "…certificate:3.2), which is the last child of intyg",
        SignatureCode.SIGNATURE_COUNT: "underskrift must hold one ds:Signature and nothing else, "
        "and the intyg no other one",
        SignatureCode.SIGNATURE_CHILDREN: "ds:Signature must hold exactly SignedInfo, "
        "SignatureValue and KeyInfo",
        SignatureCode.SIGNEDINFO_CHILDREN: "SignedInfo must hold exactly CanonicalizationMethod, "
        "SignatureMethod and one Reference with Transforms, DigestMethod and DigestValue",
        SignatureCode.C14N: "CanonicalizationMethod must be exclusive c14n without parameters, "
        "and no relative namespace name may be in scope",
        SignatureCode.SIGNATURE_METHOD: "SignatureMethod must be rsa-sha256 or ecdsa-sha256 "
        "without parameters",
        SignatureCode.DIGEST_METHOD: "DigestMethod must be sha256 without parameters",
        SignatureCode.REFERENCE_URI: 'Reference must have URI="" and no other attribute',
        SignatureCode.TRANSFORMS: "the transforms must be enveloped-signature, XSLT, XPath filter "
        "intersect, XPath filter subtract, exclusive c14n",
        SignatureCode.STYLESHEET: "the stylesheet is none of the known ones",
        SignatureCode.XPATH_INTERSECT: "the intersect filter must select this intyg by its "
        "intygs-id",
        SignatureCode.XPATH_SUBTRACT: "the subtract filter must name skickatTidpunkt, relation, "
        "status and underskrift, nothing else",
        SignatureCode.COMMENT_OR_PI: "a signed intyg may not hold comments or processing "
        "instructions",
        SignatureCode.NAMESPACED_ATTRIBUTE: "a signed intyg may not hold attributes with a "
        "namespace",
        SignatureCode.FOREIGN_NAMESPACE: "a signed intyg may only hold elements of the national "
        "namespaces",
        SignatureCode.UNSIGNED_NAME_MISPLACED: "skickatTidpunkt, relation, status and underskrift "
        "are not covered by the signature and may only stand where the schema has them",
        SignatureCode.ID_NOT_UNIQUE: "the intygs-id stands in more than one extension of the "
        "message",
        SignatureCode.KEYINFO: "KeyInfo must hold one X509Data with 1 to 5 readable "
        "X509Certificate and nothing else",
        SignatureCode.LEAF_AMBIGUOUS: "KeyInfo does not tell which certificate is the signer's",
        SignatureCode.CERT_PATH: "the signer's certificate leads to no configured anchor at the "
        "time of the check",
        SignatureCode.KEY_USAGE: "the signer's certificate is not for signatures "
        "(contentCommitment)",
        SignatureCode.REVOKED: "the signer's certificate is revoked",
        SignatureCode.KEY: "the key does not fit the method, or its size is not accepted",
        SignatureCode.SIGNATURE_INVALID: "SignatureValue is not right for SignedInfo",
        SignatureCode.DIGEST_MISMATCH: "the intyg is not what was signed (digest differs)",
        SignatureCode.TIME_UNSIGNED: "the signature does not cover signeringstidpunkt",
        SignatureCode.SIGNER_NOT_AUTHOR: "the signer is not skapadAv/personal-id",
        SignatureCode.SIGNER_UNRESOLVED: "the signer is known by personnummer only, not by HSA-id",
        SignatureCode.INTYGS_ID: "to be signed, an intyg needs one intygs-id whose extension is 1 "
        "to 64 of A-Z, a-z, 0-9, dot, underscore, colon, hyphen",
        SignatureCode.NO_TIME: "to be signed, an intyg needs one signeringstidpunkt",
        SignatureCode.ALREADY_SIGNED: "the intyg has an underskrift already",
        SignatureCode.CHANGED: "the intyg has changed since it was prepared for signing",
    }
)
"""What the caller is told about each code; no person data."""


class ValiditySource(StrEnum):
    """Where the time that certificates were judged at comes from."""

    CALLER = "caller"  # e.g. when the message was received
    SIGNERINGSTIDPUNKT = "signeringstidpunkt"  # the sender's own word


class Chain(StrEnum):
    """How the signer's certificate came to be trusted."""

    PATH = "path"
    PINNED = "pinned"
    NONE = "none"


@dataclass(frozen=True)
class SignatureOptions:
    """
    What a deployment may choose.

    Attributes:
        require_author: The signer's serialNumber must be skapadAv/personal-id.
        accept_digital_signature: Key usage digitalSignature does, too.
        accept_time_unsigned: `SignatureResult.accepted` is true for TIME_UNSIGNED.
        max_bytes: Of the message, or of the signed octets if it is not known.
        max_depth: Levels of elements below and with `intyg`.
    """

    require_author: bool = True
    accept_digital_signature: bool = False
    accept_time_unsigned: bool = False
    max_bytes: int = DEFAULT_MAX_BYTES
    max_depth: int = DEFAULT_MAX_DEPTH

    @classmethod
    def from_settings(cls, trust: TrustSettings) -> "SignatureOptions":
        """As `[trust]` of the settings says."""
        return cls(
            require_author=trust.require_author,
            accept_digital_signature=trust.accept_digital_signature,
            accept_time_unsigned=trust.accept_time_unsigned,
            max_bytes=trust.max_signed_bytes,
        )


@dataclass(frozen=True)
class Signer:
    """
    Facts of the signer's certificate.

    Attributes:
        hsa_id: Subject serialNumber, unless that is a personnummer.
        serial_number: Subject serialNumber as it stands; may be a personnummer.
        subject, issuer: RFC 4514 texts; hold names.
        cert_serial: Of the certificate, hexadecimal.
        fingerprint: SHA-256 of the certificate, hexadecimal.
        usage: Key usages that are set; empty if the certificate does not say.
        titles: As the subject, or the attributes beside it, name them: `Läkare`.
    """

    hsa_id: str | None
    serial_number: str | None = field(repr=False)
    subject: str = field(repr=False)
    issuer: str = field(repr=False)
    cert_serial: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    usage: tuple[str, ...]
    titles: tuple[str, ...] = ()


@dataclass(frozen=True)
class SignatureResult:
    """
    The verdict on one intyg.

    Attributes:
        code: None when VALID.
        signer: Who signed, as far as the check got; trust it only when VALID.
        method: Short name of the signature method, `rsa-sha256` or `ecdsa-sha256`.
        stylesheet: `S1` or `S2`.
        chain: How the certificate came to be trusted.
        validity_time: What certificates were judged at.
        octets: The signed octets, when digest and value are right: what was
            really signed, and nothing else.
        detail: For the log: what was found, without any value of the message.
        told: What makes it so in the settings, for whoever reads `text`; mostly nothing.
        accepted: VALID, or TIME_UNSIGNED where the deployment takes that.
    """

    outcome: SignatureOutcome
    code: SignatureCode | None = None
    signer: Signer | None = None
    method: str | None = None
    stylesheet: str | None = None
    chain: Chain = Chain.NONE
    validity_time: datetime | None = None
    validity_source: ValiditySource | None = None
    octets: bytes | None = field(default=None, repr=False)
    detail: str = ""
    told: str = ""
    accepted: bool = False

    @property
    def text(self) -> str:
        """Plain English, without person data."""
        said = TEXTS[self.code] if self.code else "the signature is valid"
        return f"{said}: {self.told}" if self.told else said

    def error(self) -> SignatureError:
        """The refusal to raise for a result that is not accepted."""
        assert self.code is not None, "a valid signature is no error"
        return error(self.code, self.told)


def error(code: SignatureCode, told: str = "") -> SignatureError:
    """The error that tells a caller about a code, and what more there is to know."""
    return SignatureError(code, f"{code}: {TEXTS[code]}{f': {told}' if told else ''}.")


def too_large(max_bytes: int) -> str:
    """For SIZE: the limit, and where it is set."""
    return f"at most {max_bytes} bytes (trust.max_signed_bytes)"


class Refusal(Exception):  # noqa: N818  # a verdict that is passed up, not a mishap
    """
    A check said no; caught by `verify` and turned into a result.

    Attributes:
        code: Which check.
        detail: What was found; no values of the message.
        told: As of `SignatureResult`.
    """

    def __init__(self, code: SignatureCode, detail: str = "", told: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.told = told
