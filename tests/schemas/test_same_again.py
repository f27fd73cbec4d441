"""What a type gives its users is what it gave yesterday: examples, rules and what is exported.

Whoever keeps seeds, rule ids or an exported schema has come to rely on it. Where a certificate type
or the making of these changes on purpose, write the digests anew, and look at which changed:

    python -m tests.schemas.test_same_again
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Final

import pytest

from intyg.schemas.examples.breaking import CannotBreakError, broken
from intyg.schemas.examples.draft import request_bytes, request_element
from intyg.schemas.examples.example import Size, Workshop, example, frame_of
from intyg.schemas.export.json_schema import json_schema
from intyg.schemas.export.outline import outline
from intyg.schemas.export.render import render
from intyg.schemas.export.schematron import schematron
from intyg.schemas.export.xsd11 import xsd11
from intyg.schemas.intyg_model import IntygType, Rule
from intyg.schemas.rules.assertion import assertions_of
from tests.schemas.unbreakable import UNBREAKABLE
from tests.strategies import SIGNED_AT, TODAY, all_types, workshop

DIGESTS: Final = Path(__file__).with_name("digests.json")
SEEDS: Final = 4
BROKEN: Final = 6


def made(intyg_type: IntygType) -> Iterator[tuple[str, bytes]]:
    """Examples of a type by name."""
    for size in Size:
        for seed in range(SEEDS):
            data = example(intyg_type, signed_at=SIGNED_AT, size=size, seed=seed)
            yield f"{size.value} {seed}", request_bytes(data)
    shop, frame = workshop(intyg_type.code, intyg_type.version), frame_of(intyg_type, SIGNED_AT)
    for rule in _to_break(shop):
        try:
            yield rule, request_bytes(request_element(intyg_type, broken(shop, frame, rule)))
        except CannotBreakError:
            yield rule, b""


def _to_break(shop: Workshop) -> Iterable[str]:
    """Some rules of a type: spread over all, and one of each kind but those across questions."""
    alone = [each for each in shop.assertions if each.rule not in UNBREAKABLE]
    rules = list(dict.fromkeys(each.rule for each in alone))
    spread = islice(rules, 5, None, max(1, len(rules) // BROKEN))
    kinds = {each.facet: each.rule for each in alone if not isinstance(each.node, Rule)}
    return dict.fromkeys([*spread, *kinds.values()])


def exported(intyg_type: IntygType) -> Iterator[tuple[str, bytes]]:
    """What is demanded of a certificate of a type, in each of the ways in which we say it."""
    yield "outline", "\n".join(outline(intyg_type, rules=True)).encode()
    yield "json schema", json_schema(intyg_type)
    yield "xsd11", xsd11(intyg_type, today=TODAY)
    yield "schematron", schematron(intyg_type, today=TODAY)
    facts = [replace(assertion, node=None) for assertion in assertions_of(intyg_type)]
    yield "assertions", repr(facts).encode()
    request = example(intyg_type, signed_at=SIGNED_AT)
    yield "rendered", repr(render(intyg_type, request[-1])).encode()


def digests(intyg_type: IntygType) -> dict[str, str]:
    return {
        name: hashlib.sha256(data).hexdigest()[:16]
        for name, data in chain(made(intyg_type), exported(intyg_type))
    }


@pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)
def test_what_a_type_gives_is_what_it_was(intyg_type: IntygType) -> None:
    kept = json.loads(DIGESTS.read_text("utf-8"))[intyg_type.key]
    assert digests(intyg_type) == kept


if __name__ == "__main__":
    every = {intyg_type.key: digests(intyg_type) for intyg_type in all_types()}
    DIGESTS.write_text(json.dumps(every, indent=1) + "\n", "utf-8")
