"""
The callers and the receivers of a trial, in one process that outlives every adapter.

Receivers know messages again by their ids, as the real ones do. What they deal badly with is drawn
from the trial's seed. Callers play one conversation each, one call after the other, and repeat what
was not answered, as an EHR does.
"""

import contextlib
import http.client
import os
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Final

from tools.crash.drafts import Asked, Doctor, ref_of
from tools.crash.messages import Read, answer_in, read, request_of
from tools.crash.plan import Plan
from tools.crash.shared import Shared, moment
from tools.crash.wire import call

TIMEOUT_SECONDS: Final = 0.4
"""How long the adapter waits for an answer."""

GIVE_UP_SECONDS: Final = 100.0
"""A caller that was not answered for so long repeats no more."""

REFUSALS: Final = 12
"""How often a caller repeats what was refused: a certificate may still be on its way."""

ANSWERS: Final = {"answer": "fk-ask", "fk-answer": "ask"}
"""The question that a step answers."""

AUTHORITY, EHR, REAL = "authority", "ehr", "real"


@dataclass(frozen=True)
class Call:
    """
    A step of a conversation.

    Attributes:
        codes: Of all answers, in their order; None stands for none.
        at: When the last answer came, or the caller gave up.
    """

    intygs_id: str
    step: str
    codes: tuple[str | None, ...]
    text: str
    at: float

    @property
    def contract(self) -> str:
        return request_of(self.step, self.intygs_id).contract

    @property
    def answered(self) -> bool:
        """Whether it was answered that it is done."""
        return bool(self.codes) and self.codes[-1] in ("OK", "INFO")


@dataclass(frozen=True)
class Arrival:
    """
    A message that reached a receiver whole.

    Attributes:
        stored: It was kept.
        code: What the receiver answered, whether or not that could be read.
        doubtful: The sender cannot know that it was kept.
    """

    at: float
    place: str
    contract: str
    read: Read
    stored: bool
    code: str
    doubtful: bool


@dataclass
class History:
    """What happened outside the adapter, in its order."""

    calls: list[Call] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)  # contracts of what reached a real address
    asked: list[Asked] = field(default_factory=list)  # about drafts


@dataclass(frozen=True)
class Behaviour:
    """What a receiver does with one message."""

    stored: bool = True
    answer: str = "OK"
    wait_seconds: float = 0.0
    reset: bool = False
    copies: int = 1

    @property
    def doubtful(self) -> bool:
        return self.reset or self.wait_seconds > 0


_LATE: Final = TIMEOUT_SECONDS * 1.5
BEHAVIOURS: Final = {
    "hang": (Behaviour(wait_seconds=_LATE, reset=True),),
    "store-reset": (Behaviour(reset=True),),
    "reset": (Behaviour(stored=False, reset=True),),
    "late": (Behaviour(wait_seconds=_LATE), Behaviour(wait_seconds=TIMEOUT_SECONDS * 0.9)),
    "double": (Behaviour(copies=2),),
    "busy": (Behaviour(stored=False, answer="503"), Behaviour(stored=False, answer="VP009")),
    "park": (Behaviour(stored=False, answer="VP007"),),
    "refuse": (Behaviour(stored=False, answer="VALIDATION_ERROR"),),
}
WELL: Final = Behaviour()
BUSY: Final = Behaviour(stored=False, answer="503")


class Receivers:
    """All of them; each connection has a thread."""

    def __init__(self, plan: Plan, history: History, shared: Shared) -> None:
        self._plan = plan
        self._history = history
        self._shared = shared
        self._lock = threading.Lock()
        self._known: set[tuple[str, str]] = set()
        self._chance = random.Random(plan.seed + 1)
        self.healed = False

    def has(self, intygs_id: str) -> bool:
        """Whether the authority has a certificate."""
        return ("RegisterCertificate", intygs_id) in self._known

    def serve(self, place: str, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(place, connection), daemon=True).start()

    def _talk(self, place: str, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while (request := _request(connection)) is not None:
                contract, body = request
                behaviour, code = self._take(place, contract, body)
                time.sleep(behaviour.wait_seconds)
                if behaviour.reset:
                    linger = struct.pack("ii", 1, 0)  # closing sends RST
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                connection.sendall(_answer(code))

    def _take(self, place: str, contract: str, body: bytes) -> tuple[Behaviour, str]:
        """Keep a message, or not, and note it."""
        with self._lock:
            behaviour = self._behaviour(place)
            found, at, code = read(contract, body), moment(), behaviour.answer
            if place == REAL:
                self._history.leaks.append(contract)
            for copy in range(behaviour.copies):
                answer = self._store(contract, found) if behaviour.stored else code
                code = code if copy else answer  # the sender reads what the first copy was answered
                self._history.arrivals.append(
                    Arrival(
                        at, place, contract, found, behaviour.stored, answer, behaviour.doubtful
                    )
                )
            self._shared.progress += 1
        return behaviour, code

    def _behaviour(self, place: str) -> Behaviour:
        if self.healed:
            return WELL
        if place == AUTHORITY and self._plan.has("reroute"):
            return BUSY
        if self._plan.receiver_faults and self._chance.random() < self._plan.faulty:
            return self._chance.choice(BEHAVIOURS[self._chance.choice(self._plan.receiver_faults)])
        return WELL

    def _store(self, contract: str, found: Read) -> str:
        """What is answered: a message that is there already is known by its id."""
        message = (contract, found.key)
        if message not in self._known:
            self._known.add(message)
            return "OK"
        return "KNOWN_ID" if contract.startswith("SendMessage") else "INFO"


def _request(connection: socket.socket) -> tuple[str, bytes] | None:
    """Contract and body of the next request; None: there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(None, 1)[0])
    while len(body) < length:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        body += chunk
    return head.split(b" ", 2)[1].rpartition(b"/")[2].decode(), body


_SOAP: Final = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
_RESULT: Final = '<r:result xmlns:r="urn:x"><r:resultCode>{}</r:resultCode>{}</r:result>'
_ERROR: Final = "<r:errorId>VALIDATION_ERROR</r:errorId><r:resultText>{}</r:resultText>"
_FAULT: Final = "<s:Fault><faultcode>s:Server</faultcode><faultstring>{}</faultstring></s:Fault>"


def _answer(code: str) -> bytes:
    match code:
        case "OK" | "INFO":
            content, status = _RESULT.format(code, ""), 200
        case "KNOWN_ID":
            error = _ERROR.format("MEDDELANDE_ID_NOT_UNIQUE_ERROR: there is one")
            content, status = _RESULT.format("ERROR", error), 200
        case "VALIDATION_ERROR":
            content, status = _RESULT.format("ERROR", _ERROR.format("no")), 200
        case "503":
            content, status = "", 503
        case _:
            content, status = _FAULT.format(f"{code} no"), 500
    body = _SOAP.format(content).encode() if content else b""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Callers:
    """One thread for each conversation, and one for each draft."""

    def __init__(self, plan: Plan, receivers: Receivers, history: History, shared: Shared) -> None:
        self._plan = plan
        self._receivers = receivers
        self._history = history
        self._shared = shared
        self._lock = threading.Lock()

    def start(self) -> list[threading.Thread]:
        threads = [
            threading.Thread(target=self._play, args=(number, steps), daemon=True)
            for number, steps in enumerate(self._plan.conversations)
        ]
        threads += [
            threading.Thread(target=self._work_with, args=(number, steps), daemon=True)
            for number, steps in enumerate(self._plan.drafts)
        ]
        for thread in threads:
            thread.start()
        return threads

    def _play(self, number: int, steps: tuple[str, ...]) -> None:
        intygs_id = intygs_id_of(self._plan, number)
        chance = random.Random(self._plan.seed * 100 + number)
        done: set[str] = set()
        for step in ("register", *steps):
            if ANSWERS.get(step, "register") not in done and step != "register":
                continue
            if step.startswith("fk-") and not self._wait_for(intygs_id):
                continue
            call = self._call(intygs_id, step, chance)
            done |= {step} if call.answered else set()
            with self._lock:
                self._history.calls.append(call)
            if not call.codes or call.codes[-1] is None:
                return
            time.sleep(chance.choice((0, 0, 0.01, 0.03)))

    def _work_with(self, number: int, steps: tuple[str, ...]) -> None:
        """A draft, and the certificate that may become of it."""
        ref = ref_of(self._plan, number)
        chance = random.Random(ref)

        def send(intygs_id: str) -> None:
            sent = self._call(intygs_id, "send", chance)
            with self._lock:
                self._history.calls.append(sent)

        Doctor(ref, self._shared, chance, self._history.asked.append, send).play(steps)

    def _wait_for(self, intygs_id: str) -> bool:
        """An authority asks about what it has."""
        for _ in range(REFUSALS):
            if self._receivers.has(intygs_id):
                return True
            time.sleep(0.05)
        return False

    def _call(self, intygs_id: str, step: str, chance: random.Random) -> Call:
        codes: list[str | None] = []
        text, refused, until = "", 0, moment() + GIVE_UP_SECONDS
        while moment() < until and refused < REFUSALS:
            code, text = self._ask(intygs_id, step, chance)
            if code is not None or not codes or codes[-1] is not None:
                codes.append(code)
            self._shared.progress += code is not None
            if code in ("OK", "INFO"):
                break
            refused += code == "ERROR"
            time.sleep(0.05 if code else 0.02)
        return Call(intygs_id, step, tuple(codes), text, moment())

    def _ask(self, intygs_id: str, step: str, chance: random.Random) -> tuple[str | None, str]:
        """Code and text of the answer; None without one."""
        ports = self._shared.ports()
        if not ports:
            return None, ""
        try:
            return answer_in(call(chance.choice(ports), request_of(step, intygs_id)))
        except (OSError, http.client.HTTPException):
            return None, ""


def intygs_id_of(plan: Plan, number: int) -> str:
    return f"{plan.seed:08d}-trial-{number}"


def answer_well(listeners: dict[str, socket.socket], shared: Shared) -> int:
    """Fork receivers that do nothing wrong; returns the process."""
    pid = os.fork()
    if pid:
        return pid
    plan = Plan(0, False, 1, (), ())
    receivers = Receivers(plan, History(), shared)
    for place, listener in listeners.items():
        threading.Thread(target=receivers.serve, args=(place, listener), daemon=True).start()
    while True:
        time.sleep(60)


def live(
    plan: Plan, listeners: dict[str, socket.socket], shared: Shared, control: Connection
) -> None:
    """
    Be the world, until told to tell; never returns to whoever forked this process.

    Sends `done` when all conversations have ended. `heal` lets receivers behave. `tell` sends the
    history, and ends.
    """
    history = History()
    receivers = Receivers(plan, history, shared)
    for place, listener in listeners.items():
        threading.Thread(target=receivers.serve, args=(place, listener), daemon=True).start()
    threads = Callers(plan, receivers, history, shared).start()
    threading.Thread(target=_say_done, args=(threads, control), daemon=True).start()
    for word in _words(control):
        if word == "heal":
            receivers.healed = True
            control.send("healed")
        if word == "tell":
            control.send(history)
            return


def _say_done(threads: list[threading.Thread], control: Connection) -> None:
    for thread in threads:
        thread.join()
    control.send("done")


def _words(control: Connection) -> Iterator[object]:
    while True:
        try:
            yield control.recv()
        except EOFError:
            return
