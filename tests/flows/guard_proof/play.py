"""What may happen to an adapter, and what must hold after each thing that happens."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, TypeAlias

from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.delivery import Delivery, DeliveryState, OutcomeKind
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import AdapterError, StoreError
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.person import PersonId
from intyg.adapter.flows.contracts import READERS
from intyg.adapter.store import Block, Store
from intyg.schemas.codes import PERSONNUMMER_ROOT, ErrorId, ResultCode
from tests import builders, queries
from tests.flows.guard_proof.adapter_rig import (
    WHOLE,
    Attempt,
    Ground,
    Seams,
    Trial,
)
from tests.flows.guard_proof.listeners import MOODS, REGISTER, REGISTER_MOODS
from tests.flows.guard_proof.spy import STARTS
from tests.flows.guard_proof.world import (
    AF,
    EHRS,
    FILLING,
    FK,
    FLAGGED,
    GO,
    LISTED,
    NEVER,
    NOBODY,
    PEOPLE,
    TEST,
    UNIT,
    UNSURE,
    WAIT,
    Knowledge,
    Layout,
    ListOnDisk,
    Row,
    Way,
    about_nobody,
    first_layout,
    marker,
    may_arrive,
    strictest,
)

ADDRESSES: Final = {"FKASSA": FK, "AF": AF}
PARTS: Final = tuple(ADDRESSES)
TO_CARE: Final = ("CertificateStatusUpdateForCare:3", "SendMessageToCare:2")
SEND: Final = "SendCertificateToRecipient:2"
CERTIFICATE: Final = "RegisterCertificate:3"
WRITE: Final = "SendMessageToRecipient:2"
ASK: Final = "SendMessageToCare:2"

HOOK: Final = "Hook:1"
HOOKS: Final = ("hook", "test-hook")

Arrival: TypeAlias = tuple[str, str, str]
"""At whom, about which certificate, and of which patient."""

_POINTS_ELSEWHERE: Final = re.compile(rb"<(?:\w+:)?relation>.*?</(?:\w+:)?relation>", re.DOTALL)


class ViolationError(AssertionError):
    """Something arrived or was stopped that must not; never a failure of the play itself."""


@dataclass(frozen=True)
class Play:
    """
    How an adapter is set up, and what happens to it.

    Attributes:
        environment: Where it runs.
        leads: Where the two authorities' addresses and the unit's lead at first.
        people: Who they are about.
        knows: Which sources say who is a test patient, beside the reserved numbers.
        on_signing: Certificates go to their recipient without being asked to.
        steps: What happens: a method of `Player`, and two numbers that say to whom and how.
    """

    environment: str
    leads: tuple[str, str, str]
    people: tuple[str, ...]
    knows: tuple[str, ...]
    on_signing: bool
    steps: tuple[tuple[str, int, int], ...]


@dataclass
class Cert:
    """A certificate that was taken in."""

    number: str
    mark: str  # what was said of the patient then


class Player:
    """
    Plays a play.

    Attributes:
        counted: What was seen: arrivals by receiver, blocks, holds.
    """

    def __init__(self, ground: Ground, play: Play, seams: Seams = WHOLE) -> None:
        self.ground = ground
        self.play = play
        self.counted: Counter[str] = Counter()
        self.certs: dict[str, Cert] = {}
        self.asked: list[tuple[str, str, str]] = []  # meddelande-id, intygs-id, amne: by them
        self.wrote: list[tuple[str, str, str]] = []  # the same, by care
        self.ids = 0
        self._known: set[str] = set()  # deliveries
        self._blocks = 0
        listeners = ground.listeners
        listeners.moods.clear()
        listeners.flags = {n: n == FLAGGED for n in PEOPLE}
        lists: dict[str, ListOnDisk] = {
            name: ListOnDisk(ground.folder / f"{name[0]}.csv")
            for name in ("list", "EHR's list")
            if name in play.knows
        }
        self.knowledge = Knowledge(listeners, lists, "register" in play.knows)
        for name, one in lists.items():
            one.write({*FILLING, LISTED if name == "list" else EHRS})
        self.layout = first_layout(play.environment, *play.leads)
        self.trial = Trial(
            ground,
            Environment(play.environment),
            self.knowledge,
            seams,
            sent_on_signing=play.on_signing,
        )

    def run(self) -> None:
        """
        Play it, and let everything come to its end.

        Raises:
            ViolationError: Something did not hold.
        """
        self.ground.listeners.heard()
        self.ground.spy.seen()
        self.trial.begin()
        _must(self.trial.read_routes(self._toml()), "the first routes are good")
        for name, a, b in self.play.steps:
            getattr(self, name)(a, b)
            self._nothing_more()
        self._come_to_an_end()

    # --- care ---

    def register(self, a: int, _: int) -> None:
        self._register(self._person(a))

    def complement(self, a: int, b: int) -> None:
        if found := self._cert(a):
            intygs_id, cert = found
            relation = (("KOMPLT", "ERSATT", "FRLANG")[b % 3], intygs_id)
            self._register(cert.number, relation)

    def _register(self, number: str, relation: tuple[str, str] | None = None) -> None:
        intygs_id = self._id("intyg")
        mark = self.knowledge.says(number)
        body = builders.register_certificate(
            intygs_id, number, relation=relation, diagnosis=f"Ont {marker(number)}"
        )
        self.certs[intygs_id] = Cert(number, mark)
        if self._call(body).code is ResultCode.ERROR:
            del self.certs[intygs_id]
        self._look_at_intake()

    def register_for_another(self, a: int, b: int) -> None:
        """The same id again, with somebody else."""
        if found := self._cert(a):
            number = self._person(b)
            body = builders.register_certificate(
                found[0], number, diagnosis=f"Ont {marker(number)}"
            )
            result = self._call(body)
            _must(
                (result.code is ResultCode.ERROR) == (number != found[1].number),
                "an id belongs to one patient",
            )
            self._look_at_intake()

    def send(self, a: int, b: int) -> None:
        if found := self._cert(a):
            part = PARTS[b % 2]
            body = builders.send_certificate_to_recipient(found[0], found[1].number, part)
            self._told(self._call(body), found[0], CERTIFICATE, ADDRESSES[part], SEND)

    def send_for_another(self, a: int, b: int) -> None:
        if found := self._cert(a):
            number = self._person(b)
            self._call(builders.send_certificate_to_recipient(found[0], number))
            self._look_at_intake()

    def revoke(self, a: int, _: int) -> None:
        if found := self._cert(a):
            text = f"Fel {marker(found[1].number)}"
            self._call(builders.revoke_certificate(found[0], found[1].number, text))
            self._look_at_intake()

    def write(self, a: int, b: int) -> None:
        """Care asks, answers or reminds an authority."""
        if found := self._cert(a):
            intygs_id, cert = found
            self._write(intygs_id, cert.number, ADDRESSES[PARTS[b % 2]], b // 2)

    def write_for_another(self, a: int, b: int) -> None:
        if found := self._cert(a):
            self._write(found[0], self._person(b), FK, b // 2)

    def _write(self, intygs_id: str, number: str, address: str, b: int) -> None:
        meddelande_id, text = self._id("m"), f"Hej {marker(number)}"
        amne, svar_pa, paminner = self._subject("KONTKT", self.asked, self.wrote, intygs_id, b)
        body = builders.send_message_to_recipient(
            meddelande_id,
            amne,
            intygs_id=intygs_id,
            person=number,
            svar_pa=svar_pa,
            paminner=paminner,
            mottagare=address,
            text=text,
        )
        result = self._call(body)
        if result.code is not ResultCode.ERROR:
            self.wrote.append((meddelande_id, intygs_id, amne))
        self._told(result, intygs_id, WRITE, address, WRITE)

    def note_status(self, a: int, _: int) -> None:
        if found := self._cert(a):
            self._call(queries.set_status(intygs_id=found[0], part="FKASSA", status="SENTTO"))
            self._look_at_intake()

    # --- the authorities ---

    def ask(self, a: int, b: int) -> None:
        """An authority asks for a complement or anything else, answers or reminds."""
        if found := self._cert(a):
            intygs_id, cert = found
            first = ("KOMPLT", "OVRIGT")[b % 2]
            amne, svar_pa, paminner = self._subject(
                first, self.wrote, self.asked, intygs_id, b // 4
            )
            meddelande_id = self._id("m")
            body = builders.send_message_to_care(
                meddelande_id,
                amne,
                intygs_id=intygs_id,
                person=cert.number,
                svar_pa=svar_pa,
                paminner=paminner,
                part=PARTS[b // 2 % 2],
                text=f"Hej {marker(cert.number)}",
            )
            if self._call(body).code is not ResultCode.ERROR:
                self.asked.append((meddelande_id, intygs_id, amne))
            self._look_at_intake()

    def read(self, a: int, b: int) -> None:
        """Somebody asks for a certificate: shown if it could be sent there, and not otherwise."""
        found = self._cert(a)
        if found is None:
            return
        part, (contract, body) = self._reading(found, b)
        place = self._reads_at(part, contract)
        about = self._read_about(contract, found)
        verdict = strictest(self._verdict(one, place) for one in about)
        shown = self._shown(body, part)
        _must(shown is (verdict == GO), f"{contract} by {part} at {place}: {verdict}")
        self.counted[f"read {verdict} {place.kind} {place.role}"] += 1
        _, blocks = self._look_at_intake()
        never = sum(self._verdict(one, place) == NEVER for one in about)
        _must(len(blocks) == never, "a reading that is blocked is journalled")

    def _reading(self, found: tuple[str, Cert], b: int) -> tuple[str, tuple[str, bytes]]:
        """A part that reads, and what it asks: care may ask for lists, too."""
        intygs_id, cert = found
        part = (*PARTS, "HSVARD", "INVANA")[b % 4]
        asks = {"GetCertificate": queries.get_certificate(intygs_id, part)}
        if part == "HSVARD":
            asks["ListCertificatesForCare"] = queries.list_for_care(cert.number, [UNIT])
            asks["GetCertificateTypeInfo"] = queries.get_type_info(intygs_id)
        else:
            asks["ListCertificatesForCitizen"] = queries.list_for_citizen(4, cert.number, part=part)
        return part, list(asks.items())[b // 4 % len(asks)]

    def _read_about(self, contract: str, found: tuple[str, Cert]) -> list[str]:
        """The certificates that an answer would show."""
        if not contract.startswith("List"):
            return [found[0]]
        return [each for each, cert in self.certs.items() if cert.number == found[1].number]

    def _shown(self, body: bytes, part: str) -> bool:
        rig = self.trial.rig
        inbound = rig.inbound(body)
        if part not in PARTS:
            inbound = replace(inbound, sender="SE0000000000-CARE")
        try:
            READERS[inbound.contract.key](inbound, rig.services, rig.unit())
        except AdapterError:
            return False
        return True

    def _reads_at(self, part: str, contract: str) -> Row:
        """Where a part stands that reads: the citizen's list gives back what is the citizen's."""
        kind = "real" if self.play.environment == "production" else "mock"
        if part == "HSVARD":
            return self._leads_to(TO_CARE[0], UNIT) or Row("", kind, "care")
        if part == "INVANA" and contract.startswith("List"):
            return Row("", kind, "care")
        row = self._leads_to(CERTIFICATE, ADDRESSES[part]) if part in ADDRESSES else None
        return row or Row("", kind, "authority")

    def _subject(
        self,
        first: str,
        theirs: list[tuple[str, str, str]],
        ours: list[tuple[str, str, str]],
        intygs_id: str,
        b: int,
    ) -> tuple[str, str | None, str | None]:
        """A question; or, where there is one, an answer to theirs or a reminder of ours."""
        to_answer = [one for one in theirs if one[1] == intygs_id]
        to_remind = [one for one in ours if one[1] == intygs_id]
        if b % 3 == 1 and to_answer:
            return to_answer[-1][2], to_answer[-1][0], None
        if b % 3 == 2 and to_remind:
            return "PAMINN", None, to_remind[-1][0]
        return first, None, None

    def feel(self, a: int, b: int) -> None:
        """An authority or EHR answers in another way from now on."""
        name = ("real", "test", "mock", "ehr", "test-ehr")[a % 5]
        self.ground.listeners.moods[name] = MOODS[b % len(MOODS)]

    # --- who is a test patient ---

    def change_list(self, a: int, b: int) -> None:
        """Somebody comes onto a list, or goes; or the list is spoilt."""
        lists = self.knowledge.lists
        if not lists:
            return
        one = list(lists.values())[a % len(lists)]
        if b % 10 > 5:  # a good one that lay there while nobody asked was never read
            self.trial.rig.services.guard.verdict(PersonId(PERSONNUMMER_ROOT, NOBODY))
        match b % 10:
            case 6:
                one.write(None)
            case 7:
                one.write(None, "number\n190001019802x\n")
            case 8:
                one.write(None, "number\n")
            case 9:
                one.write({FILLING[0]})  # cut off
            case _:
                number = self._person(a // 2)
                lies = one.lies or one.counts or frozenset(FILLING)
                one.write({*FILLING, *(lies ^ {number})})
        self.trial.meter.now += 2

    def change_register(self, a: int, b: int) -> None:
        """Somebody gets or loses the flag, or is forgotten; or the register is down or strange."""
        listeners = self.ground.listeners
        number = self._person(a)
        match b % 8:
            case 0 | 1:
                listeners.flags[number] = not listeners.flags.get(number, False)
            case 2:
                listeners.flags.pop(number, None)
            case 3 | 4:
                listeners.moods[REGISTER] = "well"
            case _:
                listeners.moods[REGISTER] = REGISTER_MOODS[a % len(REGISTER_MOODS)]
        self.trial.meter.now += 100  # longer than answers are used again

    # --- the operator ---

    def repoint(self, a: int, b: int) -> None:
        """An address leads elsewhere, or nowhere, or will tomorrow, or two rows disagree."""
        address = (FK, AF, UNIT)[a % 3]
        names = [name for name, row in self.layout.rows.items() if row.role != "hook"]
        to, other = names[b % len(names)], names[b // 7 % len(names)]
        today = self._day()
        ways = {
            0: (),
            1: (Way(address, to, last=today), Way(address, other, first=today + timedelta(days=1))),
            2: (Way(address, to), Way(address, other)),
        }.get(a // 3 % 6, (Way(address, to),))
        self._read(self.layout.with_ways(address, *ways))

    def relabel(self, a: int, b: int) -> None:
        """What stands at an address is called something else."""
        names = list(self.layout.rows)
        name = names[a % len(names)]
        match b % 8:
            case 0 | 1 | 2:
                self._read(self.layout.with_row(name, kind=("real", "test", "mock")[b % 3]))
            case 3:
                role = "authority" if self.layout.rows[name].role == "care" else "care"
                self._read(self.layout.with_row(name, role=role))
            case 4:
                self._read(self.layout.with_row(name, allow=False))
            case 5:
                self._read(self._called_twice(name), good=False)
            case 6:
                self._read(self.layout.with_ways(FK, Way(FK, "nobody")), good=False)
            case _:
                _must(not self.trial.read_routes("[destinations"), "this is no file of routes")

    def _called_twice(self, name: str) -> Layout:
        """One address under two names, of which one says something else of it."""
        row = self.layout.rows[name]
        kind = "test" if row.kind == "real" else "real"
        return replace(self.layout, rows={**self.layout.rows, "twice": replace(row, kind=kind)})

    def jump(self, a: int, _: int) -> None:
        """The clock goes on, or back."""
        days = (0, 1, 1, 40, -1)[a % 5]
        self.ground.clock.now += timedelta(days=days, seconds=61)

    def restart(self, _: int, b: int) -> None:
        """Stop and start; perhaps in the middle of an attempt, perhaps in the wrong environment."""
        store = self.trial.rig.services.store
        if b % 3 == 0:
            store.claim("lost", 1, 60.0)
        self.trial.stop()
        if b % 3 == 1:
            self._start_elsewhere()
        for one in self.knowledge.lists.values():
            one.started()
        self.trial.start_again()

    def _start_elsewhere(self) -> None:
        other = next(one for one in Environment if one.value != self.play.environment)
        store = Store(self.ground.urls[self.trial.environment], self.ground.clock)
        try:
            store.must_belong_to(other)
        except StoreError:
            return
        finally:
            store.close()
        raise ViolationError(f"a database of {self.play.environment} was opened in {other.value}")

    def resend(self, a: int, _: int) -> None:
        """By hand, whatever was refused, stopped or given up."""
        with self.trial.rig.services.store.begin() as rows:
            over = [
                one
                for one in rows.deliveries.find(None)
                if one.state
                not in (
                    DeliveryState.DELIVERED,
                    DeliveryState.QUEUED,
                    DeliveryState.HELD,
                    DeliveryState.SENDING,
                )
            ]
            if over:
                try:
                    rows.deliveries.send_again(over[a % len(over)].id, self.ground.clock.now)
                except ValueError:
                    return  # revoked meanwhile

    def work(self, a: int, _: int) -> None:
        """The workers do what is due, or some of it."""
        for _ in range(1 + a % 6):
            if not self._work_once():
                return

    # --- what must hold ---

    def _work_once(self) -> bool:
        if not self.trial.work_at_once():
            return False
        attempts = self.trial.attempts
        _must(bool(attempts), "what is taken comes to something")
        going = [arrival for one in attempts for arrival in self._came_to(one)]
        self._arrived(going)
        _, blocks = self._look_at_intake()
        blocked = {_contract(one) for one in attempts if _kind(one) is OutcomeKind.BLOCKED}
        _must(blocked <= {block.contract for block in blocks}, "blocks are journalled")
        self.counted["at once"] += len(attempts) > 1
        return True

    def _came_to(self, attempt: Attempt) -> list[Arrival]:
        """Whether an attempt came to what is right; what must have arrived then."""
        contract, address = _contract(attempt), attempt.delivery.new.logical_address
        row = self._leads_to(contract, address)
        if row is None:
            _must(attempt.destination is None, f"{contract} went where no route leads")
            return []
        intygs_id = attempt.delivery.new.intygs_id
        verdict, kind = self._verdict(intygs_id, row), _kind(attempt)
        stopped = {OutcomeKind.BLOCKED: NEVER, OutcomeKind.HELD: WAIT}.get(kind, GO)
        _must(
            stopped == verdict, f"{contract} to {row}: {verdict} is right, it came to {kind.value}"
        )
        self.counted[f"{verdict} {row.kind} {row.role}"] += 1
        number = "" if contract == HOOK else self.certs[intygs_id].number
        return [(row.at, intygs_id, number)] if verdict == GO else []

    def _arrived(self, going: list[Arrival]) -> None:
        """What was heard and opened since the last time: what may go, once each, and no more."""
        receivers = {REGISTER, *(at for at, _, _ in going)}
        for event, address in self.ground.spy.seen():
            _must(event not in STARTS, f"another program was started: {event}")
            port = address[1] if isinstance(address, tuple) else None
            name = self.ground.listeners.name_at(port)
            _must(name in receivers, f"{event} to {name} {address}")
        left = list(going)
        for name, data in self.ground.listeners.heard():
            numbers, ids = self._mentioned(data)
            if name == REGISTER:
                _must(not ids and b"ord" not in data, "the register was told more than a number")
                continue
            if name in HOOKS:  # told of no more than one certificate, and never of a number
                _must(not numbers and b"ord" not in _body(data), "a hook was told whose it is")
                ids, numbers = ids or {""}, {""}
            about = [(name, intygs_id, number) for intygs_id in ids for number in numbers]
            _must(len(about) == 1, f"what arrived at {name} is about several, or about nobody")
            _must(about[0] in left, f"what arrived at {name} must not, or did so twice")
            left.remove(about[0])
        _must(not left, "what may go, goes")

    def _mentioned(self, data: bytes) -> tuple[set[str], set[str]]:
        """Whom bytes are about, by number or marker, and which certificates."""
        data = _POINTS_ELSEWHERE.sub(b"", data)
        numbers = {n for n in PEOPLE if n.encode() in data or marker(n).encode() in data}
        return numbers, {intygs_id for intygs_id in self.certs if intygs_id.encode() in data}

    def _nothing_more(self) -> None:
        """Whatever is not an attempt speaks with the register alone."""
        for event, address in self.ground.spy.seen():
            port = address[1] if isinstance(address, tuple) else None
            _must(self.ground.listeners.name_at(port) == REGISTER, f"{event} to {address}")
        heard = {name for name, _ in self.ground.listeners.heard()}
        _must(heard <= {REGISTER}, "something was sent at once")

    def _look_at_intake(self) -> tuple[list[Delivery], list[Block]]:
        """What was queued or stopped since the last time, each rightly."""
        with self.trial.rig.services.store.read() as rows:
            queued = [one for one in rows.deliveries.find(None) if one.id not in self._known]
            blocks = list(rows.blocks.find())[self._blocks :]
        self._known |= {one.id for one in queued}
        self._blocks += len(blocks)
        for one in queued:
            row = self._leads_to(one.new.contract, one.new.logical_address)
            if row is not None and one.new.contract != HOOK:  # these are asked of when they leave
                verdict = self._verdict(one.new.intygs_id, row)
                _must(verdict != NEVER, f"{one.new.contract} to {row} was queued")
        for block in blocks:
            self._rightly_blocked(block)
        return queued, blocks

    def _rightly_blocked(self, block: Block) -> None:
        row = self.layout.rows.get(block.destination)
        if row is None:  # who asks, by its part
            row = self._reads_at(block.destination, block.contract)
        verdict = self._verdict(block.intygs_id, row)
        _must(verdict == NEVER, f"{block.contract} to {row} was blocked")
        if not block.intygs_id:
            return
        cert = self.certs[block.intygs_id]
        names = [name for name, said in self.knowledge.sources(cert.number) if said == TEST]
        text = block.signal or ""
        said = any(name in text for name in (*names, "registered"))
        _must(bool(text) and (said or not names), f"a block says why: {text!r}")
        _must(not any(number in text for number in PEOPLE), "a block names nobody")
        self.counted["journalled"] += 1

    def _told(
        self, result: Result, intygs_id: str, contract: str, address: str, asked: str
    ) -> None:
        """Whoever asks for a sending is told what came of it."""
        queued, blocks = self._look_at_intake()
        mine = [one for one in queued if one.new.contract == contract]
        if mine:
            row = self._leads_to(contract, address)
            verdict = GO if row is None else self._verdict(intygs_id, row)
            code = ResultCode.OK if verdict == GO else ResultCode.INFO
            _must(result.code is code, f"{asked}: {verdict}, told {result.code}")
        elif any(block.contract == contract for block in blocks):
            code = ResultCode.ERROR if asked == SEND else ResultCode.INFO
            _must(result.code is code, f"{asked}: blocked, told {result.code}")
            _must(code is ResultCode.INFO or result.error_id is ErrorId.VALIDATION_ERROR, "how")
        else:
            _must(result.code is not ResultCode.OK, f"{asked}: nothing was queued, told OK")

    def _come_to_an_end(self) -> None:
        """Everything is mended; what may go goes, and nothing is left waiting."""
        listeners = self.ground.listeners
        listeners.moods.clear()
        for number in PEOPLE:
            listeners.flags.setdefault(number, False)
        if "list" not in self.knowledge.lists and not self.knowledge.has_register:
            self.knowledge.has_register = True
            self.restart(0, 2)
        for one in self.knowledge.lists.values():
            one.write({*FILLING, *(one.counts or ())} & {*FILLING, *PEOPLE})
        self.layout = first_layout(self.play.environment, *self.play.leads)
        _must(self.trial.read_routes(self._toml()), "the first routes are good again")
        self.trial.meter.now += 100
        for _ in range(60):
            self.trial.workers.recover()
            while self._work_once():
                pass
            if not self._unfinished():
                return
            self.ground.clock.now += timedelta(days=1)
        raise ViolationError(
            f"left: {[(one.new.contract, one.state) for one in self._unfinished()]}"
        )

    def _unfinished(self) -> list[Delivery]:
        over = (DeliveryState.QUEUED, DeliveryState.HELD, DeliveryState.SENDING)
        with self.trial.rig.services.store.read() as rows:
            return [one for one in rows.deliveries.find(None) if one.state in over]

    # --- inside ---

    def _verdict(self, intygs_id: str, row: Row) -> str:
        if not intygs_id:
            return about_nobody(self.play.environment, row.role, row.kind)
        cert = self.certs[intygs_id]
        said = {self.knowledge.says(cert.number), cert.mark} - {UNSURE}
        now = self.knowledge.says(cert.number)
        return strictest(
            may_arrive(self.play.environment, row.role, row.kind, standing)
            for standing in {now, *said}
        )

    def _leads_to(self, contract: str, address: str) -> Row | None:
        if contract == HOOK:
            hook = self.layout.rows.get(address)
            return hook if hook is not None and hook.role == "hook" else None
        row = self.layout.leads_to(address, self._day())
        role = "care" if contract in TO_CARE else "authority"
        return row if row is not None and row.role == role else None

    def _read(self, layout: Layout, *, good: bool | None = None) -> None:
        """New routes: they count or they do not, and this is known by the answer."""
        before, self.layout = self.layout, layout
        taken = self.trial.read_routes(self._toml())
        _must(good is None or taken is good, "routes are good or not")
        if not taken:
            self.layout = before

    def _toml(self) -> str:
        return self.layout.toml(self.ground.listeners)

    def _call(self, body: bytes) -> Result:
        return self.trial.rig.call(body)

    def _cert(self, pick: int) -> tuple[str, Cert] | None:
        if not self.certs:
            return None
        intygs_id = list(self.certs)[pick % len(self.certs)]
        return intygs_id, self.certs[intygs_id]

    def _person(self, pick: int) -> str:
        return self.play.people[pick % len(self.play.people)]

    def _id(self, what: str) -> str:
        self.ids += 1
        return f"{what}-{self.ids:03d}-9f3a"

    def _day(self) -> date:
        return self.ground.clock.now.astimezone(SWEDEN).date()


def _body(data: bytes) -> bytes:
    return data.partition(b"\r\n\r\n")[2]


def _contract(attempt: Attempt) -> str:
    return attempt.delivery.new.contract


def _kind(attempt: Attempt) -> OutcomeKind:
    _must(attempt.outcome is not None, "an attempt comes to something")
    assert attempt.outcome is not None
    return attempt.outcome.kind


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise ViolationError(what)
