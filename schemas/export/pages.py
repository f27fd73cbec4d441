"""
Pages about the certificate types, made from their files: one a type, its newest version first.

    python -m intyg.schemas.export.pages docs/certificates [--types-dir FOLDER]
"""

import argparse
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from intyg.schemas.export.outline import (
    codes_of,
    count_in_words,
    header_facts,
    value_in_words,
)
from intyg.schemas.intyg_model import (
    Delsvar,
    Instans,
    IntygType,
    Question,
)
from intyg.schemas.rules.assertion import assertions_of
from intyg.schemas.typefile.lookup import IntygTypes

INDEX: Final = "README.md"

_MADE: Final = "<!-- Made from {source} by `make docs`; changes belong there. -->"
_INSTANS: Final = {
    Instans.REQUIRED: ", each with `instans`",
    Instans.OPTIONAL: ", perhaps with `instans`",
    Instans.ABSENT: "",
}


def pages(types: IntygTypes) -> dict[str, str]:
    """Every page by its file name, the index among them."""
    by_code = [
        (code, sorted(versions, key=_newest_first))
        for code, versions in groupby(types.all(), key=lambda intyg_type: intyg_type.code)
    ]
    made = {_file_name(code): _page(versions) for code, versions in by_code}
    return {INDEX: _index([versions for _, versions in by_code]), **made}


def write_pages(types: IntygTypes, folder: Path) -> None:
    """Write the pages, and take away those of types that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages(types)
    for path in folder.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


def _newest_first(intyg_type: IntygType) -> list[int]:
    return [-int(number) for number in intyg_type.version.split(".")]


def _file_name(code: str) -> str:
    return f"{code.lower()}.md"


def _index(types: list[list[IntygType]]) -> str:
    rows = [
        (
            f"[{newest.code}]({_file_name(newest.code)})",
            _plain(newest.name),
            ", ".join(f"{each.version}" for each in versions),
            f"`{newest.xml_code}`",
            ", ".join(newest.former),
            f"`{newest.recipient}`" if newest.recipient else "none",
        )
        for newest, *older in types
        for versions in [[newest, *older]]
    ]
    head = ("Type", "Name", "Versions", "In the XML", "Formerly", "Recipient")
    return _text(
        _MADE.format(source="`schemas/intyg/`"),
        "# Certificate types",
        "What the adapter knows of each type, and checks: this is what the type's file says. A new"
        " type is a\nnew file, see [Add a certificate type](../add-a-certificate-type.md).",
        _table(head, rows),
    )


def _page(versions: list[IntygType]) -> str:
    newest = versions[0]
    parts = [
        _MADE.format(source=", ".join(f"`schemas/intyg/{_source(each)}`" for each in versions)),
        f"# {newest.code}, {newest.name}",
    ]
    for intyg_type in versions:
        parts += _version(intyg_type)
    parts.append("[All types](README.md)")
    return _text(*parts)


def _source(intyg_type: IntygType) -> str:
    return f"{intyg_type.code.lower()}-{intyg_type.version}.yaml"


def _version(intyg_type: IntygType) -> Iterator[str]:
    yield f"## Version {intyg_type.version}"
    facts = [
        ("Code system", f"`{intyg_type.xml_system}`"),
        ("Display name", intyg_type.xml_display),
    ]
    yield _table(("", ""), ((label, _plain(text)) for label, text in _facts(intyg_type, facts)))
    yield "### Questions"
    head = ("Id", "Question", "How often", "Holds", "When")
    yield _table(head, (row for question in intyg_type.questions for row in _asked(question)))
    codes = list(_codes(intyg_type))
    if codes:
        yield "### Codes"
        yield _table(("Delsvar", "Code", "Means", "Code system"), codes)
    yield "### Rules"
    yield (
        "An `error` refuses the certificate; a `warning` is only reported, unless `strict_rules`"
        " is set."
    )
    rules = (
        (
            f"`{assertion.rule}`",
            assertion.severity.value + ("; when signing" if assertion.at_signing else ""),
            _plain(assertion.message),
        )
        for assertion in assertions_of(intyg_type)
    )
    yield _table(("Rule", "Severity", "Says"), rules)
    if intyg_type.same_as:
        yield "National rules that say the same as others:"
        others = ((f"`{id_}`", _code_words(same)) for id_, same in intyg_type.same_as.items())
        yield _table(("Rule", "Is checked as"), others)
    if intyg_type.not_checked:
        yield "National rules that are not checked:"
        left_out = ((f"`{id_}`", _plain(why)) for id_, why in intyg_type.not_checked.items())
        yield _table(("Rule", "Why not"), left_out)


def _facts(intyg_type: IntygType, more: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    first, *rest = header_facts(intyg_type)
    yield first
    yield from more
    yield from rest


def _asked(question: Question) -> Iterator[tuple[str, ...]]:
    svar = f"{question.svar} to {question.last}" if question.last else question.svar
    category = f"{question.category}: " if question.category else ""
    often = count_in_words(question.count) + _INSTANS[question.instans]
    term = f"**{_plain(category + question.term)}**" + _note(question.note)
    yield f"**{svar}**", term, often, "", _plain(question.when or "")
    for part in question.delsvar:
        holds = [_plain(words) for words in value_in_words(part)]
        if part.system and not part.code_lists:
            holds.append(f"code system {' or '.join(f'`{each}`' for each in part.system.values)}")
        yield (
            _plain(part.id),
            _plain(part.term) + _note(part.note),
            count_in_words(part.count),
            "; ".join(holds),
            _plain(part.when or ""),
        )


def _note(note: str | None) -> str:
    return f" ({_plain(note)})" if note else ""


def _codes(intyg_type: IntygType) -> Iterator[tuple[str, ...]]:
    parts: Iterable[Delsvar] = (
        part for question in intyg_type.questions for part in question.delsvar
    )
    for part in parts:
        before: tuple[str, str] | None = None
        for code, system, text in codes_of(part):
            now = (part.id, system)
            shown = ("", "") if now == before else (_plain(part.id), f"`{system}`")
            yield shown[0], f"`{code}`", _plain(text), shown[1]
            before = now


# --- Markdown -------------------------------------------------------------------------------------


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """A text in which Markdown sees nothing but text."""
    text = " ".join(text.split())
    for char, instead in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("*", "\\*"), ("_", "\\_")):
        text = text.replace(char, instead)
    return text


def _code_words(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _text(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the pages go")
    parser.add_argument("--types-dir", type=Path, help="more certificate types")
    arguments = parser.parse_args()
    write_pages(IntygTypes(arguments.types_dir), arguments.folder)


if __name__ == "__main__":
    main()
