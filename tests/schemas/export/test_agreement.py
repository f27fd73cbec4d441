"""Validator, Schematron and XSD 1.1 of a type refuse a certificate for the same rules.

Certificates are generated from the type files, and then changed in a few places. `xmlschema` takes
a quarter of a second for a certificate, so that only a few of each type are tried in the ordinary
run. For a big one, say how many of each type:

    INTYG_AGREEMENT_EXAMPLES=300 pytest tests/schemas/export/test_agreement.py --timeout=7200 -n 2

With INTYG_NATIONAL_EXAMPLES set to a folder of official examples with `index.csv`, those are tried
too, and the verdict must be the national one: with `xmlschema` every fourth, in a big run all.
"""

import csv
import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from intyg.schemas.examples.example import Size, example
from intyg.schemas.intyg_model import IntygType
from tests import builders, strategies
from tests.schemas.intyg_engines import engines_of
from tests.schemas.intyg_mutation import mutations
from tests.schemas.test_official_examples import refused
from tests.strategies import SIGNED_AT, TYPES, all_types

EXAMPLES: Final = int(os.environ.get("INTYG_AGREEMENT_EXAMPLES", "0"))
EACH_BY_XSD11: Final = 1 if EXAMPLES else 4
NATIONAL: Final = os.environ.get("INTYG_NATIONAL_EXAMPLES")

EVERY_TYPE = pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)


def tried(ordinarily: int) -> settings:
    return settings(
        max_examples=EXAMPLES or ordinarily,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@st.composite
def changed_requests(draw: st.DrawFn, intyg_type: IntygType) -> etree._Element:
    """A certificate of the type that was valid, in its request, with up to three changes."""
    request = etree.fromstring(draw(strategies.requests(intyg_type)))
    return draw(mutations(intyg_type, request))


@EVERY_TYPE
def test_valid_example_is_refused_by_none(intyg_type: IntygType) -> None:
    request = example(intyg_type, signed_at=SIGNED_AT, size=Size.SOME)
    engines = engines_of(intyg_type.key)
    assert engines.validator(request) == set()
    assert engines.schematron(request)[0] == set()
    assert engines.xsd11(request) == set()


@EVERY_TYPE
@tried(3)
@given(data=st.data())
def test_schematron_refuses_and_warns_as_the_validator(
    data: st.DataObject, intyg_type: IntygType
) -> None:
    request, engines = data.draw(changed_requests(intyg_type)), engines_of(intyg_type.key)
    failed, reported = engines.schematron(request)
    assert failed == engines.validator(request)
    assert reported == engines.warnings(request)


@EVERY_TYPE
@tried(2)
@given(data=st.data())
def test_xsd11_refuses_as_the_validator(data: st.DataObject, intyg_type: IntygType) -> None:
    request, engines = data.draw(changed_requests(intyg_type)), engines_of(intyg_type.key)
    assert engines.xsd11(request) == engines.validator(request)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("<instans>1</instans>", "<instans>１</instans>", id="digit of another script"),
        pytest.param(
            "<instans>1</instans>", "<instans>1<t:a>x</t:a></instans>", id="element in instans"
        ),
        pytest.param("<instans>1</instans>", "<instans>+1</instans>", id="plus sign"),
        pytest.param('id="29"', 'id="９００１"', id="additional question in another script"),
        pytest.param('id="29"', 'id=" 9001 "', id="additional question with blanks"),
        pytest.param('id="29"', 'id="9001.5"', id="additional question and a half"),
        pytest.param('<svar id="39">', '<t:svar id="39">', id="svar in another namespace"),
        pytest.param(">STOR_SANN", ">\N{NO-BREAK SPACE}STOR_SANN", id="no-break space at a code"),
        pytest.param("Kan inte stå på knä", "\N{NO-BREAK SPACE}", id="no-break space as text"),
        pytest.param("Kan inte stå på knä", "\N{EM SPACE}", id="em space as text"),
        pytest.param("2026-12-03", "2026-12-03\N{NO-BREAK SPACE}", id="no-break space at a date"),
        pytest.param("<t:code>M239</t:code>", "<t:code>M239</t:code>" * 2, id="two codes"),
        pytest.param("Kan inte stå på knä", "<!-- x -->Kan inte stå", id="comment before text"),
    ],
)
def test_oddity_is_read_alike_by_all(old: str, new: str) -> None:
    """Each was once read otherwise by one of them, or could be."""
    text = builders.register_certificate().decode()
    assert old in text
    changed = text.replace(old, new)
    if "<t:svar" in changed:
        head, tail = changed.split("<t:svar", 1)
        changed = head + "<t:svar" + tail.replace("</svar>", "</t:svar>", 1)
    request, engines = etree.fromstring(changed.encode()), engines_of("FK7804/1")
    failed, reported = engines.schematron(request)
    assert failed == engines.xsd11(request) == engines.validator(request)
    assert reported == engines.warnings(request)


def rows() -> list[dict[str, str]]:
    if not NATIONAL:
        return []
    with (Path(NATIONAL) / "index.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(
    not NATIONAL, reason="INTYG_NATIONAL_EXAMPLES names no folder: official verdicts NOT compared"
)
@pytest.mark.parametrize(
    ("at", "row"),
    list(enumerate(rows())),
    ids=lambda each: f"{each['type']}/{each['file']}" if isinstance(each, dict) else "",
)
def test_official_example_gets_the_national_verdict_from_all(at: int, row: dict[str, str]) -> None:
    assert NATIONAL is not None
    request = etree.parse(str(Path(NATIONAL) / row["file"])).getroot()
    header = next(
        header
        for header in TYPES.headers()
        if header.code == row["type"] and header.version.partition(".")[0] == row["version"]
    )
    engines = engines_of(header.key)
    expected = engines.validator(request)
    assert bool(expected) is refused(row)
    assert engines.schematron(request)[0] == expected
    if at % EACH_BY_XSD11 == 0:
        assert engines.xsd11(request) == expected
