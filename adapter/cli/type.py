"""The command `intyg type`."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from intyg.adapter.cli.options import (
    JsonOption,
    NameArgument,
    TypesOption,
    VersionOption,
    known_types,
    lookup,
)
from intyg.adapter.cli.terminal import print_json
from intyg.adapter.cli.types import header_as_json
from intyg.schemas.export.outline import codes_of, outline
from intyg.schemas.intyg_model import Delsvar, IntygType, Question
from intyg.schemas.rules.assertion import assertions_of


def type_(
    name: NameArgument,
    version: VersionOption = None,
    rules: Annotated[
        bool, typer.Option("--rules", help="Also everything that is checked, by rule id.")
    ] = False,
    as_json: JsonOption = False,
    types_dir: TypesOption = None,
) -> None:
    """Show a certificate type: what it is and what it asks."""
    intyg_type = lookup(known_types(types_dir), name, version)
    if as_json:
        more = {"rules": list(_rules(intyg_type))} if rules else {}
        questions = [_question(each) for each in intyg_type.questions]
        print_json({**header_as_json(intyg_type), "questions": questions, **more})
        return
    for line in outline(intyg_type, rules=rules):
        typer.echo(line)


def _question(question: Question) -> dict[str, Any]:
    return {
        "svar": question.svar,
        "last": question.last,
        "category": question.category,
        "term": question.term,
        "least": question.count.least,
        "most": question.count.most,
        "instans": question.instans.value,
        "when": question.when,
        "delsvar": [_delsvar(part) for part in question.delsvar],
    }


def _delsvar(part: Delsvar) -> dict[str, Any]:
    return {
        "id": part.id,
        "term": part.term,
        "type": part.type,
        "least": part.count.least,
        "most": part.count.most,
        "when": part.when,
        "max_length": int(part.length.most) if part.length else None,
        "code_systems": part.system.values if part.system else (),
        "codes": {code: text for code, _, text in codes_of(part)},
    }


def _rules(intyg_type: IntygType) -> Iterator[dict[str, Any]]:
    for each in assertions_of(intyg_type):
        yield {
            "rule": each.rule,
            "severity": each.severity.value,
            "message": each.message,
            "svar": each.svar,
            "delsvar": each.delsvar,
        }
