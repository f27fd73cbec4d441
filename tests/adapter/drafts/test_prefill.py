"""What becomes of each answer that an EHR sends along, by both national engines."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from intyg.adapter.clients.diagnoses import Diagnoses
from intyg.adapter.drafts.answers import Filler
from intyg.adapter.drafts.prefill import Prefill, prefill
from intyg.schemas import ns
from intyg.schemas.typefile.lookup import IntygTypes

TYPES = IntygTypes()
TODAY = date(2026, 11, 23)
ICD10 = "1.2.752.116.1.1.1"


def cv(code: str, system: str) -> str:
    return f"<t:cv><t:code>{code}</t:code><t:codeSystem>{system}</t:codeSystem></t:cv>"


def period(start: str, end: str = "") -> str:
    last = f"<t:end>{end}</t:end>" if end else ""
    return f"<t:datePeriod><t:start>{start}</t:start>{last}</t:datePeriod>"


def svar(svar_id: str, instans: int | None = None, **parts: str) -> etree._Element:
    """`svar("1", p1="…")`: delsvar 1.1 holds it."""
    number = "" if instans is None else f"<instans>{instans}</instans>"
    held = "".join(
        f'<delsvar id="{svar_id}.{name[1:]}">{value}</delsvar>' for name, value in parts.items()
    )
    text = f'<svar xmlns="{ns.CORE}" xmlns:t="{ns.TYPES}" id="{svar_id}">{number}{held}</svar>'
    return etree.fromstring(text)


def used(version: str, *rows: etree._Element, diagnoses: Diagnoses | None = None) -> Prefill:
    intyg_type = TYPES.lookup("FK7804", version)
    return prefill(rows, intyg_type, Filler(intyg_type, diagnoses), TODAY)


def reasons(done: Prefill) -> list[tuple[str | None, str]]:
    return [(line.delsvar or line.svar, line.reason) for line in done.lines if line.reason]


GROUND = cv("JOURNALUPPGIFTER", "KV_FKMU_0001")


@pytest.mark.parametrize(
    ("rows", "answers", "dropped"),
    [
        pytest.param(
            (svar("35", p1="a"), svar("35", p1="b")),
            {"35": {"35.1": "a"}},
            [("35", "WRONG_NUMBER_OF_ANSWERS")],
            id="twice",
        ),
        pytest.param(
            (svar("35", p9="a"),), {}, [("35.9", "INVALID_SUB_ANSWER_ID")], id="unknown part"
        ),
        pytest.param(
            (svar("27", p1="ja"),), {}, [("27.1", "INVALID_BOOLEAN_VALUE")], id="no boolean"
        ),
        pytest.param((svar("27", p1="TRUE"),), {"27": {"27.1": True}}, [], id="a boolean's case"),
        pytest.param(
            (svar("35", p1=cv("A", "B")),), {}, [("35.1", "INVALID_FORMAT")], id="a code as text"
        ),
        pytest.param(
            (svar("1", 1, p1=cv("NOTHING", "KV_FKMU_0001"), p2="2026-11-01"),),
            {},
            [("1.1", "INVALID_FORMAT"), ("1.2", "WITH_ANOTHER")],
            id="a bad row of several goes whole",
        ),
        pytest.param(
            (svar("6", p1="Bruten arm", p2=cv("XX", ICD10)),),
            {},
            [("6.1", "WITH_ANOTHER"), ("6.2", "INVALID_DIAGNOSIS_CODE")],
            id="a bad diagnosis takes its text along",
        ),
        pytest.param(
            (svar("6", p2=cv("S525", "KSH97P")),),
            {},
            [("6.2", "INVALID_DIAGNOSIS_CODE")],
            id="another list of diagnoses",
        ),
        pytest.param(
            (svar("35", p1="x" * 4001),), {"35": {"35.1": "x" * 4001}}, [], id="length is not asked"
        ),
    ],
)
def test_the_newer_engine(
    rows: tuple[etree._Element, ...], answers: dict[str, Any], dropped: list[tuple[str, str]]
) -> None:
    done = used("2.0", *rows)
    assert done.answers == answers
    assert reasons(done) == dropped


def test_the_older_type_drops_what_is_too_long() -> None:
    assert reasons(used("1", svar("35", p1="x" * 4001))) == [("35.1", "TOO_LONG")]


def test_the_older_type_fills_in_today() -> None:
    done = used("1", svar("1", 1, p1=GROUND), svar("32", 1, p1=cv("HALFTEN", "KV_FKMU_0003")))
    assert done.answers["1"][0]["1.2"] == "2026-11-23"
    assert done.answers["32"][0]["32.2"] == {"start": "2026-11-23"}
    assert reasons(done) == []


def test_the_older_type_wants_a_kind_and_a_degree() -> None:
    done = used("1", svar("1", 1, p2="2026-11-01"), svar("32", 1, p2=period("2026-11-01")))
    assert done.answers == {}
    assert reasons(done) == [("1.2", "WITH_ANOTHER"), ("32.2", "WITH_ANOTHER")]


def test_repeated_rows_are_taken_once() -> None:
    row = {"p1": GROUND, "p2": "2026-11-01"}
    assert len(used("2.0", svar("1", 1, **row), svar("1", 2, **row)).answers["1"]) == 1


def test_a_list_of_diagnoses_names_and_checks(tmp_path: Path) -> None:
    path = tmp_path / "icd10.csv"
    path.write_text("Kod;Text\nS52.5;Fraktur på nedre delen av radius\n", "utf-8")
    known = Diagnoses(path)
    done = used("2.0", svar("6", p2=cv("s52.5", ICD10)), diagnoses=known)
    assert done.answers["6"]["6.1"] == "Fraktur på nedre delen av radius"
    assert done.answers["6"]["6.2"]["displayName"] == "Fraktur på nedre delen av radius"
    unknown = used("2.0", svar("6", p2=cv("S526", ICD10)), diagnoses=known)
    assert reasons(unknown) == [("6.2", "INVALID_DIAGNOSIS_CODE")]


def test_no_value_is_in_the_report() -> None:
    done = used(
        "2.0", svar("35", p1="hemligt"), svar("27", p1="hemligt"), svar("hemligt. .", p1="x")
    )
    assert "hemligt" not in str(done.report()) + done.text()
