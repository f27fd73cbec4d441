"""A certificate in words."""

import pytest
from lxml import etree

from intyg.schemas.examples.draft import (
    Address,
    Code,
    Draft,
    DraftDelsvar,
    DraftSvar,
    Frame,
    Parent,
    PartialDate,
    Period,
    Quantity,
    Text,
    Twice,
    Value,
    request_element,
)
from intyg.schemas.examples.example import Size, example
from intyg.schemas.export.render import Rendering, render
from intyg.schemas.intyg_model import IntygType
from tests.strategies import SIGNED_AT, TYPES, all_types

FK7804 = TYPES.lookup("FK7804", "1")
FRAME = Frame("intyg-1", "189001019802", SIGNED_AT, "1.3", "SE-LAKARE")


def rendered(*svar: DraftSvar, frame: Frame = FRAME, intyg_type: IntygType = FK7804) -> Rendering:
    request = request_element(intyg_type, Draft(frame, svar))
    return render(intyg_type, request[-1])


def svar(delsvar: str, value: Value, instans: int | None = None) -> DraftSvar:
    return DraftSvar(delsvar.partition(".")[0], (DraftDelsvar(delsvar, value),), instans)


def said(delsvar: str, value: Value, intyg_type: IntygType = FK7804) -> str:
    return rendered(svar(delsvar, value), intyg_type=intyg_type).answered[0].answers[0].text


@pytest.mark.parametrize(
    ("delsvar", "value", "words"),
    [
        pytest.param("27.1", Text("true"), "Ja", id="yes"),
        pytest.param("27.1", Text(" 0 "), "Nej", id="no, as digit"),
        pytest.param("27.1", Text("kanske"), "kanske", id="neither yes nor no"),
        pytest.param("1.2", Text("2026-11-23"), "2026-11-23", id="date"),
        pytest.param("35.1", Text("true"), "true", id="text that looks like a yes"),
        pytest.param(
            "28.1",
            Code("STUDIER", "KV_FKMU_0002", "something else"),
            "Studier [STUDIER]",
            id="code of a list: its text, not the one in the message",
        ),
        pytest.param("6.2", Code("M545", "1.2", "Lumbago"), "Lumbago [M545]", id="other code"),
        pytest.param("6.2", Code("M545", "1.2"), "[M545]", id="code without text"),
        pytest.param(
            "28.1",
            Code("STUDIER", "1.2.3", "Studies"),
            "Studies [STUDIER]",
            id="code of another system",
        ),
        pytest.param(
            "32.2", Period("2026-11-23", "2026-12-01"), "2026-11-23 till 2026-12-01", id="period"
        ),
        pytest.param("35.1", PartialDate("2026-05"), "2026-05", id="partial date"),
        pytest.param("35.1", Quantity("50.0", "%"), "50.0 %", id="quantity"),
        pytest.param(
            "35.1", Twice(PartialDate("2026")), "2026; 2026", id="everything that is there"
        ),
        pytest.param("35.1", Text("rad 1\nrad 2"), "rad 1\nrad 2", id="several lines"),
        pytest.param("35.1", Text("röd\u009b31m text"), "röd31m text", id="terminal controls"),
    ],
)
def test_answer_in_words(delsvar: str, value: Value, words: str) -> None:
    assert said(delsvar, value) == words


def test_text_beside_an_element_is_shown_too() -> None:
    request = request_element(FK7804, Draft(FRAME, (svar("35.1", Quantity("1", "cm")),)))
    delsvar = request[-1][-1][-1]
    delsvar.text, delsvar[0].tail = "ungefär", "lång"
    assert render(FK7804, request[-1]).answered[0].answers[0].text == "ungefär; 1 cm; lång"


def test_answers_stand_in_form_order_and_unknown_ones_last() -> None:
    shown = rendered(
        svar("8001.1", Text("vad?")), svar("35.1", Text("b")), svar("27.1", Text("true"))
    )
    assert [one.id for one in shown.answered] == ["27", "35", "8001"]
    unknown = shown.answered[-1]
    assert (unknown.term, unknown.answers[0].text) == ("", "vad?")
    assert unknown.category is not None


def test_unknown_delsvar_stands_after_known_ones() -> None:
    parts = (DraftDelsvar("26.9", Text("x")), DraftDelsvar("26.1", Text("true")))
    (shown,) = rendered(DraftSvar("26", parts)).answered
    assert [answer.id for answer in shown.answers] == ["26.1", "26.9"]


def test_additional_question_is_known() -> None:
    (shown,) = rendered(svar("9002.1", Text("ja"))).answered
    assert shown.term == "tilläggsfråga"
    assert shown.answers[0].term == "svar på tilläggsfråga"


def test_repeated_question_is_numbered() -> None:
    codes = [Code(code, "KV_FKMU_0002") for code in ("STUDIER", "ARBETSSOKANDE")]
    shown = rendered(*(svar("28.1", code, at) for at, code in enumerate(codes, 1)))
    assert [one.number for one in shown.answered] == [1, 2]
    assert "28. typ av sysselsättning 2" in shown.as_text()


def test_patient_issuer_and_relation_are_named() -> None:
    frame = Frame(
        "intyg-2",
        "189001019802",
        SIGNED_AT,
        "1.3",
        "SE-LAKARE",
        patient=Address("Gatan 1", "12345", "Orten"),
        parent=Parent("KOMPLT", "intyg-1"),
    )
    facts = dict(rendered(frame=frame).facts)
    assert facts["Patient"] == "189001019802 Prov Person"
    assert facts["Signerat"] == "2026-11-23 09:30:00"
    assert facts["Relation"] == "KOMPLT intyg-1"


def test_html_escapes_what_a_message_says_and_loads_nothing() -> None:
    evil = "<script src='http://example.org/x.js'>&"
    page = rendered(svar("35.1", Text(evil)), svar("6.2", Code(evil, "1", evil))).as_html()
    assert "<script" not in page
    assert page.count("&lt;script src=&#x27;http://example.org/x.js&#x27;&gt;&amp;") == 3
    parsed = etree.fromstring(page, etree.HTMLParser())
    assert not parsed.xpath("//@src | //@href | //link | //script | //img | //iframe")


def test_html_and_text_show_categories() -> None:
    db = TYPES.lookup("DB")
    shown = rendered(svar("2.1", Text("true")), intyg_type=db)
    assert "<h2>Dödsdatum och dödsplats</h2>" in shown.as_html()
    assert "DÖDSDATUM OCH DÖDSPLATS" in shown.as_text()


@pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)
def test_every_type_is_shown_whole(intyg_type: IntygType) -> None:
    intyg = example(intyg_type, signed_at=SIGNED_AT, size=Size.FULL)[-1]
    shown = render(intyg_type, intyg)
    answers = [answer for one in shown.answered for answer in one.answers]
    assert len(answers) == len(intyg.findall("{*}svar/{*}delsvar"))
    assert all(answer.term and answer.text for answer in answers)
    assert len(shown.as_text().splitlines()) > len(answers)
