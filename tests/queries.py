"""Valid requests to the contracts that read what is stored, as text on purpose, like `builders`."""

from collections.abc import Mapping, Sequence

from intyg.schemas.contract.contract import Contracts
from tests.builders import (
    HSA,
    INTYGS_ID,
    PART_SYSTEM,
    PATIENT,
    PERSONNUMMER,
    SAMORDNING,
    TYPE_SYSTEM,
    TYPES,
    UNIT,
)

STATUS_SYSTEM = "9871cd17-8755-4ed9-b894-ff3729e775a4"

_CONTRACTS = Contracts()


def query(contract: str, *parts: str) -> bytes:
    """A request whose own elements have the prefix m; `contract` is `GetCertificate:2`."""
    name, _, major = contract.partition(":")
    namespace = _CONTRACTS.get(name, int(major)).namespace
    return f'<m:{name} xmlns:m="{namespace}" xmlns:t="{TYPES}">{"".join(parts)}</m:{name}>'.encode()


def get_certificate(intygs_id: str = INTYGS_ID, part: str = "HSVARD") -> bytes:
    return query("GetCertificate:2", ii("intygs-id", UNIT, intygs_id), cv("part", part))


def list_for_care(
    person: str = PATIENT, units: Sequence[str] = (), provider: str | None = None
) -> bytes:
    return query("ListCertificatesForCare:3", person_id(person), *_care(units, provider))


def list_with_qa(
    person: str = PATIENT,
    units: Sequence[str] = (),
    provider: str | None = None,
    *,
    from_tidpunkt: str | None = None,
    tom_tidpunkt: str | None = None,
) -> bytes:
    return query(
        "ListCertificatesForCareWithQA:3",
        person_id(person),
        *(_care(units, None) if units else ()),
        *(_care((), provider) if provider else ()),
        text("fromTidpunkt", from_tidpunkt),
        text("tomTidpunkt", tom_tidpunkt),
    )


def list_for_citizen(
    major: int = 4,
    person: str = PATIENT,
    *,
    part: str = "INVANA",
    arkiverade: bool = False,
    typer: Sequence[str] = (),
    from_datum: str | None = None,
    tom_datum: str | None = None,
) -> bytes:
    return query(
        f"ListCertificatesForCitizen:{major}",
        person_id(person),
        *(cv("intygTyp", typ, TYPE_SYSTEM) for typ in typer),
        text("arkiverade", "true" if arkiverade else "false"),
        text("fromDatum", from_datum),
        text("tomDatum", tom_datum),
        cv("part", part),
    )


def set_status(
    status: str = "DELETE",
    *,
    intygs_id: str = INTYGS_ID,
    part: str = "INVANA",
    tidpunkt: str = "2026-11-23T10:00:00",
) -> bytes:
    return query(
        "SetCertificateStatus:2",
        ii("intygs-id", UNIT, intygs_id),
        cv("part", part),
        cv("status", status, STATUS_SYSTEM),
        text("tidpunkt", tidpunkt),
    )


def list_relations(*intygs_ids: str) -> bytes:
    ids = intygs_ids or (INTYGS_ID,)
    return query("ListRelationsForCertificate:1", *(text("intygs-id", one) for one in ids))


def get_type_info(intygs_id: str = INTYGS_ID) -> bytes:
    return query("GetCertificateTypeInfo:1", text("intygs-id", intygs_id))


def list_known_recipients() -> bytes:
    return query("ListKnownRecipients:1")


def get_recipients(intygs_id: str = INTYGS_ID, typ: str = "lisjp") -> bytes:
    return query(
        "GetRecipientsForCertificate:1",
        text("certificateId", intygs_id),
        text("certificateType", typ),
    )


def list_possible_receivers(typ: str = "LISJP") -> bytes:
    return query("ListPossibleReceivers:1", cv("intygTyp", typ, TYPE_SYSTEM))


def list_approved_receivers(intygs_id: str = INTYGS_ID) -> bytes:
    return query("ListApprovedReceivers:1", ii("intygs-id", UNIT, intygs_id))


def register_approved_receivers(
    by_receiver: Mapping[str, str], *, intygs_id: str = INTYGS_ID, typ: str = "LISJP"
) -> bytes:
    rows = (
        f"<m:approvedReceivers>{text('receiverId', one)}{text('approvalStatus', status)}"
        "</m:approvedReceivers>"
        for one, status in by_receiver.items()
    )
    return query(
        "RegisterApprovedReceivers:1",
        ii("intyg-id", UNIT, intygs_id),
        cv("typAvIntyg", typ, TYPE_SYSTEM),
        *rows,
    )


def ping() -> bytes:
    return query(
        "PingForConfiguration:1",
        text("serviceContractNamespace", "urn:riv:x"),
        text("logicalAddress", "INTYGSADAPTER"),
    )


# --- parts ----------------------------------------------------------------------------------------


def text(element: str, value: str | None) -> str:
    return "" if value is None else f"<m:{element}>{value}</m:{element}>"


def ii(element: str, root: str, extension: str) -> str:
    return (
        f"<m:{element}><t:root>{root}</t:root><t:extension>{extension}</t:extension></m:{element}>"
    )


def cv(element: str, code: str, system: str = PART_SYSTEM) -> str:
    return (
        f"<m:{element}><t:code>{code}</t:code><t:codeSystem>{system}</t:codeSystem></m:{element}>"
    )


def person_id(number: str) -> str:
    return ii("person-id", SAMORDNING if number[6] >= "6" else PERSONNUMMER, number)


def _care(units: Sequence[str], provider: str | None) -> tuple[str, ...]:
    if provider is not None:
        return (ii("vardgivar-id", HSA, provider),)
    return tuple(ii("enhets-id", HSA, unit) for unit in units)
