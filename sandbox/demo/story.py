"""The round trip itself: who tells whom what, each step checked where it should have an effect."""

import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from lxml import etree

from intyg.adapter.cli.options import swedish_now
from intyg.adapter.formats import safe_xml
from intyg.mocks.journal import Entry
from intyg.mocks.journalsystem.sample import Parent, fk7804
from intyg.mocks.testing import Intyg
from intyg.mocks.testing.sentences import HasIntygsId
from intyg.mocks.wire.http_session import http_session
from intyg.mocks.wire.signature import SignatureOutcome
from intyg.sandbox.demo.narrator import (
    ADAPTER,
    DOCTOR,
    EHR,
    FK,
    REAL,
    WAIT_SECONDS,
    Narrator,
    StoryError,
    Telling,
)
from intyg.sandbox.demo.stage import PATIENT, Signer, Stage
from intyg.schemas.codes import TypAvRelation
from intyg.schemas.ns import SOAP11

QUIET_SECONDS: Final = 1.0
"""Longer than a worker waits before it looks for work."""


@dataclass
class Story(Narrator):
    """
    Plays the round trip and prints it.

    Attributes:
        stage: What it plays on.
        telling: Where it is told.
        wait_seconds: How long an effect may take to show.
        messages: How many were checked against their contracts at the end.
    """

    stage: Stage
    telling: Telling
    wait_seconds: float = WAIT_SECONDS
    messages: int = 0
    last_step: int = 0
    _started: float = field(default_factory=time.monotonic)

    def play(self) -> None:
        """
        Run every step.

        Raises:
            StoryError: The first step that did not do what it should.
        """
        with self.stage.speaking() as (self.ehr, self.fk):
            self.steps(
                [
                    ("The EHR orders a draft, and a doctor fills it in", self._draft),
                    ("The doctor signs it", self._sign),
                    ("The EHR registers an FK7804 that it has signed itself", self._register),
                    ("It is sent to Försäkringskassan", self._send),
                    ("Försäkringskassan asks, care answers", self._ask_and_answer),
                    ("Försäkringskassan wants question 35 completed", self._ask_for_completion),
                    ("Försäkringskassan reminds care of it", self._remind),
                    ("Care answers with a new certificate", self._complete),
                    ("Care asks, Försäkringskassan answers", self._care_asks),
                    ("The new certificate is revoked", self._revoke),
                    ("Asked again, care cannot complete the first one", self._cannot_complete),
                    ("A new certificate replaces the first one", self._replace),
                    ("A test patient's certificate on its way to a real authority", self._blocked),
                    ("Every message, against its contract", self._check_messages),
                ]
            )

    # --- steps ------------------------------------------------------------------------------------

    def _draft(self) -> None:
        self.draft = self.ehr.draft("FK7804")
        self.tell(EHR, ADAPTER, "CreateDraftCertificate", self.draft.answer)
        self._told("SKAPAT", self.draft)
        self.draft.fill()
        self.line(DOCTOR, ADAPTER, "PUT /api/utkast/…", self.draft.shown["state"])
        self.ehr.clock.advance("5m")
        self._told("ANDRAT", self.draft)
        self.note("told once, five minutes after the first change; the demonstration's clock moves")

    def _sign(self) -> None:
        self.draft.ready()
        self.line(DOCTOR, ADAPTER, "POST /api/utkast/…/ready", "OK")
        self._told("KFSIGN", self.draft)
        signed = self.draft.sign()
        self.line(DOCTOR, ADAPTER, "POST /api/utkast/…/sign", "OK")
        self._told("SIGNAT", signed)
        self.tell(EHR, ADAPTER, "SendCertificateToRecipient", self.ehr.send(signed))
        if self.fk.await_intyg(signed, timeout=self.wait_seconds).signature != "valid":
            raise StoryError("xmlsec found the signature of the draft not valid")
        self.line(ADAPTER, FK, "RegisterCertificate", "OK")
        self._told("SKICKA", signed)

    def _register(self) -> None:
        self.first = self._sample()
        self.tell(EHR, ADAPTER, "RegisterCertificate", self.ehr.register(self.first).answer)
        self._told("SIGNAT", self.first)

    def _send(self) -> None:
        self.tell(EHR, ADAPTER, "SendCertificateToRecipient", self.ehr.send(self.first))
        held = self.fk.await_intyg(self.first, timeout=self.wait_seconds)
        self.line(ADAPTER, FK, "RegisterCertificate", "OK")
        self._check_bytes(self.first)
        self.note("byte for byte what the EHR signed")
        if held.signature is not SignatureOutcome.VALID:
            raise StoryError(f"xmlsec found the signature {held.signature}")
        self.note("signature verified by xmlsec, an engine the adapter does not use")
        self._told("SKICKA", self.first)

    def _ask_and_answer(self) -> None:
        question = self.fk.ask("OVRIGT", self.first, text="Arbetar patienten kvällar?")
        self.sent(FK, ADAPTER, "SendMessageToCare (OVRIGT)", question)
        self._passed_on(question.meddelande_id)
        self._told("NYFRFM", self.first, unanswered=1)
        answer = self.ehr.ask(
            "OVRIGT", self.first, text="Nej, bara dagtid.", svar_pa=question.meddelande_id
        )
        self.tell(EHR, ADAPTER, "SendMessageToRecipient (answer)", answer.answer)
        self._answered(question.meddelande_id, by=answer.meddelande_id)
        self._told("HANFRFM", self.first, unanswered=0)

    def _ask_for_completion(self) -> None:
        wanted = {"35": "Beskriv hur långt patienten kan gå."}
        self.komplt = self.fk.ask("KOMPLT", self.first, frage=wanted)
        self.sent(FK, ADAPTER, "SendMessageToCare (KOMPLT on question 35)", self.komplt)
        self._passed_on(self.komplt.meddelande_id)
        self._told("NYFRFM", self.first, count=2, unanswered=1, amne="KOMPLT")

    def _remind(self) -> None:
        reminder = self.fk.remind(self.komplt)
        self.sent(FK, ADAPTER, "SendMessageToCare (reminder)", reminder)
        self._passed_on(reminder.meddelande_id)
        self._told("NYFRFM", self.first, count=3, unanswered=1, amne="PAMINN")

    def _complete(self) -> None:
        parent = Parent(TypAvRelation.KOMPLT, self.first.intygs_id, self.komplt.meddelande_id)
        text = "Kan gå två hundra meter, därefter tvingar smärtan till vila"
        self.second = self._sample(parent, text)
        self.tell(
            EHR, ADAPTER, "RegisterCertificate (KOMPLT)", self.ehr.register(self.second).answer
        )
        self.fk.await_intyg(self.second, timeout=self.wait_seconds)
        self.line(ADAPTER, FK, "RegisterCertificate (KOMPLT)", "OK")
        self._check_bytes(self.second)
        self._answered(self.komplt.meddelande_id, by=self.second.intygs_id)
        self._told("SIGNAT", self.second)
        self._told("SKICKA", self.second)
        self._told("HANFRFM", self.first, count=2, unanswered=0)

    def _care_asks(self) -> None:
        question = self.ehr.ask("KONTKT", self.second, text="Kan ni ringa oss?")
        self.tell(EHR, ADAPTER, "SendMessageToRecipient (KONTKT)", question.answer)
        self._told("NYFRFV", self.second)
        asked = question.meddelande_id
        self.fk.await_message(self.second, meddelande_id=asked, timeout=self.wait_seconds)
        self.line(ADAPTER, FK, "SendMessageToRecipient", "OK")
        answer = self.fk.answer(question, "Vi ringer i morgon.")
        self.sent(FK, ADAPTER, "SendMessageToCare (answer)", answer)
        self._told("NYSVFM", self.second)
        url = f"{self.stage.adapter.url}/api/meddelanden/{asked}/hanterad"
        with http_session() as session:
            response = session.post(url, timeout=self.wait_seconds)
        if not response.ok:
            raise StoryError(f"marking the question handled answered HTTP {response.status_code}")
        self.line(EHR, ADAPTER, "POST …/hanterad", str(response.status_code))
        self._told("HANFRFV", self.second)

    def _revoke(self) -> None:
        self.tell(EHR, ADAPTER, "RevokeCertificate", self.ehr.revoke(self.second))
        self.fk.await_revoked(self.second, timeout=self.wait_seconds)
        self.line(ADAPTER, FK, "RevokeCertificate", "OK")
        self._told("MAKULE", self.second)
        self._told("NYFRFM", self.first, count=4, unanswered=1)
        self.note("the completion request that it had answered is open again")

    def _cannot_complete(self) -> None:
        wanted = {"17": "Beskriv vad patienten inte kan göra."}
        newest = self.fk.ask("KOMPLT", self.first, frage=wanted)
        self.sent(FK, ADAPTER, "SendMessageToCare (KOMPLT on question 17)", newest)
        self._told("NYFRFM", self.first, count=5, unanswered=2, amne="KOMPLT")
        text = "Patienten har flyttat, intyget kan inte kompletteras."
        answer = self.ehr.ask("KOMPLT", self.first, text=text, svar_pa=newest.meddelande_id)
        self.tell(EHR, ADAPTER, "SendMessageToRecipient (KOMPLT)", answer.answer)
        self._answered(newest.meddelande_id, by=answer.meddelande_id)
        self._told("HANFRFM", self.first, count=3, unanswered=0)

    def _replace(self) -> None:
        self.third = self._sample(Parent(TypAvRelation.ERSATT, self.first.intygs_id))
        self.tell(
            EHR, ADAPTER, "RegisterCertificate (ERSATT)", self.ehr.register(self.third).answer
        )
        self._told("SIGNAT", self.third)
        self.tell(EHR, ADAPTER, "SendCertificateToRecipient", self.ehr.send(self.third))
        self._told("SKICKA", self.third)
        refused = self.ehr.send(self.first, "FBA", check=False)
        self.refused("SendCertificateToRecipient (the old one)", refused)
        if "INTYG_REPLACED" not in (refused.text or ""):
            raise StoryError(f"the replaced certificate was answered {refused.text}")
        self.note("INTYG_REPLACED: a replaced certificate goes nowhere any more")

    def _blocked(self) -> None:
        answer = self.ehr.send(self.third, "FBA", check=False)
        self.refused("SendCertificateToRecipient", answer)
        self.note(answer.text or "")
        time.sleep(QUIET_SECONDS)
        if self.stage.real.connections:
            raise StoryError(f"{self.stage.real.connections} connections to the real authority")
        self.line(ADAPTER, REAL, "nothing", "0 connections")

    def _check_messages(self) -> None:
        for mock in (self.stage.forsakringskassan.mock, self.stage.journalsystem.mock):
            for entry in mock.journal.entries():
                for data in (entry.request, entry.reply):
                    self._check_message(mock.settings.name, entry, data)
        self.note(f"{self.messages} messages in and out of the mocks are valid")

    # --- what happened ----------------------------------------------------------------------------

    def _sample(self, parent: Parent | None = None, text: str | None = None) -> Intyg:
        return self.ehr.sign(unsigned(self.stage, str(uuid.uuid4()), parent, text))

    def _passed_on(self, meddelande_id: str) -> None:
        self.ehr.await_message(self.first, meddelande_id=meddelande_id, timeout=self.wait_seconds)
        self.line(ADAPTER, EHR, "SendMessageToCare", "OK")

    def _answered(self, meddelande_id: str, *, by: str) -> None:
        answered_by = self.fk.await_answer(meddelande_id, timeout=self.wait_seconds).answered_by
        if answered_by != by:
            raise StoryError(f"{FK} has {answered_by} as the answer, not {by}")
        self.line(ADAPTER, FK, "the answer", "OK")

    def _told(
        self,
        kod: str,
        intyg: HasIntygsId,
        *,
        count: int = 1,
        unanswered: int | None = None,
        amne: str | None = None,
    ) -> None:
        """
        The EHR gets an event.

        Args:
            count: How many of the same code it has then.
            unanswered: Unanswered questions from FK that the last of them counts.
            amne: Subject of the last of them; None: not looked at.
        """
        self.ehr.await_event(kod, intyg, count=count, timeout=self.wait_seconds)
        event = self.ehr.events(intyg, kod)[count - 1]
        counted = event.mottagna_fragor.ej_besvarade
        if unanswered not in (None, counted):
            raise StoryError(f"{kod} counts {counted} unanswered, not {unanswered}")
        if amne not in (None, event.amne):
            raise StoryError(f"{kod} is about {event.amne}, not {amne}")
        what = f"CertificateStatusUpdateForCare {kod}"
        self.line(ADAPTER, EHR, f"{what} {amne}" if amne else what, "OK")

    def _check_bytes(self, intyg: Intyg) -> None:
        if _intyg_bytes(self.fk.message_with(intyg)) != _intyg_bytes(intyg.body):
            raise StoryError("the certificate's bytes changed on their way")

    def _check_message(self, who: str, entry: Entry, data: bytes) -> None:
        contracts = self.stage.adapter.services.contracts
        envelope = etree.fromstring(data)
        element = envelope.find(f"{{{SOAP11}}}Body/*")
        contract = next((c for c in contracts.all() if c.key == entry.contract), None)
        if contract is None or element is None:
            raise StoryError(f"call {entry.number} of {who} belongs to no contract")
        findings = contracts.check(contract, element)
        if findings:
            raise StoryError(f"call {entry.number} of {who}: {findings[0].message}")
        self.messages += 1


def _intyg_bytes(message: bytes) -> bytes:
    """The `intyg` element as it stands in a message."""
    start, end = message.index(b"<rc:intyg>"), message.index(b"</rc:intyg>")
    return message[start:end]


def unsigned(
    stage: Stage, intygs_id: str, parent: Parent | None = None, text: str | None = None
) -> bytes:
    """A RegisterCertificate request with the sample; `text` is that of question 35."""
    signed_at = swedish_now(timedelta(minutes=1))
    signer = stage.staff.personal_id
    return fk7804(intygs_id, PATIENT, signer, signed_at, parent=parent, funktionsnedsattning=text)


def issue(stage: Stage, intygs_id: str, parent: Parent | None = None) -> bytes:
    """The same, signed by the test signer."""
    return Signer(stage.keys).sign(unsigned(stage, intygs_id, parent))


def issue_sample(stage: Stage) -> tuple[str, bytes]:
    """A signed certificate in its envelope, ready to be posted, and its id."""
    intygs_id = str(uuid.uuid4())
    return intygs_id, safe_xml.envelope(issue(stage, intygs_id), "INTYGSADAPTER")
