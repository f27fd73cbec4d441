"""Code lists whose code system the contracts fix, and identifier roots.

The contracts fix the code systems; the codes themselves are restricted by practice, not by XSD.

Source: clinicalprocess_healthcond_certificate_types_3.2.xsd (`Part`, `Statuskod`, `TypAvRelation`,
`Amneskod`, `Handelsekod`, `PersonIdRoot`, `HsaId`, `ArbetsplatsKod`).
"""

from enum import StrEnum
from typing import Final


class Part(StrEnum):
    """Who a message, a status or a delivery concerns (`types:Part`)."""

    HSVARD = "HSVARD"  # care
    INVANA = "INVANA"  # the citizen
    FKASSA = "FKASSA"  # Försäkringskassan
    TRANSP = "TRANSP"  # Transportstyrelsen
    SKV = "SKV"  # Skatteverket
    SOS = "SOS"  # Socialstyrelsen
    AF = "AF"  # Arbetsförmedlingen


class Status(StrEnum):
    """A certificate's state towards a part (`types:Statuskod`)."""

    RECEIV = "RECEIV"  # received
    SENTTO = "SENTTO"  # sent and accepted
    CANCEL = "CANCEL"  # revoked
    DELETE = "DELETE"  # archived by the citizen
    RESTOR = "RESTOR"  # taken back from the archive


class TypAvRelation(StrEnum):
    """What a new certificate is to an older one (`types:TypAvRelation`)."""

    ERSATT = "ERSATT"  # replaces
    KOMPLT = "KOMPLT"  # completes
    FRLANG = "FRLANG"  # renews
    KOPIA = "KOPIA"  # copy


class Amne(StrEnum):
    """Subject of a question or answer (`types:Amneskod`)."""

    KOMPLT = "KOMPLT"  # completion request
    AVSTMN = "AVSTMN"  # coordination meeting
    KONTKT = "KONTKT"  # contact
    OVRIGT = "OVRIGT"  # other
    PAMINN = "PAMINN"  # reminder


class Handelse(StrEnum):
    """What happened, as the EHR is told (`types:Handelsekod`)."""

    SKAPAT = "SKAPAT"  # draft created
    ANDRAT = "ANDRAT"  # draft changed
    KFSIGN = "KFSIGN"  # draft ready to sign
    RADERA = "RADERA"  # draft deleted
    SIGNAT = "SIGNAT"  # signed
    SKICKA = "SKICKA"  # sent; here: the authority has accepted it
    MAKULE = "MAKULE"  # revoked
    NYFRFM = "NYFRFM"  # question from the recipient
    NYSVFM = "NYSVFM"  # answer from the recipient
    NYFRFV = "NYFRFV"  # question from care
    HANFRFM = "HANFRFM"  # question from the recipient handled (or no longer handled)
    HANFRFV = "HANFRFV"  # question from care handled (or no longer handled)


class ResultCode(StrEnum):
    """`core:ResultCodeType`."""

    OK = "OK"
    INFO = "INFO"  # done, with a remark
    ERROR = "ERROR"


class ErrorId(StrEnum):
    """`core:ErrorIdType`. The schema says that only TECHNICAL_ERROR is worth sending again."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    APPLICATION_ERROR = "APPLICATION_ERROR"
    TECHNICAL_ERROR = "TECHNICAL_ERROR"
    REVOKED = "REVOKED"


PART_SYSTEM: Final = "769bb12b-bd9f-4203-a5cd-fd14f2eb3b80"
STATUS_SYSTEM: Final = "9871cd17-8755-4ed9-b894-ff3729e775a4"
RELATION_SYSTEM: Final = "c2362fcd-eda0-4f9a-bd13-b3bbaf7f2146"
AMNE_SYSTEM: Final = "ffa59d8f-8d7e-46ae-ac9e-31804e8e8499"
HANDELSE_SYSTEM: Final = "dfd7bbad-dbe5-4a2f-ba25-f7b9b2cc6b14"
INTYGSTYP_SYSTEM: Final = "b64ea353-e8f6-4832-b563-fc7d46f29548"
YRKE_SYSTEM: Final = "1.2.752.29.23.1.6"

PERSONNUMMER_ROOT: Final = "1.2.752.129.2.1.3.1"
SAMORDNINGSNUMMER_ROOT: Final = "1.2.752.129.2.1.3.3"
HSA_ID_ROOT: Final = "1.2.752.129.2.1.4.1"
ARBETSPLATSKOD_ROOT: Final = "1.2.752.29.4.71"
