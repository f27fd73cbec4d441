"""
What every authority does: take a certificate, take its revocation.

Source: RegisterCertificateResponder_3.1.xsd and RevokeCertificateResponder_2.1.xsd; the order of
checks and the answers follow the national store, whose place towards care the authority takes here.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Self

from lxml import etree
from pydantic import field_validator

from intyg.mocks.clock.clock import swedish_day
from intyg.mocks.control import (
    Answered,
    MockOf,
    Moment,
    Operation,
    ProblemError,
)
from intyg.mocks.journal import Verdict
from intyg.mocks.rules.type_codes import TypeCodes
from intyg.mocks.server.call import Call, with_findings
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.place import Place
from intyg.mocks.wire.envelope import Answer
from intyg.mocks.wire.ids import ById
from intyg.mocks.wire.person_id import person_id_fault
from intyg.mocks.wire.signature import SignatureCheck, SignatureOutcome
from intyg.schemas import ns
from intyg.schemas.codes import ErrorId
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import IntygHeader, IntygType
from intyg.schemas.typefile.lookup import UnknownTypeError

ALREADY_EXISTS: Final = "Certificate already exists"
"""The national literal; callers compare with it."""

REGISTER: Final = ns.message("RegisterCertificate", 3)
REVOKE: Final = ns.message("RevokeCertificate", 2)
INTYG_TAG: Final = f"{{{REGISTER}}}intyg"

_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"


@dataclass(frozen=True)
class PersonId:
    """`types:PersonId`."""

    root: str
    extension: str = field(repr=False)


@dataclass(frozen=True)
class HeldIntyg:
    """
    A certificate that the authority has.

    Attributes:
        enhets_id: HSA-id of the unit that issued it; where questions go.
        relation: Code and id of the first relation, e.g. `("KOMPLT", "…")`.
        svar_pa: `meddelande-id` of the message it answers, if it says so.
        call: Its number in the journal, which has its bytes.
        digest: SHA-256 of the canonical intyg, to see whether a repeated
            registration brings the same.
    """

    intygs_id: str
    typ: str
    version: str
    person: PersonId
    enhets_id: str
    received_at: datetime
    signature: SignatureOutcome
    call: int
    digest: str = field(repr=False)
    relation: tuple[str, str] | None = None
    svar_pa: str | None = None
    revoked_at: datetime | None = None


class Authority(Persona):
    """
    An authority that takes RegisterCertificate and RevokeCertificate.

    Args:
        place: Where it stands; has the CA files of signers.
        signatures: Looks at signatures; None: made of the CA files.

    Raises:
        OSError, ValueError: A CA file cannot be used.
    """

    def __init__(self, place: Place, signatures: SignatureCheck | None = None) -> None:
        super().__init__(place)
        self.handlers = {
            "RegisterCertificate:3": self._register,
            "RevokeCertificate:2": self._revoke,
        }
        self._signatures = signatures or SignatureCheck(place.settings.ca_files)
        self._intyg: ById[HeldIntyg] = ById()

    @property
    def operations(self) -> tuple[Operation, ...]:
        return (
            Operation("GET", "/intyg", list_intyg, "State"),
            Operation("GET", "/intyg/<path:intygs_id>", get_intyg, "State"),
        )

    @property
    def type_codes(self) -> TypeCodes:
        return TypeCodes(self.place.types.headers())

    def another(self, place: Place) -> Self:
        return type(self)(place, self._signatures)  # dear to load, and the same

    def describe(self) -> Mapping[str, Any]:
        taken = [each for each in self.place.types.headers() if self.takes(each)]
        return {"types": [f"{each.code} {each.version}" for each in taken]}

    def takes(self, intyg_type: IntygHeader) -> bool:
        """Whether certificates of a type are for this authority."""
        settings = self.place.settings
        if settings.types is None:
            return intyg_type.recipient == settings.part
        return intyg_type.xml_code in settings.types

    def counts(self) -> Mapping[str, int]:
        held = self.all_intyg()
        return {
            "intyg": len(held),
            "revoked": sum(each.revoked_at is not None for each in held),
        }

    def clear(self) -> None:
        with self.place.lock:
            self._intyg.clear()

    def typ_held(self, intygs_id: str) -> tuple[str, str] | None:
        with self.place.lock:
            held = self._intyg.get(intygs_id)
        return None if held is None else (held.typ, held.version)

    def forget(self, intygs_id: str) -> int:
        with self.place.lock:
            return self._intyg.pop(intygs_id, None) is not None

    def known_intyg(self) -> set[str]:
        with self.place.lock:
            return {each.intygs_id for each in self._intyg.values()}

    def intyg(self, intygs_id: str) -> HeldIntyg:
        """
        A certificate that it has.

        Raises:
            KeyError: It has none of that id.
        """
        with self.place.lock:
            return self._intyg[intygs_id]

    def all_intyg(self) -> tuple[HeldIntyg, ...]:
        """Every certificate that it has, in order of arrival."""
        with self.place.lock:
            return tuple(self._intyg.values())

    # --- RegisterCertificate ----------------------------------------------------------------------

    def _register(self, call: Call) -> Answer:
        assert call.element is not None
        intyg = call.element.find(INTYG_TAG)
        assert intyg is not None  # the XSD has seen to it
        person = _person(intyg, f"{_C}patient/{_C}person-id")
        outcome = SignatureOutcome.NOT_CHECKED
        if self.place.settings.checks:
            self._check_rules(call, intyg, self._check_type(call, intyg))
            self._check_person(call, person)
            outcome = self._check_signature(call)
        return self._keep(call, _read_intyg(call, intyg, person, outcome, self.place.timeline()))

    def _check_type(self, call: Call, intyg: etree._Element) -> IntygType:
        code = intyg.findtext(f"{_C}typ/{_T}code") or ""
        version = intyg.findtext(f"{_C}version") or ""
        try:
            intyg_type = self.place.types.find(code, version)
        except UnknownTypeError:
            raise call.refuse(
                "type",
                ErrorId.VALIDATION_ERROR,
                "The type and version of the intyg are not supported",
            ) from None
        if not self.takes(intyg_type):
            raise call.refuse(
                "type",
                ErrorId.VALIDATION_ERROR,
                f"{self.place.settings.name} does not take {intyg_type.xml_code}",
            )
        call.note("type", detail=f"{intyg_type.code} {intyg_type.version}")
        return intyg_type

    def _check_rules(self, call: Call, intyg: etree._Element, intyg_type: IntygType) -> None:
        findings = self.place.types.check(
            intyg_type, intyg, today=swedish_day(self.place.timeline())
        )
        errors = [each for each in findings if each.severity is Severity.ERROR]
        if errors:
            text = f"The intyg breaks rules of {intyg_type.code}"
            raise call.refuse("rules", ErrorId.VALIDATION_ERROR, with_findings(text, errors))
        if findings:
            call.note("rules", Verdict.NOTED, with_findings("Warnings", findings))
        else:
            call.note("rules")

    def _check_person(self, call: Call, person: PersonId) -> None:
        fault = person_id_fault(person.root, person.extension)
        if fault is not None:
            raise call.refuse("person", ErrorId.VALIDATION_ERROR, f"patient/person-id: {fault}")
        call.note("person")

    def _check_signature(self, call: Call) -> SignatureOutcome:
        verdict = self._signatures.check(call.message, call.charset, INTYG_TAG)
        outcome = verdict.outcome
        if outcome is SignatureOutcome.INVALID or (
            outcome is SignatureOutcome.ABSENT and self.place.settings.require_signature
        ):
            text = f"The signature is {outcome}"
            if verdict.detail:
                text += f": {verdict.detail}"
            raise call.refuse("signature", ErrorId.VALIDATION_ERROR, text)
        if outcome is SignatureOutcome.NOT_CHECKED:
            call.note("signature", Verdict.NOT_CHECKED, verdict.detail)
        else:
            call.note("signature", detail=outcome.value)
        return outcome

    def _keep(self, call: Call, new: HeldIntyg) -> Answer:
        """Look for a duplicate and keep the certificate, in one step."""
        with self.place.lock:
            held = self._intyg.get(new.intygs_id)
            if held is None:
                call.note("duplicate")
                self._intyg[new.intygs_id] = new
                self._after_intyg(new)
                return Answer.ok()
            if held.person.extension != new.person.extension:
                raise call.refuse("duplicate", ErrorId.VALIDATION_ERROR, ALREADY_EXISTS)
            same = "same content" if held.digest == new.digest else "other content"
            call.note("duplicate", Verdict.NOTED, f"repeats call {held.call}, {same}")
            return Answer.info(ALREADY_EXISTS)

    def _after_intyg(self, new: HeldIntyg) -> None:
        """What a persona does about a certificate it has just taken; under the lock."""

    # --- RevokeCertificate ------------------------------------------------------------------------

    def _revoke(self, call: Call) -> Answer:
        tns = f"{{{REVOKE}}}"
        intygs_id = call.text(f"{tns}intygs-id/{_T}extension") or ""
        assert call.element is not None
        person = _person(call.element, f"{tns}patientPerson-id")
        with self.place.lock:
            held = self._held(call, intygs_id, person)
            if held.revoked_at is not None:
                call.note("state", Verdict.NOTED, "already revoked")
                return Answer.info("The intyg is already revoked")
            call.note("state")
            self._intyg[intygs_id] = replace(held, revoked_at=self.place.timeline())
            self._after_revocation(intygs_id)
            return Answer.ok()

    def _after_revocation(self, intygs_id: str) -> None:
        """What a persona does about a revocation; under the lock."""

    def _held(self, call: Call, intygs_id: str, person: PersonId) -> HeldIntyg:
        """
        The certificate that a call is about; the caller holds the lock.

        Raises:
            RefusedError: APPLICATION_ERROR. Another person's certificate is as
                unknown as none: the two are told apart to nobody.
        """
        held = self._intyg.get(intygs_id)
        if held is None or held.person.extension != person.extension:
            raise call.refuse("intyg", ErrorId.APPLICATION_ERROR, "No such intyg for this patient")
        call.note("intyg")
        return held


# --- control --------------------------------------------------------------------------------------


class Relation(Answered):
    """How a certificate relates to another."""

    typ: str
    intygs_id: str


class IntygState(Answered):
    """A certificate that an authority has; without the person."""

    intygs_id: str
    typ: str
    version: str
    enhets_id: str
    received_at: Moment
    revoked_at: Moment | None
    signature: SignatureOutcome
    relation: Relation | None
    svar_pa: str | None
    call: int

    @field_validator("relation", mode="before")
    @classmethod
    def _pair(cls, value: object) -> object:
        if isinstance(value, tuple):  # as the authority keeps it
            return Relation(typ=value[0], intygs_id=value[1])
        return value


class AllIntyg(Answered):
    """In order of arrival."""

    intyg: tuple[IntygState, ...]


def list_intyg(mock: MockOf[Authority]) -> AllIntyg:
    """The certificates that it has."""
    return AllIntyg(intyg=tuple(map(IntygState.model_validate, mock.persona.all_intyg())))


def get_intyg(mock: MockOf[Authority], intygs_id: str) -> IntygState:
    """One certificate that it has."""
    try:
        return IntygState.model_validate(mock.persona.intyg(intygs_id))
    except KeyError:
        known = (each.intygs_id for each in mock.persona.all_intyg())
        raise ProblemError.unknown("intyg", intygs_id, known) from None


def _person(parent: etree._Element, path: str) -> PersonId:
    return PersonId(
        parent.findtext(f"{path}/{_T}root") or "", parent.findtext(f"{path}/{_T}extension") or ""
    )


def _read_intyg(
    call: Call,
    intyg: etree._Element,
    person: PersonId,
    signature: SignatureOutcome,
    received_at: datetime,
) -> HeldIntyg:
    def text(path: str) -> str:
        return intyg.findtext(path) or ""

    relation = None
    if intyg.find(f"{_C}relation") is not None:  # the first one, as the national store keeps
        relation = (
            text(f"{_C}relation/{_C}typ/{_T}code"),
            text(f"{_C}relation/{_C}intygs-id/{_T}extension"),
        )
    return HeldIntyg(
        intygs_id=text(f"{_C}intygs-id/{_T}extension"),
        typ=text(f"{_C}typ/{_T}code").strip().upper(),
        version=text(f"{_C}version"),
        person=person,
        enhets_id=text(f"{_C}skapadAv/{_C}enhet/{_C}enhets-id/{_T}extension"),
        received_at=received_at,
        signature=signature,
        call=call.number,
        digest=hashlib.sha256(etree.tostring(intyg, method="c14n", exclusive=True)).hexdigest(),
        relation=relation,
        svar_pa=call.text(f"{{{REGISTER}}}svarPa/{_C}meddelande-id"),
    )
