"""The certificate, and who made it.

Payload words keep the contract's spelling. Every datetime is aware and in UTC. Fields that hold
person data are left out of `repr`, so that no log line or traceback can show them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from intyg.adapter.domain.person import PersonId
from intyg.schemas.codes import (
    Status,
)


@dataclass(frozen=True)
class Enhet:
    """`core:Enhet`: the care unit, with its care provider."""

    enhets_id: str  # HSA-id
    enhetsnamn: str
    vardgivare_id: str  # HSA-id


@dataclass(frozen=True)
class HosPersonal:
    """`core:HosPersonal`: the person in care who signed, sent or asked."""

    personal_id: str  # HSA-id
    fullstandigt_namn: str = field(repr=False)
    enhet: Enhet


@dataclass(frozen=True)
class Yrken:
    """A person's professions and positions, by code."""

    legitimerade: frozenset[str] = frozenset()  # `legitimeratYrke`: LK, TL, BM, SJ, …
    befattningar: frozenset[str] = frozenset()  # `befattning`: six digits
    forskrivargrupper: frozenset[str] = frozenset()  # prescriber groups; in no message


@dataclass(frozen=True)
class MeddelandeReferens:
    """`core:MeddelandeReferens`: the message that is answered."""

    meddelande_id: str
    referens_id: str | None = None


@dataclass(frozen=True)
class Relation:
    """`core:Relation`: what this certificate is to an older one."""

    typ: str  # code, see schemas.codes.TypAvRelation; the XSD does not restrict it
    intygs_id: str


@dataclass(frozen=True)
class Intyg:
    """
    Facts of a `core:Intyg` that flows need; the certificate itself stays an element.

    `typ` is the code as written, trimmed and in upper case (`LISJP`); `version` as written.
    """

    intygs_id: str  # the extension alone: roots are never compared (pitfall: a unit's HSA-id)
    typ: str
    version: str
    signeringstidpunkt: datetime | None
    patient: PersonId
    skapad_av: HosPersonal
    relation: Relation | None  # the first one, as the national store keeps
    svar_pa: MeddelandeReferens | None  # beside the intyg in RegisterCertificate


@dataclass(frozen=True)
class SendRequest:
    """`SendCertificateToRecipientType`."""

    intygs_id: str
    patient: PersonId
    mottagare: str  # part code
    skickat_tidpunkt: datetime
    skickat_av: HosPersonal | None  # None: the citizen sent it


@dataclass(frozen=True)
class RevokeRequest:
    """`RevokeCertificateType`."""

    intygs_id: str
    patient: PersonId
    skickat_tidpunkt: datetime
    skickat_av: HosPersonal
    meddelande: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class StoredIntyg:
    """A registered certificate: its facts, and the request body that brought it, byte for byte."""

    intyg: Intyg
    body: bytes = field(repr=False)  # the RegisterCertificate element, as `Inbound.body`
    sha256: str  # of `body`, hexadecimal
    received_at: datetime
    is_test: bool | None  # None: could not tell when it was taken in
    signature: str  # outcome of the signature check, e.g. VALID or ABSENT
    revoked_at: datetime | None


@dataclass(frozen=True)
class IntygBytes:
    """
    What stands between `<intyg>` and `</intyg>`, byte for byte.

    Attributes:
        prefixes: The prefixes that are in scope there; "" is the default namespace.
        before: Everything before the place of `status`.
        sent_status: The `status` elements that the issuer sent, if any.
        after: Everything after that place.
    """

    prefixes: Mapping[str, str]
    before: bytes = field(repr=False)
    sent_status: bytes = field(repr=False)
    after: bytes = field(repr=False)

    @property
    def content(self) -> bytes:
        """All of it, as it came."""
        return self.before + self.sent_status + self.after


@dataclass(frozen=True)
class IntygsStatus:
    """One entry of a certificate's state history (`core:IntygsStatus`)."""

    status: Status
    part: str
    tidpunkt: datetime
