"""The documentation does what it says, and says what the code says."""

import ast
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from intyg.adapter.domain import texts
from intyg.adapter.domain.delivery import DELIVERY_MOVES, DeliveryState
from intyg.adapter.flows.contracts import HANDLERS, READERS
from intyg.adapter.settings.settings import Settings
from intyg.adapter.signature import SignatureOutcome
from intyg.schemas.codes import Handelse
from tests.docs import pages
from tests.docs.pages import PAGES, ROOT
from tests.docs.shell import Shell, matches
from tests.docs.tables import PLACE, TABLES, filled

each_page = pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])

INSTALLED: Final = "`make setup` and `source .venv/bin/activate`."
UP: Final = "`make setup` and `source .venv/bin/activate`; in a second terminal, `make up`."
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    INSTALLED: ("make setup", "source .venv/bin/activate"),
    UP: ("make setup", "source .venv/bin/activate", "make up"),
}
"""What a page may say that it needs, and the very commands that it names."""


# --- what a page says to run ------------------------------------------------------------------


@each_page
@pytest.mark.timeout(900)  # some twenty commands, each starting anew
def test_every_block_runs_as_it_is_pasted(page: Path, shell: Shell) -> None:
    text = page.read_text("utf-8")
    for block in (*pages.needed(text), *pages.blocks(text)):
        assert block.language in {"bash", "toml", "python", "yaml", "text"}, f"line {block.line}"
        try:
            shell.run(block)
        except Exception as exc:
            exc.add_note(f"{page.name}, block at line {block.line}:\n{block.text}")
            raise
        if shell.not_run:  # nor are those after it, which may want what it makes
            pytest.skip(f"{page.name} was not run from line {block.line} on: {shell.not_run[0]}")


@each_page
def test_a_page_with_commands_begins_with_what_it_needs(page: Path) -> None:
    """README begins with the commands themselves."""
    text = page.read_text("utf-8")
    runs = any(block.language in {"bash", "python"} for block in pages.blocks(text))
    if runs and page.name != "README.md":
        assert pages.needs(text) in NEEDS
    else:
        assert pages.needs(text) is None


def test_what_is_needed_is_the_commands_that_are_named() -> None:
    for text, commands in NEEDS.items():
        page = f"# A page\n\n**Needs** {text}\n"
        assert tuple(block.text for block in pages.needed(page)) == commands


def test_a_page_that_says_something_else_is_noticed() -> None:
    assert matches('{"a": 1}\n', '{"a": …}\n')
    assert not matches('{"a": 1}\n', '{"b": …}\n')


# --- form -------------------------------------------------------------------------------------


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in pages.links(page.read_text("utf-8")):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.is_file(), link
        assert not anchor or anchor in pages.anchors(target.read_text("utf-8")), link


@each_page
def test_lines_are_of_readable_length(page: Path) -> None:
    text = pages.prose(page.read_text("utf-8"))
    assert not [line for line in text.splitlines() if len(line) > 116 and line[0] != "|"]


@each_page
def test_pages_know_no_machine(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.search(r"(?<![\w:./~])/(?:home|root|tmp|usr|opt|mnt|srv|var)/", text)


# --- what the code says -----------------------------------------------------------------------


@each_page
def test_tables_are_those_of_the_code(page: Path) -> None:
    text = page.read_text("utf-8")
    if os.environ.get("INTYG_DOCS_UPDATE"):
        page.write_text(filled(text), "utf-8")
    else:
        assert text == filled(text), "INTYG_DOCS_UPDATE=1 pytest tests/docs writes them"


def test_every_table_stands_somewhere() -> None:
    found = [match[1] for page in PAGES for match in PLACE.finditer(page.read_text("utf-8"))]
    assert sorted(found) == sorted(TABLES)


def test_every_setting_is_documented_with_its_default() -> None:
    rows = [row for row in pages.rows(pages.read("configuration.md")) if len(row) == 3]
    documented = {row[0].strip("`"): row[1].strip("`") for row in rows if row[0].startswith("`")}
    assert documented == dict(_settings(Settings, ""))


MADE_FROM_OTHERS: Final = {"data_dir": '"data/<environment>"'}
"""Defaults that depend on another setting."""


_KEYS: Final = {"recipients": "<part>.", "destinations": "<name>.", "units": "<HSA-id>."}


def _settings(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    """Every setting by its name in the tables, and its default."""
    for name, field in model.model_fields.items():
        part = _part(field.annotation)
        if part is None:
            yield f"{prefix}{name}", MADE_FROM_OTHERS.get(name) or _shown(field.default)
        else:
            between = _KEYS.get(name, "")
            yield from _settings(part, f"{prefix}{name}.{between}")


def _part(annotation: Any) -> type[BaseModel] | None:
    """The model that a setting is, or holds; None if it is a value."""
    for each in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _shown(value: object) -> str:
    """A value as TOML has it."""
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k} = {_shown(v)}' for k, v in value.items())}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return f'"{value}"'


def test_every_text_that_callers_are_told_is_documented() -> None:
    page = " ".join(pages.read("answers.md").split())
    told: list[str] = []
    for name in {name for path in _sources("adapter") for name in _imported_texts(path)}:
        value = getattr(texts, name)
        told += value.values() if isinstance(value, Mapping) else [value]
    assert len(told) > 10
    assert not [text for text in told if text not in page]


def _imported_texts(path: Path) -> Iterator[str]:
    """What a module takes from `intyg.adapter.domain.texts`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "intyg.adapter.domain.texts":
            yield from (alias.name for alias in node.names)


def test_every_contract_that_is_served_is_documented() -> None:
    page = pages.read("answers.md")
    served = [key.replace(":", " ") for key in (*HANDLERS, *READERS)]
    assert not [name for name in served if name not in page]


def test_every_rule_that_callers_can_see_is_documented() -> None:
    page = pages.read("answers.md")
    found = {rule for path in _sources("adapter", "schemas") for rule in _rule_ids(path)}
    assert {"PERSON_ID_LUHN", "INTYG_REPLACED", "NOT_A_QUESTION"} <= found
    assert not {rule for rule in found if f"`{rule}`" not in page}


def _sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from (ROOT / package).rglob("*.py")


def _rule_ids(path: Path) -> Iterator[str]:
    """Rule ids that are written out where something is found."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"Finding", "Refusal", "Rule", "_finding"}
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            yield node.args[0].value


def test_every_outcome_of_a_signature_is_documented() -> None:
    page = pages.read("signature.md")
    assert not [outcome for outcome in SignatureOutcome if f"| `{outcome}` |" not in page]


def test_every_state_of_a_delivery_is_documented() -> None:
    page = pages.read("delivery.md")
    assert set(DELIVERY_MOVES) == {None, *DeliveryState}
    assert not [state for state in DeliveryState if f"| `{state}` |" not in page]


def test_every_event_that_care_is_told_is_documented() -> None:
    page = pages.read("delivery.md")
    told = {
        node.attr
        for path in _sources("adapter")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in Handelse.__members__
    }
    documented = set(re.findall(r"^\| ([A-Z]{6,7}) \|", page, re.MULTILINE))
    assert told == documented
