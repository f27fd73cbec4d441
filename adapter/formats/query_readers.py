"""Element → what is asked for: the contracts that read what is stored, or note something about it.

As in `intyg_reader.py`, the elements are valid by the contract's schema when they come here, and
ids and codes are trimmed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVar

from lxml import etree

from intyg.adapter.domain.errors import RuleError
from intyg.adapter.domain.person import PersonId
from intyg.adapter.formats.intyg_reader import read_datum, read_person_id, read_tidpunkt
from intyg.schemas import ns
from intyg.schemas.finding import Finding

_Time = TypeVar("_Time", date, datetime)
_T: Final = f"{{{ns.TYPES}}}"


@dataclass(frozen=True)
class IntygQuery:
    """`GetCertificateType`."""

    intygs_id: str
    part: str


@dataclass(frozen=True)
class CareQuery:
    """
    `ListCertificatesForCareType` and `ListCertificatesForCareWithQAType`.

    Attributes:
        enhets_ids: HSA-ids of units; they win over the care provider.
        vardgivar_id: HSA-id of the care provider.
        from_tidpunkt, tom_tidpunkt: When events happened, both included.
    """

    patient: PersonId
    enhets_ids: frozenset[str]
    vardgivar_id: str | None
    from_tidpunkt: datetime | None = None
    tom_tidpunkt: datetime | None = None


@dataclass(frozen=True)
class CitizenQuery:
    """
    `ListCertificatesForCitizenType`, which is the same in versions 3 and 4.

    Attributes:
        typer: Codes in upper case; empty: every type.
        from_datum, tom_datum: When it was signed, both included.
    """

    patient: PersonId
    typer: frozenset[str]
    arkiverade: bool
    from_datum: date | None
    tom_datum: date | None
    part: str


@dataclass(frozen=True)
class StatusRequest:
    """`SetCertificateStatusType`; the code is as written."""

    intygs_id: str
    part: str
    status: str
    tidpunkt: datetime


@dataclass(frozen=True)
class Approvals:
    """`RegisterApprovedReceiversType`: receiver id to YES, NO or UNDEFINED."""

    intygs_id: str
    typ: str
    by_receiver: dict[str, str]


def read_get_certificate(request: etree._Element) -> IntygQuery:
    m = _namespace(request)
    return IntygQuery(_extension(request, f"{m}intygs-id"), _code(request, f"{m}part"))


def read_list_certificates_for_care(request: etree._Element) -> CareQuery:
    """
    Both contracts; only one of them has times.

    Raises:
        RuleError: A time that no calendar of ours can hold.
    """
    m = _namespace(request)
    provider = request.find(f"{m}vardgivar-id")
    return CareQuery(
        patient=_patient(request),
        enhets_ids=frozenset(
            text.strip() for text in _texts(request, f"{m}enhets-id/{_T}extension")
        ),
        vardgivar_id=None if provider is None else _text(provider, f"{_T}extension"),
        from_tidpunkt=_optional_tidpunkt(request, f"{m}fromTidpunkt"),
        tom_tidpunkt=_optional_tidpunkt(request, f"{m}tomTidpunkt"),
    )


def read_list_certificates_for_citizen(request: etree._Element) -> CitizenQuery:
    """
    Version 3 or 4.

    Raises:
        RuleError: A date that no calendar of ours can hold.
    """
    m = _namespace(request)
    return CitizenQuery(
        patient=_patient(request),
        typer=frozenset(text.strip().upper() for text in _texts(request, f"{m}intygTyp/{_T}code")),
        arkiverade=_text(request, f"{m}arkiverade") in ("true", "1"),
        from_datum=_optional_datum(request, f"{m}fromDatum"),
        tom_datum=_optional_datum(request, f"{m}tomDatum"),
        part=_code(request, f"{m}part"),
    )


def read_set_certificate_status(request: etree._Element) -> StatusRequest:
    """
    Version 2.

    Raises:
        RuleError: A time that no calendar of ours can hold.
    """
    m = _namespace(request)
    tidpunkt = _optional_tidpunkt(request, f"{m}tidpunkt")
    assert tidpunkt is not None  # the schema requires it
    return StatusRequest(
        intygs_id=_extension(request, f"{m}intygs-id"),
        part=_code(request, f"{m}part"),
        status=_code(request, f"{m}status"),
        tidpunkt=tidpunkt,
    )


def read_intygs_ids(request: etree._Element) -> tuple[str, ...]:
    """Ids that are plain text, in ListRelationsForCertificate and GetCertificateTypeInfo."""
    return tuple(text.strip() for text in _texts(request, f"{_namespace(request)}intygs-id"))


def read_get_recipients_for_certificate(request: etree._Element) -> tuple[str, str]:
    """Certificate id and type; the type is plain text, a name of any kind."""
    m = _namespace(request)
    return _text(request, f"{m}certificateId"), _text(request, f"{m}certificateType")


def read_list_possible_receivers(request: etree._Element) -> str:
    """The type's code."""
    return _code(request, f"{_namespace(request)}intygTyp")


def read_list_approved_receivers(request: etree._Element) -> str:
    """The certificate's id."""
    return _extension(request, f"{_namespace(request)}intygs-id")


def read_register_approved_receivers(request: etree._Element) -> Approvals:
    """The last of several statuses for one receiver counts."""
    m = _namespace(request)
    return Approvals(
        intygs_id=_extension(request, f"{m}intyg-id"),
        typ=_code(request, f"{m}typAvIntyg"),
        by_receiver={
            _text(row, f"{m}receiverId"): _text(row, f"{m}approvalStatus")
            for row in request.iterchildren(f"{m}approvedReceivers")
        },
    )


# --- below: finding things that the schema promises -----------------------------------------------


def _namespace(request: etree._Element) -> str:
    return f"{{{etree.QName(request).namespace}}}"


def _patient(request: etree._Element) -> PersonId:
    element = request.find(f"{_namespace(request)}person-id")
    assert element is not None  # the schema requires it
    return read_person_id(element)


def _texts(parent: etree._Element, path: str) -> list[str]:
    return [element.text or "" for element in parent.iterfind(path)]


def _text(parent: etree._Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()


def _extension(parent: etree._Element, path: str) -> str:
    return _text(parent, f"{path}/{_T}extension")


def _code(parent: etree._Element, path: str) -> str:
    return _text(parent, f"{path}/{_T}code")


def _optional_tidpunkt(parent: etree._Element, path: str) -> datetime | None:
    return _in_calendar(read_tidpunkt, parent, path)


def _optional_datum(parent: etree._Element, path: str) -> date | None:
    return _in_calendar(read_datum, parent, path)


def _in_calendar(read: Callable[[str], _Time], parent: etree._Element, path: str) -> _Time | None:
    text = parent.findtext(path)
    try:
        return None if text is None else read(text)
    except (ValueError, OverflowError):
        raise _outside_calendar(path) from None


def _outside_calendar(path: str) -> RuleError:
    name = etree.QName(path).localname
    return RuleError(
        "The request holds a time that is outside the calendar",
        [Finding("TIDPUNKT", f"{name} must be a time from year 1 to 9999", name)],
    )
