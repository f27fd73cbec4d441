"""The way out of the queue, and the guard in front of it.

No code path leads round the guard. The client sends only a request that has a `Permit`; permits are
made by `Gate.ask` alone, when the guard says SEND, for one message to one address, and each is good
once.
"""

import hashlib
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from intyg.adapter.clients.http_client import (
    BypassError,
    HttpClient,
    HttpRequest,
    Limits,
    NoAnswerError,
)
from intyg.adapter.deliver.answer import read_answer
from intyg.adapter.deliver.decision import Exchange, Transfer
from intyg.adapter.domain.delivery import Delivery
from intyg.adapter.domain.destination import Destination, DestinationRole, receiver_of
from intyg.adapter.domain.hook import HOOK_KEY
from intyg.adapter.domain.person import GuardDecision, PatientVerdict, PersonId
from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.hook_json import names_somebody
from intyg.adapter.formats.persons import persons_in

MAX_ANSWER_BYTES: Final = 1024 * 1024
"""A result or fault has a few kilobytes."""

CONNECT_SECONDS: Final = 10.0
"""Longest time to connect; the national platform gives up after 2."""


class GuardBypassError(BypassError):
    """Our own code tried to send something that the guard was not asked about."""


class AskGuard(Protocol):
    """What the transport needs of a guard."""

    def decision(
        self, person: PersonId, destination: Destination, *, flagged: bool | None = None
    ) -> tuple[GuardDecision, PatientVerdict]:
        """May a message about this person go there?"""


class Permit:
    """The guard's leave to send one message to one address, once. Made by `Gate.ask` alone."""

    def __init__(self, url: str, sha256: str) -> None:
        self.url = url
        self.sha256 = sha256


@dataclass(frozen=True)
class Stopped:
    """
    The guard said no, or could not tell. Nothing was sent.

    Attributes:
        decision: BLOCK or HOLD.
        detail: What the patient is, by which signal, and what stands at the address.
    """

    decision: GuardDecision
    detail: str


class Gate:
    """Asks the guard, and remembers which permits are still good."""

    def __init__(self, guard: AskGuard) -> None:
        self._guard = guard
        self._good: dict[int, Permit] = {}  # by identity: a copy or an imitation is not in it

    def ask(
        self, delivery: Delivery, destination: Destination, url: str, message: bytes
    ) -> Permit | Stopped:
        """
        Ask the guard about one message to one address.

        About whom the message is said to be, and about everybody whose number stands in its bytes:
        what was written down of it is not what arrives. All must allow it. A guard that fails is
        one that cannot tell, and so is a message that cannot be read.
        """
        destination = as_asked(delivery.new.contract.partition(":")[0], destination)
        try:
            decision, verdict = self._decision(delivery, destination, message)
        except Exception as error:  # noqa: BLE001  whatever fails, nothing may be sent
            return Stopped(GuardDecision.HOLD, f"the guard failed: {type(error).__name__}")
        if decision is not GuardDecision.SEND:
            return Stopped(decision, why_stopped(verdict, destination))
        permit = Permit(url, hashlib.sha256(message).hexdigest())
        self._good[id(permit)] = permit
        return permit

    def _decision(
        self, delivery: Delivery, destination: Destination, message: bytes
    ) -> tuple[GuardDecision, PatientVerdict]:
        patient = delivery.new.patient
        decided = self._guard.decision(patient, destination, flagged=delivery.is_test)
        if decided[0] is not GuardDecision.SEND:
            return decided
        if delivery.new.contract == HOOK_KEY:
            return decided if not names_somebody(message) else (GuardDecision.BLOCK, decided[1])
        named = {person.extension: person for person in persons_in(safe_xml.parse_own(message))}
        others = [named[number] for number in sorted(named) if number != patient.extension]
        stops = [
            answer
            for answer in (self._guard.decision(person, destination) for person in others)
            if answer[0] is not GuardDecision.SEND
        ]
        blocks = (answer for answer in stops if answer[0] is GuardDecision.BLOCK)
        return next(blocks, stops[0] if stops else decided)

    def withdraw(self, permit: object) -> None:
        """A permit that was not used is no longer good."""
        self._good.pop(id(permit), None)

    def redeem(self, request: HttpRequest) -> None:
        """
        Use up a request's permit.

        Raises:
            GuardBypassError: It has none, or one for another message or address, or a used one.
        """
        good = self._good.pop(id(request.permit), None)
        if good is None or good is not request.permit:
            raise GuardBypassError("a request without a permit was not sent")
        if good.sha256 != hashlib.sha256(request.body or b"").hexdigest():
            raise GuardBypassError("a request with another message's permit was not sent")
        if good.url != request.url:
            raise GuardBypassError("a request with another address's permit was not sent")


def as_asked(contract: str, destination: Destination) -> Destination:
    """
    As what the guard is asked about a destination, for a contract.

    What an authority is meant to get goes to one, also where the routes call its address an EHR.
    """
    role = receiver_of(contract)
    return destination if role is DestinationRole.CARE else replace(destination, role=role)


def why_stopped(verdict: PatientVerdict, destination: Destination) -> str:
    """What the patient is, by which signal, and what stands at the address."""
    signal = f" ({verdict.signal_and_why})" if verdict.signal else ""
    return f"patient {verdict.kind.value}{signal}, destination {destination.kind.value}"


class GuardedTransport:
    """
    For one thread, with one way out: `post_delivery`.

    Args:
        gate: Asks the guard.
        tls: Who vouches for servers, and what we show them; None: as for anybody.
    """

    def __init__(self, gate: Gate, tls: ssl.SSLContext | None = None) -> None:
        self._gate = gate
        self.client = HttpClient(tls, gate.redeem)

    def post_delivery(
        self,
        delivery: Delivery,
        destination: Destination,
        message: bytes,
        headers: Mapping[str, str],
    ) -> Exchange | Stopped:
        """
        Ask the guard, and post.

        Args:
            delivery: Whose message it is.
            destination: Where it goes.
            message: The ready envelope.
            headers: HTTP headers; Content-Length is added.
        """
        url = destination.url
        permit = self._gate.ask(delivery, destination, url, message)
        if isinstance(permit, Stopped):
            return permit
        request = HttpRequest("POST", url, headers, message, permit)
        try:
            reply = self.client.exchange(request, _limits(destination))
        except NoAnswerError as error:
            transfer = Transfer.NO_ANSWER if error.sent else Transfer.NOT_SENT
            return Exchange(transfer, cause=str(error), tls=error.tls)
        finally:
            self._gate.withdraw(permit)
        answer = read_answer(reply.body, reply.content_type, max_bytes=MAX_ANSWER_BYTES)
        retry_after = reply.headers.get("Retry-After")
        return Exchange(Transfer.ANSWERED, reply.status, answer, retry_after=retry_after)


def longest_attempt_seconds(destination: Destination) -> float:
    """Longest time that an attempt can take, if looking up the host name takes no longer."""
    return CONNECT_SECONDS + _limits(destination).all_seconds


def _limits(destination: Destination) -> Limits:
    connect = min(CONNECT_SECONDS, destination.timeout_seconds)
    answer = destination.timeout_seconds
    return Limits(connect, answer, connect + answer, MAX_ANSWER_BYTES)


HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]{1,128}")
"""What we write into a header of our own: no white space, no line break."""
