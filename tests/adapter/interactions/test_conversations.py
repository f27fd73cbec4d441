"""Random lives of certificates and their conversations, against a model of them.

`make test` plays as many as fit in half a minute; `INTYG_CONVERSATIONS=5000` says how many to play.
"""

import os
from collections.abc import Iterator
from typing import Final

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as play

from adapter.errors import AdapterError
from adapter.fraga_moves import Cause, Refusal, Standing, standing
from adapter.interactions import after_delivery
from adapter.model import Direction as Way
from adapter.model import Outcome, OutcomeKind, Result, count_arenden
from adapter.store import Store
from schemas.codes import ResultCode
from tests import builders
from tests.adapter.interactions.conversation_model import Fraga, Intyg, explain
from tests.adapter.interactions.rig import (
    FK,
    OTHER_AUTHORITY,
    Rig,
    VirtualClock,
    make_parts,
    make_settings,
)

ENOUGH: Final = int(os.environ.get("INTYG_CONVERSATIONS", "40"))
STEPS: Final = 30
PICK: Final = st.integers(0, 99)
PARTS: Final = {FK: "FKASSA", OTHER_AUTHORITY: "AF"}
OUTCOMES: Final = [OutcomeKind.DELIVERED] * 2 + [OutcomeKind.REFUSED, OutcomeKind.RETRY]

ask = builders.send_message_to_care
write = builders.send_message_to_recipient


class Conversations(RuleBasedStateMachine):
    """
    A few certificates of one patient, whatever the parties do to them.

    Attributes:
        rig: The adapter, its database shared by all plays: ids tell them apart.
        numbers: Makes ids.
    """

    rig: Rig
    numbers: Iterator[int]

    def __init__(self) -> None:
        super().__init__()
        self.intyg: list[Intyg] = []
        self.last: tuple[bytes, Intyg] | None = None

    # --- what the parties do ---

    @initialize(accepted=st.sampled_from([True, True, False]))
    def first(self, accepted: bool) -> None:
        self._register(None, None)
        if accepted:
            self.send(0, "FKASSA")
            self.deliver(OutcomeKind.DELIVERED)

    @precondition(lambda self: len(self.intyg) < 3)
    @rule(pick=PICK, relation=st.sampled_from(["KOMPLT", "KOMPLT", "ERSATT", "FRLANG", "KOPIA"]))
    def register(self, pick: int, relation: str) -> None:
        self._register(relation, self.intyg[pick % len(self.intyg)])

    def _register(self, relation: str | None, parent: Intyg | None) -> None:
        new = Intyg(f"i-{next(self.numbers)}", relation, parent)
        points_at = (relation, parent.intygs_id) if relation and parent else None
        self._ok(builders.register_certificate(new.intygs_id, relation=points_at), new)
        new.tell("SIGNAT")
        self.intyg.append(new)
        if parent is not None:
            parent.newer.append(new)
            if relation in ("KOMPLT", "ERSATT", "FRLANG"):
                parent.happens(Cause.COMPLETED)
            if relation == "KOMPLT":
                has_it = set(parent.accepted) | parent.on_its_way | parent.maybe
                for part in sorted(has_it or {"FKASSA"}):
                    new.queued.append(("RegisterCertificate:3", part))
            self._look(parent)
        self._look(new)

    @rule(pick=PICK, part=st.sampled_from(["FKASSA", "AF"]))
    def send(self, pick: int, part: str) -> None:
        intyg = self._intyg(pick)
        body = builders.send_certificate_to_recipient(intyg.intygs_id, mottagare=part)
        if intyg.revoked or part in intyg.accepted or part in intyg.on_its_way:
            assert self._call(body).code is ResultCode.INFO
        elif intyg.replaced:
            self._refused(body, {"INTYG_REPLACED"})
        else:
            self._ok(body, intyg)
            self.last = None  # sent again after a refusal, it is queued again
            intyg.queued.append(("RegisterCertificate:3", part))
        self._look(intyg)

    @rule(outcome=st.sampled_from(OUTCOMES))
    def deliver(self, outcome: OutcomeKind) -> None:
        """The workers try everything that waits; RETRY without a time: it was the last attempt."""
        went: dict[str, list[tuple[str, str]]] = {}
        while claimed := self.rig.parts.store.claim("test", 100, 60.0):
            for delivery in claimed:
                with self.rig.parts.store.begin() as rows:
                    rows.record_attempt(delivery, Outcome(outcome))
                    after_delivery.handle(rows, delivery, Outcome(outcome), self.rig.parts)
                if delivery.new.meddelande_id is None:
                    what = (delivery.new.contract, delivery.new.part)
                    went.setdefault(delivery.new.intygs_id, []).append(what)
        for intyg in self.intyg:
            for part in PARTS.values():
                # To one receiver they went in order; a revocation never before its certificate.
                in_order = [what for what in went.get(intyg.intygs_id, []) if what[1] == part]
                assert in_order == [what for what in intyg.queued if what[1] == part]
            for contract, part in went.get(intyg.intygs_id, []):
                if contract != "RegisterCertificate:3":
                    continue
                if outcome is OutcomeKind.DELIVERED and part not in intyg.accepted:
                    intyg.accepted.append(part)
                    intyg.tell("SKICKA")
                elif outcome is OutcomeKind.RETRY:
                    intyg.maybe.add(part)
            intyg.queued.clear()
            self._look(intyg)

    @rule(pick=PICK)
    def revoke(self, pick: int) -> None:
        if pick % 3:
            return  # not as often as the rest: it ends all talk
        intyg = self._intyg(pick // 3)
        body = builders.revoke_certificate(intyg.intygs_id)
        if intyg.revoked:
            assert self._call(body).code is ResultCode.INFO
            return
        self._ok(body, intyg)
        intyg.revoked = True
        intyg.tell("MAKULE")
        for part in sorted(set(intyg.accepted) | intyg.on_its_way | intyg.maybe):
            intyg.queued.append(("RevokeCertificate:2", part))
        intyg.happens(Cause.REVOKED)
        parent = intyg.parent
        if parent is not None and intyg.relation == "KOMPLT" and not parent.revoked:
            complements = [one for one in parent.newer if one.relation == "KOMPLT"]
            if complements[-1] is intyg:
                parent.happens(Cause.COMPLEMENT_REVOKED)
            self._look(parent)
        self._look(intyg)

    @rule(pick=PICK, amne=st.sampled_from(["KOMPLT", "KOMPLT", "KONTKT", "OVRIGT", "AVSTMN"]))
    def recipient_asks(self, pick: int, amne: str) -> None:
        intyg = self._intyg(pick)
        meddelande_id = f"q-{next(self.numbers)}"
        body = ask(meddelande_id, amne, intygs_id=intyg.intygs_id)
        rules = {"CERTIFICATE_REVOKED_ERROR"} if intyg.revoked else set()
        if self._refused(body, rules):
            return
        self.last = (body, intyg)
        kind = "KOMPLT" if amne == "KOMPLT" else "FRAGA"
        stands = Standing.KOMPLT_OPEN if kind == "KOMPLT" else Standing.FRAGA_OPEN
        intyg.fragor.append(Fraga(meddelande_id, kind, amne, stands))
        intyg.tell("NYFRFM")
        self._look(intyg)

    @rule(pick=PICK, amne=st.sampled_from(["KONTKT", "OVRIGT"]))
    def care_asks(self, pick: int, amne: str) -> None:
        intyg = self._intyg(pick)
        meddelande_id = f"q-{next(self.numbers)}"
        body = write(meddelande_id, amne, intygs_id=intyg.intygs_id)
        if self._refused(body, self._care_may_not(intyg)):
            return
        self.last = (body, intyg)
        intyg.fragor.append(Fraga(meddelande_id, "CARE", amne, Standing.CARE_OPEN))
        intyg.tell("NYFRFV")
        self._look(intyg)

    @precondition(lambda self: any(one.fragor for one in self.intyg))
    @rule(pick=PICK, wrong=st.sampled_from([None, None, None, "AVSTMN"]))
    def answer(self, pick: int, wrong: str | None) -> None:
        intyg, fraga = self._fraga(pick)
        meddelande_id = f"a-{next(self.numbers)}"
        says = fraga.says(Cause.ANSWERED)
        rules = {says.rule} if isinstance(says, Refusal) else set()
        if wrong is not None and wrong != fraga.amne:
            rules.add("SUBJECT_CONSISTENCY_ERROR")
        amne, svar_pa = wrong or fraga.amne, fraga.meddelande_id
        if fraga.kind == "CARE":
            rules |= {"CERTIFICATE_REVOKED_ERROR"} if intyg.revoked else set()
            body = ask(meddelande_id, amne, intygs_id=intyg.intygs_id, svar_pa=svar_pa)
        else:
            rules |= self._care_may_not(intyg)
            body = write(meddelande_id, amne, intygs_id=intyg.intygs_id, svar_pa=svar_pa)
        if self._refused(body, rules):
            self._look(intyg)
            return
        self.last = (body, intyg)
        for one in intyg.fragor:
            with_it = fraga.kind == "KOMPLT" and one.standing is Standing.KOMPLT_OPEN
            if one is fraga or with_it:
                intyg.tell(one.happens(Cause.ANSWERED, meddelande_id))
        self._look(intyg)

    @precondition(lambda self: any(one.fragor for one in self.intyg))
    @rule(pick=PICK, by_care=st.booleans())
    def remind(self, pick: int, by_care: bool) -> None:
        intyg, fraga = self._fraga(pick)
        rules = {"CERTIFICATE_REVOKED_ERROR"} if intyg.revoked else set()
        if by_care:
            rules |= self._care_may_not(intyg)
        number, intygs_id, reminds = next(self.numbers), intyg.intygs_id, fraga.meddelande_id
        if by_care:
            body = write(f"p-{number}", "PAMINN", intygs_id=intygs_id, paminner=reminds)
        else:
            body = ask(f"p-{number}", "PAMINN", intygs_id=intygs_id, paminner=reminds)
        if not self._refused(body, rules) and not by_care:
            intyg.tell("NYFRFM")
        self._look(intyg)

    @precondition(lambda self: any(one.fragor for one in self.intyg))
    @rule(pick=PICK, handled=st.booleans())
    def mark(self, pick: int, handled: bool) -> None:
        intyg, fraga = self._fraga(pick)
        cause = Cause.MARKED if handled else Cause.UNMARKED
        says = fraga.says(cause)
        rules = {says.rule} if isinstance(says, Refusal) else set()
        if intyg.revoked and not handled:
            rules = {"CERTIFICATE_REVOKED_ERROR"}
        if rules:
            with pytest.raises(AdapterError) as caught:
                self.rig.mark(fraga.meddelande_id, handled=handled)
            assert {finding.rule for finding in caught.value.findings} == rules
        else:
            self.rig.mark(fraga.meddelande_id, handled=handled)
            intyg.tell(fraga.happens(cause))
        self._look(intyg)

    @precondition(lambda self: self.last is not None)
    @rule()
    def repeat(self) -> None:
        """A lost answer: the same request comes again, and changes nothing."""
        assert self.last is not None
        body, intyg = self.last
        assert self._call(body).code is ResultCode.INFO
        self._look(intyg)

    def teardown(self) -> None:
        if self.intyg:
            self.deliver(OutcomeKind.DELIVERED)

    # --- how it is done ---

    def _intyg(self, pick: int) -> Intyg:
        return self.intyg[pick % len(self.intyg)]

    def _fraga(self, pick: int) -> tuple[Intyg, Fraga]:
        found = [(intyg, fraga) for intyg in self.intyg for fraga in intyg.fragor]
        return found[pick % len(found)]

    def _care_may_not(self, intyg: Intyg) -> set[str]:
        rules = set() if intyg.accepted else {"CERTIFICATE_NOT_SENT_ERROR"}
        return rules | ({"CERTIFICATE_REVOKED_ERROR"} if intyg.revoked else set())

    def _call(self, body: bytes) -> Result:
        return self.rig.call_raising(body)

    def _ok(self, body: bytes, intyg: Intyg) -> None:
        assert self._call(body).code is ResultCode.OK
        self.last = (body, intyg)

    def _refused(self, body: bytes, rules: set[str]) -> bool:
        """Send a request that breaks exactly these rules; whether it was refused."""
        if not rules:
            assert self._call(body).code is ResultCode.OK
            return False
        with pytest.raises(AdapterError) as caught:
            self._call(body)
        assert {finding.rule for finding in caught.value.findings} == rules
        return True

    # --- what must hold ---

    def _look(self, intyg: Intyg) -> None:
        """The database says of a certificate what the model says."""
        with self.rig.parts.store.read() as rows:
            stored = rows.get_intyg(intyg.intygs_id)
            events = list(rows.handelser(intyg.intygs_id))
            statuses = rows.statuses(intyg.intygs_id)
            meddelanden = rows.meddelanden(intyg.intygs_id)
        assert stored is not None
        fragor = [m for m in meddelanden if m.state is not None]
        assert [(f.meddelande.meddelande_id, standing(f), f.answered_by) for f in fragor] == [
            (f.meddelande_id, f.standing, f.answered_by) for f in intyg.fragor
        ]
        told = [(e.handelsekod.value, e.skickade_fragor, e.mottagna_fragor) for e in events]
        assert told == intyg.events
        assert list(explain(events)) == []
        last = (events[-1].skickade_fragor, events[-1].mottagna_fragor)
        assert last == (
            count_arenden(Way.TO_RECIPIENT, meddelanden),
            count_arenden(Way.TO_CARE, meddelanden),
        )
        codes = [event.handelsekod.value for event in events]
        assert (codes[0], codes.count("SIGNAT")) == ("SIGNAT", 1)
        assert codes.count("MAKULE") == intyg.revoked == (stored.revoked_at is not None)
        assert codes.count("SKICKA") == len(intyg.accepted)
        history = [(status.status.value, status.part) for status in statuses]
        assert history[0] == ("RECEIV", "HSVARD")
        assert [part for status, part in history if status == "SENTTO"] == intyg.accepted
        assert [part for status, part in history if status == "CANCEL"] == (
            ["HSVARD"] if intyg.revoked else []
        )


@pytest.fixture
def rig() -> Iterator[Rig]:
    """
    Without an EHR: events are counted, their deliveries are tried elsewhere.

    In memory: what commits cost would be half of a play.
    """
    clock = VirtualClock()
    store = Store("sqlite://", clock)
    store.migrate()
    routes = tuple(r for r in make_settings().routes if r.destination != "ehr")
    yield Rig(make_parts(make_settings(routes=routes), store, clock), clock)
    store.close()


@pytest.mark.timeout(3600)
def test_random_conversations_are_as_the_tables_say(rig: Rig) -> None:
    numbers = iter(range(10**9))

    class Machine(Conversations):
        pass

    Machine.rig, Machine.numbers = rig, numbers
    play(
        Machine,
        settings=settings(
            max_examples=ENOUGH,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
