"""When a question is asked, as far as the words of its type file say it in a form that is known.

A condition is about one part of another answer: it is yes, no, or one of some codes. What is not
understood is asked always: the type's rules say in the end what is wrong.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

_ONE: Final = (
    r"(?:some )?(?P<part>\d+\.\d+) is (?P<not>not )?"
    r"(?P<values>[\w-]+(?:\.\.[\w-]+)?(?: or [\w-]+(?:\.\.[\w-]+)?)*)"
)
_TAIL: Final = r"(?: and [\d.]+ is not true; forbidden if no such code| \(.*\)|; .*)?"
_SHOWN: Final = re.compile(
    rf"(?:exactly when |only if |if |required if |\d+\.\.\d+ if )?{_ONE}{_TAIL}"
)
_HIDDEN: Final = re.compile(rf"(?:.*; )?(?:hidden|forbidden) (?:when|if) {_ONE}")
_UNLESS: Final = re.compile(rf"(?:required|\d+\.\.\d+) unless {_ONE}")
_NOT: Final = re.compile(rf"not {_ONE}{_TAIL}")
_DEMANDED: Final = re.compile(r"exactly when |required |[1-9]\.\.\d")
_RANGE: Final = re.compile(r"([A-Za-z]+)(\d+)\.\.\1(\d+)")

Answered: TypeAlias = Callable[[str], Collection[str]]
"""What the parts with an id hold: codes, `true` or `false`."""


@dataclass(frozen=True)
class Condition:
    """
    Attributes:
        part: Id of the part of an answer that it is about.
        values: Any of them.
        shown: Whether the question is asked when the part holds one, or when it holds none.
        demands: Whether the question must be answered whenever it is asked.
    """

    part: str
    values: tuple[str, ...]
    shown: bool = True
    demands: bool = False

    def holds(self, answered: Answered) -> bool:
        """Whether the question is asked."""
        return bool(set(self.values) & set(answered(self.part))) is self.shown

    def as_data(self) -> str:
        """For the browser: `27.1 true`, or `!27.1 true` where it is asked without."""
        return f"{'' if self.shown else '!'}{self.part} {' '.join(self.values)}"


def condition_of(when: str | None) -> Condition | None:
    """The condition that a type file's `when` says; None: none, or none that is understood."""
    text = " ".join((when or "").split())
    for form, shown, demands in _FORMS:
        found = form.fullmatch(text)
        if found and found["values"] != "given":
            values = tuple(_values(found["values"]))
            shown = shown is not bool(found["not"])
            return Condition(found["part"], values, shown, demands(text))
    return None


def _always(text: str) -> bool:
    return bool(_DEMANDED.match(text)) and "not coupled" not in text


_FORMS: Final[tuple[tuple[re.Pattern[str], bool, Callable[[str], bool]], ...]] = (
    (_HIDDEN, False, _always),
    (_SHOWN, True, _always),
    (_NOT, False, lambda _: False),
    (_UNLESS, False, lambda _: True),
)


def _values(text: str) -> Iterator[str]:
    for each in text.split(" or "):
        span = _RANGE.fullmatch(each)
        if span is None:
            yield each
        else:
            for number in range(int(span[2]), int(span[3]) + 1):
                yield f"{span[1]}{number}"
