"""One file a national interaction: what the contract says happens, top to bottom.

Beside those, what follows a delivery (`after_delivery`) and what only care's own systems ask for
(`mark_handled`).
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from lxml import etree

from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.pieces import Pieces
from intyg.adapter.flows.contracts import (
    create_draft_certificate,
    get_certificate,
    get_certificate_type_info,
    get_recipients_for_certificate,
    list_approved_receivers,
    list_certificates_for_care,
    list_certificates_for_care_with_qa,
    list_certificates_for_citizen,
    list_known_recipients,
    list_possible_receivers,
    list_relations_for_certificate,
    ping_for_configuration,
    register_approved_receivers,
    register_certificate,
    revoke_certificate,
    send_certificate_to_recipient,
    send_message_to_care,
    send_message_to_recipient,
    set_certificate_status,
)
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork

Flow: TypeAlias = Callable[[Inbound, Services, UnitOfWork], Result]
ReadFlow: TypeAlias = Callable[[Inbound, Services, UnitOfWork], etree._Element | bytes | Pieces]

HANDLERS: Final[Mapping[str, Flow]] = {
    "CreateDraftCertificate:3": create_draft_certificate.handle,
    "RegisterCertificate:3": register_certificate.handle,
    "SendCertificateToRecipient:2": send_certificate_to_recipient.handle,
    "RevokeCertificate:2": revoke_certificate.handle,
    "SendMessageToCare:2": send_message_to_care.handle,
    "SendMessageToRecipient:2": send_message_to_recipient.handle,
    "SetCertificateStatus:2": set_certificate_status.handle,
    "RegisterApprovedReceivers:1": register_approved_receivers.handle,
}
"""By contract key: what is answered with a result. Each raises an `AdapterError` for what is
refused."""

READERS: Final[Mapping[str, ReadFlow]] = {
    "GetCertificate:2": get_certificate.handle,
    "GetCertificateTypeInfo:1": get_certificate_type_info.handle,
    "GetRecipientsForCertificate:1": get_recipients_for_certificate.handle,
    "ListApprovedReceivers:1": list_approved_receivers.handle,
    "ListCertificatesForCare:3": list_certificates_for_care.handle,
    "ListCertificatesForCareWithQA:3": list_certificates_for_care_with_qa.handle,
    "ListCertificatesForCitizen:3": list_certificates_for_citizen.handle,
    "ListCertificatesForCitizen:4": list_certificates_for_citizen.handle,
    "ListKnownRecipients:1": list_known_recipients.handle,
    "ListPossibleReceivers:1": list_possible_receivers.handle,
    "ListRelationsForCertificate:1": list_relations_for_certificate.handle,
    "PingForConfiguration:1": ping_for_configuration.handle,
}
"""By contract key: what is answered with something else. Each raises likewise."""

FAULT_CONTRACTS: Final = frozenset(READERS) - {"ListCertificatesForCitizen:3"}
"""Those whose schema has no answer that only says no: they fail by SOAP fault."""

SENT_TO_CARE: Final = ("CertificateStatusUpdateForCare:3", "SendMessageToCare:2")
"""By contract key: what an EHR serves, and is sent."""

__all__ = ["FAULT_CONTRACTS", "HANDLERS", "READERS", "SENT_TO_CARE", "Flow", "ReadFlow"]
