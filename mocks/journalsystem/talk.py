"""What the EHR's scripts can begin with, and how care says what they want said."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Final

from intyg.mocks.conversations import Event, Happening
from intyg.mocks.conversations.script import Action, Answer, Ask
from intyg.mocks.runs import RUN_HEADER
from intyg.mocks.server.call import Call
from intyg.mocks.server.post import Sent
from intyg.mocks.settings import MockSettings
from intyg.schemas import ns

if TYPE_CHECKING:
    from intyg.mocks.journalsystem import client

STAFF_ID: Final = "TSTNMT2321000156-TEST01"
"""HSA-id of the invented person in care who writes what a script says."""

_STATUS: Final = f"{{{ns.message('CertificateStatusUpdateForCare', 3)}}}"
_MESSAGE: Final = f"{{{ns.message('SendMessageToCare', 2)}}}"
_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"


def handelse_happening(call: Call) -> Happening:
    """A status update."""
    intyg = f"{_STATUS}intyg/{_C}"
    fields = {
        "typ": call.text(f"{intyg}typ/{_T}code"),
        "version": call.text(f"{intyg}version"),
        "unit": call.logical_address,
        "person": call.text(f"{intyg}patient/{_C}person-id/{_T}extension"),
        "amne": call.text(f"{_STATUS}handelse/{_C}amne/{_T}code"),
        "handelse": call.text(f"{_STATUS}handelse/{_C}handelsekod/{_T}code"),
    }
    intygs_id = call.text(f"{intyg}intygs-id/{_T}extension") or ""
    return Happening(Event.HANDELSE, intygs_id, fields=_known(fields))


def message_happening(call: Call) -> Happening:
    """A message to care: question, answer or reminder."""
    event = Event.QUESTION
    if call.text(f"{_MESSAGE}svarPa/{_C}meddelande-id") is not None:
        event = Event.ANSWER
    elif call.text(f"{_MESSAGE}paminnelseMeddelande-id") is not None:
        event = Event.REMINDER
    fields = {
        "unit": call.logical_address,
        "person": call.text(f"{_MESSAGE}patientPerson-id/{_T}extension"),
        "amne": call.text(f"{_MESSAGE}amne/{_T}code"),
    }
    intygs_id = call.text(f"{_MESSAGE}intygs-id/{_T}extension") or ""
    meddelande_id = call.text(f"{_MESSAGE}meddelande-id")
    return Happening(event, intygs_id, meddelande_id, _known(fields))


def _known(fields: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


def say(settings: MockSettings, action: Action, about: Happening, at: datetime) -> Sent:
    """
    Send what a script wants said, by SendMessageToRecipient.

    Args:
        at: When it is sent; Swedish local time.

    Raises:
        ValueError: No adapter address is set.
    """
    # Here, since they take long to import, and most mocks in tests never speak.
    import requests
    import zeep.exceptions

    assert isinstance(action, Ask | Answer)  # scripts of others are refused
    amne = action.amne if isinstance(action, Ask) else about.fields["amne"]
    meddelande_id = str(uuid.uuid4())
    client = ehr_client(settings, about.fields["unit"])
    try:
        answer = client.message(
            meddelande_id,
            about.intygs_id,
            about.fields["person"],
            settings.recipient_address,
            amne,
            action.text,
            at,
            svar_pa=about.meddelande_id if isinstance(action, Answer) else None,
        )
    except zeep.exceptions.Fault as fault:
        return Sent(meddelande_id, fault=fault.message)
    except (requests.RequestException, zeep.exceptions.Error) as exc:
        return Sent(meddelande_id, failure=type(exc).__name__)
    finally:
        client.close()
    return Sent(meddelande_id, 200, answer.code, answer.error_id, answer.text, reply=answer.raw)


def ehr_client(settings: MockSettings, unit: str) -> "client.EhrClient":
    """
    Who calls the adapter for a unit.

    Raises:
        ValueError: No adapter address is set.
    """
    from intyg.mocks.journalsystem.client import EhrClient, Staff

    if settings.adapter_url is None:
        raise ValueError(f"{settings.name} has no adapter_url to send to")
    return EhrClient(
        settings.adapter_url,
        settings.adapter_logical_address,
        Staff(STAFF_ID, unit),
        verify=settings.adapter_tls.verify,
        cert=settings.adapter_tls.client,
        headers={} if settings.run is None else {RUN_HEADER: settings.run},
    )
