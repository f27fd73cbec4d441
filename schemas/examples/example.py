"""Example certificates of any type, made from its data file and nothing else.

What a type demands is partly structure (counts, kinds of value) and partly rules across questions
in XPath. A draft that has the structure is made first; then it is repaired: while the validator
finds something, one of the questions that the broken rule is about is answered otherwise, left out
or added, and the change that leaves the fewest findings is kept. The same seed gives the same
certificate.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from random import Random
from typing import Final
from uuid import UUID

from lxml import etree

from intyg.schemas.examples import values as intyg_values
from intyg.schemas.examples.draft import (
    Address,
    Code,
    Draft,
    DraftDelsvar,
    DraftSvar,
    Frame,
    Parent,
    Text,
    Value,
    request_element,
    svar_element,
)
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import (
    Delsvar,
    IntygType,
    Question,
    Rule,
)
from intyg.schemas.rules.assertion import Assertion, assertions_of
from intyg.schemas.rules.check import IntygCheck

PERSON: Final = "189001019802"
"""The patient unless another is given: from Skatteverket's published test numbers."""

SIGNER: Final = "TSTNMT2321000156-TEST01"
"""HSA-id of who signs, unless another is given: the one that test keys are made for."""

ADDRESS: Final = Address("Exempelvägen 2", "12345", "Provstad")
"""The patient's, in the types that want one; the others leave it empty."""

_NODE = re.compile(r"\b(?:svar|delsvar|code|coded|yes|no)\(\s*(\d+(?:\.\d+)?)")
_NAMED = re.compile(r"<(\d+(?:\.\d+)?)>")
_FULL_ROWS: Final = 3
"""So many svar of a repeated question in a full example; more would tell nothing new."""
_TRIES: Final = 30
_REPAIRS: Final = 60


class Size(StrEnum):
    """How much of the form is filled in."""

    MINIMAL = "minimal"  # nothing can be left out
    SOME = "some"  # the seed decides
    FULL = "full"  # as much as goes together


class ExampleError(Exception):
    """No example was found, and why."""


def example(
    intyg_type: IntygType,
    *,
    signed_at: datetime,
    size: Size = Size.FULL,
    seed: int = 0,
    version: str | None = None,
    intygs_id: str | None = None,
    person_id: str = PERSON,
    signer: str = SIGNER,
    parent: Parent | None = None,
) -> etree._Element:
    """
    A RegisterCertificate request that breaks no rule of its type, also none that only warns.

    Args:
        intyg_type: The type and version.
        signed_at: Swedish local time; dates in the answers are around it.
        size: How much is filled in.
        seed: Another one gives another certificate.
        version: As in the XML; None: the newest text version.
        intygs_id: None: made from type, size and seed.
        person_id: Patient, 12 digits.
        signer: HSA-id of who signs.
        parent: What it follows, if anything.

    Raises:
        ExampleError: None was found.
    """
    frame = frame_of(
        intyg_type,
        signed_at,
        seed=f"{size}/{seed}",
        version=version,
        intygs_id=intygs_id,
        person_id=person_id,
        signer=signer,
        parent=parent,
    )
    draft = Workshop(intyg_type, signed_at.date()).draft(frame, size, seed)
    return request_element(intyg_type, draft)


def frame_of(
    intyg_type: IntygType,
    signed_at: datetime,
    *,
    seed: str = "",
    version: str | None = None,
    intygs_id: str | None = None,
    person_id: str = PERSON,
    signer: str = SIGNER,
    parent: Parent | None = None,
) -> Frame:
    """Who and when of an example; see `example`."""
    made_id = UUID(int=seeded(f"{intyg_type.key}/{seed}").getrandbits(128), version=4)
    return Frame(
        intygs_id=intygs_id or str(made_id),
        person_id=person_id,
        signed_at=signed_at,
        version=version or intyg_type.xml_versions[-1],
        signer=signer,
        patient=ADDRESS if intyg_type.patient_address else Address(),
        parent=parent,
    )


def seeded(seed: str) -> Random:
    """Random numbers that are always the same for a seed."""
    return Random(seed)  # noqa: S311  to choose among invented answers


class Workshop:
    """
    Makes drafts of one type. Not to be shared between threads.

    Args:
        intyg_type: The type and version.
        today: The day on which drafts must be right.
        check: The compiled type, where it is at hand; compiling takes a few milliseconds.
    """

    def __init__(self, intyg_type: IntygType, today: date, check: IntygCheck | None = None) -> None:
        self.intyg_type = intyg_type
        self.today = today
        self._check = check or IntygCheck(intyg_type)
        self._questions = {question.svar: question for question in intyg_type.questions}
        self._frame: Frame | None = None
        self._elements: dict[tuple[DraftSvar, int], etree._Element] = {}
        self._drafts: dict[tuple[Frame, Size, int], Draft] = {}

    # --- whole drafts

    def draft(self, frame: Frame, size: Size, seed: int) -> Draft:
        """A draft without findings, the same whenever asked; ExampleError when none is found."""
        key = (frame, size, seed)
        if key not in self._drafts:
            self._drafts[key] = self._made(frame, size, seed)
        return self._drafts[key]

    def _made(self, frame: Frame, size: Size, seed: int) -> Draft:
        for attempt in range(_TRIES):
            rng = seeded(f"{self.intyg_type.key}/{size}/{seed}/{attempt}")
            start = self._start(frame, size, rng)
            settled = self.settled(start, rng, keep=size is Size.FULL)
            if settled is None:
                continue
            if size is Size.MINIMAL:
                settled = self._shrunk(settled, rng)
            if size is Size.FULL:
                settled = self._grown(settled, rng)
            return self._with_diagnosis_texts(settled)
        raise ExampleError(f"no example of {self.intyg_type.key} was found, seed {seed}")

    def findings(self, draft: Draft) -> list[Finding]:
        """What the validator says of a draft, errors and warnings."""
        if draft.frame != self._frame or len(self._elements) > 5000:
            self._frame = draft.frame
            self._request = request_element(self.intyg_type, Draft(draft.frame))
            self._intyg = self._request[-1]
            self._head = len(self._intyg)
            self._elements.clear()
        del self._intyg[self._head :]
        times: dict[DraftSvar, int] = {}
        for row in draft.svar:
            times[row] = times.get(row, 0) + 1
            self._intyg.append(self._element(row, times[row]))
        return self._check.check(self._intyg, today=self.today)

    def settled(
        self, draft: Draft, rng: Random, repairs: int = _REPAIRS, *, keep: bool = False
    ) -> Draft | None:
        """
        A draft near this one without findings; None when none is found.

        Args:
            draft: Where to start.
            rng: Chooses among repairs that are equally good.
            repairs: At most so many answers are changed.
            keep: Rather change and add answers than leave some out.
        """
        found = self.findings(draft)
        seen = {draft}
        for _ in range(repairs):
            if not found:
                return draft
            rule = rng.choice(found).rule
            best: tuple[int, Draft, list[Finding]] | None = None
            tries = self.changes(draft, self.concerns[rule], rng)
            if keep:
                tries.sort(key=lambda changed: -len(changed.ids()))
            for changed in tries:
                if changed in seen:
                    continue
                now = self.findings(changed)
                if best is None or len(now) < best[0]:
                    best = len(now), changed, now
                if len(now) < len(found):
                    break
            if best is None:
                return None
            _, draft, found = best
            seen.add(draft)
        return None

    # --- changes

    def changes(self, draft: Draft, nodes: Iterable[str], rng: Random) -> list[Draft]:
        """Drafts that differ in one answer to one of some questions, in random order."""
        changed = [new for node in nodes for new in self._changed(draft, node, rng)]
        rng.shuffle(changed)
        return changed

    def row(self, svar: str, at: int, rng: Random, include: Callable[[], bool]) -> DraftSvar:
        """A svar with its required delsvar, and the others that are to be included."""
        question = self._questions[svar]
        parts = [part for part in question.delsvar if part.count.least or include()] or [
            question.delsvar[0]
        ]
        return DraftSvar(
            svar,
            tuple(
                self.part(question, part, at, rng)
                for part in parts
                for _ in range(max(1, part.count.least))
            ),
        )

    def part(self, question: Question, part: Delsvar, at: int, rng: Random) -> DraftDelsvar:
        """A delsvar with a usual value; `at`: in which of the question's svar, from 0."""
        value = intyg_values.usual(question, part, at, self.today, rng)
        return DraftDelsvar(part.id.replace("*", question.svar), value)

    def added(self, draft: Draft, svar: str, rng: Random, *, whole: bool = False) -> Draft:
        """One more svar of a question."""
        row = self._unlike(draft, self.row(svar, len(draft.rows(svar)), rng, lambda: whole), rng)
        return draft.inserted(row, self.intyg_type).numbered(self._questions[svar])

    def dropped(self, draft: Draft, at: int) -> Draft:
        """The svar at a place left out."""
        return draft.with_row(at, None).numbered(self._questions[draft.svar[at].id])

    def put(self, draft: Draft, at: int, delsvar: str, value: Value | None) -> Draft:
        """A delsvar of the svar at a place changed, added, or, with None, left out."""
        row = draft.svar[at]
        parts = list(row.delsvar)
        place = next((n for n, part in enumerate(parts) if part.id == delsvar), None)
        if value is None:
            parts = [part for part in parts if part.id != delsvar]
        elif place is None:
            parts.append(DraftDelsvar(delsvar, value))
            order = [part.id for part in self._questions[row.id].delsvar]
            parts.sort(key=lambda part: order.index(part.id) if part.id in order else len(order))
        else:
            parts[place] = DraftDelsvar(delsvar, value)
        if not parts:
            return self.dropped(draft, at)
        return draft.with_row(at, replace(row, delsvar=tuple(parts)))

    @cached_property
    def concerns(self) -> dict[str, tuple[str, ...]]:
        """The svar and delsvar that each rule is about."""
        found: dict[str, dict[str, None]] = {}
        for assertion in self.assertions:
            found.setdefault(assertion.rule, {}).update(dict.fromkeys(self._about(assertion)))
        return {rule: tuple(nodes) for rule, nodes in found.items()}

    @cached_property
    def assertions(self) -> tuple[Assertion, ...]:
        """Everything that the type demands."""
        return assertions_of(self.intyg_type)

    # --- inside

    def _element(self, row: DraftSvar, time: int) -> etree._Element:
        """The element of a svar; another one for the second time that it is in a draft."""
        element = self._elements.get((row, time))
        if element is None:
            element = self._elements[row, time] = svar_element(row)
        return element

    def _start(self, frame: Frame, size: Size, rng: Random) -> Draft:
        share = {Size.MINIMAL: 0.0, Size.SOME: rng.random(), Size.FULL: 1.0}[size]

        def include() -> bool:
            return rng.random() < share

        draft = Draft(frame)
        for question in self.intyg_type.questions:
            count = question.count
            most = min(count.most or 1, _FULL_ROWS)
            rows = max(count.least, sum(include() for _ in range(most)))
            for at in range(rows):
                row = self._unlike(draft, self.row(question.svar, at, rng, include), rng)
                draft = draft.inserted(row, self.intyg_type)
            draft = draft.numbered(question)
        return _all_no(draft) if size is Size.MINIMAL else draft

    def _unlike(self, draft: Draft, row: DraftSvar, rng: Random) -> DraftSvar:
        """A svar with other codes than those that its question has already, as far as there are."""
        taken = {part for other in draft.svar if other.id == row.id for part in other.delsvar}
        parts = []
        for part in row.delsvar:
            if part in taken and isinstance(part.value, Code):
                about = self.intyg_type.delsvar(part.id)
                values = intyg_values.choices(self._questions[row.id], about, 0, self.today)
                others = [DraftDelsvar(part.id, value) for value in values]
                free = [other for other in others if other not in taken]
                part = rng.choice(free) if free else part
            parts.append(part)
        return replace(row, delsvar=tuple(parts))

    def _shrunk(self, draft: Draft, rng: Random) -> Draft:
        """With everything left out that can be left out."""
        while True:
            smaller = [self.dropped(draft, at) for at in range(len(draft.svar))]
            smaller += [
                self.put(draft, at, part.id, None)
                for at, row in enumerate(draft.svar)
                for part in row.delsvar
            ]
            rng.shuffle(smaller)
            fine = next((new for new in smaller if not self.findings(new)), None)
            if fine is None:
                return draft
            draft = fine

    def _grown(self, draft: Draft, rng: Random) -> Draft:
        """With questions added that were lost in repair, as far as they go together."""
        for question in self.intyg_type.questions:
            for part in question.delsvar:
                if part.id.replace("*", question.svar) in draft.ids():
                    continue
                rows = draft.rows(question.svar)
                for _ in range(3):
                    if rows:
                        new = self.part(question, part, 0, rng)
                        more = self.put(draft, rows[0], new.id, new.value)
                    else:
                        more = self.added(draft, question.svar, rng, whole=True)
                    settled = self.settled(more, rng, repairs=6, keep=True)
                    if settled and len(settled.ids()) > len(draft.ids()):
                        draft = settled
                        break
        return draft

    def _with_diagnosis_texts(self, draft: Draft) -> Draft:
        """With the text beside each diagnosis code saying what the code says."""
        for at, row in enumerate(draft.svar):
            question = self._questions[row.id]
            for text, code in _diagnosis_pairs(question):
                coded = row.value(code)
                if isinstance(coded, Code) and row.value(text) is not None:
                    said = intyg_values.diagnosis_text(coded.code)
                    draft = self.put(draft, at, text, Text(said)) if said else draft
        return draft

    def _changed(self, draft: Draft, node: str, rng: Random) -> Iterator[Draft]:
        svar, dot, _ = node.partition(".")
        question = self._questions[svar]
        rows = draft.rows(svar)
        if (not dot or not rows) and len(rows) < (question.count.most or 2):
            yield self.added(draft, svar, rng)
            if len(question.delsvar) > 1:
                yield self.added(draft, svar, rng, whole=True)
        for number, at in enumerate(rows):
            yield self.dropped(draft, at)
            if not dot:
                continue
            part = self.intyg_type.delsvar(node)
            value = draft.svar[at].value(node)
            if value is not None:
                yield self.put(draft, at, node, None)
            for other in intyg_values.choices(question, part, number, self.today):
                if other != value:
                    yield self.put(draft, at, node, other)

    def _about(self, assertion: Assertion) -> Iterator[str]:
        node = assertion.node
        if isinstance(node, Rule):
            text = f"{node.must} {node.where or ''}"
            if node.each:
                yield node.each.removesuffix("..")
            yield from node.concerns
            yield from _NODE.findall(text)
            yield from _NAMED.findall(node.message)
            if "c:delsvar" in text and node.each and node.each in self._questions:
                for part in self._questions[node.each].delsvar:
                    yield part.id
        elif isinstance(node, Delsvar):
            yield node.id
            if assertion.facet in ("unique", "overlap", "shared_day") and assertion.svar:
                yield assertion.svar
        elif isinstance(node, Question):
            yield node.svar
        elif assertion.facet == "svar_ids":
            for question in self.intyg_type.questions:
                yield question.svar


def _all_no(draft: Draft) -> Draft:
    """With every yes a no, since a yes is what usually asks for more."""
    rows = []
    for row in draft.svar:
        parts = [
            replace(part, value=Text("false")) if part.value == Text("true") else part
            for part in row.delsvar
        ]
        rows.append(replace(row, delsvar=tuple(parts)))
    return replace(draft, svar=tuple(rows))


def _diagnosis_pairs(question: Question) -> Iterator[tuple[str, str]]:
    """Ids of a text and the diagnosis code that it stands beside: 6.1 and 6.2, or 51.2 and 51.1."""
    texts = {part.id for part in question.delsvar if part.type == "text"}
    for part in question.delsvar:
        if part.pattern:
            svar, _, number = part.id.partition(".")
            for beside in (int(number) - 1, int(number) + 1):
                text = f"{svar}.{beside}"
                if text in texts:
                    texts.remove(text)
                    yield text, part.id
                    break
