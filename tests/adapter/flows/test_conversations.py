"""Random lives of certificates and their conversations, against a model of them.

`make test` plays as many as fit in ten seconds; `INTYG_TEST_CONVERSATIONS=5000` says how many to
play.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Final

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as play

from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.delivery import Outcome, OutcomeKind
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.meddelande import Direction as Way
from intyg.adapter.domain.meddelande import StoredHandelse, count_arenden
from intyg.adapter.flows import after_delivery
from intyg.adapter.flows.shared.visibility import is_archived, visible_statuses
from intyg.adapter.formats.event_writer import write_tidpunkt
from intyg.adapter.rules.engine_events import Act
from intyg.adapter.rules.fraga_moves import (
    Cause,
    Refusal,
    Standing,
    standing,
)
from intyg.adapter.store import Store
from intyg.schemas.codes import ResultCode
from intyg.schemas.intyg_model import Engine
from tests import builders, queries
from tests.adapter.flows.conversation_model import (
    Event,
    Fraga,
    Intyg,
    Sent,
    explain,
)
from tests.adapter.flows.rig import (
    FK,
    OTHER_AUTHORITY,
    Rig,
    VirtualClock,
    make_services,
    make_settings,
)

ENOUGH: Final = int(os.environ.get("INTYG_TEST_CONVERSATIONS", "60"))
STEPS: Final = 30
TAKEN: Final = (ResultCode.OK, ResultCode.INFO)  # perhaps with a remark
PICK: Final = st.integers(0, 99)
PART: Final = st.sampled_from(["FKASSA", "AF"])
ADDRESSES: Final = {"FKASSA": FK, "AF": OTHER_AUTHORITY}
LATER: Final = Outcome(OutcomeKind.RETRY)
OUTCOMES: Final = {
    "delivered": Outcome(OutcomeKind.DELIVERED),
    "refused": Outcome(OutcomeKind.REFUSED),
    "unknown": Outcome(OutcomeKind.UNKNOWN),  # it may have arrived
    "failed": Outcome(OutcomeKind.RETRY),  # it was the last attempt
    "later": LATER,
}
OUTCOME: Final = st.sampled_from(["delivered", "delivered", *OUTCOMES])

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
    engine: Engine
    numbers: Iterator[int]

    def __init__(self) -> None:
        super().__init__()
        self.rig.clock.now = builders.NOW
        self.intyg: list[Intyg] = []
        self.last: tuple[bytes, Intyg] | None = None

    # --- what the parties do ---

    @initialize(
        to=st.sampled_from([["FKASSA"], ["FKASSA", "AF"], []]),
        comes_to=st.tuples(OUTCOME, OUTCOME),
        asked=st.lists(
            st.tuples(st.sampled_from(["KOMPLT", "KOMPLT", "KONTKT"]), PART), max_size=4
        ),
        completed=st.sampled_from([0, 1, 2]),
    )
    def first(
        self,
        to: list[str],
        comes_to: tuple[str, str],
        asked: list[tuple[str, str]],
        completed: int,
    ) -> None:
        """Most plays begin in the middle of a conversation: there is more to go wrong."""
        self._register(None, None)
        for part in to:
            self.send(0, part)
        if to:
            self.deliver(*comes_to)
        for amne, part in asked:
            self.recipient_asks(0, amne, part, None)
        for _ in range(completed):
            self._register("KOMPLT", self.intyg[0])

    @precondition(lambda self: len(self.intyg) < 4)
    @rule(pick=PICK, relation=st.sampled_from(["KOMPLT", "KOMPLT", "ERSATT", "FRLANG", "KOPIA"]))
    def register(self, pick: int, relation: str) -> None:
        self._register(relation, self.intyg[pick % len(self.intyg)])

    def _register(self, relation: str | None, parent: Intyg | None) -> None:
        new = Intyg(f"i-{next(self.numbers)}", self.engine, relation, parent)
        points_at = (relation, parent.intygs_id) if relation and parent else None
        self._ok(builders.register_certificate(new.intygs_id, relation=points_at), new)
        new.tell("SIGNAT")
        self.intyg.append(new)
        if parent is not None:
            parent.newer.append(new)
            if relation in ("KOMPLT", "ERSATT", "FRLANG") and not parent.revoked:
                parent.happens(Act.FOLLOWED)
            if relation == "KOMPLT":
                for part in sorted(parent.had_by or {"FKASSA"}):
                    new.queue("RegisterCertificate:3", part)
            self._look(parent)
        self._look(new)

    @rule(pick=PICK, part=PART)
    def send(self, pick: int, part: str) -> None:
        intyg = self._intyg(pick)
        body = builders.send_certificate_to_recipient(intyg.intygs_id, mottagare=part)
        there = part in intyg.accepted or part in intyg.on_its_way
        if intyg.revoked or there:
            assert self._call(body).code is ResultCode.INFO
        elif intyg.replaced:
            self._refused(body, {"INTYG_REPLACED"})
        else:
            # INFO where an earlier one ended without arriving.
            assert self._call(body).code in (ResultCode.OK, ResultCode.INFO)
            self.last = None  # sent again after a refusal, it is queued again
            intyg.queue("RegisterCertificate:3", part)
        self._look(intyg)

    @rule(fk=OUTCOME, af=OUTCOME)
    def deliver(self, fk: str, af: str) -> None:
        """An hour later the workers try everything that waits; each receiver has its day."""
        self.rig.clock.now += timedelta(hours=1)
        comes_to = {"FKASSA": fk, "AF": af}
        went = self._work({part: OUTCOMES[outcome] for part, outcome in comes_to.items()})
        for intyg in self.intyg:
            for part in sorted(comes_to, key=lambda part: _first(went, intyg.intygs_id, part)):
                # To one receiver they went in order; a revocation never before its certificate.
                tried = [sent for sent in went.get(intyg.intygs_id, []) if sent[1] == part]
                assert tried == intyg.went(part, comes_to[part])
            self._look(intyg)
        if {fk, af} & {"refused", "unknown", "failed"}:
            self.last = None  # what ended without arriving would be sent once more

    def _work(self, outcomes: Mapping[str, Outcome]) -> dict[str, list[Sent]]:
        """Play the workers; what was tried, in order, by certificate."""
        went: dict[str, list[Sent]] = {}
        retry_at = self.rig.clock.now + timedelta(minutes=30)
        while claimed := self.rig.services.store.claim("test", 100, 60.0):
            for delivery in claimed:
                new, outcome = delivery.new, outcomes[delivery.new.part]
                if outcome is LATER:
                    outcome = replace(LATER, retry_at=retry_at)
                follow = after_delivery.handle(delivery, outcome, self.rig.services)
                with self.rig.services.store.begin() as rows:
                    follow(rows, rows.deliveries.record_attempt(delivery, outcome))
                sent = (new.contract, new.part, new.meddelande_id)
                went.setdefault(new.intygs_id, []).append(sent)
        return went

    @precondition(lambda self: len(self.intyg) > 1 or len(self.intyg[0].events) > 5)
    @rule(pick=PICK)
    def revoke(self, pick: int) -> None:
        """Not at once: it ends all talk."""
        self._revoke(self._intyg(pick))

    @precondition(lambda self: any(one.relation == "KOMPLT" for one in self.intyg))
    @rule(pick=PICK)
    def revoke_a_complement(self, pick: int) -> None:
        """The newest, or an older one: what was asked of its parent depends on which."""
        complements = [one for one in self.intyg if one.relation == "KOMPLT"]
        self._revoke(complements[pick % len(complements)])

    def _revoke(self, intyg: Intyg) -> None:
        body = builders.revoke_certificate(intyg.intygs_id)
        if intyg.revoked:
            assert self._call(body).code is ResultCode.INFO
            intyg.revoke_again()
            return
        self._ok(body, intyg)
        intyg.revoke()
        parent = intyg.parent
        if parent is not None and intyg.relation == "KOMPLT" and not parent.revoked:
            complements = [one for one in parent.newer if one.relation == "KOMPLT"]
            if complements[-1] is intyg or self.engine is Engine.CS:
                parent.happens(Act.COMPLEMENT_REVOKED)
            self._look(parent)
        self._look(intyg)

    @rule(
        pick=PICK,
        amne=st.sampled_from(["KOMPLT", "KOMPLT", "KONTKT", "OVRIGT", "AVSTMN"]),
        part=PART,
        days=st.sampled_from([None, None, 0, 30, -1]),
    )
    def recipient_asks(self, pick: int, amne: str, part: str, days: int | None) -> None:
        intyg = self._intyg(pick)
        meddelande_id = f"q-{next(self.numbers)}"
        last, rules = self._last_day(days)
        rules |= {"CERTIFICATE_REVOKED_ERROR"} if intyg.revoked else set()
        body = ask(
            meddelande_id,
            amne,
            intygs_id=intyg.intygs_id,
            part=part,
            sista_datum=last.isoformat() if last else None,
        )
        if self._refused(body, rules):
            return
        self.last = (body, intyg)
        kind = "KOMPLT" if amne == "KOMPLT" else "FRAGA"
        stands = Standing.KOMPLT_OPEN if kind == "KOMPLT" else Standing.FRAGA_OPEN
        intyg.fragor.append(Fraga(meddelande_id, kind, amne, part, stands))
        intyg.tell("NYFRFM", amne, last)
        self._look(intyg)

    def _last_day(self, days: int | None) -> tuple[date | None, set[str]]:
        """A last day so many days from now, and the rule that it breaks."""
        if days is None:
            return None, set()
        today = self.rig.clock.now.astimezone(SWEDEN).date()
        return today + timedelta(days), {"LAST_DAY_PASSED_ERROR"} if days < 0 else set()

    @rule(pick=PICK, amne=st.sampled_from(["KONTKT", "OVRIGT"]), part=PART)
    def care_asks(self, pick: int, amne: str, part: str) -> None:
        intyg = self._intyg(pick)
        meddelande_id = f"q-{next(self.numbers)}"
        body = write(meddelande_id, amne, intygs_id=intyg.intygs_id, mottagare=ADDRESSES[part])
        if self._refused(body, self._care_may_not(intyg, part)):
            return
        self.last = (body, intyg)
        intyg.queue("SendMessageToRecipient:2", part, meddelande_id)
        intyg.fragor.append(Fraga(meddelande_id, "CARE", amne, part, Standing.CARE_OPEN))
        intyg.tell("NYFRFV")
        self._look(intyg)

    @precondition(lambda self: any(one.fragor for one in self.intyg))
    @rule(pick=PICK, wrong=st.sampled_from([None, None, "AVSTMN"]))
    def answer_any(self, pick: int, wrong: str | None) -> None:
        self._answer(*self._fraga(pick), wrong)

    @precondition(lambda self: any(one.fragor for one in self.intyg))
    @rule(pick=PICK)
    def answer_open(self, pick: int) -> None:
        self._answer(*self._fraga(pick, only_open=True), None)

    def _answer(self, intyg: Intyg, fraga: Fraga, wrong: str | None) -> None:
        meddelande_id = f"a-{next(self.numbers)}"
        says = fraga.says(Cause.ANSWERED)
        rules = {says.rule} if isinstance(says, Refusal) else set()
        if wrong is not None and wrong != fraga.amne:
            rules.add("SUBJECT_CONSISTENCY_ERROR")
        amne, svar_pa, intygs_id = wrong or fraga.amne, fraga.meddelande_id, intyg.intygs_id
        if fraga.kind == "CARE":
            rules |= {"CERTIFICATE_REVOKED_ERROR"} if intyg.revoked else set()
            body = ask(meddelande_id, amne, intygs_id=intygs_id, svar_pa=svar_pa, part=fraga.part)
        else:
            rules |= self._care_may_not(intyg, fraga.part)
            to = ADDRESSES[fraga.part]
            body = write(meddelande_id, amne, intygs_id=intygs_id, svar_pa=svar_pa, mottagare=to)
        if self._refused(body, rules):
            self._look(intyg)
            return
        self.last = (body, intyg)
        if fraga.kind != "CARE":
            intyg.queue("SendMessageToRecipient:2", fraga.part, meddelande_id)
        intyg.answered(fraga, meddelande_id)
        self._look(intyg)

    @precondition(lambda self: any(one.fragor for one in self.intyg))
    @rule(pick=PICK, by_care=st.booleans(), days=st.sampled_from([None, None, 30, -1]))
    def remind(self, pick: int, by_care: bool, days: int | None) -> None:
        intyg, fraga = self._fraga(pick)
        meddelande_id, reminds = f"p-{next(self.numbers)}", fraga.meddelande_id
        last, rules = self._last_day(days)
        rules |= {"CERTIFICATE_REVOKED_ERROR"} if intyg.revoked else set()
        by_recipient = partial(ask, part=fraga.part)
        say, to = (write, ADDRESSES[fraga.part]) if by_care else (by_recipient, builders.UNIT)
        if by_care:
            rules |= self._care_may_not(intyg, fraga.part)
            rules |= {"MESSAGE_TYPE_CONSISTENCY_ERROR"} if last else set()
        body = say(
            meddelande_id,
            "PAMINN",
            intygs_id=intyg.intygs_id,
            paminner=reminds,
            mottagare=to,
            sista_datum=last.isoformat() if last else None,
        )
        if not self._refused(body, rules):
            if by_care:
                intyg.queue("SendMessageToRecipient:2", fraga.part, meddelande_id)
            else:
                intyg.tell("NYFRFM", "PAMINN", last)
        self._look(intyg)

    @precondition(lambda self: any(one.fragor for one in self.intyg))
    @rule(pick=PICK, by_care=st.booleans())
    def use_an_id_again(self, pick: int, by_care: bool) -> None:
        """The id of a question, on a message that says something else: nothing comes of it."""
        intyg, fraga = self._fraga(pick)
        rules = {"MEDDELANDE_ID_NOT_UNIQUE_ERROR"}
        rules |= {"CERTIFICATE_REVOKED_ERROR"} if intyg.revoked else set()
        if by_care:
            rules |= self._care_may_not(intyg, "FKASSA")
        say = write if by_care else ask
        body = say(fraga.meddelande_id, "KONTKT", intygs_id=intyg.intygs_id, text="Något annat")
        assert self._refused(body, rules)
        self._look(intyg)

    @rule(pick=PICK, archive=st.booleans())
    def citizen_archives(self, pick: int, archive: bool) -> None:
        """Or takes back; it changes what the citizen's list shows, and nothing else."""
        intyg = self._intyg(pick)
        tidpunkt = write_tidpunkt(self.rig.clock())
        status = "DELETE" if archive else "RESTOR"
        body = queries.set_status(status, intygs_id=intyg.intygs_id, tidpunkt=tidpunkt)
        assert self._call(body).code is ResultCode.OK
        intyg.archived = archive
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
        """In the end everything arrives, also what was to be tried again."""
        if self.intyg:
            self.deliver("delivered", "delivered")
        assert not any(intyg.queued for intyg in self.intyg)

    # --- how it is done ---

    def _intyg(self, pick: int) -> Intyg:
        return self.intyg[pick % len(self.intyg)]

    def _fraga(self, pick: int, *, only_open: bool = False) -> tuple[Intyg, Fraga]:
        """A question; one that is open, if that is wanted and there is one."""
        found = [(intyg, fraga) for intyg in self.intyg for fraga in intyg.fragor]
        if only_open:
            found = [one for one in found if not one[1].handled] or found
        return found[pick % len(found)]

    def _care_may_not(self, intyg: Intyg, part: str) -> set[str]:
        """Rules that keep care from writing to a part."""
        rules = set() if part in intyg.accepted else {"CERTIFICATE_NOT_SENT_ERROR"}
        return rules | ({"CERTIFICATE_REVOKED_ERROR"} if intyg.revoked else set())

    def _call(self, body: bytes) -> Result:
        return self.rig.call_raising(body)

    def _ok(self, body: bytes, intyg: Intyg) -> None:
        assert self._call(body).code in TAKEN
        self.last = (body, intyg)

    def _refused(self, body: bytes, rules: set[str]) -> bool:
        """Send a request that breaks exactly these rules; whether it was refused."""
        if not rules:
            assert self._call(body).code in TAKEN
            return False
        with pytest.raises(AdapterError) as caught:
            self._call(body)
        assert {finding.rule for finding in caught.value.findings} == rules
        return True

    # --- what must hold ---

    def _look(self, intyg: Intyg) -> None:
        """The database says of a certificate what the model says."""
        with self.rig.services.store.read() as rows:
            stored = rows.intyg.get(intyg.intygs_id)
            events = list(rows.events.of_intyg(intyg.intygs_id))
            statuses = rows.intyg.statuses(intyg.intygs_id)
            meddelanden = rows.meddelanden.of_intyg(intyg.intygs_id)
        assert stored is not None
        fragor = [m for m in meddelanden if m.state is not None]
        assert [(f.meddelande.meddelande_id, standing(f), f.answered_by) for f in fragor] == [
            (f.meddelande_id, f.standing, f.answered_by) for f in intyg.fragor
        ]
        assert [_event(event) for event in events] == intyg.events
        assert list(explain(events)) == []
        last = (events[-1].skickade_fragor, events[-1].mottagna_fragor)
        assert intyg.silent or last == (
            count_arenden(Way.TO_RECIPIENT, meddelanden),
            count_arenden(Way.TO_CARE, meddelanden),
        )
        codes = [event.handelsekod.value for event in events]
        assert (codes[0], codes.count("SIGNAT")) == ("SIGNAT", 1)
        assert codes.count("MAKULE") == intyg.revoked == (stored.revoked_at is not None)
        after = codes[codes.index("MAKULE") + 1 :] if intyg.revoked else []
        closes = {"HANFRFM", "HANFRFV"} if self.engine is Engine.LEGACY else set()
        assert set(after) <= closes
        assert codes.count("SKICKA") == len(intyg.accepted)
        assert is_archived(statuses) is intyg.archived
        history = [(s.status.value, s.part) for s in visible_statuses(statuses, "HSVARD")]
        assert history[0] == ("RECEIV", "HSVARD")
        assert [part for status, part in history if status == "SENTTO"] == intyg.accepted
        assert [part for status, part in history if status == "CANCEL"] == (
            ["HSVARD"] if intyg.revoked else []
        )


def _first(went: Mapping[str, list[Sent]], intygs_id: str, part: str) -> int:
    """When something was first tried towards a part; never: after all else."""
    services = [sent[1] for sent in went.get(intygs_id, [])]
    return services.index(part) if part in services else len(services)


def _event(event: StoredHandelse) -> Event:
    numbers = event.skickade_fragor, event.mottagna_fragor
    return (event.handelsekod.value, *numbers, event.amne, event.sista_datum_for_svar)


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
    yield Rig(make_services(make_settings(routes=routes), store, clock), clock)
    store.close()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("engine", Engine)
def test_random_conversations_are_as_the_tables_say(rig: Rig, engine: Engine) -> None:
    numbers = iter(range(10**9))

    class Machine(Conversations):
        pass

    Machine.rig, Machine.numbers = rig.with_types(engine=engine), numbers
    Machine.engine = engine
    play(
        Machine,
        settings=settings(
            max_examples=ENOUGH // len(Engine),
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
