"""One call to a mock, as the journal keeps it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from intyg.mocks.rules.trace import AnswerState, RuleTrace


class Verdict(StrEnum):
    """What one step of the check of a call came to."""

    OK = "ok"
    FAILED = "failed"  # the call was refused here
    NOTED = "noted"  # something worth knowing that refuses nothing
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True)
class Step:
    """One step of the check of a call, e.g. `xsd`; `detail` holds no person data."""

    name: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True)
class Entry:
    """
    One call.

    A call that a rule holds back is kept before it is answered. What it is answered is told as soon
    as that is decided, which may be long before it goes; `answer` says whether it has gone.

    Attributes:
        number: In order of arrival, from 1, without gaps; never used again,
            not even after the journal was emptied.
        received_at: Aware, UTC.
        duration_seconds: Until the answer began to go, or was not to go any
            more; while `answer` is `not_yet`, until that was last looked at.
        request, reply: Bytes as they arrived and as they were answered.
        answer: Where the answer is.
        request_cut_off: The call was larger than the mock takes, and
            `request` has its beginning only.
        http_status: None when no HTTP is answered: a rule broke the
            connection or leaves it hanging; `reply` then has the bytes that
            went out all the same, if any. None, too, as long as nothing is
            decided.
        contract: `RegisterCertificate:3`; None if the call never said.
        steps: What was checked, in order; the last may be the refusing one.
        result_code: `OK`, `INFO`, `ERROR`; None when a fault or a bare HTTP
            status was answered.
        sender: HSA-id of who called: of its client certificate, or what the
            national platform's header `x-vp-sender-id` says without TLS.
        tls_subject: Subject of the client certificate (RFC 4514).
        typ, version: Of the certificate in the call, else of the one that the
            mock has by its id.
        unit: HSA-id of the care unit.
        amne: Subject of a message.
        handelse: Event code of a status update.
        rules: Every rule that was asked, and why it acted or did not.
    """

    number: int
    received_at: datetime
    duration_seconds: float
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    request: bytes = field(repr=False)
    reply: bytes = field(repr=False)
    http_status: int | None
    contract: str | None = None
    logical_address: str | None = None
    intygs_id: str | None = None
    meddelande_id: str | None = None
    steps: tuple[Step, ...] = ()
    result_code: str | None = None
    error_id: str | None = None
    result_text: str | None = None
    sender: str | None = None
    tls_subject: str | None = field(default=None, repr=False)
    typ: str | None = None
    version: str | None = None
    unit: str | None = None
    amne: str | None = None
    handelse: str | None = None
    rules: tuple[RuleTrace, ...] = ()
    answer: AnswerState = AnswerState.SENT
    request_cut_off: bool = False

    def step(self, name: str) -> Step | None:
        """The step of that name, None if the call did not come so far."""
        return next((step for step in self.steps if step.name == name), None)

    @property
    def size(self) -> int:
        """Bytes of request and reply."""
        return len(self.request) + len(self.reply)

    @property
    def weight(self) -> int:
        """Bytes that the journal counts it as: those, and the headers."""
        return self.size + sum(len(name) + len(value) for name, value in self.headers)
