"""Care answers a question in the console: the message that its EHR would send, by the same flow.

To a completion request that says that the certificate cannot be completed, as an answer in text
does everywhere.
"""

from dataclasses import dataclass, field
from uuid import uuid4

from intyg.adapter.domain.errors import ApplicationError, UnknownRecipientError
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import Direction, Meddelande
from intyg.adapter.domain.texts import NO_ROUTE, UNKNOWN_MEDDELANDE
from intyg.adapter.flows.contracts import send_message_to_recipient
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_bytes import find_intyg_bytes
from intyg.adapter.formats.intyg_reader import intyg_element
from intyg.adapter.formats.message_writer import Answer, write_answer
from intyg.adapter.formats.safe_xml import parse_own
from intyg.adapter.store import Rows


@dataclass(frozen=True)
class Answering:
    """
    What is answered.

    Attributes:
        by: HSA-id of who answers.
    """

    text: str = field(repr=False)
    by: str
    name: str = field(repr=False)


def handle(
    meddelande_id: str,
    answering: Answering,
    services: Services,
    unit: UnitOfWork,
    correlation_id: str,
) -> Result:
    """
    Answer an authority's question.

    Raises:
        ApplicationError: There is no such question to care.
        UnknownRecipientError: Who asked is no recipient any more.
        AdapterError: Whatever SendMessageToRecipient refuses.
    """
    fraga, stored = unit.read(lambda rows: _asked(rows, meddelande_id))
    recipient = services.routes.recipients.get(fraga.part or "")
    if recipient is None:
        text = NO_ROUTE.format(part="skickatAv/part", contract="SendMessageToRecipient")
        raise UnknownRecipientError(text)
    now = services.clock()
    answer = Answer(
        meddelande_id=str(uuid4()),
        address=recipient.logical_address,
        text=answering.text,
        personal_id=answering.by,
        name=answering.name,
        sent_at=now,
    )
    body = write_answer(fraga, intyg_element(stored.body), answer)
    inbound = Inbound(
        contract=services.contracts.get("SendMessageToRecipient", 2),
        logical_address=services.settings.logical_address,
        element=parse_own(body),
        body=body,
        intyg=find_intyg_bytes(body),
        received_at=now,
        correlation_id=correlation_id,
        sender=stored.intyg.skapad_av.enhet.enhets_id,
    )
    return send_message_to_recipient.handle(inbound, services, unit)


def _asked(rows: Rows, meddelande_id: str) -> tuple[Meddelande, StoredIntyg]:
    found = rows.meddelanden.get(meddelande_id)
    m = found.meddelande if found else None
    if m is None or not m.is_question or m.direction is not Direction.TO_CARE:
        raise ApplicationError(UNKNOWN_MEDDELANDE)
    stored = rows.intyg.get(m.intygs_id)
    assert stored is not None  # a message is kept with its certificate
    return m, stored
