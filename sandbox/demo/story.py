"""The round trip itself: who tells whom what, each step checked where it should have an effect."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import requests
from lxml import etree
from rich.console import Console

from intyg.adapter import signature
from intyg.adapter.cli.options import swedish_now
from intyg.adapter.formats import safe_xml
from intyg.mocks.journal import Entry
from intyg.mocks.journalsystem.sample import Parent, fk7804
from intyg.mocks.wire.signature import SignatureOutcome
from intyg.sandbox.demo.narrator import (
    ADAPTER,
    EHR,
    FK,
    REAL,
    WAIT_SECONDS,
    Narrator,
    StoryError,
    result_of,
)
from intyg.sandbox.demo.stage import PATIENT, Stage
from intyg.schemas.codes import Amne, TypAvRelation
from intyg.schemas.ns import SOAP11


@dataclass
class Story(Narrator):
    """
    Plays the round trip and prints it.

    Attributes:
        stage: What it plays on.
        console: Where it is told.
        wait_seconds: How long an effect may take to show.
        messages: How many were checked against their contracts at the end.
    """

    stage: Stage
    console: Console
    wait_seconds: float = WAIT_SECONDS
    messages: int = 0
    first: str = field(default_factory=lambda: str(uuid.uuid4()))
    second: str = field(default_factory=lambda: str(uuid.uuid4()))
    third: str = field(default_factory=lambda: str(uuid.uuid4()))
    _question: str = ""
    _komplt: str = ""
    last_step: int = 0
    _sent: bytes = b""
    _started: float = field(default_factory=time.monotonic)

    def play(self) -> None:
        """
        Run every step.

        Raises:
            StoryError: The first step that did not do what it should.
        """
        steps: list[tuple[str, Callable[[], None]]] = [
            ("The EHR registers a signed FK7804", self._register),
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
        self.steps(steps)

    # --- steps ------------------------------------------------------------------------------------

    def _register(self) -> None:
        self._sent = self._issue(self.first)
        self.tell(EHR, ADAPTER, "RegisterCertificate", self.stage.ehr.register(self._sent))
        self._told("SIGNAT", self.first)

    def _send(self) -> None:
        answer = self.stage.ehr.send(self.first, PATIENT, "FKASSA", swedish_now())
        self.tell(EHR, ADAPTER, "SendCertificateToRecipient", answer)
        held = self.eventually(
            lambda: self._held_by_fk(self.first), f"{FK} did not get the certificate"
        )
        self.line(ADAPTER, FK, "RegisterCertificate", "OK")
        if _intyg_bytes(held) != _intyg_bytes(self._sent):
            raise StoryError("the certificate's bytes changed on their way")
        self.note("byte for byte what the EHR signed")
        outcome = self.stage.fk.intyg(self.first).signature
        if outcome is not SignatureOutcome.VALID:
            raise StoryError(f"xmlsec found the signature {outcome}")
        self.note("signature verified by xmlsec, an engine the adapter does not use")
        self._told("SKICKA", self.first)

    def _ask_and_answer(self) -> None:
        self._question = self._fk_says(
            "OVRIGT", "ask", intygs_id=self.first, amne="OVRIGT", text="Arbetar patienten kvällar?"
        )
        self._ehr_has_message(self._question)
        self._told("NYFRFM", self.first, unanswered=1)
        answer = self.stage.ehr.message(
            str(uuid.uuid4()),
            self.first,
            PATIENT,
            "FKASSA",
            Amne.OVRIGT,
            "Nej, bara dagtid.",
            swedish_now(),
            svar_pa=self._question,
        )
        self.tell(EHR, ADAPTER, "SendMessageToRecipient (answer)", answer)
        self._fk_has_answer_to(self._question)
        self._told("HANFRFM", self.first, unanswered=0)

    def _ask_for_completion(self) -> None:
        rows = [{"frage_id": "35", "text": "Beskriv hur långt patienten kan gå."}]
        self._komplt = self._fk_says(
            "KOMPLT on question 35", "ask-komplt", intygs_id=self.first, komplettering=rows
        )
        self._ehr_has_message(self._komplt)
        self._told("NYFRFM", self.first, count=2, unanswered=1, amne=Amne.KOMPLT)

    def _remind(self) -> None:
        reminder = self._fk_says("reminder", "remind", meddelande_id=self._komplt)
        self._ehr_has_message(reminder)
        self._told("NYFRFM", self.first, count=3, unanswered=1, amne=Amne.PAMINN)

    def _complete(self) -> None:
        parent = Parent(TypAvRelation.KOMPLT, self.first, svar_pa=self._komplt)
        text = "Kan gå två hundra meter, därefter tvingar smärtan till vila"
        body = self._issue(self.second, parent, text)
        answer = self.stage.ehr.register(body)
        self.tell(EHR, ADAPTER, "RegisterCertificate (KOMPLT)", answer)
        held = self.eventually(
            lambda: self._held_by_fk(self.second), f"{FK} did not get the completed certificate"
        )
        self.line(ADAPTER, FK, "RegisterCertificate (KOMPLT)", "OK")
        if _intyg_bytes(held) != _intyg_bytes(body):
            raise StoryError("the completed certificate's bytes changed on their way")
        self._fk_has_answer_to(self._komplt)
        self._told("SIGNAT", self.second)
        self._told("SKICKA", self.second)
        self._told("HANFRFM", self.first, count=2, unanswered=0)

    def _care_asks(self) -> None:
        question = str(uuid.uuid4())
        answer = self.stage.ehr.message(
            question,
            self.second,
            PATIENT,
            "FKASSA",
            Amne.KONTKT,
            "Kan ni ringa oss?",
            swedish_now(),
        )
        self.tell(EHR, ADAPTER, "SendMessageToRecipient (KONTKT)", answer)
        self._told("NYFRFV", self.second)
        self.eventually(lambda: _knows(self, question), f"{FK} did not get the question")
        self.line(ADAPTER, FK, "SendMessageToRecipient", "OK")
        self._fk_says("answer", "answer", meddelande_id=question, text="Vi ringer i morgon.")
        self._told("NYSVFM", self.second)
        url = f"{self.stage.adapter.url}/api/meddelanden/{question}/hanterad"
        response = requests.post(url, timeout=self.wait_seconds)
        if not response.ok:
            raise StoryError(f"marking the question handled answered HTTP {response.status_code}")
        self.line(EHR, ADAPTER, "POST …/hanterad", str(response.status_code))
        self._told("HANFRFV", self.second)

    def _revoke(self) -> None:
        answer = self.stage.ehr.revoke(self.second, PATIENT, swedish_now(), "Fel patient")
        self.tell(EHR, ADAPTER, "RevokeCertificate", answer)
        self.eventually(lambda: self.stage.fk.intyg(self.second).revoked_at, f"{FK} was not told")
        self.line(ADAPTER, FK, "RevokeCertificate", "OK")
        self._told("MAKULE", self.second)
        self._told("NYFRFM", self.first, count=4, unanswered=1)
        self.note("the completion request that it had answered is open again")

    def _cannot_complete(self) -> None:
        rows = [{"frage_id": "17", "text": "Beskriv vad patienten inte kan göra."}]
        newest = self._fk_says(
            "KOMPLT on question 17", "ask-komplt", intygs_id=self.first, komplettering=rows
        )
        self._told("NYFRFM", self.first, count=5, unanswered=2, amne=Amne.KOMPLT)
        answer = self.stage.ehr.message(
            str(uuid.uuid4()),
            self.first,
            PATIENT,
            "FKASSA",
            Amne.KOMPLT,
            "Patienten har flyttat, intyget kan inte kompletteras.",
            swedish_now(),
            svar_pa=newest,
        )
        self.tell(EHR, ADAPTER, "SendMessageToRecipient (KOMPLT)", answer)
        self._fk_has_answer_to(newest)
        self._told("HANFRFM", self.first, count=3, unanswered=1)
        self._told("HANFRFM", self.first, count=4, unanswered=0)

    def _replace(self) -> None:
        body = self._issue(self.third, Parent(TypAvRelation.ERSATT, self.first))
        self.tell(EHR, ADAPTER, "RegisterCertificate (ERSATT)", self.stage.ehr.register(body))
        self._told("SIGNAT", self.third)
        answer = self.stage.ehr.send(self.third, PATIENT, "FKASSA", swedish_now())
        self.tell(EHR, ADAPTER, "SendCertificateToRecipient", answer)
        self._told("SKICKA", self.third)
        refused = self.stage.ehr.send(self.first, PATIENT, "FBA", swedish_now())
        self.line(EHR, ADAPTER, "SendCertificateToRecipient (the old one)", result_of(refused))
        if "INTYG_REPLACED" not in (refused.text or ""):
            raise StoryError(f"the replaced certificate was answered {result_of(refused)}")
        self.note("INTYG_REPLACED: a replaced certificate goes nowhere any more")

    def _blocked(self) -> None:
        answer = self.stage.ehr.send(self.third, PATIENT, "FBA", swedish_now())
        self.line(EHR, ADAPTER, "SendCertificateToRecipient", result_of(answer))
        if (answer.code, answer.error_id) != ("ERROR", "VALIDATION_ERROR"):
            raise StoryError(f"expected ERROR VALIDATION_ERROR, got {result_of(answer)}")
        self.note(answer.text or "")
        time.sleep(1.0)  # longer than a worker waits before it looks for work
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

    def _issue(
        self, intygs_id: str, parent: Parent | None = None, text: str | None = None
    ) -> bytes:
        return issue(self.stage, intygs_id, parent, text)

    def _fk_says(self, what: str, command: str, **fields: object) -> str:
        """Let Försäkringskassan send SendMessageToCare; returns the message's id."""
        url = f"{self.stage.forsakringskassan.url}/control/{command}"
        reply = requests.post(url, json=fields, timeout=self.wait_seconds).json()
        if not reply.get("accepted"):
            raise StoryError(f"SendMessageToCare was answered {reply}")
        self.line(FK, ADAPTER, f"SendMessageToCare ({what})", str(reply["result_code"]))
        return str(reply["meddelande_id"])

    def _ehr_has_message(self, meddelande_id: str) -> None:
        def has() -> bool:
            found = self.stage.journal.meddelanden()
            return any(each.meddelande_id == meddelande_id for each in found)

        self.eventually(has, "the question was not passed on to the EHR")
        self.line(ADAPTER, EHR, "SendMessageToCare", "OK")

    def _fk_has_answer_to(self, meddelande_id: str) -> None:
        self.eventually(
            lambda: self.stage.fk.meddelande(meddelande_id).answered_by,
            f"{FK} has no answer to its question",
        )
        self.line(ADAPTER, FK, "the answer", "OK")

    def _told(
        self,
        kod: str,
        intygs_id: str,
        *,
        count: int = 1,
        unanswered: int | None = None,
        amne: Amne | None = None,
    ) -> None:
        """
        The EHR gets an event.

        Args:
            count: How many of the same code it has then.
            unanswered: Unanswered questions from FK that the last of them counts.
            amne: Subject of the last of them; None: not looked at.
        """
        found = self.stage.journal.wait_handelser(
            count, timeout_seconds=self.wait_seconds, intygs_id=intygs_id, kod=kod
        )
        if len(found) < count:
            came = ", ".join(h.kod for h in self.stage.journal.handelser(intygs_id)) or "nothing"
            raise StoryError(f"the EHR was not told {kod} {count} times; it was told {came}")
        fragor = found[count - 1].mottagna_fragor
        if unanswered is not None and fragor.ej_besvarade != unanswered:
            raise StoryError(f"{kod} counts {fragor.ej_besvarade} unanswered, not {unanswered}")
        if amne is not None and found[count - 1].amne != amne:
            raise StoryError(f"{kod} is about {found[count - 1].amne}, not {amne}")
        what = f"CertificateStatusUpdateForCare {kod}"
        self.line(ADAPTER, EHR, f"{what} {amne}" if amne else what, "OK")

    def _held_by_fk(self, intygs_id: str) -> bytes | None:
        try:
            held = self.stage.fk.intyg(intygs_id)
        except KeyError:
            return None
        entry = self.stage.forsakringskassan.mock.journal.get(held.call)
        return entry.request if entry else None

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


def _knows(story: Story, meddelande_id: str) -> bool:
    return any(each.meddelande_id == meddelande_id for each in story.stage.fk.meddelanden())


def _intyg_bytes(message: bytes) -> bytes:
    """The `intyg` element as it stands in a message."""
    start, end = message.index(b"<rc:intyg>"), message.index(b"</rc:intyg>")
    return message[start:end]


def issue(
    stage: Stage, intygs_id: str, parent: Parent | None = None, text: str | None = None
) -> bytes:
    """A RegisterCertificate request with a certificate signed by the test signer."""
    body = fk7804(
        intygs_id,
        PATIENT,
        stage.staff.personal_id,
        swedish_now(timedelta(minutes=1)),
        parent=parent,
        funktionsnedsattning=text,
    )
    key = signature.load_signing_key(stage.keys.signer.key, stage.keys.signer.cert)
    return signature.sign_document(body, key)


def issue_sample(stage: Stage) -> tuple[str, bytes]:
    """A signed certificate in its envelope, ready to be posted, and its id."""
    intygs_id = str(uuid.uuid4())
    return intygs_id, safe_xml.envelope(issue(stage, intygs_id), "INTYGSADAPTER")
