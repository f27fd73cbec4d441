"""What the EHR's people can be told over HTTP: to write drafts, to err, to be a citizen."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from lxml import etree
from pydantic import Field

from intyg.mocks.clock.clock import SWEDEN
from intyg.mocks.control import Answered, Asked, MockOf, Operation, ProblemError
from intyg.mocks.journalsystem.sample import UNIT
from intyg.mocks.journalsystem.talk import ehr_client
from intyg.mocks.server.place import Place
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.typefile.lookup import UnknownTypeError

if TYPE_CHECKING:  # and with it zeep and requests, which most mocks never need
    from intyg.mocks.journalsystem import client
    from intyg.mocks.journalsystem.drafts import Doctor

_DRAFTS: Final = "Drafts"
_CITIZEN: Final = "Citizen"
_DAMAGED: Final = "Damaged examples"
_PERSON: Final = "12 digits; a test person unless another is given"


class Acts(Protocol):
    """An EHR, as far as these operations go."""

    @property
    def place(self) -> Place:
        """Where it stands."""


# --- what they are told ---------------------------------------------------------------------------


class Order(Asked):
    """A draft to order by CreateDraftCertificate."""

    typ: str = Field(default="FK7804", description="any name of a type; the newest version")
    person: str | None = Field(default=None, repr=False, description=_PERSON)
    ref: str | None = Field(default=None, description="the EHR's own reference")


class OfDraft(Asked):
    """Which draft."""

    intygs_id: str


class Filling(OfDraft):
    """What to write into a draft."""

    answers: dict[str, Any] = Field(
        default_factory=dict,
        repr=False,
        description="by question, in place of the example's; null leaves one out",
    )


class From(Asked):
    """A new draft from a certificate or a locked draft."""

    intygs_id: str = Field(description="what it is made from")
    way: Literal["renew", "replace", "complement", "copy", "template"]
    ref: str | None = None


class Own(Asked):
    """Whose certificates, and which."""

    person: str | None = Field(default=None, repr=False, description=_PERSON)
    archived: bool = False


class OfType(Asked):
    """Which type of certificate."""

    typ: str = Field(default="FK7804", description="any name of a type, with a version or without")


class Damaging(OfType):
    """A damaged example to send."""

    damage: str = Field(description="a rule of the type, or one of those that every type has")
    person: str | None = Field(default=None, repr=False, description=_PERSON)


class Archiving(Asked):
    """A certificate to archive, or to take back."""

    intygs_id: str
    archived: bool = True


class Sending(Asked):
    """A certificate to send, and where to."""

    intygs_id: str
    person: str | None = Field(default=None, repr=False, description=_PERSON)
    to: str = Field(default="FKASSA", description="part code")


# --- what they answer -----------------------------------------------------------------------------


class DraftFault(Answered):
    """What keeps a draft from being signed."""

    svar: str | None
    delsvar: str | None
    text: str


class DraftState(Answered):
    """A draft as the adapter shows it."""

    intygs_id: str
    typ: str
    state: str
    version: int
    faults: tuple[DraftFault, ...]


class OwnState(Answered):
    """A certificate as its patient is shown it."""

    intygs_id: str
    typ: str
    enhets_id: str
    statuses: tuple[str, ...]


class OwnIntygs(Answered):
    """Certificates, oldest first."""

    intyg: tuple[OwnState, ...]


class Said(Answered):
    """What the adapter answered."""

    result_code: str
    error_id: str | None
    result_text: str | None


class RuleToBreak(Answered):
    """A rule, by its id without the type."""

    id: str
    text: str


class Damages(Answered):
    """What an example of a type can be damaged in."""

    typ: str
    name: str
    every_type: tuple[str, ...]
    rules: tuple[RuleToBreak, ...]


class SentDamaged(Said):
    """A damaged example that was sent, as it went, and the answer as it came."""

    intygs_id: str
    typ: str
    request: str = Field(repr=False)
    reply: str = Field(repr=False)


# --- the doctor -----------------------------------------------------------------------------------


def order_draft(mock: MockOf[Acts], body: Order) -> DraftState:
    """Order a draft."""
    place = mock.persona.place
    typ = _type(place, body.typ)
    with _calling(place) as ehr:
        code = (typ.xml_code, typ.xml_system)
        answer, made = ehr.order_draft(code, _person(body.person), body.ref)
        if made is None:
            raise ProblemError(409, f"{answer.code} {answer.error_id}: {answer.text}")
        return _state(_doctor(place, ehr).read(made))


def fill_draft(mock: MockOf[Acts], body: Filling) -> DraftState:
    """Write an example that breaks no rule of the type, but for the answers that are given."""
    with _calling(mock.persona.place) as ehr:
        doctor = _doctor(mock.persona.place, ehr)
        return _state(doctor.fill(body.intygs_id, _now(mock.persona.place), body.answers))


def ready_draft(mock: MockOf[Acts], body: OfDraft) -> DraftState:
    """Say that a draft is ready for signing."""
    return _acted(mock, body, "ready")


def sign_draft(mock: MockOf[Acts], body: OfDraft) -> DraftState:
    """Sign a draft with the adapter's test key."""
    return _acted(mock, body, "sign")


def new_draft(mock: MockOf[Acts], body: From) -> DraftState:
    """Make a draft from a certificate, or from a locked draft."""
    with _calling(mock.persona.place) as ehr:
        doctor = _doctor(mock.persona.place, ehr)
        return _state(doctor.made_from(body.intygs_id, body.way, {"ref": body.ref}))


def _acted(mock: MockOf[Acts], body: OfDraft, what: str) -> DraftState:
    with _calling(mock.persona.place) as ehr:
        doctor = _doctor(mock.persona.place, ehr)
        doctor.act(body.intygs_id, what)
        return _state(doctor.read(body.intygs_id))


def _state(shown: Mapping[str, Any]) -> DraftState:
    return DraftState(
        intygs_id=shown["intygsId"],
        typ=shown["typ"],
        state=shown["state"],
        version=shown["version"],
        faults=tuple(map(_fault, shown["fel"])),
    )


def _fault(fault: Mapping[str, Any]) -> DraftFault:
    return DraftFault(svar=fault["svar"], delsvar=fault["delsvar"], text=fault["text"])


# --- the citizen ----------------------------------------------------------------------------------


def list_own(mock: MockOf[Acts], query: Own) -> OwnIntygs:
    """The certificates that a citizen sees."""
    from intyg.mocks.journalsystem.citizen import CitizenClient

    with _calling(mock.persona.place) as ehr:
        found = CitizenClient(ehr, _person(query.person)).list(archived=query.archived)
    return OwnIntygs(intyg=tuple(map(OwnState.model_validate, found)))


def archive_own(mock: MockOf[Acts], body: Archiving) -> Said:
    """Have a citizen archive a certificate, or take it back."""
    from intyg.mocks.journalsystem.citizen import CitizenClient

    place = mock.persona.place
    with _calling(place) as ehr:
        citizen = CitizenClient(ehr, _person(None))
        return _said(citizen.archive(body.intygs_id, _now(place), back=not body.archived))


def send_own(mock: MockOf[Acts], body: Sending) -> Said:
    """Have a citizen send a certificate to a recipient."""
    from intyg.mocks.journalsystem.citizen import CitizenClient

    place = mock.persona.place
    with _calling(place) as ehr:
        return _said(
            CitizenClient(ehr, _person(body.person)).send(body.intygs_id, body.to, _now(place))
        )


def _said(answer: "client.Answer") -> Said:
    return Said(result_code=answer.code, error_id=answer.error_id, result_text=answer.text)


# --- damaged examples -----------------------------------------------------------------------------


def list_damages(mock: MockOf[Acts], query: OfType) -> Damages:
    """What an example of a type can be damaged in."""
    from intyg.mocks.journalsystem.damage import Damage, rules_of

    typ = _type(mock.persona.place, query.typ)
    rules = tuple(RuleToBreak(id=rule, text=text) for rule, text in rules_of(typ).items())
    return Damages(typ=typ.key, name=typ.name, every_type=tuple(Damage), rules=rules)


def send_damaged(mock: MockOf[Acts], body: Damaging) -> SentDamaged:
    """Register an example, unsigned, that is damaged in one place."""
    from intyg.mocks.journalsystem.damage import UnknownDamageError, damaged
    from intyg.schemas.examples.example import ExampleError

    place = mock.persona.place
    typ, intygs_id = _type(place, body.typ), str(uuid.uuid4())
    signed_at, person = _now(place) - timedelta(minutes=1), _person(body.person)
    try:
        element = damaged(
            typ, body.damage, signed_at=signed_at, intygs_id=intygs_id, person_id=person
        )
    except (ExampleError, UnknownDamageError) as exc:
        raise ProblemError.of_field("damage", str(exc)) from None
    request = etree.tostring(element, encoding="unicode")
    with _calling(place) as ehr:
        answer = ehr.register(request.encode())
    return SentDamaged(
        **_said(answer).model_dump(),
        intygs_id=intygs_id,
        typ=typ.key,
        request=request,
        reply=answer.raw.decode("utf-8", "replace"),
    )


def _type(place: Place, name: str) -> IntygType:
    try:
        return place.types.named(name)
    except UnknownTypeError as exc:
        raise ProblemError.of_field("typ", str(exc)) from None


# --- how the adapter is called --------------------------------------------------------------------


@contextmanager
def _calling(place: Place) -> Iterator["client.EhrClient"]:
    """
    Somebody to call the adapter.

    Raises:
        ProblemError: It is not known where, it does not answer, or it does not do what is wanted.
    """
    import requests
    from zeep.exceptions import Error

    from intyg.mocks.journalsystem.drafts import DraftError

    try:
        ehr = ehr_client(place.settings, UNIT)
    except ValueError as exc:
        raise ProblemError(409, str(exc)) from None
    try:
        yield ehr
    except DraftError as exc:
        raise ProblemError(exc.status, str(exc), more={"adapter": exc.problem}) from None
    except Error as exc:
        raise ProblemError(502, f"the adapter: {exc.message}") from None
    except requests.RequestException as exc:
        raise ProblemError(502, f"the adapter: {type(exc).__name__}") from None
    finally:
        ehr.close()


def _doctor(place: Place, ehr: "client.EhrClient") -> "Doctor":
    return ehr.doctor(place.types, place.settings.adapter_token)


def _person(given: str | None) -> str:
    from intyg.schemas.examples.example import PERSON

    return given or PERSON


def _now(place: Place) -> datetime:
    return place.timeline().astimezone(SWEDEN)


def operations() -> tuple[Operation, ...]:
    """What the EHR's people can be told."""
    return (
        Operation("POST", "/draft", order_draft, _DRAFTS),
        Operation("POST", "/draft/fill", fill_draft, _DRAFTS),
        Operation("POST", "/draft/ready", ready_draft, _DRAFTS),
        Operation("POST", "/draft/sign", sign_draft, _DRAFTS),
        Operation("POST", "/draft/from", new_draft, _DRAFTS),
        Operation("GET", "/damages", list_damages, _DAMAGED),
        Operation("POST", "/damaged", send_damaged, _DAMAGED),
        Operation("GET", "/citizen", list_own, _CITIZEN),
        Operation("POST", "/citizen/archive", archive_own, _CITIZEN),
        Operation("POST", "/citizen/send", send_own, _CITIZEN),
    )
