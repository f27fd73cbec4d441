"""The words that callers, scripts and databases hold on to are what they were.

Codes in answers, events and rows; texts that go to callers; the tables of rules. Where one of these
changes on purpose, write them anew, and look at which changed:

    python -m tests.adapter.test_same_again
"""

import itertools
import json
import pkgutil
from collections.abc import Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import intyg.adapter.deliver
import intyg.adapter.domain
import intyg.adapter.drafts
import intyg.adapter.flows
import intyg.adapter.formats
import intyg.adapter.guard
import intyg.adapter.routing
import intyg.adapter.rules
import intyg.adapter.settings
import intyg.adapter.signature
import intyg.adapter.statistics
import intyg.adapter.store
from intyg.adapter.domain import draft_texts, texts
from intyg.adapter.signature.result import TEXTS

WORDS: Final = Path(__file__).with_name("words.json")
ROOMS: Final = tuple(
    getattr(intyg.adapter, name)
    for name in (
        *("domain", "rules", "signature", "store", "flows", "drafts", "statistics", "settings"),
        *("deliver", "formats", "guard", "routing"),
    )
)
OPEN_TABLES: Final = (intyg.adapter.drafts, intyg.adapter.statistics)


def words() -> Iterator[tuple[str, Any]]:
    """By what they are about."""
    modules = [module for room in ROOMS for module in _modules(room)]
    for module in modules:
        for name, each in vars(module).items():
            if isinstance(each, type) and issubclass(each, Enum) and _is_of(module, each):
                yield f"{module.__name__}.{name}", {one.name: plain(one) for one in each}
    for module, about in ((texts, "text"), (draft_texts, "text of drafts")):
        for name, each in vars(module).items():
            if name.isupper():
                yield f"{about} {name}", plain(each)
    yield "texts of signatures", plain(TEXTS)
    for module in _modules(intyg.adapter.rules):
        for name, each in _tables(module):
            yield f"{module.__name__}.{name}", plain(each)
    for module in itertools.chain.from_iterable(map(_modules, OPEN_TABLES)):
        for name, each in _tables(module):
            if not name.startswith("_") and name in _set_in(module):
                yield f"{module.__name__}.{name}", plain(each)


def _tables(module: ModuleType) -> Iterator[tuple[str, object]]:
    for name, each in vars(module).items():
        if name.isupper() and isinstance(each, Mapping | Set | tuple | str):
            yield name, each


def _set_in(module: ModuleType) -> frozenset[str]:
    """Names that it has of its own, and does not import."""
    return frozenset(vars(module)["__annotations__"])


def _modules(room: ModuleType) -> Iterator[ModuleType]:
    for _, name, _ in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        if ".migrations" not in name:
            yield import_module(name)


def _is_of(module: ModuleType, each: type) -> bool:
    return each.__module__ == module.__name__


def plain(value: object) -> Any:
    """As JSON has it; a function by its name."""
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {" ".join(map(str, _listed(key))): plain(each) for key, each in value.items()}
    if isinstance(value, Set):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    return value if isinstance(value, int | float | str | None) else getattr(value, "__name__", "")


def _listed(key: object) -> tuple[object, ...]:
    return key if isinstance(key, tuple) else (key,)


def test_words_are_what_they_were() -> None:
    kept = json.loads(WORDS.read_text("utf-8"))
    now = json.loads(json.dumps(dict(words())))
    assert now == kept


if __name__ == "__main__":
    written = json.dumps(dict(words()), indent=1, ensure_ascii=False)
    WORDS.write_text(f"{written}\n", encoding="utf-8")
