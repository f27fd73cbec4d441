"""What each command's exit code says: 0 all well, 1 the answer is no, 2 it could not even begin.

Beside these, every command ends with 130 when it is interrupted (Ctrl-C), unless it stays until
then; and `-h` with 0.
"""

from typing import Final, NamedTuple


class Exits(NamedTuple):
    """What 0, 1 and 2 say; None: it never ends so. A wrong option or argument is always 2."""

    zero: str
    one: str | None
    two: str


_USAGE: Final = "wrong options"
_SETTINGS: Final = "the settings cannot be read"
_DATABASE: Final = "the settings or the database cannot be read"
_NOTHING_CHANGED: Final = "nothing matches, or it may not be: says why, nothing was changed"

EXITS: Final = {
    "serve": Exits(
        "stopped by a signal",
        "does not start: the environment refuses a setting, the port is taken, no database",
        _SETTINGS,
    ),
    "doctor": Exits("nothing fails", "something fails", _USAGE),
    "route explain": Exits(
        "the message would go", "it would not", f"{_SETTINGS}; no such contract, no such number"
    ),
    "route check": Exits("nothing found", "something found", "the file cannot be read"),
    "patient explain": Exits("said", None, f"{_SETTINGS}; no such number"),
    "blocked": Exits("listed", None, _DATABASE),
    "deliveries list": Exits("listed", "none is like this", _DATABASE),
    "deliveries show": Exits("shown", "no such delivery", _DATABASE),
    "deliveries ways": Exits("shown", None, _DATABASE),
    "deliveries retry": Exits("done, or said what would be", _NOTHING_CHANGED, _DATABASE),
    "deliveries give-up": Exits("done, or said what would be", _NOTHING_CHANGED, _DATABASE),
    "deliveries mark-delivered": Exits("done, or said what would be", _NOTHING_CHANGED, _DATABASE),
    "deliveries pause": Exits("paused", _NOTHING_CHANGED, _DATABASE),
    "deliveries resume": Exits("resumed", _NOTHING_CHANGED, _DATABASE),
    "backup": Exits("copied", "not copied: says why; there is no file then", _SETTINGS),
    "statistics": Exits(
        "printed, or counted anew", None, f"{_DATABASE}; no such report, or not so"
    ),
    "audit verify": Exits("the log is whole", "it is not", _DATABASE),
    "audit list": Exits("listed", None, _DATABASE),
    "audit anchors": Exits("printed", None, _DATABASE),
    "console token": Exits("made", None, f"{_USAGE}; {_SETTINGS}; there is one of that name"),
    "demo": Exits("every step had its effect", "one had not; it is named", _USAGE),
    "init-tests": Exits("written", None, "a file is there already, or cannot be written"),
    "mocks": Exits(
        "stopped by a signal",
        "does not start: a port is taken, a file or an option is refused",
        _USAGE,
    ),
    "mocks lint": Exits("all well", "something is wrong", "a file cannot be read"),
    "mocks rule-schema": Exits("printed", None, _USAGE),
    "mocks script-schema": Exits("printed", None, _USAGE),
    "mocks import": Exits("imported", "a rule is not understood", "a file cannot be read"),
    "mocks national": Exits("stopped by a signal", "the port is taken", _USAGE),
    "validate": Exits(
        "every file is valid", "one is not", "one cannot be read; a folder without any *.xml"
    ),
    "sign": Exits("signed", "the message cannot be signed", "a file or the key cannot be read"),
    "verify": Exits("the signature holds", "it does not", "a file cannot be read"),
    "send": Exits(
        "accepted: OK or INFO",
        "refused, not answered, or stopped by the guard",
        "a file or the settings cannot be read; nothing may be sent there",
    ),
    "types": Exits("listed", None, "no such type"),
    "type": Exits("shown", None, "no such type"),
    "example": Exits("written", "there is none that breaks this rule alone", "no such type"),
    "render": Exits("written", "there is no certificate in it", "the file cannot be read"),
    "schema": Exits("written", "the rules cannot be written so", "no such type"),
    "wsdl": Exits("written", None, "a file cannot be written; no contract can be read"),
    "test-keys": Exits("made", None, _USAGE),
    "version": Exits("printed", None, _USAGE),
}
"""By command, with the word of its part."""
