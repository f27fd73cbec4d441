"""Every act × every engine: which events care is told, in which order, with which numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from intyg.adapter.domain.meddelande import FragaState, StoredHandelse
from intyg.adapter.rules.engine_events import TELLINGS, Act
from intyg.schemas.intyg_model import Engine, IntygType
from intyg.schemas.typefile.lookup import IntygTypes, UnknownTypeError
from tests import builders
from tests.adapter.flows.rig import FK, Rig

OLDER: Final = builders.INTYGS_ID
NEWER: Final = "7c1d-newer"
NEWEST: Final = "7c1d-newest"
ask = builders.send_message_to_care
write = builders.send_message_to_recipient
CS, LEGACY = Engine.CS, Engine.LEGACY

Step = Callable[[Rig], object]
Told = tuple[str, str, str, str]
"""Certificate, code, and of the recipient's and of care's questions: «not answered/handled»."""


def send(*bodies: bytes) -> Step:
    return lambda rig: rig.ok(*bodies)


def handled(meddelande_id: str) -> Step:
    return lambda rig: rig.mark(meddelande_id, handled=True)


def follow(relation: str, intygs_id: str = NEWER) -> bytes:
    return builders.register_certificate(intygs_id, relation=(relation, OLDER))


def answer(to: str, *, to_part: str = FK) -> bytes:
    return write(f"answer-{to}", "KOMPLT", svar_pa=to, mottagare=to_part)


def older(code: str, theirs: str, own: str = "0/0") -> Told:
    return OLDER, code, theirs, own


def newer(code: str, theirs: str = "0/0") -> Told:
    return NEWER, code, theirs, "0/0"


TWO: Final = send(ask("k-1", "KOMPLT"), ask("k-2", "KOMPLT"))
"""Two completion requests about the older certificate."""

THREE: Final = send(ask("k-1", "KOMPLT"), ask("k-2", "KOMPLT"), write("v-1", "KONTKT"))
"""The same, and a question of care's."""


@dataclass(frozen=True)
class Cell:
    """
    What is done and what care is told of it.

    Attributes:
        before: What happened to the older certificate, which Försäkringskassan has.
        does: The act.
        told: Every event from the act on, in the order in which they go out.
        stand: Where questions stand afterwards, by their ids.
    """

    name: str
    act: Act
    engine: Engine
    before: list[Step]
    does: Step
    told: list[Told]
    stand: dict[str, FragaState] = field(default_factory=dict)


OPEN, HANDLED = FragaState.OPEN_CARE, FragaState.HANDLED
ALL_HANDLED: Final = {"k-1": HANDLED, "k-2": HANDLED}
ALL_OPEN: Final = {"k-1": OPEN, "k-2": OPEN}
REVOKE: Final = send(builders.revoke_certificate())
COMPLETED: Final = [TWO, send(follow("KOMPLT"))]

CELLS: Final = [
    # --- revoked, with open questions ---
    Cell("three open", Act.REVOKED, CS, [THREE], REVOKE,
         [older("MAKULE", "0/2", "0/1")], ALL_HANDLED | {"v-1": HANDLED}),
    Cell("three open", Act.REVOKED, LEGACY, [THREE], REVOKE,
         [older("MAKULE", "2/0", "1/0"), older("HANFRFM", "1/1", "1/0"),
          older("HANFRFM", "0/2", "1/0"), older("HANFRFV", "0/2", "0/1")],
         ALL_HANDLED | {"v-1": HANDLED}),
    Cell("one handled before", Act.REVOKED, CS, [TWO, handled("k-1")], REVOKE,
         [older("MAKULE", "0/2")], ALL_HANDLED),
    Cell("one handled before", Act.REVOKED, LEGACY, [TWO, handled("k-1")], REVOKE,
         [older("MAKULE", "1/1"), older("HANFRFM", "0/2")], ALL_HANDLED),
    Cell("nothing asked", Act.REVOKED, CS, [], REVOKE, [older("MAKULE", "0/0")]),
    Cell("nothing asked", Act.REVOKED, LEGACY, [], REVOKE, [older("MAKULE", "0/0")]),
    # --- completed, replaced or renewed ---
    *[
        Cell(f"{relation}: two open", Act.FOLLOWED, CS, [TWO], send(follow(relation)),
             [newer("SIGNAT"), older("HANFRFM", "0/2")], ALL_HANDLED)
        for relation in ("KOMPLT", "FRLANG")
    ],
    *[
        Cell(f"{relation}: two open", Act.FOLLOWED, LEGACY, [TWO], send(follow(relation)),
             [newer("SIGNAT"), older("HANFRFM", "1/1"), older("HANFRFM", "0/2")], ALL_HANDLED)
        for relation in ("KOMPLT", "FRLANG")
    ],
    *[
        Cell(f"{relation}: all handled before", Act.FOLLOWED, engine,
             [TWO, handled("k-1"), handled("k-2")], send(follow(relation)),
             [newer("SIGNAT"), *([older("HANFRFM", "0/2")] if engine is CS else [])], ALL_HANDLED)
        for relation in ("KOMPLT", "ERSATT", "FRLANG")
        for engine in Engine
    ],
    *[
        Cell("only another question", Act.FOLLOWED, engine, [send(ask("f-1", "KONTKT"))],
             send(follow("ERSATT")), [newer("SIGNAT")], {"f-1": OPEN})
        for engine in Engine
    ],
    # --- care cannot complete ---
    *[
        Cell("two open, the newest answered", Act.CANNOT_COMPLETE, engine, [TWO],
             send(answer("k-2")), [older("HANFRFM", "0/2")], ALL_HANDLED)
        for engine in Engine
    ],
    Cell("the newest was closed", Act.CANNOT_COMPLETE, CS, [TWO, handled("k-2")],
         send(answer("k-1")), [older("HANFRFM", "0/2")], ALL_HANDLED),
    Cell("the newest was closed", Act.CANNOT_COMPLETE, LEGACY, [TWO, handled("k-2")],
         send(answer("k-1")), [], ALL_HANDLED),
    *[
        Cell("an older one answered", Act.CANNOT_COMPLETE, engine, [TWO],
             send(answer("k-1")), [older("HANFRFM", "1/1")], {"k-1": HANDLED, "k-2": OPEN})
        for engine in Engine
    ],
    *[
        Cell("another recipient's is newer", Act.CANNOT_COMPLETE, engine,
             [send(ask("k-1", "KOMPLT"), ask("k-2", "KOMPLT", part="AF")), handled("k-2")],
             send(answer("k-1")), [older("HANFRFM", "0/2")], ALL_HANDLED)
        for engine in Engine
    ],
    # --- the complement is revoked ---
    Cell("two completed", Act.COMPLEMENT_REVOKED, CS, COMPLETED,
         send(builders.revoke_certificate(NEWER)),
         [newer("MAKULE"), older("NYFRFM", "2/0"), older("NYFRFM", "2/0")], ALL_OPEN),
    Cell("two completed", Act.COMPLEMENT_REVOKED, LEGACY, COMPLETED,
         send(builders.revoke_certificate(NEWER)),
         [newer("MAKULE"), older("NYFRFM", "1/1"), older("NYFRFM", "2/0")], ALL_OPEN),
    Cell("one is open again", Act.COMPLEMENT_REVOKED, CS,
         [*COMPLETED, lambda rig: rig.mark("k-1", handled=False)],
         send(builders.revoke_certificate(NEWER)),
         [newer("MAKULE"), older("NYFRFM", "2/0"), older("NYFRFM", "2/0")], ALL_OPEN),
    Cell("one is open again", Act.COMPLEMENT_REVOKED, LEGACY,
         [*COMPLETED, lambda rig: rig.mark("k-1", handled=False)],
         send(builders.revoke_certificate(NEWER)),
         [newer("MAKULE"), older("NYFRFM", "2/0")], ALL_OPEN),
    Cell("with a question of its own", Act.COMPLEMENT_REVOKED, CS,
         [*COMPLETED, send(ask("f-1", "KONTKT", intygs_id=NEWER))],
         send(builders.revoke_certificate(NEWER)),
         [newer("MAKULE", "0/1"), older("NYFRFM", "2/0"), older("NYFRFM", "2/0")],
         ALL_OPEN | {"f-1": HANDLED}),
    Cell("with a question of its own", Act.COMPLEMENT_REVOKED, LEGACY,
         [*COMPLETED, send(ask("f-1", "KONTKT", intygs_id=NEWER))],
         send(builders.revoke_certificate(NEWER)),
         [newer("MAKULE", "1/0"), newer("HANFRFM", "0/1"),
          older("NYFRFM", "1/1"), older("NYFRFM", "2/0")], ALL_OPEN | {"f-1": HANDLED}),
    Cell("not the newest", Act.COMPLEMENT_REVOKED, CS,
         [*COMPLETED, lambda rig: rig.call(follow("KOMPLT", NEWEST))],
         send(builders.revoke_certificate(NEWER)),
         [newer("MAKULE"), older("NYFRFM", "2/0"), older("NYFRFM", "2/0")], ALL_OPEN),
    Cell("not the newest", Act.COMPLEMENT_REVOKED, LEGACY,
         [*COMPLETED, lambda rig: rig.call(follow("KOMPLT", NEWEST))],
         send(builders.revoke_certificate(NEWER)), [newer("MAKULE")], ALL_HANDLED),
    *[
        # Care had said that it cannot, and completed it after all; a text counts as an answer.
        Cell("answered by text", Act.COMPLEMENT_REVOKED, engine,
             [send(ask("k-1", "KOMPLT"), answer("k-1"), follow("KOMPLT"))],
             send(builders.revoke_certificate(NEWER)),
             [newer("MAKULE"), older("NYFRFM", "0/0")], {"k-1": OPEN})
        for engine in Engine
    ],
]  # fmt: skip


@pytest.mark.parametrize(
    "cell", CELLS, ids=lambda cell: f"{cell.act.name}-{cell.engine}: {cell.name}"
)
def test_care_is_told_what_the_engine_tells(sent: Rig, cell: Cell) -> None:
    rig = sent.with_types(engine=cell.engine)
    for step in cell.before:
        step(rig)
    had = {intygs_id: len(rig.handelser(intygs_id)) for intygs_id in (OLDER, NEWER)}
    cell.does(rig)
    queued = [delivery.id for delivery in rig.deliveries(None)]
    events = [event for intygs_id, n in had.items() for event in rig.handelser(intygs_id)[n:]]
    in_order = sorted(events, key=lambda event: queued.index(event.delivery_id or ""))
    assert [_told(event) for event in in_order] == cell.told
    assert {name: rig.fraga(name).state for name in cell.stand} == cell.stand


def _told(event: StoredHandelse) -> Told:
    theirs, own = (
        f"{arenden.ej_besvarade}/{arenden.hanterade}"
        for arenden in (event.mottagna_fragor, event.skickade_fragor)
    )
    assert event.amne is None  # nothing new was asked
    return event.intygs_id, event.handelsekod.value, theirs, own


def test_every_cell_is_played() -> None:
    assert {(cell.act, cell.engine) for cell in CELLS} == set(TELLINGS)


@pytest.mark.parametrize("engine", Engine)
def test_a_complement_is_sent_and_told_when_it_is_accepted(sent: Rig, engine: Engine) -> None:
    rig = sent.with_types(engine=engine)
    rig.ok(ask("k-1", "KOMPLT"), follow("KOMPLT"))
    rig.deliver()
    assert rig.events(NEWER) == ["SIGNAT", "SKICKA"]
    assert rig.events() == ["SIGNAT", "SKICKA", "NYFRFM", "HANFRFM"]


@pytest.mark.parametrize(
    ("typ", "version", "told"),
    [
        ("LISJP", "1.3", ["SIGNAT", "NYFRFM", "MAKULE", "HANFRFM"]),
        ("LISJP", "2.0", ["SIGNAT", "NYFRFM", "MAKULE"]),
        ("LUSE", "1.0", ["SIGNAT", "NYFRFM", "MAKULE", "HANFRFM"]),
        ("LUAS", "1.0", ["SIGNAT", "NYFRFM", "MAKULE"]),
    ],
)
def test_the_type_s_file_says_which_engine(
    rig: Rig, typ: str, version: str, told: list[str]
) -> None:
    real = rig.without_rules()
    real.ok(
        builders.register_certificate(typ=typ, version=version),
        ask("f-1", "KONTKT"),
        builders.revoke_certificate(),
    )
    assert real.events() == told


def test_without_the_type_s_file_the_older_engine_tells(sent: Rig) -> None:
    class Gone(IntygTypes):
        def find(self, xml_code: str, version: str) -> IntygType:
            raise UnknownTypeError(xml_code, version, ())

    sent.ok(ask("f-1", "KONTKT"))
    replace(sent, services=replace(sent.services, types=Gone())).ok(builders.revoke_certificate())
    assert sent.events()[-2:] == ["MAKULE", "HANFRFM"]


def test_of_two_engines_the_older_certificate_s_tells(sent: Rig) -> None:
    """Försäkringskassan's old and new form: the completion requests are with the old one's."""
    sent.ok(*[ask(f"k-{n}", "KOMPLT") for n in (1, 2)])
    newer_engine = sent.with_types(engine=CS)
    newer_engine.call(follow("KOMPLT"))
    assert newer_engine.events()[-1:] == ["HANFRFM"]
    sent.call(builders.revoke_certificate(NEWER))
    assert sent.events()[-2:] == ["NYFRFM", "NYFRFM"]


@pytest.mark.parametrize("engine", Engine)
def test_one_that_was_answered_by_text_and_is_open_again_is_closed_with_the_others(
    sent: Rig, engine: Engine
) -> None:
    rig = sent.with_types(engine=engine)
    rig.ok(ask("k-1", "KOMPLT"), answer("k-1"))
    rig.call(follow("KOMPLT"))
    rig.ok(builders.revoke_certificate(NEWER), ask("k-2", "KOMPLT"))
    assert "MESSAGE_ALREADY_ANSWERED_ERROR" in (
        rig.call(write("b", "KOMPLT", svar_pa="k-1")).text or ""
    )
    rig.ok(answer("k-2"))
    assert [rig.fraga(one).state for one in ("k-1", "k-2")] == [HANDLED, HANDLED]
    assert rig.fraga("k-1").answered_by == "answer-k-1"


@pytest.mark.parametrize("engine", Engine)
@pytest.mark.parametrize("relation", ["KOMPLT", "ERSATT", "FRLANG"])
def test_nothing_is_told_of_a_certificate_that_was_revoked_before(
    sent: Rig, relation: str, engine: Engine
) -> None:
    rig = sent.with_types(engine=engine)
    rig.ok(ask("k-1", "KOMPLT"), builders.revoke_certificate())
    before = rig.events()
    assert rig.call(follow(relation)).code == "INFO"
    rig.call(builders.revoke_certificate(NEWER))
    assert rig.events() == before
