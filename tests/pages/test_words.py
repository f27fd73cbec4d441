"""Sentences and numbers, in both languages."""

from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import Final

import pytest

from intyg.adapter.console.pages.texts import TEXTS
from intyg.pages.frame_texts import FRAME_TEXTS
from intyg.pages.words import Plural, Text, Words, best_language

WORDS: Final[dict[str, Text]] = {
    "n": Plural(sv=("1 leverans", "{n} leveranser"), en=("1 delivery", "{n} deliveries")),
    "said": ("Sagt av {name}.", "Said by {name}."),
}
SV, EN = Words(WORDS, "sv"), Words(WORDS, "en")
MOMENT: Final = datetime(2026, 11, 23, 15, 2, 11, tzinfo=UTC)  # 16:02:11 in Sweden


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", [*TEXTS, *FRAME_TEXTS])
def test_both_languages_say_the_same_things(key: str) -> None:
    text = {**FRAME_TEXTS, **TEXTS}[key]
    if isinstance(text, Plural):
        assert fields(text.sv[1]) == fields(text.en[1])
        assert fields(text.sv[0]) <= fields(text.sv[1])
        assert fields(text.en[0]) <= fields(text.en[1])
    else:
        swedish, english = text
        assert swedish
        assert fields(swedish) == fields(english)


def test_no_key_of_a_page_hides_one_of_the_frame() -> None:
    assert not TEXTS.keys() & FRAME_TEXTS.keys()


def test_plurals_are_the_languages_own() -> None:
    assert [SV("n", n=n) for n in (0, 1, 2)] == ["0 leveranser", "1 leverans", "2 leveranser"]
    assert EN("n", n=1284) == "1,284 deliveries"
    assert SV("n", n=1284) == "1\u00a0284 leveranser"


def test_a_value_that_is_missing_is_an_error_and_no_gap() -> None:
    with pytest.raises(KeyError):
        SV("said")
    assert SV("said", name="{name}") == "Sagt av {name}."


def test_times_are_swedish() -> None:
    assert (SV.time(MOMENT), SV.short(MOMENT)) == ("16:02:11", "23 nov 16:02")
    assert SV.day(MOMENT) == "måndag 23 november 2026"
    assert EN.day(MOMENT) == "Monday 23 November 2026"
    assert SV.exact(MOMENT) == "2026-11-23 16:02:11"


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=8), "8 s"),
        (timedelta(minutes=5, seconds=59), "5 min"),
        (timedelta(hours=15, minutes=58), "15 h 58 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=3, hours=1, minutes=9), "3 dygn 1 h"),
        (timedelta(seconds=-1), "0 s"),
    ],
)
def test_lengths_have_two_units_at_most(length: timedelta, said: str) -> None:
    assert SV.duration(length).replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, None, "sv"),
        (None, "de-DE,en-GB;q=0.8", "en"),
        (None, "sv-SE,en;q=0.8", "sv"),
        ("en", "sv-SE", "en"),
        ("xx", "fr", "sv"),
    ],
)
def test_the_reader_chooses_the_language(
    chosen: str | None, accepted: str | None, language: str
) -> None:
    assert best_language(chosen, accepted) == language
