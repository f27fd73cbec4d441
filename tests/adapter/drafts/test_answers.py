"""Answers as somebody sends them: what is refused, and what is filled in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intyg.adapter.clients.diagnoses import ICD10_SYSTEM, Diagnoses
from intyg.adapter.drafts.answers import (
    Filler,
    check_answers,
    diagnosis_pairs,
    why_not_value,
)
from intyg.schemas.finding import Finding, Severity
from intyg.schemas.intyg_model import Count, Delsvar, Ref
from intyg.schemas.rules.kinds import KINDS
from tests.strategies import TYPES

FK7804 = TYPES.lookup("FK7804", "1")
NEWEST = TYPES.lookup("FK7804", "2.0")
REF = Ref("R1", Severity.ERROR)


def part(kind: str) -> Delsvar:
    return Delsvar("1.1", "term", kind, (REF, REF), Count(1, 1, REF, REF))


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("text", ["", "Ja", "å\t\n"], [True, 3, 1.5, None, {}, "\x00"]),
        ("date", ["2026-11-23", ""], [True, 3, {"value": "2026"}]),
        ("zero_date", ["0000-00-00"], [False]),
        ("boolean", [True, False, "true", "0", ""], ["yes", 3]),
        ("yes_no", [True, "false"], ["Ja"]),
        ("decimal", ["1.5"], [1, 1.5]),
        ("decimal_comma", ["1,5"], [1, True]),
        ("integer", [1, "1", ""], [True, 1.5]),
        ("boolean_or_cv", [True, "A", {"code": "A"}], [3, {"codeSystem": "1.2"}, ["A"]]),
        (
            "cv",
            ["A", {"code": "A", "displayName": "a", "codeSystemName": "s", "originalText": "o"}],
            [3, True, {"codeSystem": "1.2"}, {"code": "A", "other": "x"}, {"code": 3}],
        ),
        (
            "period",
            [{"start": "2026-11-23"}, {"start": "2026-11-23", "end": "2026-11-24"}],
            [{}, {"start": "2026-02-30"}, {"from": "2026-11-23"}, "2026-11-23", {"start": "\x01"}],
        ),
        (
            "year",
            ["2026", {"value": "2026"}, {"format": "YYYY", "value": "2026-11"}],
            [2026, {"value": "26"}, {"format": "YYYY"}, {"value": "2026", "x": ""}],
        ),
        ("day", ["2026-11-23", {"value": "2026-11-23"}], [{"value": "2026-11-2"}]),
        (
            "pq",
            [{"value": "50.0", "unit": "%"}, {"value": "-1e3", "unit": "h"}],
            [{"value": "50.0"}, {"value": "half", "unit": "%"}, "50"],
        ),
    ],
)
def test_a_part_holds_its_kind(kind: str, right: list[Any], wrong: list[Any]) -> None:
    assert [why_not_value(value, part(kind)) for value in right] == [None] * len(right)
    told = f"must be {KINDS[kind].words}"
    sign = "holds a control character, which no certificate can carry"
    for value in wrong:
        assert why_not_value(value, part(kind)) == (sign if value == "\x00" else told)


@pytest.mark.parametrize(
    ("answers", "rule", "text", "place"),
    [
        ([], "ANSWER_FORM", "svar must be an object: answers by question", ("svar", None, None)),
        (
            {"99": {}},
            "ANSWER_NOT_FOUND",
            "FK7804 has no such question; it has "
            + ", ".join(each.svar for each in FK7804.questions),
            ("svar.99", "99", None),
        ),
        (
            {"35": [{}, "text"]},
            "ANSWER_FORM",
            "must be an object with 35.1, or a list of such objects",
            ("svar.35", "35", None),
        ),
        (
            {"32": [{"instans": 0}]},
            "ANSWER_FORM",
            "instans must be a whole number from 1",
            ("svar.32.instans", "32", None),
        ),
        (
            {"32": {"instans": True}},
            "ANSWER_FORM",
            "instans must be a whole number from 1",
            ("svar.32.instans", "32", None),
        ),
        (
            {"32": {"32.7": "x"}},
            "INVALID_SUB_ANSWER_ID",
            "question 32 has no such part; it has 32.1, 32.2",
            ("svar.32.32.7", "32", "32.7"),
        ),
        (
            {"35": {"35.1": ["text", True]}},
            "ANSWER_FORM",
            f"must be {KINDS['text'].words}",
            ("svar.35.35.1", "35", "35.1"),
        ),
    ],
)
def test_what_no_certificate_could_hold_is_told_with_its_place(
    answers: Any, rule: str, text: str, place: tuple[str, str | None, str | None]
) -> None:
    path, svar, delsvar = place
    wanted = Finding(rule, text, path, svar=svar, delsvar=delsvar)
    assert check_answers(answers, FK7804) == [wanted]


def test_what_is_of_the_form_is_taken() -> None:
    answers = {"32": [{"instans": 1, "32.1": "HELT_NEDSATT", "ordning": []}], "ordning": ["32"]}
    assert check_answers(answers, FK7804) == []


def test_additional_questions_have_one_form() -> None:
    last = FK7804.questions[-1]
    assert (last.svar, last.last) == ("9001", "9999")
    found = [FK7804.question_of(svar) for svar in ("9000", "9001", "9999", "10000", "x")]
    assert found == [None, last, last, None, None]


@pytest.fixture
def diagnoses(tmp_path: Path) -> Diagnoses:
    path = tmp_path / "diagnoses.csv"
    path.write_text("M239;Knäskada\nF322;Depression\n", "utf-8")
    read = Diagnoses(path)
    assert (read.damage, read.text("M239")) == (None, "Knäskada")
    return read


def test_what_follows_from_an_answer_is_filled_in(diagnoses: Diagnoses) -> None:
    filler = Filler(NEWEST, diagnoses)
    filled = filler.filled(
        {
            "6": {"6.2": "m23.9"},
            "32": [
                {"32.1": "HELT_NEDSATT", "32.2": {"start": "2026-11-20"}, "instans": 9},
                {},
                {"32.1": ""},
                {"32.2": {"start": "2026-12-20"}},
            ],
            "35": {"35.1": ""},
            "ordning": ["32", "6"],
        }
    )
    assert filled == {
        "6": {
            "6.1": "Knäskada",
            "6.2": {"code": "M239", "codeSystem": ICD10_SYSTEM, "displayName": "Knäskada"},
        },
        "32": [
            {
                "instans": 1,
                "32.1": {
                    "code": "HELT_NEDSATT",
                    "codeSystem": NEWEST.delsvar("32.1").code_lists[0].system,
                    "displayName": code_text("32.1", "HELT_NEDSATT"),
                },
                "32.2": {"start": "2026-11-20"},
            },
            {"instans": 2, "32.2": {"start": "2026-12-20"}},
        ],
    }
    assert [list(row) for row in (filled["6"], filled["32"][0])] == [
        ["6.1", "6.2"],
        ["instans", "32.1", "32.2"],
    ]


def code_text(delsvar: str, code: str) -> str:
    return NEWEST.delsvar(delsvar).code_lists[0].codes[code]


def test_what_somebody_says_of_a_code_stays(diagnoses: Diagnoses) -> None:
    said = {"originalText": "o", "codeSystemName": "s", "code": "M239", "displayName": "Knä"}
    [row] = [Filler(NEWEST, diagnoses).filled({"6": {"6.1": "Mitt", "6.2": said}})["6"]]
    assert row["6.1"] == "Mitt"
    assert list(row["6.2"].items()) == [
        ("code", "M239"),
        ("codeSystem", ICD10_SYSTEM),
        ("codeSystemName", "s"),
        ("displayName", "Knä"),
        ("originalText", "o"),
    ]


def test_a_diagnosis_that_is_in_no_list_is_told(diagnoses: Diagnoses) -> None:
    answers: dict[str, Any] = {
        "6": {"6.2": {"code": "M240", "codeSystem": ICD10_SYSTEM}},
        "32": [{"32.1": {"code": "HELT_NEDSATT"}}],
        "99": {},
    }
    [found] = Filler(NEWEST, diagnoses).unknown_diagnoses(answers)
    assert found == Finding(
        "DIAGNOSIS_CODE",
        "the code is not in the list of diagnoses (ICD-10-SE)",
        "/RegisterCertificate/intyg/svar[@id='6']",
        svar="6",
        delsvar="6.2",
    )
    answers["6"]["6.2"]["code"] = "M239"
    assert Filler(NEWEST, diagnoses).unknown_diagnoses(answers) == []
    answers["6"]["6.2"] = {"code": "M240", "codeSystem": "another"}
    assert Filler(NEWEST, diagnoses).unknown_diagnoses(answers) == []
    assert Filler(NEWEST).unknown_diagnoses(answers) == []


def test_a_text_stands_beside_each_diagnosis() -> None:
    question = FK7804.question("6")
    pairs = list(diagnosis_pairs(question))
    assert pairs[0] == ("6.1", "6.2")
    texts = replace(
        question, delsvar=tuple(replace(each, pattern=None) for each in question.delsvar)
    )
    assert list(diagnosis_pairs(texts)) == []


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2026", {"format": "YYYY", "value": "2026"}),
        ({"value": "2026-11"}, {"format": "YYYY-MM", "value": "2026-11"}),
        ("2026-11-23", {"format": "YYYY-MM-DD", "value": "2026-11-23"}),
    ],
)
def test_a_date_in_part_says_which_part(written: Any, kept: dict[str, str]) -> None:
    changed = replace(part("year"), id="1.1")
    question = replace(FK7804.questions[0], delsvar=(changed,))
    filler = Filler(replace(FK7804, questions=(question,)))
    filled = filler.filled({question.svar: {"1.1": written}})
    [row] = [filled[question.svar]]
    assert (row[0] if isinstance(row, list) else row)["1.1"] == kept
