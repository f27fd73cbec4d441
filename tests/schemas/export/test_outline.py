"""A certificate type in words."""

import re
from dataclasses import replace

import pytest

from intyg.schemas.export.outline import (
    codes_of,
    count_in_words,
    outline,
    usage_in_words,
)
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import (
    Count,
    IntygType,
    Ref,
    Usage,
)
from tests.strategies import TYPES, all_types

REF = Ref("R1", Severity.ERROR)


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (0, 1, "optional"),
        (1, 1, "once"),
        (0, 4, "at most 4"),
        (1, 4, "1 to 4"),
        (2, 2, "2"),
        (0, None, "any number of times"),
        (1, None, "at least 1"),
    ],
)
def test_count_in_words(least: int, most: int | None, words: str) -> None:
    assert count_in_words(Count(least, most, REF, REF)) == words


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        pytest.param(Usage(True, True, True), "registered, renewed, sent", id="in use"),
        pytest.param(
            Usage(True, False, True, "TS8071"), "registered, sent; replaced by TS8071", id="old"
        ),
        pytest.param(
            Usage(False, False, False, "FK7804", "since 2026"),
            "only read; replaced by a newer version (since 2026)",
            id="replaced by a version of the same type",
        ),
    ],
)
def test_what_may_be_done_in_words(usage: Usage, words: str) -> None:
    header = replace(TYPES.lookup("FK7804", "1"), usage=usage)
    assert usage_in_words(header) == words


def test_type_without_recipient_is_not_said_to_be_sent() -> None:
    assert usage_in_words(TYPES.lookup("AG7804")) == "registered, renewed"


@pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)
def test_outline_names_every_question_code_and_rule(intyg_type: IntygType) -> None:
    lines = list(outline(intyg_type, rules=True))
    text = "\n".join(lines)
    for question in intyg_type.questions:
        assert any(line.startswith(f"  {question.svar}") for line in lines)
        for part in question.delsvar:
            assert f"    {part.id}" in text
            assert all(f"{code}: {shown}" in text for code, _, shown in codes_of(part))
    assert all(f"  {rule.ref.id} " in text for rule in intyg_type.rules)
    assert not re.search(r"<\d", text), "a rule's question is not named"
