"""Signs of states: own paths on a field of 16, never a letter of a font.

A state is always told three times: by its sign, its word and its colour.
"""

from typing import Final

from markupsafe import Markup

SIGNS: Final = {
    "clock": "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8ZM8 4.6V8.3l2.5 1.4",
    "arrow": "M2 8h11M9 4l4 4-4 4",
    "check": "M3 8.6 6.4 12 13 4.6",
    "again": "M13.2 8a5.2 5.2 0 1 1-1.6-3.7M13.3 1.8v3.1h-3.1",
    "question": "M5.2 5.6a2.8 2.8 0 1 1 4.2 2.4c-.9.5-1.4 1-1.4 2M8 13v.2",
    "bars": "M5.6 3.2v9.6M10.4 3.2v9.6",
    "cross": "M3.6 3.6l8.8 8.8M12.4 3.6l-8.8 8.8",
    "barred": "M8 1.9a6.1 6.1 0 1 0 0 12.2A6.1 6.1 0 0 0 8 1.9ZM3.8 3.8l8.4 8.4",
    "warning": "M8 2 14.6 13.6H1.4ZM8 6.4v3.4M8 11.8v.1",
    "info": "M8 1.9a6.1 6.1 0 1 0 0 12.2A6.1 6.1 0 0 0 8 1.9ZM8 7.4v3.6M8 5v.1",
    "ring": "M8 3.4a4.6 4.6 0 1 0 0 9.2A4.6 4.6 0 0 0 8 3.4Z",
    "search": "M7 2.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6ZM10.6 10.6l3.4 3.4",
    "copy": "M5.5 5.5h8v8h-8ZM3 10.5h-.5v-8h8V3",
}

SIGN_OF: Final = {
    "waiting": "clock",
    "sending": "arrow",
    "delivered": "check",
    "retrying": "again",
    "unknown": "question",
    "parked": "bars",
    "refused": "cross",
    "blocked": "barred",
    "held": "clock",
}
"""By the colour of a state, which is also the name of its class."""


def sign(name: str) -> Markup:
    """A sign as SVG, for eyes alone: the word beside it says the same."""
    return Markup(
        '<svg class="sign" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"'
        ' focusable="false"><path d="{}"/></svg>'
    ).format(SIGNS[name])


def chip(colour: str, word: str) -> Markup:
    """A state: sign, word and colour."""
    return Markup('<span class="chip chip-{}">{}{}</span>').format(
        colour, sign(SIGN_OF[colour]), word
    )
