"""What a caller is told when the guard blocks: as nationally, unless the settings say otherwise."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Told(StrEnum):
    """What a caller is told when the guard blocks."""

    VALIDATION_ERROR = "validation_error"  # refused, nothing stored but the block
    SKIPPED = "skipped"  # OK: not sent on, and nobody is told but the journal
    LOCAL_ONLY = "local_only"  # OK: done here, not told the recipient
    NOT_FORWARDED = "not_forwarded"  # INFO: done here, and the text says that it went no further


TOLD: Final[Mapping[str, Told]] = {
    "RegisterCertificate": Told.SKIPPED,  # sending on signing; registering itself is allowed
    "SendCertificateToRecipient": Told.VALIDATION_ERROR,
    "RevokeCertificate": Told.LOCAL_ONLY,
    "SendMessageToCare": Told.VALIDATION_ERROR,
    "SendMessageToRecipient": Told.NOT_FORWARDED,
}
"""By contract name, as nationally."""

MAY_BE_TOLD: Final[Mapping[str, frozenset[Told]]] = {
    "RegisterCertificate": frozenset({Told.SKIPPED, Told.NOT_FORWARDED}),
    "SendCertificateToRecipient": frozenset({Told.VALIDATION_ERROR, Told.NOT_FORWARDED}),
    "RevokeCertificate": frozenset({Told.LOCAL_ONLY, Told.NOT_FORWARDED}),
    "SendMessageToCare": frozenset({Told.VALIDATION_ERROR, Told.SKIPPED}),
    "SendMessageToRecipient": frozenset(
        {Told.NOT_FORWARDED, Told.LOCAL_ONLY, Told.VALIDATION_ERROR}
    ),
}
"""What the settings may choose: a certificate or revocation of a test patient is never refused, and
a question about one never taken in."""
