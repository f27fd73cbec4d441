"""What a mock has to do with rules: takes them, and lets them have their way with a call."""

import uuid
from collections.abc import Callable, Collection
from typing import Final

from werkzeug.wrappers import Request

from intyg.mocks.control import interface
from intyg.mocks.journal import Verdict
from intyg.mocks.rules import effects
from intyg.mocks.rules.answers import Effect, PassThrough
from intyg.mocks.rules.effects import Reply, Scene
from intyg.mocks.rules.facts import Facts, typ_of
from intyg.mocks.rules.model import Match, Rule, covers
from intyg.mocks.rules.parse import RuleError, check_passing
from intyg.mocks.rules.passing import pass_on
from intyg.mocks.rules.waits import Ended, Waits
from intyg.mocks.rules.xpath import is_large
from intyg.mocks.server.call import Call
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.place import Place
from intyg.mocks.wire import envelope
from intyg.schemas.contract.contract import Contract

FIRST: Final = 1_000_000
"""Priority of what `fail_next` orders: before all else, earlier orders before later ones."""


class StoppedError(Exception):
    """The mock stopped while a call waited."""


class RuleHost:
    """
    The rules of a mock, and what they do to its calls.

    Args:
        place: Has the book that they are kept in.
        persona: Whose calls they are about.

    Attributes:
        book: The rules.
        waits: What delayed and hanging answers wait in.
    """

    def __init__(self, place: Place, persona: Persona) -> None:
        self.book: Final = place.book
        self.waits: Final = Waits()
        place.timeline.outlast(self.waits)
        self._place = place
        self._persona = persona
        self._ordered = 0
        self._platform = f"{self.part}-{uuid.uuid4().hex[:8]}"

    @property
    def part(self) -> str:
        """The mock's code in `types:Part`; `HSVARD` for the EHR."""
        return self._place.settings.part

    @property
    def contracts_taken(self) -> Collection[str]:
        """Keys of the contracts that the mock takes."""
        return self._persona.handlers.keys()

    def _check_rule(self, rule: Rule) -> None:
        """
        Whether a rule could act here.

        Raises:
            RuleError: It could not.
        """
        settings = self._place.settings
        if rule.match.agency is not None and settings.part not in rule.match.agency:
            raise RuleError("match.agency", f"{settings.name} is {settings.part}")
        for wanted in rule.match.contract or ():
            if not any(covers(wanted, key) for key in self.contracts_taken):
                takes = ", ".join(sorted(self.contracts_taken))
                raise RuleError("match.contract", f"{settings.name} takes {takes}, not {wanted}")
        for text in self._persona.type_codes.faults(rule.match.typ):
            raise RuleError("match.typ", text)
        fault = check_passing(rule, settings.pass_through_to)
        if fault is not None:
            raise fault

    def add(self, rule: Rule) -> Rule:
        """
        Take a rule.

        Raises:
            RuleError: It could not act here, or there is one of its id.
        """
        self._check_rule(rule)
        return self.book.add(rule)

    def put(self, rule: Rule) -> Rule:
        """
        Take a rule, in place of the one of its id if there is one.

        Raises:
            RuleError: It could not act here.
        """
        self._check_rule(rule)
        return self.book.put(rule)

    def fail_next(
        self,
        effect: Effect,
        contract: str | None = None,
        *,
        count: int = 1,
        intygs_id: str | None = None,
    ) -> Rule:
        """
        Let coming calls have an effect; a short way to a rule.

        Those that are ordered first act first, and before other rules.

        Args:
            contract: `RegisterCertificate` or `RegisterCertificate:3`; None means any.
            count: So many calls, then the mock is itself again.
            intygs_id: Only calls about this certificate.

        Raises:
            RuleError: The mock does not take the contract.
        """
        with self._place.lock:
            self._ordered += 1
            place = self._ordered
        match = {"contract": contract, "intygs_id": intygs_id}
        rule = Rule(
            id=f"{interface.ORDERED}{place}",
            match=Match.model_validate({k: v for k, v in match.items() if v is not None}),
            answers=(effect,),
            priority=FIRST - place,
            count=count,
        )
        self._check_rule(rule)
        return self.book.add(rule, fleeting=True)

    # --- a call ---------------------------------------------------------------------------------

    def effect_on(self, request: Request, call: Call, contract: Contract) -> Effect | None:
        """What the rule does that acts on a call; None if none does."""
        facts = self._facts(request, call, contract)
        call.tell(facts)
        rule, effect, call.rules = self.book.choose(facts)
        if rule is not None and effect is not None:
            call.note("rule", Verdict.NOTED, f"{rule.id}: {effect.kind}")
        return effect

    def perform(
        self,
        effect: Effect,
        request: Request,
        call: Call,
        contract: Contract,
        take: Callable[[], Reply],
    ) -> Reply:
        """
        Do what a rule ordered.

        Args:
            take: Lets the mock take the call, as it would without the rule.

        Raises:
            StoppedError: The mock stops while the call waits.
        """
        seconds = effects.wait_before(effect)
        if seconds:
            self._wait(call, seconds)
        address = call.logical_address or ""

        def elsewhere(passing: PassThrough) -> Reply:
            return pass_on(
                passing,
                contract,
                address,
                call.data,
                request.headers.items(),
                self._place.settings.pass_through_to,
                self._platform,
            )

        return effects.perform(effect, Scene(contract, address, take, elsewhere))

    def _wait(self, call: Call, seconds: float) -> None:
        """
        Wait before a call is taken; to the end, even if the caller gives up, as slow systems do.

        Many calls may wait at once, so each holds its bytes alone meanwhile.
        """
        call.element = None
        if self.waits.wait(seconds) is not Ended.TIME:
            raise StoppedError
        call.element = envelope.read(call.message, call.charset).element

    def _facts(self, request: Request, call: Call, contract: Contract) -> Facts:
        assert call.element is not None
        typ = typ_of(call.element)
        if typ is None and call.intygs_id is not None:
            typ = self._persona.typ_held(call.intygs_id)
        return Facts(
            agency=self.part,
            contract=contract,
            element=call.element,
            sender=call.identity.sender,
            logical_address=call.logical_address,
            intygs_id=call.intygs_id,
            typ=None if typ is None else typ[0],
            version=None if typ is None else typ[1],
            headers={name.lower(): value for name, value in request.headers.items()},
            large=is_large(call.message),
        )
