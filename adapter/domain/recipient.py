"""Recipients that certificates can be sent to."""

from dataclasses import dataclass
from enum import StrEnum


class RecipientKind(StrEnum):
    """Role of a recipient for a certificate type (`CertificateReceiverTypeType`)."""

    HUVUDMOTTAGARE = "HUVUDMOTTAGARE"  # the main one
    DIREKTMOTTAGARE = "DIREKTMOTTAGARE"  # gets it as soon as it is signed
    MOTTAGARE = "MOTTAGARE"  # any other


@dataclass(frozen=True)
class KnownRecipient:
    """
    A part that is in the register.

    Attributes:
        part: Its id, `FKASSA`.
        trusted: May get certificates of patients with protected identity.
    """

    part: str
    name: str
    kind: RecipientKind
    trusted: bool
    active: bool
