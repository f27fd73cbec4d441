"""May a message about this patient go where it is going? One table.

Asked when a message is taken in and once more in the transport, just before the socket opens.

Source: the product's guard policy; what the national services do with test certificates.
"""

from collections.abc import Mapping
from typing import Final

from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.hook import NOBODY
from intyg.adapter.domain.person import GuardDecision, PatientKind, PatientVerdict, PersonId
from intyg.adapter.guard.signals import KnownPatient, TestPatients
from intyg.adapter.settings.guard_answers import TOLD, BlockReply

_AUTHORITY, _CARE = DestinationRole.AUTHORITY, DestinationRole.CARE
_HOOK: Final = DestinationRole.HOOK
_PRODUCTION: Final = (Environment.PRODUCTION,)
_ELSEWHERE: Final = (Environment.TEST, Environment.DEMO)
_EVERYWHERE: Final = tuple(Environment)
_REAL: Final = (DestinationKind.REAL,)
_TEST_OR_MOCK: Final = (DestinationKind.TEST, DestinationKind.MOCK)
_SEND, _BLOCK, _HOLD = GuardDecision.SEND, GuardDecision.BLOCK, GuardDecision.HOLD

# How it works. The policy is ours. `TestPatients` says what the patient is, a route what stands at
# the address, the settings what environment this is; the table alone decides. With a mark from the
# registration it is read twice, and the stricter answer counts. Who asks, and what it fires:
#
#     a flow that queues     BLOCK: nothing is queued, the journal and the caller are told
#                            HOLD: queued all the same
#     the transport, before  BLOCK, HOLD: nothing is sent, whatever was said before; a guard that
#     each attempt           fails is a HOLD
#     `intyg route`          nothing: it shows the answer
#
# Columns: what the patient is. A message to care (an EHR) carries back what came from there, so a
# test patient's may go whatever stands at the address; nationally status updates are sent for them
# too. Behind a hook anything may stand, so that it is told of no patient whom an authority would
# not be told of.
_ROWS: Final = (
    # role,      kind,          environment,  test,   not test, cannot tell
    (_AUTHORITY, _REAL,         _PRODUCTION,  _BLOCK, _SEND,    _HOLD),
    (_AUTHORITY, _REAL,         _ELSEWHERE,   _BLOCK, _BLOCK,   _BLOCK),
    (_AUTHORITY, _TEST_OR_MOCK, _EVERYWHERE,  _SEND,  _BLOCK,   _BLOCK),
    (_CARE,      _REAL,         _PRODUCTION,  _SEND,  _SEND,    _HOLD),
    (_CARE,      _REAL,         _ELSEWHERE,   _SEND,  _BLOCK,   _BLOCK),
    (_CARE,      _TEST_OR_MOCK, _EVERYWHERE,  _SEND,  _BLOCK,   _BLOCK),
    (_HOOK,      _REAL,         _PRODUCTION,  _BLOCK, _SEND,    _HOLD),
    (_HOOK,      _REAL,         _ELSEWHERE,   _BLOCK, _BLOCK,   _BLOCK),
    (_HOOK,      _TEST_OR_MOCK, _EVERYWHERE,  _SEND,  _BLOCK,   _BLOCK),
)  # fmt: skip

POLICY: Final[
    Mapping[tuple[DestinationRole, DestinationKind, Environment, PatientKind], GuardDecision]
] = {
    (role, kind, environment, patient): decision
    for role, kinds, environments, test, not_test, cannot_tell in _ROWS
    for kind in kinds
    for environment in environments
    for patient, decision in (
        (PatientKind.TEST, test),
        (PatientKind.NOT_TEST, not_test),
        (PatientKind.CANNOT_TELL, cannot_tell),
    )
}
"""What the guard decides, for every role, kind, environment and patient there is."""

_STRICTNESS: Final = (GuardDecision.SEND, GuardDecision.HOLD, GuardDecision.BLOCK)


REGISTERED_AS: Final = {
    True: PatientVerdict(PatientKind.TEST, "flagged as test when registered"),
    False: PatientVerdict(PatientKind.NOT_TEST, "no test patient when registered"),
}
"""What a certificate's mark from its registration says of its patient; no mark says nothing."""


class Guard:
    """The two questions, for one environment."""

    def __init__(
        self,
        patients: TestPatients,
        environment: Environment,
        told: Mapping[str, BlockReply] = TOLD,
    ) -> None:
        self.patients = patients
        self._environment = environment
        self._told = {**TOLD, **told}

    @property
    def environment(self) -> Environment:
        return self._environment

    def told(self, contract: str) -> BlockReply:
        """What the callers of a contract are told of a block."""
        return self._told[contract]

    def knowing(self, person: PersonId) -> "Guard":
        """
        Ask about a person now. The guard that comes back knows the answer, and asks nobody.

        Before a transaction begins: a register that is slow must not hold up everybody who writes.
        """
        return Guard(KnownPatient(self.patients, person), self._environment, self._told)

    def verdict(self, person: PersonId) -> PatientVerdict:
        """What the signals say of a patient, now."""
        return self.patients.verdict(person)

    def decision(
        self, person: PersonId, destination: Destination, *, flagged: bool | None = None
    ) -> tuple[GuardDecision, PatientVerdict]:
        """
        Decide whether a message about a person may go to a destination.

        Args:
            flagged: Whether the patient was a test patient when the certificate
                was registered; None if that could not be told. The mark stays,
                as nationally: both it and the signals must allow the sending,
                so a list that changes meanwhile opens no way.

        Returns:
            The decision, and the verdict that led to it.
        """
        if person == NOBODY and destination.role is DestinationRole.HOOK:
            return self._about_nobody(destination)
        verdicts = [self.verdict(person)]
        if flagged is not None:
            verdicts.append(REGISTERED_AS[flagged])
        decided = [(self.decide(destination, verdict.kind), verdict) for verdict in verdicts]
        return max(decided, key=lambda each: _STRICTNESS.index(each[0]))  # the first of equals

    def _about_nobody(self, destination: Destination) -> tuple[GuardDecision, PatientVerdict]:
        """A message with no patient in it goes where anybody's may."""
        anybody = (PatientKind.NOT_TEST, PatientKind.TEST)
        decided = [(self.decide(destination, kind), PatientVerdict(kind)) for kind in anybody]
        return min(decided, key=lambda each: _STRICTNESS.index(each[0]))

    def decide(self, destination: Destination, patient: PatientKind) -> GuardDecision:
        """What the table says."""
        return POLICY[destination.role, destination.kind, self._environment, patient]
