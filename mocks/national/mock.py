"""
A mock that takes what the national mock service takes.

From and to anybody, without looking closely: no schema, no rules of types, no signature, no state.
Rules, journal and control interface are those of every mock; what it has taken is kept beside the
journal, since calls that a rule answered are not among it.
"""

import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self

from lxml import etree
from werkzeug.wrappers import Request, Response

from intyg.mocks.clock.clock import Clock, system_clock
from intyg.mocks.national.api import make_api
from intyg.mocks.national.behavior import (
    CONTRACTS,
    Behavior,
    KeptBehavior,
    ServiceName,
    rule_of,
)
from intyg.mocks.national.messages import Received
from intyg.mocks.rules.facts import first_text
from intyg.mocks.server.call import Call
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.place import Place
from intyg.mocks.server.service import MockService
from intyg.mocks.settings import ANY, MockSettings
from intyg.mocks.wire.envelope import Answer
from intyg.mocks.wire.ids import same_id
from intyg.schemas import ns
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes

SETTINGS: Final = MockSettings(
    name="National mock service", logical_address=ANY, part="NATIONAL", checks=False
)

MAX_MESSAGES: Final = 1000
"""Of each service, and `journal_max_bytes` of them together; older ones are dropped."""

_T: Final = f"{{{ns.TYPES}}}"
_KEYS: Final = {
    "RegisterCertificate:3": ServiceName.REGISTER_CERTIFICATE,
    "RevokeCertificate:2": ServiceName.REVOKE_CERTIFICATE,
    "SendMessageToRecipient:2": ServiceName.SEND_MESSAGE_TO_RECIPIENT,
    "CertificateStatusUpdateForCare:3": ServiceName.CERTIFICATE_STATUS_UPDATE_FOR_CARE,
}


class Letterbox(Persona):
    """Takes everything, and keeps the newest of it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.handlers = dict.fromkeys(_KEYS, self._take_in)
        self._received = {name: deque[Received](maxlen=MAX_MESSAGES) for name in CONTRACTS}

    def clear(self) -> None:
        with self.place.lock:
            for received in self._received.values():
                received.clear()

    def forget(self, intygs_id: str) -> int:
        return sum(
            self.drop(service, lambda each: same_id(each.intygs_id or "", intygs_id))
            for service in CONTRACTS
        )

    def received(
        self, service: ServiceName, wanted: Callable[[Received], bool] = lambda _: True
    ) -> list[Received]:
        """What came by a service, in order of arrival."""
        with self.place.lock:
            return [each for each in self._received.get(service, ()) if wanted(each)]

    def drop(
        self, service: ServiceName, wanted: Callable[[Received], bool] = lambda _: True
    ) -> int:
        """Forget some of it; returns how much."""
        with self.place.lock:
            held = self._received.get(service, deque[Received]())
            kept = [each for each in held if not wanted(each)]
            dropped = len(held) - len(kept)
            held.clear()
            held.extend(kept)
            return dropped

    def _take_in(self, call: Call) -> Answer:
        assert call.element is not None
        assert call.contract is not None
        service = _KEYS[call.contract.key]
        element = call.element
        tns = f"{{{call.contract.namespace}}}"
        new = Received(
            service=service,
            logical_address=call.logical_address or "",
            data=etree.tostring(element, encoding="utf-8", with_tail=False),
            intygs_id=call.intygs_id or "",
            person=first_text(
                element,
                f"{tns}patientPerson-id/{_T}extension",
                f".//{{*}}patient/{{*}}person-id/{_T}extension",
            )
            or "",
            message_id=call.meddelande_id,
            event=first_text(element, f"{tns}handelse/{{*}}handelsekod/{_T}code"),
        )
        with self.place.lock:
            held = self._received[service]
            held.append(new)
            while sum(len(each.data) for each in held) > self.place.settings.journal_max_bytes:
                held.popleft()
        return Answer.ok()


class NationalMock(MockService[Letterbox]):
    """
    A letterbox with the paths of the national mock service; see the module.

    Args:
        persona: What it has taken.
    """

    def __init__(self, persona: Letterbox) -> None:
        super().__init__(persona)
        self._behaviors: dict[str, KeptBehavior] = {}
        self._api = make_api(self)

    @classmethod
    def of(
        cls, contracts: Contracts, settings: MockSettings = SETTINGS, clock: Clock = system_clock
    ) -> Self:
        """One that stands alone; it looks at no certificate, so it needs no types."""
        return cls(Letterbox(Place(contracts, IntygTypes(), settings, clock)))

    def reset(self) -> None:
        with self.place.lock:
            super().reset()
            self._behaviors.clear()

    # --- behaviour rules --------------------------------------------------------------------------

    def add_behavior(self, behavior: Behavior) -> KeptBehavior:
        """
        Take a rule.

        Raises:
            BehaviorError: It is about a service that is not mocked.
        """
        kept = KeptBehavior(str(uuid.uuid4()), behavior, self.timeline())
        rule = rule_of(behavior, kept.id)
        with self.place.lock:
            self.rules.add(rule)
            self._behaviors[kept.id] = kept
        return kept

    def behaviors(self, service: ServiceName | None = None) -> list[KeptBehavior]:
        """The rules that still act."""
        with self.place.lock:
            every = [self._counted(each) for each in self._behaviors.values()]
        return [
            each
            for each in every
            if not each.exhausted and service in (None, each.behavior.service_name)
        ]

    def remove_behavior(self, behavior_id: str) -> None:
        """Take a rule back; one that is not there is as good as gone."""
        with self.place.lock:
            self._behaviors.pop(behavior_id, None)
            with suppress(KeyError):
                self.rules.book.remove(behavior_id)

    def _counted(self, kept: KeptBehavior) -> KeptBehavior:
        try:
            acted = self.rules.book.acted(kept.id)
        except KeyError:  # taken back by the control interface
            acted = kept.behavior.max_trigger_count or 0
        return KeptBehavior(kept.id, kept.behavior, kept.created_at, acted)

    # --- HTTP -------------------------------------------------------------------------------------

    def _respond(self, request: Request) -> Response:
        if request.path.startswith("/api/"):
            return Response.from_app(self._api, request.environ)
        return super()._respond(request)
