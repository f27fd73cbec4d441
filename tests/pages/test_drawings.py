"""Lanes and sparklines: what is drawn, and that nothing of it is markup of somebody else."""

from typing import Any, Final

import pytest
from lxml import etree

from intyg.pages.lanes import DETAIL, Day, Gap, Party, Row, Shape, lanes
from intyg.pages.signs import SIGN_OF, SIGNS, chip
from intyg.pages.sparkline import HEIGHT, sparkline

PARTIES: Final = (Party("EHR", "SE-1"), Party("Adapter", "<b>"), Party("FK", "FKASSA"))
HEADS: Final = ("Tid", "Utfall")


def row(number: int, shape: Shape = "call", **changes: Any) -> Row:
    values: dict[str, Any] = {
        "time": "16:02:11", "source": 1, "target": 2, "label": "RegisterCertificate",
        "colour": "delivered", "word": "OK", "detail": "", "href": f"#h{number}",
    }  # fmt: skip
    return Row(number=number, shape=shape, **(values | changes))


def drawn(*items: Any) -> etree._Element:
    return etree.fromstring(str(lanes(PARTIES, items, "Vägen", HEADS)))


def classes(svg: etree._Element) -> list[str]:
    return " ".join(str(each.get("class", "")) for each in svg.iter()).split()


@pytest.mark.parametrize(
    ("shape", "marks"),
    [
        ("call", {"ln-head"}),
        ("status", {"ln-head", "ln-dash"}),
        ("lost", {"c-refused"}),
        ("unsure", {"c-unknown", "ln-dots"}),
        ("wall", {"c-blocked", "ln-wall"}),
        ("refused", {"c-refused", "ln-head"}),
        ("waits", {"ln-open", "ln-dash"}),
        ("step", {"ln-pill"}),
    ],
)
def test_each_shape_is_told_by_more_than_its_colour(shape: Shape, marks: set[str]) -> None:
    assert marks <= set(classes(drawn(row(1, shape))))


def test_an_arrow_that_did_not_arrive_ends_before_the_line() -> None:
    def end(shape: Shape) -> float:
        line = drawn(row(1, shape)).find(".//{*}path[@class='ln-line ']")
        assert line is not None
        return float(str(line.get("d")).partition("H")[2])

    assert end("lost") < end("call")


def test_every_row_is_a_link_and_days_and_gaps_are_said() -> None:
    svg = drawn(Day("måndag"), row(1), Gap("15 h"), row(2, of="d"), row(3, of="d"))
    assert [each.get("href") for each in svg.iter("{*}a")] == ["#h1", "#h2", "#h3"]
    text = " ".join(str(each.text) for each in svg.iter("{*}text"))
    assert "måndag" in text
    assert "15 h" in text
    assert classes(svg).count("ln-bracket") == 1
    assert "l5 4" in str(etree.tostring(svg))  # the lines down zigzag through the gap


def test_words_of_others_stay_words() -> None:
    svg = drawn(row(1, label="<script>", detail="x" * 200))
    assert not list(svg.iter("{*}script", "{*}b"))
    longest = max(str(each.text) for each in svg.iter("{*}text") if str(each.text).startswith("x"))
    assert len(longest) == DETAIL
    assert "&lt;i&gt;" in chip("delivered", "<i>")


def test_every_state_has_a_sign() -> None:
    assert set(SIGN_OF.values()) <= set(SIGNS)


def bars(*hours: tuple[int, int]) -> list[tuple[str, int, int]]:
    svg = etree.fromstring(str(sparkline(hours, "t")))
    return [
        (str(each.get("class")), int(str(each.get("y"))), int(str(each.get("height"))))
        for each in svg.iter("{*}rect")
    ]


def test_bars_are_to_scale_and_what_failed_stands_at_the_foot() -> None:
    assert bars((0, 0)) == [("spark-none", 24, 1)]
    assert bars((10, 0), (5, 0)) == [("spark-all", 2, 22), ("spark-all", 13, 11)]
    # one of a hundred is still seen: three high
    assert bars((100, 1)) == [("spark-all", 2, 19), ("spark-no", 21, 3)]
    assert bars((4, 4)) == [("spark-no", 2, 22)]
    assert all(y >= 0 and y + height <= HEIGHT for _, y, height in bars((7, 3), (1, 1)))
