"""What scripts of QA rely on is what it was: operations, words of rules and scripts, ports, names.

Where one of these changes on purpose, write them anew, and look at which changed:

    python -m tests.mocks.test_same_again
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from intyg.mocks.control.description import describe
from intyg.mocks.conversations.script import EVENTS, script_schema
from intyg.mocks.journal import AnswerState
from intyg.mocks.national.behavior import CONTRACTS
from intyg.mocks.personas import FIRST_PORT, make_personas, ports_from
from intyg.mocks.rules import rule_schema
from intyg.mocks.rules.presets import PRESETS
from intyg.mocks.rules.trace import Why
from intyg.mocks.wire.signature import SignatureOutcome
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes

WORDS: Final = Path(__file__).with_name("words.json")


def words() -> Iterator[tuple[str, Any]]:
    """By what they are about."""
    for key, mock in make_personas(Contracts(), IntygTypes()).items():
        told = [mock.name, mock.settings.logical_address, mock.settings.part]
        described = describe(mock.name, mock.operations)
        yield key, [*told, *operations(described["paths"])]
        yield f"{key}'s fields", fields(described["components"]["schemas"])
        mock.close()
    yield "rules' fields", fields(rule_schema())
    yield "scripts' fields", fields(script_schema())
    yield "events", {key: list(events) for key, events in EVENTS.items()}
    yield "ports", ports_from(FIRST_PORT)
    yield "faults", {code: [each.whose, each.text] for code, each in PRESETS.items()}
    yield "national services", dict(CONTRACTS.items())
    for kind in (AnswerState, Why, SignatureOutcome):
        yield kind.__name__, [each.value for each in kind]


def operations(paths: dict[str, Any]) -> Iterator[str]:
    """Each with what it is told and what it answers with; not how pydantic writes it down."""
    for path, methods in paths.items():
        for method, each in methods.items():
            names = [parameter["name"] for parameter in each["parameters"]]
            parts = (method.upper(), path, each["operationId"], *names, *each["responses"])
            yield " ".join(parts)


def fields(schema: object) -> list[str]:
    """The names of all fields, and the words that they may hold."""
    found: set[str] = set()
    rest = [schema]
    while rest:
        part = rest.pop()
        if isinstance(part, dict):
            found.update(part.get("properties", ()))
            found.update(str(word) for word in part.get("enum", ()))
            rest += part.values()
        elif isinstance(part, list):
            rest += part
    return sorted(found)


def test_words_are_what_they_were() -> None:
    kept = json.loads(WORDS.read_text("utf-8"))
    now = json.loads(json.dumps(dict(words())))
    assert now == kept


if __name__ == "__main__":
    WORDS.write_text(
        json.dumps(dict(words()), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
