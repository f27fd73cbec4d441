"""Rules across questions in Swedish: a sentence for each way in which type files word them."""

import re
from collections.abc import Sequence
from typing import Final

_ONCE: Final = r"(?:,? once)?,?"
_WORDINGS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(english), swedish)
    for english, swedish in (
        (rf"(.+) (?:is|are) required{_ONCE} when (.+), and otherwise not given", "{0} krävs när {1}, och anges inte annars."),
        (rf"(.+) (?:is|are) required{_ONCE} when (.+), unless (.+)", "{0} krävs när {1}, om inte {2}."),
        (rf"(.+) (?:is|are) required{_ONCE} when (.+)", "{0} krävs när {1}."),
        (rf"(.+) (?:is|are) required{_ONCE} unless (.+)", "{0} krävs om inte {1}."),
        (r"(.+) is required, at most (\d+) times, unless (.+)", "{0} krävs, högst {1} gånger, om inte {2}."),
        (r"(.+) (?:is|are) not given when (.+)", "{0} ska inte anges när {1}."),
        (r"(.+) is not given together with (.+)", "{0} anges inte tillsammans med {1}."),
        (r"(.+) (?:is given|occurs once) only when (?:one |some )?(.+)", "{0} anges bara när {1}."),
        (rf"(.+) is required{_ONCE} with (.+)", "{0} krävs tillsammans med {1}."),
        (r"(.+) is required without (.+)", "{0} krävs när {1} inte är angiven."),
        (r"(.+) or (.+) is required", "{0} eller {1} krävs."),
        (r"at least one is required of (.+)", "Minst en krävs av {0}."),
        (r"one of (.+) is true when (.+)", "En av {0} ska vara ja när {1}."),
        (r"one of (.+) is required when (.+)", "En av {0} krävs när {1}."),
        (r"all of these are required: (.+)", "Alla dessa krävs: {0}."),
        (r"(.+) (?:is|are) required(?:, once)?", "{0} krävs."),
        (r"(.+) are given both or not at all, and only after (.+)", "{0} anges båda eller ingen, och bara efter {1}."),
        (r"(.+) are given both or not at all, and in order", "{0} anges båda eller ingen, och i ordning."),
        (r"(.+) are given both or not at all", "{0} anges båda eller ingen."),
        (r"(.+) are codes of one code system", "{0} ska vara koder ur samma kodsystem."),
        (r"(.+) is not combined with another code", "{0} väljs inte tillsammans med en annan kod."),
        (r"(.+) must hold one code", "{0} ska ha en kod."),
        (r"(.+) is not after today", "{0} får inte vara efter i dag."),
        (r"(.+) is not before today", "{0} får inte vara före i dag."),
        (r"(.+) is not after this year", "{0} får inte vara efter i år."),
        (r"(.+) is a date from the patient's birth to today.*", "{0} ska vara ett datum från patientens födelse till i dag."),
        (r"(.+) is a year from the patient's birth to now", "{0} ska vara ett år från patientens födelse till nu."),
        (r"(.+) is from the birth to today when (.+)", "{0} ska vara från födelsen till i dag när {1}."),
        (r"(.+) says why when (.+) starts more than seven days back", "{0} ska säga varför när {1} börjar mer än sju dagar bakåt."),
        (r"(.+) must be a date that exists, [Y-]+MM-DD, not after (.+)", "{0} ska vara ett datum som finns, ÅÅÅÅ-MM-DD, inte efter {1}."),
        (r"(.+) must be a date that exists, [Y-]+MM-DD, when (.+)", "{0} ska vara ett datum som finns, ÅÅÅÅ-MM-DD, när {1}."),
        (r"(.+) must be [Y-]+MM-DD, with zeros for what is not known, when (.+)", "{0} ska vara ÅÅÅÅ-MM-DD, med nollor för det som inte är känt, när {1}."),
        (r"(.+) is not before (.+) when (.+)", "{0} får inte vara före {1} när {2}."),
        (r"(.+) (?:is|are) from ([\d.,]+) to ([\d.,]+) when (.+)", "{0} ska vara från {1} till {2} när {3}."),
        (r"(.+) (?:is|are) from ([\d.,]+) to ([\d.,]+(?: hours| percent)?)", "{0} ska vara från {1} till {2}."),
        (r"(.+) is after (.+), zeros counting as early", "{0} är efter {1}; nollor räknas som tidigt."),
        (r"(.+) is after (.+)", "{0} ska vara efter {1}."),
        (r"(.+) is true when (.+)", "{0} ska vara ja när {1}."),
    )
)  # fmt: skip
"""As type files word their rules; the first that fits."""

_PHRASES: Final[Sequence[tuple[str, str]]] = (
    (" is not true", " inte är ja"),
    (" is true", " är ja"),
    (" is false", " är nej"),
    (" is given", " är angiven"),
    (" is one of ", " är en av "),
    (" is below ", " är under "),
    (" is ", " är "),
    (" or ", " eller "),
    (" and ", " och "),
    (" to ", " till "),
    ("some ", ""),
    (" hours", " timmar"),
    (" percent", " procent"),
)


def in_swedish(message: str) -> str | None:
    """A rule across questions as the form words it; None: worded as none of those known."""
    for english, swedish in _WORDINGS:
        found = english.fullmatch(message)
        if found:
            return swedish.format(*map(_phrase, found.groups()))
    return None


def _phrase(text: str) -> str:
    for english, swedish in _PHRASES:
        text = text.replace(english, swedish)
    return text
