"""Why a caller would be refused, and where a message would go: every step, without sending.

The steps are taken by the same code that takes them for a real message: `Access`, `RouteTable` and
the guard. Nothing here names a person.
"""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from intyg.adapter.domain.clock import Clock
from intyg.adapter.domain.destination import ClientTls, Destination, receiver_of
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.person import GuardDecision, PersonId
from intyg.adapter.guard import Guard
from intyg.adapter.routing.access import Access, AccessDecision
from intyg.adapter.routing.caller import is_hsa_id
from intyg.adapter.routing.table import Routes, destination
from intyg.adapter.settings.routing import HERE
from intyg.adapter.settings.settings import CallerIdentity, Settings
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.pem import certs_in, load_cert


class StepState(StrEnum):
    """How a step came out."""

    OK = "ok"
    NOTE = "note"  # not asked, or to be known
    NO = "no"  # the message goes no further


@dataclass(frozen=True)
class Step:
    """One step of a message's way."""

    name: str
    state: StepState
    text: str


@dataclass(frozen=True)
class Explanation:
    """
    A message's way.

    Attributes:
        goes: Whether it is let in and, where it is for somebody else, may be sent.
        verdict: In a few words.
    """

    steps: tuple[Step, ...]
    goes: bool
    verdict: str

    def as_json(self) -> dict[str, object]:
        """As REST and `--json` have it."""
        steps = [{"step": s.name, "state": s.state.value, "text": s.text} for s in self.steps]
        return {"goes": self.goes, "verdict": self.verdict, "steps": steps}


class UnknownContractError(Exception):
    """There is no such contract; the text names those that look like it."""


def find_contract(contracts: Contracts, name: str) -> Contract:
    """
    A contract by name, `RegisterCertificate`, or with its version, `RegisterCertificate:3`.

    Raises:
        UnknownContractError: None is named so.
    """
    short, _, major = name.partition(":")
    found = [c for c in contracts.all() if c.name == short and major in ("", str(c.major))]
    if found:
        return max(found, key=lambda contract: contract.major)
    names = sorted({contract.name for contract in contracts.all()})
    near = difflib.get_close_matches(short, names, n=3, cutoff=0.5) or names
    raise UnknownContractError(f"no such contract; did you mean {', '.join(near)}?")


class Explainer:
    """
    Explains ways, with what the adapter works with.

    Args:
        served: Keys of the contracts that the adapter serves.
        clock: Tells whether a certificate of ours has ended.
    """

    def __init__(
        self,
        settings: Settings,
        routes: Routes,
        guard: Guard,
        served: Collection[str],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._routes = routes
        self._guard = guard
        self._served = served
        self._clock = clock
        self._access = Access(settings, routes)

    def explain(
        self,
        contract: Contract,
        logical_address: str,
        sender: str | None = None,
        person: PersonId | None = None,
    ) -> Explanation:
        """
        Follow a message step by step, to where it is stopped or sent.

        Args:
            sender: HSA-id of a system that calls the adapter; None: the adapter's own message.
            person: Whom it is about; None: the guard is not asked.
        """
        steps: list[Step] = []
        for step in self._steps(contract, logical_address, sender, person):
            steps.append(step)
            if step.state is StepState.NO:
                return Explanation(tuple(steps), False, f"stopped at {step.name}")
        return Explanation(tuple(steps), True, _where(steps, logical_address, sender))

    def _steps(
        self,
        contract: Contract,
        logical_address: str,
        sender: str | None,
        person: PersonId | None,
    ) -> Iterator[Step]:
        decision = self._access.decide(sender, contract, logical_address)
        yield self._sender(sender)
        yield self._route(decision)
        yield self._permission(decision, sender)
        there = self._destination(decision, contract)
        if there is None:
            yield self._answered_here(contract)
            return
        yield self._guarded(there, person)
        yield _address(there, contract)
        yield _certificate(there, self._clock())

    def _sender(self, sender: str | None) -> Step:
        identity = self._settings.caller_identity
        if sender is None:
            return Step("sender", StepState.NOTE, "none given: a message of the adapter's own")
        if not is_hsa_id(sender):
            return Step("sender", StepState.NO, "VP002: this cannot be an HSA-id")
        known_by = {
            CallerIdentity.TLS: "known by the serialNumber in its client certificate",
            CallerIdentity.PROXY: f"known by {self._settings.caller.sender_header} of a proxy",
            CallerIdentity.NONE: "taken as it is: in demo callers are not asked",
        }[identity]
        return Step("sender", StepState.OK, f"{sender}, {known_by}")

    def _route(self, decision: AccessDecision) -> Step:
        lookup = decision.lookup
        if lookup.refusal is None:
            return Step("route", StepState.OK, f"the row {lookup.route}")
        text = f"{lookup.refusal}: {lookup.detail}"
        if self._settings.environment is Environment.DEMO:
            return Step("route", StepState.NOTE, f"{text} In demo it is taken in all the same.")
        return Step("route", StepState.NO, text)

    def _permission(self, decision: AccessDecision, sender: str | None) -> Step:
        if sender is None:
            return Step("permission", StepState.NOTE, "the adapter's own messages need none")
        state = StepState.OK if decision.refusal is None else StepState.NO
        code = f"{decision.refusal}: " if decision.refusal else ""
        return Step("permission", state, code + decision.detail)

    def _destination(self, decision: AccessDecision, contract: Contract) -> Destination | None:
        route = decision.lookup.route
        if decision.lookup.refusal is not None or route is None or route.destination == HERE:
            return None
        found = self._routes.table.routing.destinations[route.destination]
        return destination(route.destination, found, contract.name, contract.major)

    def _answered_here(self, contract: Contract) -> Step:
        if contract.key not in self._served:
            text = f"the adapter does not serve {contract.key}"
            return Step("address", StepState.NO, text)
        recipients = ", ".join(
            f"{part} at {recipient.logical_address}"
            for part, recipient in sorted(self._settings.recipients.items())
        )
        text = f"the adapter answers, at /services{contract.path}"
        if recipients:
            text += f". What it sends on has another address: {recipients}"
        return Step("address", StepState.OK, text)

    def _guarded(self, there: Destination, person: PersonId | None) -> Step:
        at = f"{there.name} is {there.kind} ({there.role})"
        if person is None:
            return Step("guard", StepState.NOTE, f"{at}; no patient given, so it is not asked")
        decided, verdict = self._guard.decision(person, there)
        kind = verdict.kind.value.replace("_", " ")
        because = f" ({verdict.signal_and_why})" if verdict.signal else ""
        state = StepState.OK if decided is GuardDecision.SEND else StepState.NO
        return Step("guard", state, f"patient: {kind}{because}; {at}: {decided}")


def _address(there: Destination, contract: Contract) -> Step:
    text = f"POST {there.url}, {there.timeout_seconds:g} s"
    role = receiver_of(contract.name)
    if there.role is role:
        return Step("address", StepState.OK, text)
    return Step("address", StepState.NO, f"not {text}: {contract.name} is for the role {role}")


def _where(steps: list[Step], logical_address: str, sender: str | None) -> str:
    let_in = "let in; " if sender else ""
    address = next(step.text for step in steps if step.name == "address")
    if not address.startswith("POST "):
        return f"{let_in}answered by the adapter"
    url = address.removeprefix("POST ").partition(",")[0]
    return f"{let_in}what is sent to {logical_address} goes to {url}"


def _certificate(there: Destination, now: datetime) -> Step:
    """How TLS would be spoken, from the files that would be used."""
    if there.url.startswith("http://"):
        return Step("certificate", StepState.NOTE, "none: http, which anybody on the way can read")
    tls = there.tls
    vouches = f"server checked against {tls.ca.name}" if tls.ca else "server checked as for anybody"
    try:
        ours = _shown(tls, now)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "not PEM"
        return Step("certificate", StepState.NO, f"client_cert cannot be read: {reason}")
    return Step("certificate", StepState.OK, f"{ours}; {vouches}")


def _shown(tls: ClientTls, now: datetime) -> str:
    if tls.cert is None:
        return "none of our own"
    cert = _first(tls.cert)
    ids = [str(a.value) for a in cert.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]
    until = cert.not_valid_after_utc
    late = ", EXPIRED" if until < now else ""
    return f"ours is {tls.cert.name}, {ids[0] if ids else 'no HSA-id'}, until {until.date()}{late}"


def _first(path: Path) -> x509.Certificate:
    certs = certs_in(path.read_bytes())
    if not certs:
        raise ValueError("no certificate")
    return load_cert(certs[0])
