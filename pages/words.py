"""Sentences in Swedish and English, whole, with plurals; numbers and times as each writes them.

A page never puts a sentence together from pieces: word order differs between languages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

Language: TypeAlias = Literal["sv", "en"]
LANGUAGES: Final[tuple[Language, Language]] = ("sv", "en")

SWEDEN: Final = ZoneInfo("Europe/Stockholm")
"""Whose clock every page follows, whoever looks at it."""

# fmt: off
_MONTHS: Final[Mapping[Language, tuple[str, ...]]] = {
    "sv": ("januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september",
           "oktober", "november", "december"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December"),
}
_DAYS: Final[Mapping[Language, tuple[str, ...]]] = {
    "sv": ("måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
# fmt: on
_NO_BREAK: Final = "\u00a0"
_SEPARATOR: Final[Mapping[Language, str]] = {"sv": _NO_BREAK, "en": ","}


@dataclass(frozen=True)
class Plural:
    """One sentence for one, another for every other number; `n` is the number in it."""

    sv: tuple[str, str]
    en: tuple[str, str]


Text: TypeAlias = tuple[str, str] | Plural
"""Swedish and English."""


class Words:
    """
    A page's language.

    Args:
        texts: Every sentence, by its key.
        language: Which of the two.
    """

    def __init__(self, texts: Mapping[str, Text], language: Language) -> None:
        self._texts = texts
        self.language: Language = language

    @property
    def other(self) -> Language:
        """The one that the page is not in."""
        return "en" if self.language == "sv" else "sv"

    def __call__(self, key: str, /, **values: object) -> str:
        """
        A sentence with its values; numbers as the language writes them.

        Raises:
            KeyError: There is no such sentence, or a value of it is missing.
        """
        text = self._texts[key]
        place = LANGUAGES.index(self.language)
        if isinstance(text, Plural):
            one, many = (text.sv, text.en)[place]
            sentence = one if values["n"] == 1 else many
        else:
            sentence = text[place]
        shown = {name: self._shown(value) for name, value in values.items()}
        return sentence.format(**shown)

    def knows(self, key: str) -> bool:
        """Whether there is such a sentence."""
        return key in self._texts

    def number(self, value: int) -> str:
        """`1 284`, with a blank that does not break; `1,284` in English."""
        return f"{value:,}".replace(",", _SEPARATOR[self.language])

    def time(self, moment: datetime) -> str:
        """`16:02:11`."""
        return f"{moment.astimezone(SWEDEN):%H:%M:%S}"

    def minute(self, moment: datetime) -> str:
        """`16:02`."""
        return f"{moment.astimezone(SWEDEN):%H:%M}"

    def short(self, moment: datetime) -> str:
        """`23 nov 16:08`."""
        local = moment.astimezone(SWEDEN)
        return f"{local.day} {self._month(local)[:3]} {local:%H:%M}"

    def short_day(self, day: date) -> str:
        """`4 dec`."""
        return f"{day.day} {_MONTHS[self.language][day.month - 1][:3]}"

    def day(self, moment: datetime) -> str:
        """`måndag 23 november 2026`."""
        local = moment.astimezone(SWEDEN)
        return (
            f"{_DAYS[self.language][local.weekday()]} {local.day} {self._month(local)} {local.year}"
        )

    def month(self, day: date) -> str:
        """`november 2026`."""
        return f"{self._month(day)} {day.year}"

    def month_short(self, day: date) -> str:
        """`nov 2026`."""
        return f"{self._month(day)[:3]} {day.year}"

    def exact(self, moment: datetime) -> str:
        """`2026-11-23 16:02:11`, as audits and files have it."""
        return f"{moment.astimezone(SWEDEN):%Y-%m-%d %H:%M:%S}"

    def duration(self, length: timedelta) -> str:
        """`2 h 14 min`: two units at most, and no precision that nobody asks for."""
        seconds = max(int(length.total_seconds()), 0)
        days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
        day = ("dygn", "d")[LANGUAGES.index(self.language)]
        if days:
            parts = [(days, day), (hours, "h")]
        elif hours:
            parts = [(hours, "h"), (minutes, "min")]
        elif minutes:
            parts = [(minutes, "min")]
        else:
            return f"{seconds}{_NO_BREAK}s"
        return " ".join(f"{count}{_NO_BREAK}{unit}" for count, unit in parts if count)

    def _month(self, local: date) -> str:
        return _MONTHS[self.language][local.month - 1]

    def _shown(self, value: object) -> object:
        is_count = isinstance(value, int) and not isinstance(value, bool)
        return self.number(value) if is_count and isinstance(value, int) else value


def best_language(chosen: str | None, accepted: str | None) -> Language:
    """
    What a page is written in.

    Args:
        chosen: What the reader has switched to, if ever.
        accepted: What the browser says in `Accept-Language`, in its order of preference.
    """
    wanted = [chosen or "", *(part.partition(";")[0] for part in (accepted or "").split(","))]
    for each in wanted:
        match each.strip().lower()[:2]:
            case "sv":
                return "sv"
            case "en":
                return "en"
    return "sv"
