"""
How an effect is carried out: what is answered, and how it leaves.

Some of it no framework would send. For that the connection itself is needed, which werkzeug puts
into the environment as `werkzeug.socket`, in pytest-httpserver and in `serving` alike.
"""

import contextlib
import os
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Final, Never
from wsgiref.types import WSGIEnvironment

from werkzeug.wrappers import Response

from intyg.mocks.rules.answers import (
    DripDelay,
    Effect,
    Empty,
    Error,
    Fault,
    FixedDelay,
    Garbage,
    HalfBody,
    Hang,
    Http,
    Info,
    Invalid,
    Normal,
    Ok,
    PassThrough,
    Reset,
    Shape,
    TlsFailure,
    Vp,
    When,
    WrongType,
)
from intyg.mocks.rules.presets import write_preset
from intyg.mocks.rules.trace import AnswerState
from intyg.mocks.rules.waits import Ended, Waits
from intyg.mocks.wire import envelope
from intyg.mocks.wire.envelope import Answer, FaultCode
from intyg.schemas.codes import ResultCode
from intyg.schemas.contract.contract import Contract

TLS_ALERT: Final = bytes([0x15, 3, 3, 0, 2, 2, 40])
"""RFC 5246, 7.2: a record of type alert, fatal, handshake_failure."""

_PAGE: Final = (
    "<!DOCTYPE html>\n<html><head><title>{status} {phrase}</title></head>\n"
    "<body><h1>{status} {phrase}</h1></body></html>\n"
)


class Leave(StrEnum):
    """How an answer leaves."""

    WHOLE = "whole"
    HALF = "half"  # then the connection is closed
    RAW = "raw"  # the body's bytes without HTTP around them, then the same
    RESET = "reset"
    TLS_ALERT = "tls_alert"
    NEVER = "never"


@dataclass(frozen=True)
class Reply:
    """
    What a call is answered with.

    Attributes:
        status: HTTP status; None when no HTTP is answered.
        body: What goes out, also where it is not whole HTTP.
        answer: The result in it, if it has one.
        wait_seconds: Before anything goes out.
    """

    status: int | None
    body: bytes = field(repr=False)
    content_type: str = envelope.CONTENT_TYPE
    answer: Answer | None = None
    leave: Leave = Leave.WHOLE
    wait_seconds: float = 0.0
    drip: DripDelay | None = None


@dataclass(frozen=True)
class Scene:
    """
    What an effect may need of the call that it acts on.

    Attributes:
        take: Lets the mock take the call, as it would without the rule.
        pass_on: Lets somebody else answer.
    """

    contract: Contract
    logical_address: str
    take: Callable[[], Reply]
    pass_on: Callable[[PassThrough], Reply]


def answer_reply(contract: Contract, answer: Answer) -> Reply:
    """A result in its envelope."""
    return Reply(200, envelope.write_answer(contract, answer), answer=answer)


def fault_reply(code: FaultCode, text: str, status: int = 500, detail: str | None = None) -> Reply:
    """A SOAP fault."""
    return Reply(status, envelope.write_fault(code, text, detail))


def perform(effect: Effect, scene: Scene) -> Reply:
    """
    What an effect answers; its delay before taking the call is over.

    The mock takes the call here, where the effect says so.
    """
    own = scene.take() if effect.store else answer_reply(scene.contract, Answer.ok())
    reply = _reply(effect, scene, own)
    match effect.delay:
        case FixedDelay(when=When.AFTER, seconds=seconds):
            return replace(reply, wait_seconds=seconds)
        case DripDelay() as drip:
            return replace(reply, drip=drip)
    return reply


def wait_before(effect: Effect) -> float:
    """Seconds before the call is taken; 0 without."""
    delay = effect.delay
    if isinstance(delay, FixedDelay) and delay.when is When.BEFORE:
        return delay.seconds
    return 0.0


def holds_back(effect: Effect) -> bool:
    """Whether it may take its time before it is decided what is answered."""
    return wait_before(effect) > 0 or isinstance(effect, PassThrough)


def _reply(effect: Effect, scene: Scene, own: Reply) -> Reply:
    contract = scene.contract
    match effect:
        case Normal():
            return own
        case Ok():
            return answer_reply(contract, Answer(ResultCode.OK, effect.text or None))
        case Info():
            return answer_reply(contract, Answer.info(effect.text))
        case Error():
            return answer_reply(
                contract, Answer(ResultCode.ERROR, effect.text or None, effect.error_id)
            )
        case Fault():
            return fault_reply(effect.code, effect.text, detail=effect.detail)
        case Vp():
            body = write_preset(effect.code, contract.namespace, scene.logical_address)
            return Reply(500, body)
        case Http():
            return _page(effect)
        case WrongType():
            return replace(own, content_type=effect.content_type)
        case Empty():
            return Reply(200, b"")
        case Invalid():
            return _invalid(effect, contract)
        case Reset():
            return Reply(None, b"", leave=Leave.RESET)
        case HalfBody():
            return replace(own, body=own.body[: len(own.body) // 2], leave=Leave.HALF, answer=None)
        case Garbage():
            return Reply(None, os.urandom(effect.size), leave=Leave.RAW)
        case TlsFailure():
            return Reply(None, TLS_ALERT, leave=Leave.TLS_ALERT)
        case Hang():
            return Reply(None, b"", leave=Leave.NEVER)
        case PassThrough():
            return scene.pass_on(effect)


def _page(effect: Http) -> Reply:
    page = effect.page
    if page is None:
        known = effect.status in HTTPStatus.__members__.values()
        phrase = HTTPStatus(effect.status).phrase if known else "Unknown"
        page = _PAGE.format(status=effect.status, phrase=phrase)
    return Reply(effect.status, page.encode(), effect.content_type)


def _invalid(effect: Invalid, contract: Contract) -> Reply:
    code: str = ResultCode.ERROR
    match effect.shape:
        case Shape.ERROR_ID_FIRST:
            fields = [("errorId", effect.error_id), ("resultText", effect.text)]
        case Shape.NO_ERROR_ID:
            fields = [("resultText", effect.text)] if effect.text else []
        case Shape.UNKNOWN_CODE:
            code, fields = "SUCCESS", []
        case Shape.NO_RESULT:
            return Reply(200, envelope.write_result(contract, ()))
    return Reply(200, envelope.write_result(contract, (("resultCode", code), *fields)))


# --- leaving --------------------------------------------------------------------------------------


def state_at_once(reply: Reply) -> AnswerState:
    """Where a reply is when it has been decided, and before it leaves."""
    if reply.wait_seconds or reply.drip is not None or reply.leave is Leave.NEVER:
        return AnswerState.NOT_YET
    return AnswerState.SENT if reply.leave is Leave.WHOLE else AnswerState.BROKEN


def leave(
    reply: Reply, environ: WSGIEnvironment, waits: Waits, settle: Callable[[AnswerState], None]
) -> Response:
    """
    The reply on its way: what werkzeug sends, or a generator that sends by itself.

    Args:
        settle: Is told what becomes of a reply that does not go at once: before its last bytes go,
            so that a caller that has them all finds it so.
    """
    if state_at_once(reply) is AnswerState.SENT:
        return Response(reply.body, reply.status, content_type=reply.content_type)
    length = len(reply.body) * (2 if reply.leave is Leave.HALF else 1)
    response = Response(
        _pieces(reply, environ.get("werkzeug.socket"), waits, settle),
        reply.status or 200,
        content_type=reply.content_type,
    )
    response.headers["Content-Length"] = str(length)
    return response


def _pieces(
    reply: Reply,
    caller: socket.socket | None,
    waits: Waits,
    settle: Callable[[AnswerState], None],
) -> Iterator[bytes]:
    def wait(seconds: float | None) -> None:
        """To the end, or the connection is closed."""
        ended = waits.wait(seconds, caller)
        if ended is not Ended.TIME:
            settle(_ENDED[ended])
            _drop(caller)

    if reply.wait_seconds:
        wait(reply.wait_seconds)
    if reply.leave is Leave.NEVER:
        wait(None)
    if reply.leave is Leave.WHOLE:
        yield from _drip(reply, wait, settle)
        return
    settle(AnswerState.BROKEN)
    match reply.leave:
        case Leave.HALF:
            yield reply.body
        case Leave.RAW if caller is not None:
            caller.sendall(reply.body)
        case Leave.RESET if caller is not None:
            _reset(caller)
        case Leave.TLS_ALERT if caller is not None:
            _send_past_tls(caller, reply.body)
    _drop(caller)


_ENDED: Final = {Ended.GONE: AnswerState.CALLER_GONE, Ended.STOPPED: AnswerState.STOPPED}


def _drip(
    reply: Reply, wait: Callable[[float], None], settle: Callable[[AnswerState], None]
) -> Iterator[bytes]:
    """The body in pieces, or in one without a drip."""
    pieces = 1 if reply.drip is None else min(reply.drip.pieces, len(reply.body)) or 1
    size = -(-len(reply.body) // pieces)
    for place in range(pieces):
        if place and reply.drip is not None:
            wait(reply.drip.seconds / (pieces - 1))
        if place == pieces - 1:
            settle(AnswerState.SENT)
        try:
            yield reply.body[place * size : (place + 1) * size]
        except GeneratorExit:  # it could not be written
            settle(AnswerState.CALLER_GONE)
            raise


def drop(environ: WSGIEnvironment) -> Response:
    """No answer: the connection is closed."""

    def nothing() -> Iterator[bytes]:
        _drop(environ.get("werkzeug.socket"))
        yield b""

    return Response(nothing())


def _drop(caller: socket.socket | None) -> Never:
    """Close the connection, and tell werkzeug in the words by which it knows a lost one."""
    if caller is not None:
        with contextlib.suppress(OSError):  # it is gone already
            caller.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("a rule ended the connection")


def _reset(caller: socket.socket) -> None:
    """
    Reset the connection while werkzeug still holds it.

    A reset is sent when the last descriptor of a socket that lingers for 0 seconds is closed. Here
    it is closed by putting a dead one in its place, which werkzeug may then close.
    """
    plain = socket.socket.setsockopt  # past TLS
    plain(caller, socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    dead, other = socket.socketpair()
    other.close()
    os.dup2(dead.fileno(), caller.fileno(), inheritable=False)
    dead.close()


def _send_past_tls(caller: socket.socket, data: bytes) -> None:
    """Bytes as they are, also where the connection is encrypted."""
    if isinstance(caller, ssl.SSLSocket):
        with socket.socket(fileno=os.dup(caller.fileno())) as plain:
            plain.sendall(data)
    else:
        caller.sendall(data)
