"""What the EHR of a test does itself: issue certificates, and call an adapter."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol
from zoneinfo import ZoneInfo

from lxml import etree

from intyg.mocks.journalsystem.sample import UNIT
from intyg.mocks.rules.model import unknown
from intyg.mocks.testing.citizen import Citizen
from intyg.mocks.testing.doctor import Signed, Utkast, made_from, require_id
from intyg.mocks.testing.sentences import SentenceError, checked
from intyg.schemas.codes import Amne
from intyg.schemas.examples.draft import Parent
from intyg.schemas.examples.example import PERSON, Size, example
from intyg.schemas.typefile.lookup import IntygTypes

if TYPE_CHECKING:  # and with it zeep, imported when the EHR gets somebody to call
    from intyg.mocks.journalsystem.client import Answer, EhrClient
    from intyg.mocks.journalsystem.drafts import Doctor

ADDRESS: Final = "INTYGSADAPTER"
"""Logical address of an adapter."""

_TOLD: Final = (
    "{*}intygs-id/{*}extension",
    "{*}typ/{*}code",
    "{*}patient/{*}person-id/{*}extension",
)
"""What a certificate says of itself that an `Intyg` has, too."""

_STOCKHOLM: Final = ZoneInfo("Europe/Stockholm")


@dataclass(frozen=True)
class Intyg:
    """
    A certificate that the EHR has issued.

    Attributes:
        body: The signed RegisterCertificate element, UTF-8.
        answer: What was answered when it was registered; None: it was not.
    """

    intygs_id: str
    typ: str
    person: str = field(repr=False)
    body: bytes = field(repr=False)
    answer: Answer | None = None


@dataclass(frozen=True)
class Message:
    """A message that the EHR has sent, and what was answered."""

    meddelande_id: str
    intygs_id: str
    answer: Answer


class Keys(Protocol):
    """Who signs."""

    @property
    def hsa_id(self) -> str:
        """Of the person who signs."""

    def sign(self, body: bytes) -> bytes:
        """The same RegisterCertificate element with a signature in its intyg."""


@dataclass(frozen=True)
class Issuer:
    """What certificates are made with."""

    types: Callable[[], IntygTypes]
    keys: Keys


class HasNow(Protocol):
    """A clock: that of the mocks, or any other."""

    @property
    def now(self) -> datetime:
        """Aware."""


class Ehr:
    """
    The sending side of an EHR.

    Args:
        clock: Certificates are signed a minute ago by it.
    """

    def __init__(self, issuer: Issuer, clock: HasNow) -> None:
        self._issuer = issuer
        self._now = clock
        self._client: EhrClient | None = None
        self._token: str | None = None

    def connect(
        self,
        services_url: str,
        logical_address: str = ADDRESS,
        *,
        verify: str | bool = True,
        cert: tuple[str, str] | None = None,
        token: str | None = None,
    ) -> None:
        """
        Say where it calls; a test with the fixture `adapter` need not.

        Args:
            services_url: To which national paths are appended.
            verify: CA certificates (PEM) for https; True: the usual ones.
            cert: Client certificate and key (PEM), where the adapter wants one.
            token: What the adapter's REST wants as Bearer, for drafts; None: nothing.
        """
        from intyg.mocks.journalsystem.client import EhrClient, Staff

        self.disconnect()
        staff = Staff(self._issuer.keys.hsa_id, UNIT)
        self._client = EhrClient(services_url, logical_address, staff, verify=verify, cert=cert)
        self._token = token

    def disconnect(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()
        self._client = None

    def issue(
        self,
        typ: str = "LISJP",
        *,
        version: str | None = None,
        person: str = PERSON,
        relation: tuple[str, str] | None = None,
        svar_pa: str | None = None,
        intygs_id: str | None = None,
        size: str = "minimal",
        signed: bool = True,
    ) -> Intyg:
        """
        Make a certificate with invented contents that breaks no rule of its type.

        Args:
            typ: `LISJP`, `FK7804`, `DB`, …: any name of a type.
            version: `1`, `2.0`, …; None: the newest.
            person: Of the patient, 12 digits; a test person unless another is given.
            relation: Code and id of the older certificate: `("KOMPLT", intyg.intygs_id)`.
            svar_pa: Id of the completion request that it answers; needs `relation`.
            size: `minimal`, `some` or `full`.

        Raises:
            UnknownTypeError: There is no such type, or not in this version; names those there are.
        """
        intyg_type = self._issuer.types().named(typ, version)
        chosen = intygs_id or str(uuid.uuid4())
        element = example(
            intyg_type,
            signed_at=self._local(timedelta(minutes=1)),
            size=Size(size),
            intygs_id=chosen,
            person_id=person,
            signer=self._issuer.keys.hsa_id,
            parent=None if relation is None else Parent(*relation, svar_pa),
        )
        return self._made(chosen, intyg_type.xml_code, person, element, signed=signed)

    def damaged(self, typ: str, damage: str, *, person: str = PERSON) -> Intyg:
        """
        Make a certificate with one thing wrong; register it with `check=False`.

        Args:
            typ: Any name of a type, with a version or without: `FK7804/2.0`.
            damage: A rule of the type, `R35`, or one of `schema`, `type`, `version`, `person`,
                `unsigned` and `signature`. All but the last two are signed.
            person: Of the patient, 12 digits.

        Raises:
            UnknownTypeError: There is no such type; names those there are.
            UnknownDamageError: There is no such damage.
            CannotBreakError: The rule cannot be broken alone.
        """
        from intyg.mocks.journalsystem.damage import SIGNED_NOT, damaged

        intyg_type, chosen = self._issuer.types().named(typ), str(uuid.uuid4())
        element = damaged(
            intyg_type,
            damage,
            signed_at=self._local(timedelta(minutes=1)),
            intygs_id=chosen,
            person_id=person,
            signer=self._issuer.keys.hsa_id,
        )
        signed = damage not in SIGNED_NOT
        return self._made(chosen, intyg_type.xml_code, person, element, signed=signed)

    def _made(
        self, intygs_id: str, code: str, person: str, element: etree._Element, *, signed: bool
    ) -> Intyg:
        body = etree.tostring(element, encoding="UTF-8", xml_declaration=False)
        return Intyg(intygs_id, code, person, self._issuer.keys.sign(body) if signed else body)

    def draft(
        self,
        typ: str = "LISJP",
        *,
        person: str = PERSON,
        ref: str | None = None,
        prefill: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Utkast:
        """
        Order a draft by CreateDraftCertificate; it is of the type's newest version.

        Args:
            prefill: Answers to begin with, as texts: `{"35": {"35.1": "Trött."}}`.

        Raises:
            NotAcceptedError: The adapter makes none.
        """
        __tracebackhide__ = True
        intyg_type = self._issuer.types().named(typ)
        code = (intyg_type.xml_code, intyg_type.xml_system)
        answer, intygs_id = self._calls.order_draft(code, person, ref, prefill)
        checked("CreateDraftCertificate", answer, check=True)
        return Utkast(self._doctor, require_id(intygs_id), self._local, answer)

    def renew(self, intyg: Intyg | Signed, **wish: Any) -> Utkast:
        """
        Make a draft that renews a certificate.

        Args:
            wish: Of `POST /api/utkast/<id>/renew`: `ref`, `kopieringOK`, `alternatePatientSSn`.

        Raises:
            DraftError: The adapter makes none.
        """
        __tracebackhide__ = True
        return self._made_from(intyg, "renew", wish)

    def replace(self, intyg: Intyg | Signed, **wish: Any) -> Utkast:
        """Make a draft that replaces a certificate; as `renew`."""
        __tracebackhide__ = True
        return self._made_from(intyg, "replace", wish)

    def complement(self, intyg: Intyg | Signed, **wish: Any) -> Utkast:
        """Make a draft that answers the newest completion request; as `renew`, and `kommentar`."""
        __tracebackhide__ = True
        return self._made_from(intyg, "complement", wish)

    def template(self, intyg: Intyg | Signed, **wish: Any) -> Utkast:
        """Make a draft of the type that a certificate is a template for; as `renew`."""
        __tracebackhide__ = True
        return self._made_from(intyg, "template", wish)

    def citizen(self, person: str = PERSON) -> Citizen:
        """A person, 12 digits, who looks at their own certificates at the same adapter."""
        from intyg.mocks.journalsystem.citizen import CitizenClient

        return Citizen(CitizenClient(self._calls, person), self._local)

    def sign(self, body: bytes) -> Intyg:
        """
        Sign a certificate of one's own, where `issue` makes none that is meant.

        Args:
            body: A RegisterCertificate element without signature, UTF-8.

        Raises:
            SentenceError: It holds no certificate with id, type and patient.
        """
        try:
            intyg = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError as exc:
            raise SentenceError(f"body: {exc}") from None
        found = [intyg.findtext(f"{{*}}intyg/{path}") for path in _TOLD]
        if not all(found):
            raise SentenceError("body: no intyg with id, typ and person-id")
        intygs_id, typ, person = map(str, found)
        return Intyg(intygs_id, typ, person, self._issuer.keys.sign(body))

    def register(
        self,
        intyg: Intyg | str = "LISJP",
        *,
        check: bool = True,
        version: str | None = None,
        relation: tuple[str, str] | None = None,
        svar_pa: str | None = None,
    ) -> Intyg:
        """
        Register a certificate by RegisterCertificate.

        Args:
            intyg: One that was issued, or the name of a type, of which one is issued then.
            check: That an ERROR fails the test; False: look at `answer` yourself.
            version, relation, svar_pa: As for `issue`.

        Raises:
            NotAcceptedError: The answer is ERROR.
        """
        __tracebackhide__ = True
        if isinstance(intyg, str):
            intyg = self.issue(intyg, version=version, relation=relation, svar_pa=svar_pa)
        answer = self._calls.register(intyg.body)
        checked("RegisterCertificate", answer, check)
        return Intyg(intyg.intygs_id, intyg.typ, intyg.person, intyg.body, answer)

    def send(self, intyg: Intyg | Signed, to: str = "FKASSA", *, check: bool = True) -> Answer:
        """Have a registered certificate sent to a recipient (part code)."""
        __tracebackhide__ = True
        answer = self._calls.send(intyg.intygs_id, intyg.person, to, self._local())
        return checked("SendCertificateToRecipient", answer, check)

    def revoke(
        self, intyg: Intyg | Signed, reason: str = "Fel patient", *, check: bool = True
    ) -> Answer:
        """Withdraw a certificate."""
        __tracebackhide__ = True
        answer = self._calls.revoke(intyg.intygs_id, intyg.person, self._local(), reason)
        return checked("RevokeCertificate", answer, check)

    def ask(
        self,
        amne: str,
        intyg: Intyg,
        *,
        text: str = "Påhittad fråga från vården",
        to: str = "FKASSA",
        svar_pa: str | None = None,
        check: bool = True,
    ) -> Message:
        """
        Ask an authority about a certificate, by SendMessageToRecipient.

        Args:
            to: Its logical address.
            svar_pa: The message that this answers; see `answer`.

        Raises:
            SentenceError: There is no such `amne`.
            NotAcceptedError: The answer is ERROR.
        """
        __tracebackhide__ = True
        if amne not in tuple(Amne):
            raise SentenceError(f"amne: {unknown(amne, Amne)}")
        meddelande_id = str(uuid.uuid4())
        answer = self._calls.message(
            meddelande_id,
            intyg.intygs_id,
            intyg.person,
            to,
            amne,
            text,
            self._local(),
            svar_pa,
        )
        checked("SendMessageToRecipient", answer, check)
        return Message(meddelande_id, intyg.intygs_id, answer)

    @property
    def _calls(self) -> EhrClient:
        if self._client is None:
            raise RuntimeError(
                "the EHR does not know whom to call: ask for the fixture `adapter`,"
                " or say `journalsystem.connect(url)`"
            )
        return self._client

    @property
    def _doctor(self) -> Doctor:
        return self._calls.doctor(self._issuer.types(), self._token)

    def _made_from(self, intyg: Intyg | Signed, way: str, wish: Mapping[str, Any]) -> Utkast:
        __tracebackhide__ = True
        return made_from(self._doctor, intyg.intygs_id, way, self._local, wish)

    def _local(self, ago: timedelta = timedelta()) -> datetime:
        return (self._now.now - ago).astimezone(_STOCKHOLM)
