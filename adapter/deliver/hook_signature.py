"""How a hook knows that it is us who speak, and that what we say is new.

Source: Standard Webhooks, «Signature scheme» (https://www.standardwebhooks.com): HMAC-SHA256 over
id, timestamp and body, with full stops between them.
"""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Final

from intyg.adapter.domain.destination import Destination
from intyg.adapter.settings.hook_secret import HookSecretError, read_secret

CLOUD_EVENT: Final = "application/cloudevents+json; charset=UTF-8"


def signature_headers(
    destination: Destination, message_id: str, body: bytes, at: datetime
) -> dict[str, str]:
    """
    The headers by which a hook verifies a request.

    Args:
        message_id: The same in each attempt.
        at: When it is sent; a hook refuses what is older than some minutes.

    Raises:
        HookSecretError: The secret cannot be used.
    """
    if destination.secret_file is None:
        raise HookSecretError(f"hook {destination.name} has no secret_file")
    secret = read_secret(destination.secret_file)
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    mac = hmac.new(secret, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
