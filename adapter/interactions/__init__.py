"""One file a national interaction: what the contract says happens, top to bottom.

Beside those, what follows a delivery (`after_delivery`) and what only care's own systems ask for
(`mark_handled`).
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from adapter.interactions import (
    register_certificate,
    revoke_certificate,
    send_certificate_to_recipient,
    send_message_to_care,
    send_message_to_recipient,
)
from adapter.model import Inbound, Result
from adapter.parts import Parts

Flow: TypeAlias = Callable[[Inbound, Parts], Result]

HANDLERS: Final[Mapping[str, Flow]] = {
    "RegisterCertificate:3": register_certificate.handle,
    "SendCertificateToRecipient:2": send_certificate_to_recipient.handle,
    "RevokeCertificate:2": revoke_certificate.handle,
    "SendMessageToCare:2": send_message_to_care.handle,
    "SendMessageToRecipient:2": send_message_to_recipient.handle,
}
"""By contract key. Each raises an `AdapterError` for what is refused."""

__all__ = ["HANDLERS", "Flow"]
