"""A certificate type as a form: a card a question, with its rows and fields, and how far it is."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from intyg.adapter.console.pages.draft_conditions import Condition, condition_of
from intyg.adapter.console.pages.draft_typed import (
    TICK,
    Typed,
    codes_of,
    is_ticked,
    svar_ids,
)
from intyg.adapter.drafts.answers import diagnosis_pairs, parts_of
from intyg.schemas.intyg_model import Delsvar, IntygType, Question

MOST_RADIOS: Final = 6
LONG_TEXT: Final = 200
"""Characters from which on a text has several lines."""

_MOST_ROWS: Final = 10
_BRIEF: Final = 30
_DATES: Final = {"date": 10, "zero_date": 10, "day": 10, "year": 4}
_NUMBERS: Final = frozenset({"decimal", "decimal_comma", "integer"})


@dataclass(frozen=True)
class Field:
    """
    A part of an answer, as it is filled in.

    Attributes:
        name: As it is posted; `id` is the same for elements of the page.
        look: Which of the template's macros draws it.
        choices: Codes and their texts.
        unit: What a quantity is counted in, where the type says so.
        shown: Whether it is asked, by what is answered so far.
        optional: Its type lets it be left out, or all of its question.
        kept: What goes with it unseen, by the end of its name.
    """

    part: str
    name: str
    label: str
    look: str
    value: str = ""
    values: Collection[str] = ()
    choices: Sequence[tuple[str, str]] = ()
    ends: tuple[str, str] = ("", "")
    limit: int | None = None
    unit: str | None = None
    condition: Condition | None = None
    shown: bool = True
    optional: bool = False
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Of its element."""
        return id_of(self.name)

    @property
    def is_empty(self) -> bool:
        """Nothing stands in it."""
        return not (self.value.strip() or any(self.values) or any(self.ends))

    @property
    def is_brief(self) -> bool:
        """Its choices have room side by side."""
        return sum(len(text) for _, text in self.choices) < _BRIEF

    @property
    def days(self) -> int | None:
        """How long a period is, its first and last day counted; None while it is none."""
        try:
            first, last = (date.fromisoformat(each) for each in self.ends)
        except ValueError:
            return None
        return (last - first).days + 1 if last >= first else None


@dataclass(frozen=True)
class Group:
    """
    Fields that stand side by side.

    Attributes:
        added: They are one more of the same, which stands folded while it is empty.
    """

    fields: Sequence[Field]
    added: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing stands in them."""
        return all(each.is_empty for each in self.fields)


@dataclass(frozen=True)
class Row:
    """
    One svar of a question.

    Attributes:
        key: See `draft_typed`.
        tick: Name, code and text of the box that says that it is there; None: it has none.
        ticked: The box has its tick.
        had: It had when the form was made.
    """

    key: str
    fields: Sequence[Field]
    tick: tuple[str, str, str] | None = None
    ticked: bool = False
    had: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing is said in it."""
        return not self.ticked and all(each.is_empty for each in self.fields)

    @property
    def groups(self) -> list[Group]:
        """Its fields; a diagnosis' code and text side by side, those after the first to add."""
        found: list[Group] = []
        for each in self.fields:
            if found and found[-1].fields[-1].look == "code" and each.look == "text":
                found[-1] = Group((*found[-1].fields, each), found[-1].added)
            else:
                found.append(Group((each,), each.look == "code" and each.optional and bool(found)))
        return found


@dataclass(frozen=True)
class Card:
    """
    A question.

    Attributes:
        rows: Those that say something, and at least one.
        more: Empty ones, to add.
        demanded: It must be answered as things are.
        several: It may be answered more than once.
        condition: When it is asked.
        cause: In words of the form, what the condition is about.
        shown: Whether it is asked, by what is answered so far.
    """

    svar: str
    title: str
    category: str | None
    rows: Sequence[Row]
    more: Sequence[Row]
    demanded: bool
    several: bool
    condition: Condition | None
    cause: str
    shown: bool

    @property
    def id(self) -> str:
        """Of its element."""
        return f"q-{self.svar}"

    @property
    def has_dates(self) -> bool:
        """A date stands in it somewhere."""
        return any(each.look in ("date", "period") for row in self.rows for each in row.fields)

    @property
    def is_empty(self) -> bool:
        """Nothing is answered."""
        return all(row.is_empty for row in (*self.rows, *self.more))


def id_of(name: str) -> str:
    """An element's id that selectors can name: no dots, no signs."""
    return "f-" + "".join(each if each.isalnum() else "-" for each in name)


def headline(text: str) -> str:
    """Terms of type files begin small."""
    return text[:1].upper() + text[1:]


def cards_of(intyg_type: IntygType, typed: Typed) -> list[Card]:
    """The form of a type, filled in."""
    return [
        _card(intyg_type, question, svar, typed)
        for question in intyg_type.questions
        for svar in svar_ids(question, typed)
    ]


def _card(intyg_type: IntygType, question: Question, svar: str, typed: Typed) -> Card:
    condition = condition_of(question.when)
    asked = condition is None or condition.holds(typed.held)
    rows, more = _rows(question, svar, typed)
    return Card(
        svar=svar,
        title=headline(question.term),
        category=question.category,
        rows=rows,
        more=more,
        demanded=question.count.least > 0 or bool(condition and condition.demands and asked),
        several=question.count.most != 1 and not question.last,
        condition=condition,
        cause=_cause(intyg_type, condition),
        shown=asked,
    )


def _cause(intyg_type: IntygType, condition: Condition | None) -> str:
    """What a condition is about: `Sysselsättning: nuvarande arbete`."""
    if condition is None:
        return ""
    question = intyg_type.question_of(condition.part.partition(".")[0])
    parts = {} if question is None else parts_of(question, question.svar)
    part = parts.get(condition.part)
    if part is None or question is None:
        return ""
    said = {**codes_of(part), "true": "ja", "false": "nej"}
    values = " eller ".join(said.get(each, each) for each in condition.values[:3])
    term = part.term if len(question.delsvar) > 1 or not codes_of(part) else question.term
    return f"{headline(term)}: {values}"


def _rows(question: Question, svar: str, typed: Typed) -> tuple[list[Row], list[Row]]:
    """Those to be seen, and those to be added."""
    keys = typed.keys(svar)
    if is_ticked(question):
        ticks = [f"{TICK}{code}" for code in codes_of(question.delsvar[0])]
        others = [key for key in keys if key not in ticks]
        return [_row(question, svar, key, typed) for key in (*ticks, *others)], []
    most = 1 if question.last else min(question.count.most or _MOST_ROWS, _MOST_ROWS)
    wanted = [*keys, *(str(n) for n in range(most + len(keys)) if str(n) not in keys)]
    rows = [_row(question, svar, key, typed) for key in wanted[: max(most, len(keys))]]
    filled = [row for row in rows if not row.is_empty] or rows[:1]
    return filled, [row for row in rows if row not in filled]


def _row(question: Question, svar: str, key: str, typed: Typed) -> Row:
    start, parts = f"{svar}~{key}", _ordered(question, svar)
    first = question.delsvar[0]
    code = key.removeprefix(TICK)
    if not (key.startswith(TICK) and code in codes_of(first)):
        return Row(key, [_field(typed, question, start, *each) for each in parts])
    name = f"{start}~{first.id}"
    had = bool(typed.one(f"{start}~~had"))
    asked = [each for each in parts if each[1] is not first]
    fields = [
        found
        for each in asked
        if not (found := _field(typed, question, start, *each)).is_empty
        or _goes_with(each[1], first, code)
    ]
    ticked = bool(typed.one(name)) or (not had and not all(each.is_empty for each in fields))
    return Row(key, fields, (name, code, headline(codes_of(first)[code])), ticked, had)


def _goes_with(part: Delsvar, first: Delsvar, code: str) -> bool:
    """Whether a part is asked of the row with this code."""
    condition = condition_of(part.when)
    if condition is None or condition.part != first.id:
        return True
    return (code in condition.values) is condition.shown


def _ordered(question: Question, svar: str) -> list[tuple[str, Delsvar]]:
    """A question's parts: in the order of the form, but a diagnosis' code before its text."""
    parts = list(parts_of(question, svar).items())
    pairs = dict(diagnosis_pairs(question))
    codes = {code: text for text, code in pairs.items()}

    def order(each: tuple[str, Delsvar]) -> tuple[int, int]:
        ids = [part.id for _, part in parts]
        place = ids.index(each[1].id)
        beside = ids.index(codes[each[1].id]) if each[1].id in codes else place
        return min(place, beside), each[1].id not in codes

    return sorted(parts, key=order)


# --- a field --------------------------------------------------------------------------------------


def _field(typed: Typed, question: Question, start: str, name: str, part: Delsvar) -> Field:
    whole = f"{start}~{name}"
    condition = condition_of(part.when)
    return Field(
        part=name,
        name=whole,
        label=headline(part.term),
        look=_look(part, typed.one(whole)),
        value=typed.one(whole),
        values=typed.many(whole) if part.count.most != 1 else (),
        choices=tuple(_choices(part)),
        ends=(typed.one(f"{whole}~start"), typed.one(f"{whole}~end")),
        limit=_limit(part),
        unit=part.unit.values[0] if part.unit else None,
        condition=condition,
        shown=condition is None or condition.holds(typed.held),
        optional=0 in (part.count.least, question.count.least),
        kept={
            end: typed.one(f"{whole}~{end}")
            for end in ("codeSystem", "displayName", "was")
            if typed.one(f"{whole}~{end}")
        },
    )


def _look(part: Delsvar, value: str) -> str:
    choices = list(_choices(part))
    if choices:
        few = "radios" if len(choices) <= MOST_RADIOS else "select"
        return "boxes" if part.count.most != 1 else few
    if part.type in _DATES:
        return "date"
    if part.type in _NUMBERS:
        return "number"
    if part.type == "text":
        return "area" if _is_long(part) or "\n" in value else "text"
    return {"period": "period", "pq": "quantity", "cv": "code"}[part.type]


def _is_long(part: Delsvar) -> bool:
    return part.length is not None and part.length.most > LONG_TEXT


def _limit(part: Delsvar) -> int | None:
    """The most signs that may stand in it."""
    if part.type in _DATES:
        return None
    return int(part.length.most) if part.length else None


def _choices(part: Delsvar) -> Iterator[tuple[str, str]]:
    if part.type in ("boolean", "yes_no", "boolean_or_cv"):
        yield from (("true", "Ja"), ("false", "Nej"))
    yield from ((code, headline(text)) for code, text in codes_of(part).items())
