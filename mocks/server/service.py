"""
The door that every mock stands behind.

A call goes through the same steps everywhere: envelope, logical address, contract, XSD, and then
the persona's own handler, which may run further steps. Each step leaves its verdict in the journal,
and the first that fails decides the answer.

A rule (see `rule_host`) may have it answered otherwise, before or after it was taken.

POST a call to any path that ends with the contract's national path, or to `/`, where the body
element says which contract it is. `?wsdl` on a national path answers the WSDL, `?singleWsdl` one
with every schema inside it. `/control` is the mock's own interface (see `control`), `/mock` the
same for people (see `pages`).
"""

import contextlib
import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, Generic, Self, TypeVar
from wsgiref.types import StartResponse, WSGIEnvironment

from lxml import etree
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from intyg.mocks.clock.timeline import Timeline
from intyg.mocks.control import Operation, ProblemError, interface
from intyg.mocks.control.gate import Control
from intyg.mocks.journal import (
    AnswerState,
    Bounds,
    Filter,
    Journal,
    Verdict,
)
from intyg.mocks.journal.late import LateStore
from intyg.mocks.journal.store import FileStore
from intyg.mocks.pages.address import is_page
from intyg.mocks.pages.gate import Pages
from intyg.mocks.rules import effects, trouble
from intyg.mocks.rules.effects import Reply
from intyg.mocks.rules.facts import intygs_id_of
from intyg.mocks.rules.waits import is_gone
from intyg.mocks.runs import RunError, Runs, run_of
from intyg.mocks.server.call import (
    Call,
    Record,
    RefusedError,
    with_findings,
)
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.rule_host import RuleHost, StoppedError
from intyg.mocks.settings import MockSettings
from intyg.mocks.wire import envelope
from intyg.mocks.wire.envelope import Answer, FaultCode, FaultError
from intyg.mocks.wire.identity import identify
from intyg.mocks.wire.multipart import content_of, is_related, root_of
from intyg.schemas.codes import ErrorId
from intyg.schemas.contract.contract import Contract

_log = logging.getLogger(__name__)

_NO_RUN: Final = "intyg.no_run"
"""Key of the WSGI environment under which the fault stands of a call that has no run."""

_PART_BYTES: Final = 64 * 1024
"""
A call is read in such pieces, so that what came is kept also of one that ended too early.

Of one that is too large the first is kept: enough to tell whose it is, and little enough that it
pushes nothing out of the journal.
"""

_GLIMPSE_SECONDS: Final = 1.0
"""So long the beginning of a call is waited for that is refused for its size anyway."""


P_co = TypeVar("P_co", bound=Persona, covariant=True)


class MockService(Generic[P_co]):
    """
    A mock: a persona behind a door. Callable as a WSGI application.

    Args:
        persona: Who it is; has handlers for the contracts that it takes.

    Attributes:
        place: What its parts have in common.
        rules: The behaviour rules.
        fellows: The mocks that were started together, this one among them.
    """

    def __init__(self, persona: P_co) -> None:
        self.persona = persona
        self.place: Final = persona.place
        self.rules: Final = RuleHost(self.place, persona)
        self.journal: Final = _journal(self.settings)
        self.runs: Final = Runs(
            self._make_run,
            self.timeline,
            self.settings.max_runs,
            self.settings.run_idle_seconds,
        )
        self.control = Control(self.name, lambda: self.operations)
        self.pages = Pages()
        self.fellows: tuple[MockService[Persona], ...] = (self,)

    @property
    def settings(self) -> MockSettings:
        """What it was told."""
        return self.place.settings

    @property
    def timeline(self) -> Timeline:
        """Its time, and what is to happen when."""
        return self.place.timeline

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The control interface."""
        return (*interface.operations(), *self.persona.operations)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.settings.name

    @property
    def token(self) -> str | None:
        """What the control interface wants as Bearer; None: nothing."""
        return self.settings.control_token

    def describe(self) -> dict[str, Any]:
        """Who this is and what it takes, as JSON."""
        return {
            "name": self.settings.name,
            "logical_address": self.settings.logical_address,
            "part": self.settings.part,
            "contracts": {each.key: each.path for each in self._taken()},
            "adapter_url": self.settings.adapter_url,
            **self.persona.describe(),
        }

    def state(self) -> dict[str, int]:
        """How much there is of what."""
        return {
            "calls": self.journal.count(),
            "dropped": self.journal.dropped.total,
            "rules": len(self.rules.book.all()),
            "runs": len(self.runs.all()),
            **self.persona.counts(),
        }

    def reset(self) -> None:
        """
        Forget everything: state, journal, rules.

        Calls that wait are not answered any more: they would be taken by a mock that is as new.
        """
        with self.place.lock:
            self.persona.clear()
            self.rules.waits.stop()
            self.journal.clear()
            self.rules.book.clear()

    def forget(self, intygs_id: str) -> int:
        """
        Forget what there is about a certificate, as if it had never come.

        Returns:
            How many things that were: calls, certificates, messages, events.
        """
        with self.place.lock:
            kept = self.persona.forget(intygs_id)
            self.rules.book.forget(intygs_id)
            return kept + self.journal.forget(Filter.of([("intygs_id", intygs_id)]))

    def known_intyg(self) -> set[str]:
        """Ids of certificates that it has heard of."""
        called = {each.intygs_id for each in self.journal.heads() if each.intygs_id}
        return called | self.persona.known_intyg()

    def everywhere(self) -> tuple["MockService[Persona]", ...]:
        """It and its fellows; of a run, those that have it."""
        run = self.settings.run
        if run is None:
            return self.fellows
        return tuple(mock for each in self.fellows if (mock := each.runs.find(run)) is not None)

    def wake(self) -> None:
        """End every wait for something to happen: the mock is about to stop."""
        self.persona.stop()
        self.journal.wake()
        self.rules.waits.stop()
        for mock in self.runs.mocks():
            mock.wake()

    def end(self) -> None:
        """Wake and forget everything: the run is over."""
        self.wake()
        self.reset()
        self.journal.close()

    def close(self) -> None:
        """Give back what it holds open."""
        self.runs.end_all()
        self.journal.close()

    def send_to(self, adapter_url: str, adapter_token: str | None = None) -> None:
        """Send its own messages there from now on; see `MockSettings`."""
        self.place.settings = replace(
            self.settings, adapter_url=adapter_url, adapter_token=adapter_token
        )

    def _make_run(self, run_id: str) -> Self:
        settings = replace(self.settings, run=run_id, journal_max_bytes=self.settings.run_max_bytes)
        made = type(self)(self.persona.another(self.place.another(settings)))
        made.control = self.control
        made.fellows = self.fellows
        for rule in reversed(self.rules.book.all()):
            if not rule.id.startswith(interface.ORDERED):
                made.rules.book.add(rule)
        return made

    # --- HTTP -------------------------------------------------------------------------------------

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.respond(Request(environ))(environ, start_response)

    def respond(self, request: Request) -> Response:
        """Answer one HTTP request; the form that pytest-httpserver wants."""
        if is_page(request.path) and self._contract_of_path(request.path) is None:
            return self.pages.respond(request.environ, self)
        if self.settings.run is not None:
            return self._respond(request)
        by_caller = self.settings.run_by_client_certificate
        caller = identify(request.environ) if by_caller else None
        run_id, environ = run_of(request.environ, caller)
        if run_id is None:
            return self._respond(request)
        request = Request(environ)
        if is_control(request.path) and not self.control.admits(environ, self):
            return self._respond(request)  # refuses, or describes; nobody without a token has runs
        try:
            mock = self.runs.get(run_id)
        except RunError as exc:
            return self._no_run(request, exc)
        return mock._respond(request)

    def _no_run(self, request: Request, why: RunError) -> Response:
        """What would belong to a run that cannot be; a call is in the shared journal."""
        if is_control(request.path):
            return self.control.refuse(ProblemError(why.status, f"run: {why.text}"))
        whose = FaultCode.CLIENT if why.status < 500 else FaultCode.SERVER
        request.environ[_NO_RUN] = FaultError(whose, why.text, why.status)
        return self._call(request)

    def _respond(self, request: Request) -> Response:
        if is_control(request.path):
            return self.control.respond(request.environ, self)
        if request.method == "GET":
            return self._describe(request)
        return self._call(request)

    def _describe(self, request: Request) -> Response:
        """WSDL and the XSDs it imports; anything else is told where the door is."""
        contract = self._contract_of_path(request.path)
        asked = {name.lower(): value for name, value in request.args.items()}
        contracts, here = self.place.contracts, request.base_url.rstrip("/")
        if contract is not None and "singlewsdl" in asked:
            wsdl = contracts.wsdl_whole(contract, here)
            return Response(wsdl, content_type=envelope.CONTENT_TYPE)
        if contract is not None and "wsdl" in asked:
            wsdl = contracts.wsdl(contract, here)
            return Response(wsdl, content_type=envelope.CONTENT_TYPE)
        if contract is not None and "xsd" in asked:
            try:
                xsd = contracts.document(contract, asked["xsd"], f"{here}?xsd=")
            except KeyError:
                return Response("No such schema\n", 404, content_type="text/plain")
            return Response(xsd, content_type=envelope.CONTENT_TYPE)
        known = contract is not None or request.path == "/"
        text = f"{self.settings.name} takes POST here or at\n" + "".join(
            f"  {each.path}\n" for each in self._taken()
        )
        text += "and tells at /control/docs what else it can be asked; for people there is /mock\n"
        if known:
            return Response(text, 405, content_type="text/plain", headers={"Allow": "POST"})
        return Response(text, 404, content_type="text/plain")

    def _call(self, request: Request) -> Response:
        """One SOAP call: run the steps, answer, and keep all of it."""
        call = Call(self.journal.number(), b"", request.mimetype_params.get("charset"))
        record = Record(self.journal, request, call, self.timeline())
        reply, state = None, AnswerState.BROKEN
        try:
            reply = self._steps(request, call, record)
            state = _state(reply, request, held=record.held)
        except StoppedError:
            call.note("stopped", Verdict.FAILED, "the mock stopped before it took the call")
            state = AnswerState.STOPPED
        finally:
            record.decide(reply, state)
        if reply is None:
            return effects.drop(request.environ)
        call.element = None  # a thousand answers may wait at once, and it is large
        response = effects.leave(reply, request.environ, self.rules.waits, record.settle)
        if reply.status == 405:
            response.headers["Allow"] = "POST"
        if reply.status == 413:
            response.headers["Connection"] = "close"  # nobody reads the rest
        return response

    def _steps(self, request: Request, call: Call, record: Record) -> Reply:
        try:
            self._read(request, call)
            self._open(request, call)
            contract = call.contract
            assert contract is not None
            effect = self.rules.effect_on(request, call, contract)
            if effect is None:
                return self._take(call, contract)
            if effects.holds_back(effect):
                record.hold()
            return self.rules.perform(
                effect, request, call, contract, lambda: self._take(call, contract)
            )
        except FaultError as fault:
            if not call.steps or call.steps[-1].verdict is not Verdict.FAILED:
                call.note("envelope", Verdict.FAILED, fault.text)
            return effects.fault_reply(fault.code, fault.text, fault.http_status)

    def _take(self, call: Call, contract: Contract) -> Reply:
        return effects.answer_reply(contract, self._answer(call, contract))

    def _read(self, request: Request, call: Call) -> None:
        """The request body, if HTTP lets it through."""
        call.identity = identify(request.environ)
        if _NO_RUN in request.environ:
            raise request.environ[_NO_RUN]
        request.max_content_length = self.settings.max_body_bytes
        read = bytearray()
        try:
            while part := request.stream.read(_PART_BYTES):
                read += part
        except RequestEntityTooLarge:
            call.data = bytes(read[:_PART_BYTES]) or _glimpse(request.environ)
            call.cut_off = True
            raise FaultError(
                FaultCode.CLIENT,
                f"The message is larger than {self.settings.max_body_bytes} bytes",
                413,
            ) from None
        except HTTPException:
            raise FaultError(FaultCode.CLIENT, "The message ended too early", 400) from None
        finally:
            call.data = call.data or bytes(read)
        if request.method != "POST":
            raise FaultError(FaultCode.CLIENT, "SOAP calls are POST", 405)
        if is_related(request.mimetype):
            self._unwrap(request, call)
        elif request.mimetype not in ("text/xml", ""):
            raise FaultError(FaultCode.CLIENT, "The content type of SOAP 1.1 is text/xml", 415)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FaultError(FaultCode.CLIENT, "The message has a Content-Encoding", 415)

    def _unwrap(self, request: Request, call: Call) -> None:
        """A call with attachments: what is read of it is its root part."""
        root = root_of(request.headers["Content-Type"], call.data)
        if root is None:
            raise FaultError(FaultCode.CLIENT, "The multipart message has no root part", 400)
        if root.get_content_type() not in ("text/xml", "application/xop+xml"):
            raise FaultError(FaultCode.CLIENT, "The content type of SOAP 1.1 is text/xml", 415)
        call.root, call.charset = content_of(root), root.get_content_charset()

    def _open(self, request: Request, call: Call) -> None:
        """Envelope, logical address, contract."""
        at_path = self._contract_of_path(request.path)
        if at_path is None and request.path != "/":
            raise FaultError(FaultCode.CLIENT, "No contract has this address", 404)
        message = envelope.read(call.message, call.charset)
        call.note("envelope")
        call.element = message.element
        call.logical_address = message.logical_address
        # A first look, for the journal; the XSD has not been asked yet.
        call.intygs_id = intygs_id_of(message.element)
        namespace = etree.QName(message.element).namespace
        call.meddelande_id = message.element.findtext(f"{{{namespace}}}meddelande-id")
        call.contract = self._contract_of_element(message.element, call, at_path)
        self._check_address(call)

    def _contract_of_element(
        self, element: etree._Element, call: Call, at_path: Contract | None
    ) -> Contract:
        contract = self.place.contracts.by_request(str(element.tag))
        if contract is None or contract.key not in self.persona.handlers:
            text = f"{self.settings.name} does not take {etree.QName(element).localname}"
        elif at_path is not None and contract != at_path:
            text = f"This is the address of {at_path.key}, not of {contract.key}"
        else:
            call.note("contract", detail=contract.key)
            return contract
        call.note("contract", Verdict.FAILED, text)
        raise FaultError(FaultCode.CLIENT, text)

    def _check_address(self, call: Call) -> None:
        """As the national platform: no header or no route is a fault."""
        if not call.logical_address:
            text = "The header LogicalAddress is missing or empty"
        elif not self.place.takes_address(call.logical_address):
            expected = self.settings.logical_address
            text = f"{self.settings.name} has logical address {expected}"
            meant = trouble.nearest(call.logical_address, self.settings.part)
            if meant is not None:
                text += f"; the nearest that misbehaves is {meant}"
        else:
            call.note("logical_address")
            return
        call.note("logical_address", Verdict.FAILED, text)
        raise FaultError(FaultCode.CLIENT, text)

    def _answer(self, call: Call, contract: Contract) -> Answer:
        """XSD, then the persona's handler."""
        assert call.element is not None
        try:
            if self.settings.checks:
                self._check_schema(call, contract, call.element)
            return self.persona.handlers[contract.key](call)
        except RefusedError as refusal:
            return refusal.answer
        except Exception as exc:  # noqa: BLE001 -- the door: a mock's own defect is an answer too
            _log.error("mock_failed mock=%s exception=%s", self.settings.name, type(exc).__name__)
            call.note("exception", Verdict.FAILED, type(exc).__name__)
            return Answer.error(ErrorId.TECHNICAL_ERROR, "The mock itself failed")

    def _check_schema(self, call: Call, contract: Contract, element: etree._Element) -> None:
        findings = self.place.contracts.check(contract, element)
        if findings:
            text = f"The message breaks the schema of {contract.key}"
            raise call.refuse("xsd", ErrorId.VALIDATION_ERROR, with_findings(text, findings))
        call.note("xsd")

    def _taken(self) -> list[Contract]:
        return [each for each in self.place.contracts.all() if each.key in self.persona.handlers]

    def _contract_of_path(self, path: str) -> Contract | None:
        return next((each for each in self._taken() if path.rstrip("/").endswith(each.path)), None)


def _state(reply: Reply, request: Request, *, held: bool) -> AnswerState:
    """Where an answer is that has just been decided; one that was held back may come too late."""
    state = effects.state_at_once(reply)
    if held and state is AnswerState.SENT and is_gone(request.environ.get("werkzeug.socket")):
        return AnswerState.CALLER_GONE
    return state


def _glimpse(environ: WSGIEnvironment) -> bytes:
    """The beginning of a body that nobody will read to its end."""
    caller = environ.get("werkzeug.socket")
    if caller is not None:
        caller.settimeout(_GLIMPSE_SECONDS)
    seen = b""
    with contextlib.suppress(OSError):
        while part := environ["wsgi.input"].read1(_PART_BYTES - len(seen)):
            seen += part
    if caller is not None:
        caller.settimeout(None)
    return seen


def is_control(path: str) -> bool:
    """Whether a path is the control interface's."""
    return path == "/control" or path.startswith("/control/")


def _journal(settings: MockSettings) -> Journal:
    bounds = Bounds(
        settings.journal_max_calls, settings.journal_max_bytes, settings.journal_max_age_seconds
    )
    if settings.journal_file is None:
        return Journal(bounds)
    if settings.run is not None:
        name = f"{settings.part}/{settings.run}"
        return Journal(bounds, LateStore(FileStore(settings.journal_file, name)))
    store = FileStore(settings.journal_file, settings.part)
    store.forget_parts()  # runs end with the mock that they are runs of
    return Journal(bounds, LateStore(store))
