"""SOAP with attachments: the root part. Deliberately a second implementation, as `envelope` is."""

import email
from email.message import Message


def is_related(content_type: str) -> bool:
    """Whether it is `multipart/related`."""
    return content_type.lower().startswith("multipart/related")


def root_of(content_type: str, body: bytes) -> Message | None:
    """
    The part that `start` names, else the first; None where there is none.

    Source: RFC 2387.
    """
    whole = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    start = whole.get_param("start")
    parts = [each for each in whole.walk() if each is not whole]
    return next((each for each in parts if start in (None, each.get("Content-ID"))), None)


def content_of(part: Message) -> bytes:
    """What stands in it, however it was encoded for its transport."""
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
