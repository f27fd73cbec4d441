"""What may stand in a delsvar of an example: usual values, and values that break something.

Texts are ours, short and invented; which one fits is told by the Swedish term of the question.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Final

from intyg.schemas.examples.draft import (
    Code,
    PartialDate,
    Period,
    Quantity,
    Text,
    Twice,
    Value,
)
from intyg.schemas.intyg_model import (
    CodeList,
    Delsvar,
    Match,
    Question,
)

TEXTS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("annan grund", ("Samtal med patientens närstående",)),
    ("kommun", ("Provköping", "Exempelstad")),
    ("land", ("Norge", "Portugal")),
    ("medicin slut", ("Våren 2024",)),
    ("läkemedel", ("Metformin 500 mg, 1 x 2", "Oxazepam 5 mg vid behov")),
    ("medicin", ("Lamotrigin 100 mg, 1 x 2", "Metylfenidat 36 mg, 1 x 1")),
    ("yrke", ("Snickare, bygger kök och trappor", "Undersköterska på ett äldreboende")),
    ("specialitet", ("Neurologi", "Ögonsjukdomar")),
    ("var underlaget finns", ("Skickas med posten", "Bifogas av patienten")),
    ("underlag", ("Körkort", "Pass", "Tidigare journal")),
    ("relation", ("Patientens mor", "Patientens bror")),
    ("vårdinrättning", ("Provsjukhuset i Provstad",)),
    ("tidpunkt", ("Våren 2025", "Mars 2024")),
    ("när", ("Våren 2025", "I mars 2024")),
    ("tid", ("Sedan våren 2025", "Ett tillfälle 2024")),
    ("senaste", ("Hösten 2024", "Mars 2025")),
    ("kontakt", ("Vill gärna tala om möjligheten att anpassa arbetet.",)),
    ("övrig", ("Inget ytterligare att tillägga.", "Patienten har läst och godkänt innehållet.")),
    ("kommentar", ("Inget ytterligare att tillägga.",)),
    ("prov", ("Leverprover utan anmärkning", "PEth 0,05")),
    ("sjukdom", ("Högt blodtryck", "Kronisk bronkit")),
    ("skäl", ("Planerat ingrepp", "Ingen effekt längre")),
    ("orsak", ("Lunginflammation", "Hjärtinfarkt", "Fall från stege")),
    ("behandling", ("Går hos fysioterapeut en gång i veckan.", "Väntar på tid för operation.")),
    ("aktivitet", ("Kan inte lyfta, böja sig eller stå längre än tio minuter.",)),
    ("nedsatt", ("Blir snabbt trött och tappar tråden i samtal.", "Svårt att gripa och hålla.")),
    ("funktion", ("Nedsatt rörlighet i ryggen & smärta vid belastning.",)),
    ("diagnos", ("Ryggbesvär", "Utmattning")),
    ("", ("Har varit så sedan i våras.", "Oförändrat sedan förra besöket.", "Måttliga besvär.")),
)
"""How a word in a term begins, and texts that suit it; the first that fits decides."""

DIAGNOSES: Final = (
    ("M545", "Lumbago"),
    ("J189", "Lunginflammation"),
    ("F321", "Medelsvår depression"),
    ("S525", "Fraktur på handleden"),
    ("I109", "Högt blodtryck"),
    ("G439", "Migrän"),
    ("K359", "Akut blindtarmsinflammation"),
)

_DATES: Final = (0, -2, -6, -13, -40)
"""Usual days, as days from today; rules about order choose among them."""


def usual(question: Question, part: Delsvar, row: int, today: date, rng: Random) -> Value:
    """
    A value that suits a delsvar by itself.

    Args:
        question: The delsvar's question, for its term.
        part: What is asked.
        row: Which one it is of several svar, from 0: periods follow each other.
        today: Dates are around it.
        rng: Chooses where there is a choice.
    """
    values = choices(question, part, row, today)
    return values[0] if part.type == "period" else rng.choice(values)


def choices(question: Question, part: Delsvar, row: int, today: date) -> Sequence[Value]:
    """Every value that `usual` chooses from, and a few more days."""
    match part.type:
        case "boolean" | "yes_no":
            return (Text("true"), Text("false"))
        case "boolean_or_cv":
            return (Text("true"), Text("false"), *_codes(part))
        case "cv":
            return _codes(part)
        case "date":
            return [Text(_day(today, days)) for days in (*_DATES, 60)]
        case "zero_date":
            # today's year is known, the month is not; or nothing is
            unknown = (Text(f"{today.year}-00-00"), Text("0000-00-00"))
            return [*(Text(_day(today, days)) for days in _DATES), *unknown]
        case "year":
            return [PartialDate(str(today.year - years)) for years in (1, 4, 11)]
        case "day":
            return [PartialDate(_day(today, days)) for days in _DATES]
        case "period":
            starts = (14 * row, 14 * row + 70, 14 * row - 5)
            return [Period(_day(today, days), _day(today, days + 12)) for days in starts]
        case "decimal":
            return [Text(number) for number in ("0.8", "1.0", "0.4", "0.05", "1.2")]
        case "decimal_comma":
            return [Text(number) for number in ("0,8", "1,0", "0,4", "0,0", "1,2")]
        case "integer":
            return [Text(number) for number in ("50", "3", "75", "12")]
        case "pq":
            unit = part.unit.values[0] if part.unit else "%"
            numbers = ("20.0", "10.0", "30.0") if unit == "h" else ("50.0", "25.0", "100.0")
            return [Quantity(number, unit) for number in numbers]
    return [Text(text) for text in _texts(question, part)]


def odd(part: Delsvar, now: Value, row: int, today: date, born: date | None) -> Sequence[Value]:
    """
    Values that some rule refuses, likely ones first; each keeps the contract's schema.

    Args:
        part: What is asked.
        now: What it holds.
        row: Which one it is of several svar, from 0.
        today: What is late is later than this.
        born: The patient's birth, if known; what is early is before it.
    """
    wrong: list[Value] = []
    if part.length:
        wrong.append(Text("Ordet återkommer. " * (int(part.length.most) // 17 + 1)))
    if isinstance(now, Code):
        wrong += _odd_codes(part, now)
    if isinstance(now, Text):
        wrong += [Text(f" {now.text}"), Text(f"{now.text}Z")]  # a blank, a time zone
    match part.type:
        case "date" | "zero_date":
            days = [_day(today, number) for number in (400, 1, 366, -100, -800, -36500)]
            near_birth = [_day(born, number) for number in (10, -400)] if born else []
            unknown = ["2999-12-31", "0000-00-00", f"{today.year}-00-00"]
            wrong += [Text(text) for text in (*days, *near_birth, *unknown)]
        case "day":
            wrong += [PartialDate(value) for value in ("2999-12-31", "1001-01-01", "2026")]
        case "year":
            wrong += [PartialDate(value) for value in ("2999", "1001", "2026-05")]
        case "period":
            wrong += [
                Period(_day(today, first), _day(today, last))
                for first, last in (
                    (12, 0),  # ends before it starts
                    (14 * row, 14 * row + 14),  # shares a day with the next one
                    (0, 60),
                    (-30, -20),
                    (-400, -390),
                    (-36500, 0),
                    (0, 36500),
                )
            ]
        case "decimal" | "decimal_comma" | "integer":
            numbers = ("0", "0.4", "0,4", "0.05", "0,05", "2.5", "2,5", "101", "-1", "100000")
            wrong += [Text(number) for number in numbers]
        case "pq":
            unit = part.unit.values[0] if part.unit else "%"
            wrong += [Quantity(number, unit) for number in ("50", "150.0", "0.0")]
            wrong.append(Quantity("20.0", "kg"))
    if isinstance(now, Code | Period | PartialDate | Quantity):
        wrong.append(Twice(now))
    # of another kind altogether
    return [*wrong, Text(""), Text("kanske"), Text("10"), Code("X", "X"), Text("2026-02-30")]


def diagnosis_text(code: str) -> str | None:
    """What the diagnosis with a code is called, if it is one of ours."""
    return dict(DIAGNOSES).get(code)


def _day(today: date, days: int) -> str:
    return (today + timedelta(days=days)).isoformat()


def _texts(question: Question, part: Delsvar) -> list[str]:
    most = part.length.most if part.length else 4000
    for term in (part.term.casefold(), question.term.casefold(), ""):
        for word, texts in TEXTS:
            fitting = [text for text in texts if len(text) <= most]
            if fitting and bool(word) == bool(term) and _begins(word, term):
                return fitting
    return ["Ja"]


def _begins(word: str, term: str) -> bool:
    return word == "" or re.search(rf"\b{word}", term) is not None


def _codes(part: Delsvar) -> list[Value]:
    if part.pattern:
        system = _system(part, None)
        return [Code(code, system, text) for code, text in DIAGNOSES]
    wanted = part.codes.values if part.codes else None
    found: list[Value] = [
        Code(code, _system(part, code_list), text)
        for code_list in part.code_lists
        for code, text in code_list.codes.items()
        if wanted is None or code in wanted
    ]
    if not found:
        system = _system(part, None)
        found = [Code(code, system) for code in wanted or ("1",)]
    return found


def _system(part: Delsvar, code_list: CodeList | None) -> str:
    """The code system to write: the list's, where the type takes it."""
    allowed = part.system.values if part.system else ()
    if code_list is not None and (not allowed or code_list.system in allowed):
        return code_list.system
    if code_list is not None and part.system and part.system.match is Match.CONTAINS:
        return next((value for value in allowed if value in code_list.system), allowed[0])
    return allowed[0] if allowed else "1.2.3"


def _odd_codes(part: Delsvar, now: Code) -> list[Value]:
    wrong: list[Value] = [
        Code(now.code, "1.2.3.4", now.display),
        Code(now.code, "", now.display),
        Code("FINNS_EJ", now.system),
        Code("M54555", now.system),  # too long
        Code("M5", now.system),
        Code("F32", now.system),  # needs a fourth character
        Code(f" {now.code}", now.system, now.display),
    ]
    if part.system:
        wrong += [Code(now.code, system) for system in part.system.values]
    for code_list in part.code_lists:
        wrong += [Code(code, now.system) for code in code_list.codes]
    several = [value.code for value in _codes(part) if isinstance(value, Code)]
    return [*wrong, *(Code(f"{now.code}{code}", now.system) for code in several[:2])]
