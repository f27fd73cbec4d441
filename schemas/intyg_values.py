"""What may stand in a delsvar of an example: usual values, and values that break something.

Texts are ours, short and invented; which one fits is told by the Swedish term of the question.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Final

from schemas.intyg_draft import Code, PartialDate, Period, Quantity, Text, Value
from schemas.intyg_model import CodeList, Delsvar, Match, Question

TEXTS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("kommun", ("Provköping", "Exempelstad")),
    ("land", ("Norge", "Portugal")),
    ("underlag", ("Körkort", "Pass", "Tidigare journal")),
    ("medicin slut", ("Våren 2024",)),
    ("läkemedel", ("Metformin 500 mg, 1 x 2", "Oxazepam 5 mg vid behov")),
    ("medicin", ("Lamotrigin 100 mg, 1 x 2", "Metylfenidat 36 mg, 1 x 1")),
    ("yrke", ("Snickare, bygger kök och trappor", "Undersköterska på ett äldreboende")),
    ("specialitet", ("Neurologi", "Ögonsjukdomar")),
    ("var underlaget finns", ("Skickas med posten", "Bifogas av patienten")),
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
"""Word in a term, and texts that suit it; the first word that fits decides."""

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
            return [Quantity(number, "%") for number in ("50.0", "25.0", "100.0")]
    return [Text(text) for text in _texts(question, part)]


def odd(part: Delsvar, row: int, today: date) -> Sequence[Value]:
    """Values that some rule refuses, likely ones first; each keeps the contract's schema."""
    wrong: list[Value] = []
    if part.length:
        wrong.append(Text("Ordet återkommer. " * (int(part.length.most) // 18 + 1)))
    if part.type in ("cv", "boolean_or_cv"):
        wrong += _odd_codes(part)
    if part.type in ("date", "zero_date"):
        wrong += [Text(_day(today, days)) for days in (400, 1, -100, -800, -36500)]
        wrong += [Text("2999-12-31"), Text("0000-00-00"), Text(f"{today.year}-00-00")]
    if part.type == "day":
        wrong += [PartialDate(value) for value in ("2999-12-31", "1001-01-01", "2026")]
    if part.type == "year":
        wrong += [PartialDate(value) for value in ("2999", "1001", "2026-05")]
    if part.type == "period":
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
    if part.type in ("decimal", "integer"):
        wrong += [Text(number) for number in ("0", "0.4", "2.5", "101", "-3", "100000")]
    if part.type == "decimal_comma":
        wrong += [Text(number) for number in ("0,05", "2,5", "99,0")]
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
            fitting = [text for text in texts if word in term and len(text) <= most]
            if fitting and bool(word) == bool(term):
                return fitting
    return ["Ja"]


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


def _odd_codes(part: Delsvar) -> list[Value]:
    usual_codes = [value for value in _codes(part) if isinstance(value, Code)]
    first = usual_codes[0]
    wrong: list[Value] = [
        Code("FINNS_EJ", first.system),
        Code(first.code, "1.2.3.4"),
        Code("M54555", first.system),  # too long
        Code("M5", first.system),
        Code("F32", first.system),  # needs a fourth character
    ]
    if part.system:
        wrong += [Code(first.code, system) for system in part.system.values[1:]]
    for code_list in part.code_lists:
        wrong += [Code(code, first.system) for code in code_list.codes]
    wrong += [Code(f"{first.code}{value.code}", first.system) for value in usual_codes[1:3]]
    return wrong
