"""What is sent, and what is read off what arrives. Reads bytes with patterns, by its own rules."""

import re
from dataclasses import dataclass
from typing import Final

from intyg.schemas.examples.example import SIGNER
from tests import builders
from tests.adapter.flows.draft_builders import create_draft

PATIENT: Final = builders.PATIENT
FK_ADDRESS: Final = "FK-ADDRESS"
DOCTORS_NAME: Final = "Test Läkare"
"""Of `SIGNER`, who writes drafts and has the key."""

ENVELOPE: Final = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
    b'<LogicalAddress xmlns="urn:riv:itintegration:registry:1">A</LogicalAddress></s:Header>'
    b"<s:Body>%s</s:Body></s:Envelope>"
)
PATH: Final = "/services/clinicalprocess/healthcond/certificate/{}/{}/rivtabp21"


@dataclass(frozen=True)
class Request:
    """One call of the adapter."""

    contract: str
    major: int
    body: bytes

    @property
    def path(self) -> str:
        return PATH.format(self.contract, self.major)

    @property
    def envelope(self) -> bytes:
        return ENVELOPE % self.body


def request_of(step: str, intygs_id: str) -> Request:
    """
    The call that a step of a conversation is.

    Args:
        intygs_id: For `draft`, which has none yet, the EHR's own reference.
    """
    match step:
        case "draft":
            body = create_draft("LISJP", doctor=SIGNER, name=DOCTORS_NAME, ref=intygs_id)
            return Request("CreateDraftCertificate", 3, body)
        case "register":
            body = builders.register_certificate(intygs_id)
            return Request("RegisterCertificate", 3, body)
        case "send":
            body = builders.send_certificate_to_recipient(intygs_id)
            return Request("SendCertificateToRecipient", 2, body)
        case "revoke":
            return Request("RevokeCertificate", 2, builders.revoke_certificate(intygs_id))
        case "ask":
            body = builders.send_message_to_recipient(f"{intygs_id}-ask", intygs_id=intygs_id)
            return Request("SendMessageToRecipient", 2, body)
        case "answer":
            body = builders.send_message_to_recipient(
                f"{intygs_id}-answer", "OVRIGT", intygs_id=intygs_id, svar_pa=f"{intygs_id}-fk-ask"
            )
            return Request("SendMessageToRecipient", 2, body)
        case "fk-ask":
            body = builders.send_message_to_care(f"{intygs_id}-fk-ask", intygs_id=intygs_id)
            return Request("SendMessageToCare", 2, body)
        case "fk-answer":
            body = builders.send_message_to_care(
                f"{intygs_id}-fk-answer",
                "KONTKT",
                intygs_id=intygs_id,
                svar_pa=f"{intygs_id}-ask",
            )
            return Request("SendMessageToCare", 2, body)
        case other:
            raise ValueError(other)


_RESULT: Final = re.compile(rb"resultCode>(\w+)<")
_ERROR_ID: Final = re.compile(rb"errorId>(\w+)<")
_TEXT: Final = re.compile(rb"(?:resultText|faultstring)>([^<]*)<")
_EXTENSION: Final = rb"(?:\w+:)?extension[^>]*>([^<]+)<"
_INTYG: Final = re.compile(rb"intygs-id\b[^>]*>.*?" + _EXTENSION, re.DOTALL)
_MEDDELANDE: Final = re.compile(rb"meddelande-id[^>]*>([^<]+)<")
_EVENT: Final = re.compile(rb"handelsekod[^>]*>.*?code[^>]*>(\w+)<", re.DOTALL)
_TIDPUNKT: Final = re.compile(rb"tidpunkt[^>]*>([^<]+)<")
_COUNTS: Final = re.compile(
    rb"(?:skickade|mottagna)Fragor[^>]*>\s*<[^>]*totalt[^>]*>(\d+)<.*?ejBesvarade[^>]*>(\d+)<"
    rb".*?besvarade[^>]*>(\d+)<.*?hanterade[^>]*>(\d+)<",
    re.DOTALL,
)

_SIGNED: Final = re.compile(rb"SignatureValue[^>]*>([^<]+)<")
_VERSION: Final = re.compile(rb'"version":\s*(\d+)')
_STATE: Final = re.compile(rb'"state":\s*"(\w+)"')
_SAVED: Final = re.compile(rb'"35\.1":\s*"([^"]*)"')

Counts = tuple[int, int, int, int]
"""All, not answered, answered, handled."""


@dataclass(frozen=True)
class Event:
    """What an EHR is told: the event's code, and how many questions were asked both ways."""

    code: str
    asked: Counts
    received: Counts


@dataclass(frozen=True)
class Read:
    """
    What stands in a message.

    Attributes:
        key: Tells it from every other message of its contract.
        signed: Value of the signature, if it has one.
    """

    intygs_id: str
    key: str
    event: Event | None = None
    signed: str = ""


def read(contract: str, body: bytes) -> Read:
    """Read what arrived, or stands in the outbox."""
    intygs_id = _first(_INTYG, body)
    match contract:
        case "SendMessageToRecipient" | "SendMessageToCare":
            return Read(intygs_id, _first(_MEDDELANDE, body))
        case "CertificateStatusUpdateForCare":
            tail = body[body.index(b"handelsekod") - 50 :]
            code = _first(_EVENT, tail)
            asked, received = (_counts(found) for found in _COUNTS.findall(tail))
            key = f"{intygs_id} {code} {_first(_TIDPUNKT, tail)}"
            return Read(intygs_id, key, Event(code, asked, received))
        case _:
            return Read(intygs_id, intygs_id, signed=signature_in(body))


def answer_in(data: bytes) -> tuple[str, str]:
    """Result code, or TECHNICAL_ERROR or FAULT, and the text of an answer."""
    code, text, error = _RESULT.search(data), _TEXT.search(data), _ERROR_ID.search(data)
    if error and error[1] == b"TECHNICAL_ERROR":
        code = error
    return (code[1].decode() if code else "FAULT"), (text[1].decode() if text else "")


def signature_in(body: bytes) -> str:
    """The value of a certificate's signature; empty without one."""
    return "".join(_first(_SIGNED, body).split())


def intygs_id_in(data: bytes) -> str:
    """The id that an answer gives."""
    return _first(_INTYG, data)


def version_in(data: bytes) -> int | None:
    """The version of a draft, in JSON."""
    found = _VERSION.search(data)
    return int(found[1]) if found else None


def state_in(data: bytes) -> str:
    """The state of a draft, in JSON."""
    return _first(_STATE, data)


def text_in(data: bytes) -> str:
    """By which a save is known: one of a draft's answers, in JSON; empty: it was never saved."""
    return _first(_SAVED, data)


def _first(pattern: re.Pattern[bytes], data: bytes) -> str:
    found = pattern.search(data)
    return found[1].decode() if found else ""


def _counts(found: tuple[bytes, ...]) -> Counts:
    total, unanswered, answered, handled = map(int, found)
    return total, unanswered, answered, handled
