"""What a renewal takes over: by type, all but what must be said anew."""

from datetime import datetime

import pytest

from intyg.adapter.drafts.carried import carried, with_comment
from intyg.adapter.formats.intyg_json import intyg_to_json
from intyg.adapter.rules.draft_rules import Way
from intyg.schemas.examples.example import Size, example
from tests.adapter.flows.rig import TYPES

LEFT_OUT = {
    # grounds, contact, degrees and periods, working time, prognosis
    "FK7804:1": ("1", "26", "32", "33", "39"),
    "FK7804:2.0": ("1", "26", "32", "39"),
    "AG7804:1": ("1", "32", "33", "39", "100", "103"),
    "AG7804:2.0": ("1", "32", "39", "103"),
    "AF00251:1.0": ("1", "6"),  # grounds, absence
    "FK3221:1.0": ("1",),
    "FK3226:1.0": ("1", "53"),  # and: able to consent
    "FK7426:1.0": ("1", "61", "62"),  # and: seriously ill, hospital, home care
    "FK7427:1.0": ("1", "62.1", "62.2", "62.6"),
    "FK7472:1.0": ("56",),  # the period
    "FK7809:1.0": ("1",),
    "FK7810:1.0": ("1", "2"),  # and: knowledge of the patient
    "FK7800:1": (),  # LUSE and LUAE_*: a plain copy
    "FK7801:1": (),
    "FK7802:1": (),
}
"""By code and version: «not carried over at renewal» nationally; what is missing is not renewed."""


def test_what_is_left_out_is_as_nationally() -> None:
    found = {
        f"{one.code}:{one.version}": one.usage.renewed_without
        for one in TYPES.headers()
        if one.usage.renew
    }
    assert found == LEFT_OUT


@pytest.mark.parametrize("key", LEFT_OUT)
def test_everything_else_is_carried_over(key: str) -> None:
    intyg_type = TYPES.lookup(*key.split(":"))
    signed_at = datetime(2026, 11, 23, 9, 30)  # noqa: DTZ001  contract times carry no zone
    request = example(intyg_type, signed_at=signed_at, size=Size.FULL, seed=1)
    answers = intyg_to_json(request[-1], intyg_type)["svar"]
    kept = carried(answers, Way.RENEW, intyg_type)
    assert kept.keys() <= answers.keys() - set(LEFT_OUT[key])
    parts = {part for value in kept.values() for row in _rows(value) for part in row}
    assert not parts & set(LEFT_OUT[key])
    gone = answers.keys() - kept.keys()
    assert all(any(left.split(".")[0] == svar for left in LEFT_OUT[key]) for svar in gone)


def _rows(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else [value]  # type: ignore[list-item]


def test_a_comment_comes_after_what_stands_there() -> None:
    intyg_type = TYPES.lookup("LISJP", "2.0")
    assert with_comment({}, "Ny.", intyg_type) == {"25": {"25.1": "Ny."}}
    both = with_comment({"25": {"25.1": "Gammal."}}, "Ny.", intyg_type)
    assert both == {"25": {"25.1": "Gammal.\nNy."}}


ANSWERS = {
    "35": {"35.1": "Svag"},
    "32": [{"instans": 1, "32.1": "A"}],
    "ordning": ["35", "32"],
}


@pytest.mark.parametrize("way", [Way.CREATE, Way.REPLACE, Way.COMPLEMENT, Way.COPY])
def test_all_is_taken_over(way: Way) -> None:
    made = carried(ANSWERS, way, TYPES.lookup("FK7804", "1"))
    assert made == ANSWERS
    assert made is not ANSWERS


def test_a_template_gives_what_both_types_ask() -> None:
    doi = TYPES.lookup("DOI")
    death = {
        "1": {"1.1": "körkort", "1.9": "no such part"},
        "2": [{"instans": 1, "2.1": True}],
        "5": {"5.1": True},
        "99": {"99.1": "x"},
    }
    assert carried(death, Way.TEMPLATE, doi) == {
        "1": {"1.1": "körkort"},
        "2": [{"instans": 1, "2.1": True}],
    }
