"""What the national mock service says of a message that it has received: JSON with its names."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from lxml import etree

from intyg.mocks.national.behavior import ServiceName

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Received:
    """
    A message that was taken.

    Attributes:
        data: The request element as a document of its own; a tree of it would take many times the
            space.
        message_id: Of a message; None for what is none.
    """

    service: ServiceName
    logical_address: str
    data: bytes = field(repr=False)
    intygs_id: str
    person: str = field(repr=False)
    message_id: str | None = None
    event: str | None = None

    @property
    def key(self) -> str:
        """What its list finds it by: the message's id, or the certificate's."""
        return self.message_id or self.intygs_id

    @property
    def json(self) -> Json:
        """As the service's lists have it."""
        return _WRITERS[self.service](etree.fromstring(self.data))

    @property
    def xml(self) -> str:
        """The request element as it came."""
        return self.data.decode()


def same_person(one: str, other: str) -> bool:
    """The service looks past the hyphen."""
    return one.replace("-", "") == other.replace("-", "")


def _register(root: etree._Element) -> Json:
    svar_pa = _child(root, "svarPa")
    return {
        "intyg": _intyg(_child(root, "intyg")),
        "svarPa": None
        if svar_pa is None
        else {
            "meddelandeId": _text(svar_pa, "meddelande-id"),
            "referensId": _text(svar_pa, "referens-id"),
        },
    }


def _revoke(root: etree._Element) -> Json:
    return {
        "intygsId": _ii(_child(root, "intygs-id")),
        "skickadAv": _hos_personal(_child(root, "skickatAv")),
        "patientPersonId": _ii(_child(root, "patientPerson-id")),
        "skickatTidpunkt": _text(root, "skickatTidpunkt"),
        "meddelande": _text(root, "meddelande"),
    }


def _message(root: etree._Element) -> Json:
    return {
        "logiskAdressMottagare": _text(root, "logiskAdressMottagare"),
        "meddelandeId": _text(root, "meddelande-id"),
        "skickatTidpunkt": _text(root, "skickatTidpunkt"),
        "intygsId": _ii(_child(root, "intygs-id")),
        "patientPersonId": _ii(_child(root, "patientPerson-id")),
        "amne": _code(_child(root, "amne")),
        "rubrik": _text(root, "rubrik"),
        "meddelande": _text(root, "meddelande"),
        "skickatAv": _hos_personal(_child(root, "skickatAv")),
    }


def _status_update(root: etree._Element) -> Json:
    handelse = _child(root, "handelse")
    return {
        "intyg": _intyg(_child(root, "intyg")),
        "handelse": {
            "handelsekod": _code(_child(handelse, "handelsekod")),
            "tidpunkt": _text(handelse, "tidpunkt"),
        },
        "skickadeFragor": _fragor(_child(root, "skickadeFragor")),
        "mottagnaFragor": _fragor(_child(root, "mottagnaFragor")),
        "hanteratAv": _ii(_child(root, "hanteratAv")),
    }


_WRITERS: Final[Mapping[ServiceName, Callable[[etree._Element], Json]]] = {
    ServiceName.REGISTER_CERTIFICATE: _register,
    ServiceName.REVOKE_CERTIFICATE: _revoke,
    ServiceName.SEND_MESSAGE_TO_RECIPIENT: _message,
    ServiceName.CERTIFICATE_STATUS_UPDATE_FOR_CARE: _status_update,
}


# --- parts ----------------------------------------------------------------------------------------


def _intyg(intyg: etree._Element | None) -> Json | None:
    if intyg is None:
        return None
    return {
        "intygsId": _ii(_child(intyg, "intygs-id")),
        "typ": _code(_child(intyg, "typ")),
        "signeringstidpunkt": _text(intyg, "signeringstidpunkt"),
        "skickatTidpunkt": _text(intyg, "skickatTidpunkt"),
        "relation": [
            {"typ": _code(_child(each, "typ")), "intygsId": _ii(_child(each, "intygs-id"))}
            for each in _children(intyg, "relation")
        ],
        "version": _text(intyg, "version"),
        "patient": _patient(_child(intyg, "patient")),
        "skapadAv": _hos_personal(_child(intyg, "skapadAv")),
        "svar": [_svar(each) for each in _children(intyg, "svar")],
    }


def _patient(patient: etree._Element | None) -> Json | None:
    if patient is None:
        return None
    names = ("fornamn", "efternamn", "postadress", "postnummer", "postort")
    return {"personId": _ii(_child(patient, "person-id")), **_texts(patient, names)}


def _svar(svar: etree._Element) -> Json:
    return {
        "id": svar.get("id"),
        "instans": _text(svar, "instans"),
        "delsvar": [_delsvar(each) for each in _children(svar, "delsvar")],
    }


def _delsvar(delsvar: etree._Element) -> Json:
    cv, period = _child(delsvar, "cv"), _child(delsvar, "datePeriod")
    plain = cv is None and period is None
    return {
        "id": delsvar.get("id"),
        "cv": _code(cv),
        "value": "".join(str(text) for text in delsvar.itertext()).strip() if plain else None,
        "datePeriod": None if period is None else _texts(period, ("start", "end")),
    }


def _hos_personal(person: etree._Element | None) -> Json | None:
    if person is None:
        return None
    return {
        "personalId": _ii(_child(person, "personal-id")),
        **_texts(person, ("fullstandigtNamn", "forskrivarkod")),
        "befattning": [_code(each) for each in _children(person, "befattning")],
        "enhet": _enhet(_child(person, "enhet")),
    }


def _enhet(enhet: etree._Element | None) -> Json | None:
    if enhet is None:
        return None
    names = ("enhetsnamn", "postadress", "postnummer", "postort", "telefonnummer", "epost")
    vardgivare = _child(enhet, "vardgivare")
    return {
        "enhetsId": _ii(_child(enhet, "enhets-id")),
        "arbetsplatskod": _ii(_child(enhet, "arbetsplatskod")),
        **_texts(enhet, names),
        "vardgivare": None
        if vardgivare is None
        else {
            "vardgivareId": _ii(_child(vardgivare, "vardgivare-id")),
            "vardgivarnamn": _text(vardgivare, "vardgivarnamn"),
        },
    }


def _fragor(arenden: etree._Element | None) -> Json | None:
    if arenden is None:
        return None
    names = ("totalt", "ejBesvarade", "besvarade", "hanterade")
    return {name: int(_text(arenden, name) or 0) for name in names}


def _ii(element: etree._Element | None) -> Json | None:
    return None if element is None else _texts(element, ("root", "extension"))


def _code(element: etree._Element | None) -> Json | None:
    return None if element is None else _texts(element, ("code", "codeSystem", "displayName"))


def _texts(element: etree._Element, names: Iterable[str]) -> Json:
    return {name: _text(element, name) for name in names}


def _text(element: etree._Element | None, name: str) -> str | None:
    found = _child(element, name)
    return None if found is None else (found.text or "").strip()


def _child(element: etree._Element | None, name: str) -> etree._Element | None:
    return None if element is None else element.find(f"{{*}}{name}")


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return element.findall(f"{{*}}{name}")
