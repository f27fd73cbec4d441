"""Replies to callers when the guard blocks: as nationally, unless the settings say otherwise."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class BlockReply(StrEnum):
    """Reply to a caller when the guard blocks."""

    VALIDATION_ERROR = "validation_error"  # refused, nothing stored but the block
    SKIPPED = "skipped"  # OK: not sent on, and nobody is told but the journal
    LOCAL_ONLY = "local_only"  # OK: done here, not told the recipient
    NOT_FORWARDED = "not_forwarded"  # INFO: done here, and the text says that it went no further


TOLD: Final[Mapping[str, BlockReply]] = {
    "RegisterCertificate": BlockReply.SKIPPED,  # sending on signing; registering itself is allowed
    "SendCertificateToRecipient": BlockReply.VALIDATION_ERROR,
    "RevokeCertificate": BlockReply.LOCAL_ONLY,
    "SendMessageToCare": BlockReply.VALIDATION_ERROR,
    "SendMessageToRecipient": BlockReply.NOT_FORWARDED,
}
"""By contract name, as nationally."""

MAY_BE_TOLD: Final[Mapping[str, frozenset[BlockReply]]] = {
    "RegisterCertificate": frozenset({BlockReply.SKIPPED, BlockReply.NOT_FORWARDED}),
    "SendCertificateToRecipient": frozenset(
        {BlockReply.VALIDATION_ERROR, BlockReply.NOT_FORWARDED}
    ),
    "RevokeCertificate": frozenset({BlockReply.LOCAL_ONLY, BlockReply.NOT_FORWARDED}),
    "SendMessageToCare": frozenset({BlockReply.VALIDATION_ERROR, BlockReply.SKIPPED}),
    "SendMessageToRecipient": frozenset(
        {BlockReply.NOT_FORWARDED, BlockReply.LOCAL_ONLY, BlockReply.VALIDATION_ERROR}
    ),
}
"""What the settings may choose: a certificate or revocation of a test patient is never refused, and
a question about one never taken in."""
