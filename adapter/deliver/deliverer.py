"""One attempt, from stored bytes to outcome."""

import ssl
import threading
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from intyg.adapter.clients.people import PeopleDownError
from intyg.adapter.clients.tls import client_context, files_as_they_are
from intyg.adapter.clients.watched_file import FileState
from intyg.adapter.deliver.decision import decide, spread_of
from intyg.adapter.deliver.hook_signature import CLOUD_EVENT, signature_headers
from intyg.adapter.deliver.operation import Operation, read_operation
from intyg.adapter.deliver.patient_names import PatientNames
from intyg.adapter.deliver.transport import (
    HEADER_VALUE,
    AskGuard,
    Gate,
    GuardedTransport,
    Stopped,
    longest_attempt_seconds,
)
from intyg.adapter.domain.clock import Clock
from intyg.adapter.domain.delivery import Delivery, Outcome, OutcomeKind
from intyg.adapter.domain.destination import ClientTls, Destination
from intyg.adapter.domain.hook import HOOK_KEY
from intyg.adapter.domain.person import GuardDecision
from intyg.adapter.formats import safe_xml
from intyg.adapter.settings.settings import DeliverySettings
from intyg.schemas.contract.contract import Contracts


def _version() -> str:
    try:
        return version("intygsadapter")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "0"


USER_AGENT: Final = f"intygsadapter/{_version()}"

_OURS: Final = {
    "Accept-Encoding": "identity",  # nothing that unpacks to more than it looks
    "User-Agent": USER_AGENT,
}


class Deliverer:
    """
    Makes attempts; may be used by several threads at once, each with its own connections.

    Args:
        contracts: For the WSDL of each contract.
        guard: Asked about every message in the last moment before it is sent.
        settings: When to try again.
        clock: Aware UTC.
        names: Fills in what a unit is told of its patient; None: messages go as they are stored.
    """

    def __init__(
        self,
        contracts: Contracts,
        guard: AskGuard,
        settings: DeliverySettings,
        clock: Clock,
        names: PatientNames | None = None,
    ) -> None:
        self._names = names
        self._contracts = contracts
        self._gate = Gate(guard)
        self._settings = settings
        self._clock = clock
        self._contexts: dict[ClientTls, tuple[tuple[FileState, ...], ssl.SSLContext]] = {}
        self._per_thread = threading.local()
        self._lock = threading.Lock()
        self._transports: list[GuardedTransport] = []
        self._operations: dict[str, Operation] = {}

    def deliver(self, delivery: Delivery, destination: Destination) -> Outcome:
        """
        Make one attempt.

        Args:
            delivery: As it was claimed: `attempts` says which attempt this is.
            destination: Where to, with the full address of the contract.

        Returns:
            What it came to. Whatever the receiver or the network does is an outcome.

        Raises:
            KeyError: There is no such contract.
            TlsFilesError: A file for TLS cannot be used; nothing was sent.
            HookSecretError: Nor can a hook's secret; likewise.
        """
        try:
            message, headers = self._request(delivery, destination)
        except PeopleDownError as down:
            return self._held(str(down))
        is_plain = destination.url.startswith("http:")  # public authorities take 30 ms to read
        transport = self._transport(None if is_plain else destination.tls)
        exchange = transport.post_delivery(delivery, destination, message, headers)
        now = self._clock()
        if isinstance(exchange, Stopped):
            if exchange.decision is GuardDecision.BLOCK:
                return Outcome(OutcomeKind.BLOCKED, detail=exchange.detail)
            return self._held(exchange.detail)
        return decide(
            delivery.new.contract,
            exchange,
            delivery.attempts,
            self._settings,
            now,
            doubtful=delivery.doubtful,
            spread=spread_of(delivery.id, delivery.attempts),
        )

    def _held(self, why: str) -> Outcome:
        """Nothing was sent; what could not be told is asked again."""
        ask_again = self._clock() + timedelta(seconds=self._settings.hold_seconds)
        return Outcome(OutcomeKind.HELD, retry_at=ask_again, detail=why)

    def longest_attempt_seconds(self, destination: Destination) -> float:
        """Longest time that `deliver` can take, apart from looking up the host name."""
        return longest_attempt_seconds(destination)

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for transport in self._transports:
                transport.client.close()
            self._transports.clear()
        self._per_thread = threading.local()

    def _request(
        self, delivery: Delivery, destination: Destination
    ) -> tuple[bytes, dict[str, str]]:
        """What is posted, and its headers. Raises PeopleDownError, as `PatientNames.filled`."""
        body = delivery.new.body
        if delivery.new.contract == HOOK_KEY:
            signed = signature_headers(destination, delivery.id, body, self._clock())
            return body, {**_OURS, "Content-Type": CLOUD_EVENT, **signed}
        operation = self._operation(delivery.new.contract)
        filled = self._names.filled(delivery.new) if self._names else body
        envelope = safe_xml.envelope(filled, delivery.new.logical_address)
        return envelope, _headers(operation, delivery)

    def _transport(self, tls: ClientTls | None) -> GuardedTransport:
        """
        This thread's own, one for each way of speaking TLS, and one for speaking without.

        Its connections are kept open and shared with nobody.
        """
        context = None if tls is None else self._context(tls)
        mine: dict[ClientTls | None, tuple[ssl.SSLContext | None, GuardedTransport]]
        mine = self._per_thread.__dict__.setdefault("transports", {})
        if tls in mine and mine[tls][0] is context:
            return mine[tls][1]
        transport = GuardedTransport(self._gate, context)
        with self._lock:
            self._transports.append(transport)
            if tls in mine:  # it has other files now
                mine[tls][1].client.close()
                self._transports.remove(mine[tls][1])
        mine[tls] = (context, transport)
        return transport

    def _context(self, tls: ClientTls) -> ssl.SSLContext:
        """Files that were renewed are read again; others are read once."""
        stamp = files_as_they_are(tls)
        with self._lock:
            known = self._contexts.get(tls)
            if known is None or known[0] != stamp:
                known = self._contexts[tls] = (stamp, client_context(tls))
            return known[1]

    def _operation(self, contract_key: str) -> Operation:
        with self._lock:
            if contract_key not in self._operations:
                name, _, major = contract_key.partition(":")
                contract = self._contracts.get(name, int(major))
                self._operations[contract_key] = read_operation(self._contracts, contract)
            return self._operations[contract_key]


def _headers(operation: Operation, delivery: Delivery) -> dict[str, str]:
    headers = {
        "Content-Type": "text/xml; charset=UTF-8",
        "SOAPAction": f'"{operation.soap_action}"',
        "Accept": "text/xml",
        **_OURS,
    }
    if HEADER_VALUE.fullmatch(delivery.correlation_id):
        headers["x-skltp-correlation-id"] = delivery.correlation_id
    return headers
