"""A call on its way through a mock, and what the journal keeps of it."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lxml import etree
from werkzeug.wrappers import Request

from intyg.mocks.journal import (
    AnswerState,
    Entry,
    Journal,
    Step,
    Verdict,
)
from intyg.mocks.rules.effects import Reply
from intyg.mocks.rules.facts import Facts
from intyg.mocks.rules.trace import RuleTrace
from intyg.mocks.wire.envelope import Answer
from intyg.mocks.wire.identity import Identity
from intyg.schemas.codes import ErrorId
from intyg.schemas.contract.contract import Contract
from intyg.schemas.finding import Finding

MAX_FINDINGS_IN_TEXT: Final = 50
"""So many faults are listed in one `resultText`; how many more there are is said."""


class RefusedError(Exception):
    """A handler's no: the call is answered with this and has no effect."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


@dataclass
class Call:
    """
    A call on its way through the steps.

    Attributes:
        data: The request body as it arrived.
        root: Of a call with attachments, the part that the envelope stands in.
        cut_off: It was too large, and `data` is its beginning.
        charset: Encoding that the Content-Type named, if any.
        element: The request element, valid against its XSD once a handler
            sees it.
    """

    number: int
    data: bytes = field(repr=False)
    charset: str | None = None
    root: bytes | None = field(default=None, repr=False)
    cut_off: bool = False
    contract: Contract | None = None
    logical_address: str | None = None
    element: etree._Element | None = field(default=None, repr=False)
    identity: Identity = field(default_factory=Identity)
    intygs_id: str | None = None
    meddelande_id: str | None = None
    typ: str | None = None
    version: str | None = None
    unit: str | None = None
    amne: str | None = None
    handelse: str | None = None
    steps: list[Step] = field(default_factory=list)
    rules: tuple[RuleTrace, ...] = ()

    @property
    def message(self) -> bytes:
        """The envelope, without attachments around it."""
        return self.data if self.root is None else self.root

    def tell(self, facts: Facts) -> None:
        """Keep what rules were told, without the element that it was read from."""
        self.typ, self.version = facts.typ, facts.version
        self.unit, self.amne, self.handelse = facts.unit, facts.amne, facts.handelse

    def note(self, name: str, verdict: Verdict = Verdict.OK, detail: str = "") -> None:
        """Leave a step's verdict in the journal."""
        self.steps.append(Step(name, verdict, detail))

    def refuse(self, name: str, error_id: ErrorId, text: str) -> RefusedError:
        """Leave a failed step, and the error to raise: `raise call.refuse(…)`."""
        self.note(name, Verdict.FAILED, text)
        return RefusedError(Answer.error(error_id, text))

    def text(self, path: str) -> str | None:
        """Text of an element below the request element, by Clark path."""
        assert self.element is not None
        return self.element.findtext(path)


class Record:
    """
    A call on its way into the journal.

    It is there from when it is answered, or from when a rule holds it back, and then once more at
    every change.

    Args:
        arrived: When it began to arrive.
    """

    def __init__(self, journal: Journal, request: Request, call: Call, arrived: datetime) -> None:
        self._journal = journal
        self._request = request
        self._call = call
        self._arrived = arrived
        self._started = time.perf_counter()
        self.held = False

    def hold(self) -> None:
        """Keep it as it is: something holds it back before it is decided what to answer."""
        self._keep(None, AnswerState.NOT_YET)
        self.held = True

    def decide(self, reply: Reply | None, answer: AnswerState) -> None:
        """Keep what it is answered; None: nothing, since the mock stops."""
        self._keep(reply, answer)

    def settle(self, answer: AnswerState) -> None:
        """Keep where its answer is now."""
        self._journal.settle(self._call.number, answer, self._seconds())

    def _keep(self, reply: Reply | None, answer: AnswerState) -> None:
        keep = self._journal.update if self.held else self._journal.add
        keep(entry_of(self._request, self._call, reply, self._arrived, self._seconds(), answer))

    def _seconds(self) -> float:
        return time.perf_counter() - self._started


def entry_of(
    request: Request,
    call: Call,
    reply: Reply | None,
    arrived: datetime,
    duration: float,
    state: AnswerState,
) -> Entry:
    """The call as the journal keeps it."""
    answer = None if reply is None else reply.answer
    return Entry(
        number=call.number,
        received_at=arrived,
        duration_seconds=duration,
        answer=state,
        method=request.method,
        path=request.path,
        headers=tuple(request.headers.items()),
        request=call.data,
        request_cut_off=call.cut_off,
        reply=b"" if reply is None else reply.body,
        http_status=None if reply is None else reply.status,
        contract=None if call.contract is None else call.contract.key,
        logical_address=call.logical_address,
        intygs_id=call.intygs_id,
        meddelande_id=call.meddelande_id,
        steps=tuple(call.steps),
        result_code=None if answer is None else answer.code.value,
        error_id=None if answer is None or not answer.error_id else answer.error_id,
        result_text=None if answer is None else answer.text,
        sender=call.identity.sender,
        tls_subject=call.identity.tls_subject,
        typ=call.typ,
        version=call.version,
        unit=call.unit,
        amne=call.amne,
        handelse=call.handelse,
        rules=call.rules,
    )


def with_findings(text: str, findings: Iterable[Finding]) -> str:
    """A `resultText`: the text, then one line a fault with rule and XPath."""
    lines = [f"{each.rule} {each.xpath}: {each.message}" for each in findings]
    more = len(lines) - MAX_FINDINGS_IN_TEXT
    rest = [f"and {more} more"] if more > 0 else []
    return "\n".join([text, *lines[:MAX_FINDINGS_IN_TEXT], *rest])
