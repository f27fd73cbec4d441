"""A mock as tests speak of it: what it is to answer, what came to it, what it is to say."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from http import HTTPStatus
from typing import Any, Final, Protocol, TypedDict, TypeVar, Unpack

from intyg.mocks.control.journal import Call, Calls
from intyg.mocks.control.operation import nearest
from intyg.mocks.forsakringskassan.interface import Meddelanden, MeddelandeState, SentMessage
from intyg.mocks.journal.filters import Filter, FilterError
from intyg.mocks.journalsystem.persona import Handelser, HandelseState
from intyg.mocks.journalsystem.persona import Meddelanden as MeddelandenToCare
from intyg.mocks.journalsystem.persona import MeddelandeState as MessageToCare
from intyg.mocks.rules.model import Rule, unknown
from intyg.mocks.rules.parse import rule_json
from intyg.mocks.server.authority import AllIntyg, IntygState
from intyg.mocks.settings import MockSettings
from intyg.mocks.testing.clock import TestClock
from intyg.mocks.testing.ehr import Ehr, Issuer
from intyg.mocks.testing.expectation import (
    PATIENCE_SECONDS,
    Expectation,
    ExpectationError,
    call_words,
    wait_for,
)
from intyg.mocks.testing.link import ControlError, Link
from intyg.mocks.testing.sentences import HasIntygsId, NotAcceptedError, SentenceError
from intyg.mocks.wire.ids import same_id
from intyg.schemas.codes import Amne, Handelse

_T = TypeVar("_T")

WAIT_SECONDS: Final = 5.0
"""How long what an adapter does by itself is waited for."""


class HasMeddelandeId(Protocol):
    """Anything that is a message."""

    @property
    def meddelande_id(self) -> str:
        """Its id."""


class Match(TypedDict, total=False):
    """What calls are like that an expectation is about; texts may have `*` for any characters."""

    intyg: str | HasIntygsId
    typ: str | Sequence[str]
    version: str | Sequence[str]
    person: str | Sequence[str]
    unit: str | Sequence[str]
    amne: str | Sequence[str]
    handelse: str | Sequence[str]
    sender: str | Sequence[str]
    logical_address: str | Sequence[str]
    headers: Mapping[str, str]
    xpath: str | Sequence[str]


class Mock:
    """
    One mock.

    Args:
        name: As the fixture is called.
        settings: What it is unless told otherwise.
        link: How it is spoken to.

    Attributes:
        part: Its code in `types:Part`.
        clock: Moves time, for all mocks of a test and their adapter.
    """

    def __init__(self, name: str, settings: MockSettings, link: Link) -> None:
        self.name = name
        self.part = settings.part
        self.logical_address = settings.logical_address
        self.link = link
        self.clock = TestClock(link)
        self._first = link.newest_call() + 1
        self._expectations: list[Expectation] = []
        self._rules: set[str] = set()

    @property
    def url(self) -> str:
        """Where it is called; national paths are appended to it."""
        return self.link.url

    def expect(self, contract: str, **match: Unpack[Match]) -> Expectation:
        """
        Calls that should come. How they are answered, and how often they come, is said after it.

        It is checked when the test ends, or by its `verify`.

        Raises:
            RuleError: A word is none; says which is nearest.
            ControlError: The mock does not take the contract.
        """
        __tracebackhide__ = True
        values: dict[str, Any] = {"contract": contract, **match}
        if "intyg" in values:
            values["intygs_id"] = id_of(values.pop("intyg"))
        made = Expectation(self, values, len(self._expectations) + 1)
        self._expectations.append(made)
        return made

    def calls(self, where: str = "", **fields: str) -> tuple[Call, ...]:
        """
        What came since the test began, in order of arrival, also what was refused.

        Args:
            where: In the journal's language: `RegisterCertificate&result_code!=OK`.
            fields: The same as keywords.

        Raises:
            SentenceError: There is no such field; says which is nearest.
        """
        query = [("number>", str(self._first)), ("limit", "1000"), *_pairs(where, fields)]
        found: list[Call] = []
        after = 0
        while True:
            told = self.link.ask("GET", "/journal", [*query, ("after", str(after))])
            page = Calls.model_validate(told)
            found += page.calls
            if page.next is None:
                return tuple(found)
            after = page.next

    def await_calls(
        self, where: str = "", *, count: int = 1, timeout: float = WAIT_SECONDS, **fields: str
    ) -> tuple[Call, ...]:
        """
        Wait until so many calls have come.

        Raises:
            ExpectationError: They did not; says which came.
        """
        __tracebackhide__ = True
        wait_for(lambda: len(self.calls(where, **fields)) >= count, timeout)
        found = self.calls(where, **fields)
        if len(found) < count:
            wanted = " ".join([where, *(f"{name}={value}" for name, value in fields.items())])
            raise ExpectationError(
                f"{self.name}: {len(found)} of {count} calls came within {timeout:g} s: "
                f"{wanted.strip() or 'any'}\n{self.came()}"
            )
        return found

    def request(self, call: Call) -> bytes:
        """A call's bytes as they arrived."""
        return self.link.fetch(f"/journal/{call.number}/request")

    def reply(self, call: Call) -> bytes:
        """The bytes of its answer as they went."""
        return self.link.fetch(f"/journal/{call.number}/reply")

    def verify(self, timeout: float = PATIENCE_SECONDS) -> None:
        """
        See that everything expected so far came; what is missing is waited for.

        Raises:
            ExpectationError: Lists all that did not.
        """
        __tracebackhide__ = True
        missing = self.missing(timeout)
        if missing:
            raise ExpectationError("\n\n".join(missing))

    def missing(self, timeout: float = PATIENCE_SECONDS) -> list[str]:
        """The same as texts, of which there is none if everything came."""
        return list(_faults(self._expectations, timeout))

    def came(self) -> str:
        """What came since the test began, a line a call, for people."""
        lines = [f"  {call_words(call)}" for call in self.calls()]
        return "\n".join(lines) or "  no call came at all"

    def put_rule(self, rule: Rule) -> None:
        """Any rule; it goes when the test ends."""
        __tracebackhide__ = True
        self.link.ask("PUT", f"/rules/{rule.id}", body=rule_json(rule))
        self._rules.add(rule.id)

    def forget_expectations(self) -> None:
        """Expect nothing any more; how calls are answered stays."""
        self._expectations.clear()

    def forget_rules(self) -> None:
        """Take back what the test told it to do."""
        for rule_id in self._rules:
            try:
                self.link.ask("DELETE", f"/rules/{rule_id}")
            except ControlError as exc:
                if exc.status not in (
                    0,
                    HTTPStatus.NOT_FOUND,
                ):  # somebody has reset it, or stopped it
                    raise
        self._rules.clear()


class Authority(Mock):
    """An authority: what it has."""

    def intyg(self, intyg: str | HasIntygsId) -> IntygState:
        """
        A certificate that it has.

        Raises:
            ControlError: It has none of that id; says which is nearest.
        """
        return IntygState.model_validate(self.link.ask("GET", f"/intyg/{id_of(intyg)}"))

    def all_intyg(self) -> tuple[IntygState, ...]:
        """Every certificate that it has, in order of arrival."""
        return AllIntyg.model_validate(self.link.ask("GET", "/intyg")).intyg

    def await_intyg(self, intyg: str | HasIntygsId, *, timeout: float = WAIT_SECONDS) -> IntygState:
        """
        Wait until it has a certificate.

        Raises:
            ExpectationError: It did not get it; says what came.
        """
        __tracebackhide__ = True
        wait_for(lambda: self._has(intyg), timeout)
        found = self._has(intyg)
        if found is None:
            raise ExpectationError(
                f"{self.name} did not get {id_of(intyg)} within {timeout:g} s\n{self.came()}"
            )
        return found

    def await_revoked(
        self, intyg: str | HasIntygsId, *, timeout: float = WAIT_SECONDS
    ) -> IntygState:
        """
        Wait until it has been told that a certificate is revoked.

        Raises:
            ExpectationError: It was not, or has no such certificate; says what came.
        """
        __tracebackhide__ = True
        wait_for(lambda: (has := self._has(intyg)) and has.revoked_at, timeout)
        found = self._has(intyg)
        if found is None or found.revoked_at is None:
            raise ExpectationError(
                f"{self.name} was not told within {timeout:g} s that {id_of(intyg)} is revoked\n"
                f"{self.came()}"
            )
        return found

    def message_with(self, intyg: str | HasIntygsId) -> bytes:
        """
        The bytes of the call that brought a certificate, as they arrived.

        Raises:
            ControlError: It has none of that id.
        """
        return self.link.fetch(f"/journal/{self.intyg(intyg).call}/request")

    def _has(self, intyg: str | HasIntygsId) -> IntygState | None:
        try:
            return self.intyg(intyg)
        except ControlError as exc:
            if exc.status != HTTPStatus.NOT_FOUND:
                raise
            return None


class Forsakringskassan(Authority):
    """Försäkringskassan: what it says, too. Its messages are real calls to the adapter."""

    def ask(
        self,
        amne: str,
        intyg: str | HasIntygsId,
        *,
        text: str = "Påhittad fråga",
        frage: str | Sequence[str] | Mapping[str, str] = (),
        sista_datum: date | None = None,
        timeout: float = WAIT_SECONDS,
        check: bool = True,
        **more: Any,
    ) -> SentMessage:
        """
        Ask about a certificate, once it has come.

        Args:
            amne: `KOMPLT`, `AVSTMN`, `KONTKT`, `OVRIGT`.
            frage: For KOMPLT: the number of the question to complete, several, or a mapping from
                number to what is wanted there instead of `text`.
            timeout: Seconds to wait for the certificate.
            check: That it must be answered OK or INFO; False: look at the answer yourself.
            more: Fields of `POST /control/ask`: `rubrik`, `referens_id`, `overrides`.

        Returns:
            What the adapter answered; its `meddelande_id` is what care answers.

        Raises:
            SentenceError: There is no such `amne`; `frage` without KOMPLT, or KOMPLT without.
            NotAcceptedError: The answer is ERROR, a fault, or did not come.
        """
        __tracebackhide__ = True
        if amne not in tuple(Amne):
            raise SentenceError(f"amne: {unknown(amne, Amne)}")
        self.await_intyg(intyg, timeout=timeout)
        rows = _rows(frage, text)
        if (amne == Amne.KOMPLT) is not bool(rows):
            raise SentenceError("frage: goes with KOMPLT, and only with it")
        fields: dict[str, Any] = {"intygs_id": id_of(intyg), "amne": amne, "text": text, **more}
        if rows:
            fields["komplettering"] = rows
        if sista_datum is not None:
            fields["sista_datum_for_svar"] = sista_datum.isoformat()
        return self._say("/ask", fields, check)

    def answer(
        self, message: str | HasMeddelandeId, text: str, *, check: bool = True, **more: Any
    ) -> SentMessage:
        """Answer a question from care; raises NotAcceptedError as `ask`."""
        __tracebackhide__ = True
        fields = {"meddelande_id": _message_id(message), "text": text, **more}
        return self._say("/answer", fields, check)

    def remind(
        self, message: str | HasMeddelandeId, *, check: bool = True, **more: Any
    ) -> SentMessage:
        """
        Remind care of a message; raises NotAcceptedError as `ask`.

        Args:
            more: `text`, `sista_datum_for_svar`, `overrides`.
        """
        __tracebackhide__ = True
        return self._say("/remind", {"meddelande_id": _message_id(message), **more}, check)

    def messages(self, intyg: str | HasIntygsId | None = None) -> tuple[MeddelandeState, ...]:
        """The messages that it knows, both ways, about one certificate or all."""
        told = self.link.ask("GET", "/meddelanden", _of(intyg))
        return Meddelanden.model_validate(told).meddelanden

    def await_message(
        self, intyg: str | HasIntygsId, *, timeout: float = WAIT_SECONDS, **fields: object
    ) -> MeddelandeState:
        """
        Wait for a message about a certificate that has these fields, e.g. `svar_pa=…`.

        Raises:
            ExpectationError: None came; says which it knows.
        """
        __tracebackhide__ = True
        found = _await(lambda: self.messages(intyg), fields, timeout)
        if not found:
            known = ", ".join(f"{each.direction} {each.amne}" for each in self.messages(intyg))
            raise ExpectationError(
                f"{self.name} knows no message with {_words(fields)}; it knows {known or 'none'}"
            )
        return found[-1]

    def await_answer(
        self, message: str | HasMeddelandeId, *, timeout: float = WAIT_SECONDS
    ) -> MeddelandeState:
        """
        Wait until a question of its own is answered, by a message or a certificate.

        Returns:
            The question; its `answered_by` is the id of what answers it.

        Raises:
            ExpectationError: It is not.
        """
        __tracebackhide__ = True
        meddelande_id = _message_id(message)

        def answered() -> MeddelandeState | None:
            known = (each for each in self.messages() if same_id(each.meddelande_id, meddelande_id))
            return next((each for each in known if each.answered_by), None)

        wait_for(answered, timeout)
        found = answered()
        if found is None:
            raise ExpectationError(
                f"{self.name} has no answer to {meddelande_id} within {timeout:g} s\n{self.came()}"
            )
        return found

    def _say(self, path: str, fields: Mapping[str, Any], check: bool) -> SentMessage:
        __tracebackhide__ = True
        sent = SentMessage.model_validate(self.link.ask("POST", path, body=fields))
        if check and not sent.accepted:
            said = f"{sent.result_code} {sent.error_id}: {sent.result_text}"
            why = said if sent.result_code else sent.fault or sent.failure
            raise NotAcceptedError(f"SendMessageToCare was answered {why}", sent)
        return sent


class Journalsystem(Mock, Ehr):
    """An EHR: what it was told, and what it does itself; see `Ehr`."""

    def __init__(self, name: str, settings: MockSettings, link: Link, issuer: Issuer) -> None:
        Mock.__init__(self, name, settings, link)
        Ehr.__init__(self, issuer, self.clock)

    def events(
        self, intyg: str | HasIntygsId | None = None, kod: str | None = None
    ) -> tuple[HandelseState, ...]:
        """The events that it was told since the test began, repeats once."""
        told = self.link.ask("GET", "/handelser", [*_of(intyg), *([("kod", kod)] if kod else [])])
        every = Handelser.model_validate(told).handelser
        return tuple(each for each in every if each.call >= self._first)

    def await_event(
        self,
        kod: str,
        intyg: str | HasIntygsId | None = None,
        *,
        count: int = 1,
        timeout: float = WAIT_SECONDS,
    ) -> HandelseState:
        """
        Wait to be told an event.

        Args:
            kod: `SKICKA`, `NYFRFM`, …
            count: Until it has been told so many of them.

        Returns:
            The newest of them.

        Raises:
            SentenceError: There is no such event.
            ExpectationError: It was not told; says what it was.
        """
        __tracebackhide__ = True
        if kod not in tuple(Handelse):
            raise SentenceError(f"kod: {unknown(kod, Handelse)}")
        wait_for(lambda: len(self.events(intyg, kod)) >= count, timeout)
        found = self.events(intyg, kod)
        if len(found) < count:
            told = ", ".join(each.kod for each in self.events(intyg)) or "nothing"
            raise ExpectationError(
                f"{self.name} was told {kod} {len(found)} of {count} times within {timeout:g} s; "
                f"what it was told: {told}"
            )
        return found[-1]

    def messages(self, intyg: str | HasIntygsId | None = None) -> tuple[MessageToCare, ...]:
        """The messages that were passed on to it since the test began."""
        told = self.link.ask("GET", "/meddelanden", _of(intyg))
        every = MeddelandenToCare.model_validate(told).meddelanden
        return tuple(each for each in every if each.call >= self._first)

    def await_message(
        self, intyg: str | HasIntygsId, *, timeout: float = WAIT_SECONDS, **fields: object
    ) -> MessageToCare:
        """
        Wait for a message about a certificate that has these fields, e.g. `amne="PAMINN"`.

        Raises:
            ExpectationError: None came; says which did.
        """
        __tracebackhide__ = True
        found = _await(lambda: self.messages(intyg), fields, timeout)
        if not found:
            came = ", ".join(each.amne for each in self.messages(intyg)) or "none"
            raise ExpectationError(f"no message with {_words(fields)} came; what came: {came}")
        return found[-1]


def id_of(intyg: str | HasIntygsId) -> str:
    """Of a certificate, or of what is about one."""
    return intyg if isinstance(intyg, str) else intyg.intygs_id


def _message_id(message: str | HasMeddelandeId) -> str:
    return message if isinstance(message, str) else message.meddelande_id


def _of(intyg: str | HasIntygsId | None) -> list[tuple[str, str]]:
    return [] if intyg is None else [("intygs_id", id_of(intyg))]


def _pairs(where: str, fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A filter as the query of a URL has it."""
    try:
        criteria = (*Filter.parse(where).criteria, *Filter.of(fields.items()).criteria)
    except FilterError as exc:
        near = f"; {nearest(exc.field, exc.known)}" if exc.known else ""
        raise SentenceError(f"{exc}{near}") from None
    for each in criteria:
        for value in each.values:
            yield f"{each.field}{each.operator.removesuffix('=')}", value


def _faults(expectations: Iterable[Expectation], timeout: float) -> Iterator[str]:
    for each in expectations:
        try:
            each.verify(timeout)
        except ExpectationError as exc:
            yield str(exc)


def _await(
    look: Callable[[], tuple[_T, ...]], fields: Mapping[str, object], timeout: float
) -> tuple[_T, ...]:
    """What has all the fields, once there is any."""

    def fitting() -> tuple[_T, ...]:
        return tuple(
            each
            for each in look()
            if all(getattr(each, name) == value for name, value in fields.items())
        )

    wait_for(fitting, timeout)
    return fitting()


def _words(fields: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items()) or "anything in it"


def _rows(frage: str | Sequence[str] | Mapping[str, str], text: str) -> list[dict[str, str]]:
    if isinstance(frage, str):
        frage = [frage]
    texts = frage if isinstance(frage, Mapping) else dict.fromkeys(frage, text)
    return [{"frage_id": number, "text": wanted} for number, wanted in texts.items()]
