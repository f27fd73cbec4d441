"""Oddities of the national rules that a certificate can meet, each told alike by all engines."""

import pytest
from lxml import etree

from intyg.schemas.examples.draft import request_element
from intyg.schemas.examples.example import Size
from tests.schemas.intyg_engines import engines_of
from tests.strategies import PERSONS, example_draft, workshop

PLACES = {"c": "urn:riv:clinicalprocess:healthcond:certificate:3",
          "t": "urn:riv:clinicalprocess:healthcond:certificate:types:3"}  # fmt: skip


def full(key: str) -> etree._Element:
    code, version = key.split("/")
    draft = example_draft(code, version, Size.FULL, 0, PERSONS[0])
    return request_element(workshop(code, version).intyg_type, draft)


def refused_for(key: str, request: etree._Element) -> set[str]:
    engines = engines_of(key)
    found = engines.validator(request)
    assert engines.schematron(request)[0] == engines.xsd11(request) == found
    return {rule.removeprefix(f"{key}/") for rule in found}


def texts(request: etree._Element, path: str) -> list[etree._Element]:
    found = request.findall(f".//{path}", PLACES)
    assert found
    return found


@pytest.mark.parametrize(
    ("key", "path", "text", "rules"),
    [
        pytest.param(
            "FK7802/1", "c:delsvar[@id='6.2']/t:cv/t:codeSystem", "x1-2-752 116.1.1.1.1.3",
            set(), id="dots are any character, also where systems are compared",
        ),
        pytest.param(
            "FK7802/1", "c:delsvar[@id='6.4']/t:cv/t:codeSystem", "1-2.752.116.1.1.1.1.3",
            {"R61"}, id="but other characters are only themselves",
        ),
        pytest.param(
            "FK7802/1", "c:delsvar[@id='6.4']/t:cv/t:codeSystem", "1.2.752.116.1.3.1.4.1",
            {"R61"}, id="diagnoses of two code systems",
        ),
        pytest.param(
            "TSTRK1031/4", "c:patient/c:person-id/t:extension", "191212701212", set(),
            id="birth told from a samordningsnummer",
        ),
        pytest.param(
            "TSTRK1031/4", "c:patient/c:person-id/t:extension", "191212691212",
            {"S-R19", "S-R20", "S-R21", "S-R22"},
            id="birth in the first nine days, which no national rule can tell from one",
        ),
        pytest.param(
            "FK7809/1.0", "c:delsvar[@id='58.2']/t:cv/t:codeSystem", "1-2-752-116-1-1-1-1-8",
            set(), id="dots are any character",
        ),
        pytest.param(
            "DOI/1.0", "c:delsvar[@id='8.3']/t:cv/t:codeSystem", "1x2x752x116x2x1x1x1x",
            {"S-q8.3"}, id="dots are any character, but nothing may follow",
        ),
        pytest.param(
            "FK7804/1", "c:svar[@id='1']/c:instans", "+1", set(), id="plus before an instans",
        ),
        pytest.param(
            "TSTRK1007/7", "c:delsvar[@id='8.3']", "+1.0", set(), id="plus before a decimal",
        ),
        pytest.param(
            "TSTRK1007/7", "c:delsvar[@id='8.3']", "+2.1", {"S-q8.3"}, id="plus, and too large",
        ),
    ],
)  # fmt: skip
def test_odd_text(key: str, path: str, text: str, rules: set[str]) -> None:
    request = full(key)
    texts(request, path)[0].text = text
    assert refused_for(key, request) == rules


@pytest.mark.parametrize(
    ("key", "old", "new", "rules"),
    [
        pytest.param("TSTRK1031/3", "32", "132", set(), id="id that ends as one of those"),
        pytest.param("TSTRK1031/3", "32", "131", {"S-ids"}, id="id that does not"),
        pytest.param("TSTRK1031/4", "203.2", "9203.2", {"S-R34"}, id="delsvar that ends as one"),
        pytest.param(
            "TSTRK1031/4", "110", "9002", {"S-R30"}, id="answer that stands in another svar"
        ),
        pytest.param("TSTRK1031/4", "201.1", "9201.1", {"S-q201", "S-R30"}, id="but not there"),
    ],
)
def test_odd_id(key: str, old: str, new: str, rules: set[str]) -> None:
    request = full(key)
    for delsvar in request.iterfind(".//c:delsvar[@id='203.1']", PLACES):
        delsvar.text = "true"
    texts(request, f"*[@id='{old}']")[0].set("id", new)
    assert refused_for(key, request) == rules


@pytest.mark.parametrize(
    ("key", "rule", "delsvar"),
    [
        ("FK7426/1.0", "R12", "1.1"),
        ("FK7427/1.0", "R10", "1.1"),
        ("FK7810/1.0", "R41", "2.2"),
        ("FK3226/1.0", "R19", "52.1"),
    ],
)
def test_two_codes_where_no_rule_counts_them_stop_the_national_rules(
    key: str, rule: str, delsvar: str
) -> None:
    request = full(key)
    cv = texts(request, f"c:delsvar[@id='{delsvar}']/t:cv")[0]
    cv.addnext(etree.fromstring(etree.tostring(cv)))
    assert refused_for(key, request) == {rule}


def test_dates_are_compared_as_texts() -> None:
    """Where the days are the same, a time zone makes the first one later."""
    request = full("FK7802/1")
    for other in texts(request, "c:svar[@id='1']")[1:]:
        request[-1].remove(other)
    ground = texts(request, "c:svar[@id='1']")[0]
    for third in ground.findall("c:delsvar[@id='1.3']", PLACES):
        ground.remove(third)
    texts(ground, "t:code")[0].text = "UNDERSOKNING"
    for place in ("2.1", "1.2"):
        for delsvar in texts(request, f"c:delsvar[@id='{place}']"):
            delsvar.text = "2026-11-02"
    assert refused_for("FK7802/1", request) == set()
    texts(request, "c:delsvar[@id='2.1']")[0].text = "2026-11-02Z"
    assert refused_for("FK7802/1", request) == {"R24"}


def test_following_cause_numbered_twice_is_refused() -> None:
    request = full("DOI/1.0")
    for extra in texts(request, "c:svar[@id='9']")[2:]:
        request[-1].remove(extra)
    second = texts(request, "c:svar[@id='9']")[1]
    second.addnext(etree.fromstring(etree.tostring(second)))
    assert refused_for("DOI/1.0", request) == {"S-R21"}


@pytest.mark.parametrize(
    ("key", "delsvar", "rule"),
    [("FK7801/1", "5.1", "R62"), ("FK7801/1", "9001.1", "R149"), ("DOI/1.0", "12.4", "S-q12.4")],
)
@pytest.mark.parametrize("between", ["<!--1-->", "<?p?>"])
def test_text_in_two_pieces_stops_the_national_rules(
    key: str, delsvar: str, rule: str, between: str
) -> None:
    request = full(key)
    cut = etree.fromstring(f"<x>{between}</x>")[0]
    texts(request, f"c:delsvar[@id='{delsvar}']")[0].append(cut)
    assert refused_for(key, request) == set()
    cut.tail = " "
    assert refused_for(key, request) == {rule}


@pytest.mark.parametrize(
    ("found_dead", "died", "rules"),
    [
        ("2026-11-02", "2026-11-01", set()),
        ("2026-11-02+01:00", "2026-11-01", set()),
        ("2026-11-02+01:00", "2026-11-02", {"S-R3c"}),
        ("2026-11-02", "2026-11-02+01:00", set()),
        ("2026-11-02-01:00", "2026-11-02Z", set()),
        ("2026-11-02Z", "2026-11-02", {"S-R3c"}),
        ("2026-11-02+14:00", "2026-11-01-10:00", {"S-R3c"}),
    ],
)
def test_dates_of_death_are_moments(found_dead: str, died: str, rules: set[str]) -> None:
    """A date without time zone is one in UTC, as where no time zone is set for the rules."""
    request = full("DB/1.0")
    texts(request, "c:delsvar[@id='2.3']")[0].text = found_dead
    texts(request, "c:delsvar[@id='2.2']")[0].text = died
    assert {rule for rule in refused_for("DB/1.0", request) if rule.startswith("S-R3")} == rules


@pytest.mark.parametrize(
    ("person_id", "child", "rules"),
    [
        ("202610700000", "true", set()),
        ("202610690000", "true", {"S-R20a"}),
        ("202610690000", "false", {"S-R20b"}),
    ],
)
def test_birth_in_the_first_nine_days_stops_the_rule_on_children(
    person_id: str, child: str, rules: set[str]
) -> None:
    """It cannot be told from a samordningsnummer by the national rules."""
    request = full("DB/1.0")
    texts(request, "c:patient/c:person-id/t:extension")[0].text = person_id
    for delsvar, text in (("2.1", "true"), ("2.2", "2026-11-07"), ("4.1", child)):
        texts(request, f"c:delsvar[@id='{delsvar}']")[0].text = text
    assert {rule for rule in refused_for("DB/1.0", request) if rule.startswith("S-R20")} == rules
