"""Plots: what is drawn where, and what they tell whoever cannot see them."""

import re

import pytest
from lxml import etree

from intyg.pages import chart
from intyg.pages.chart import MAX_LINES, Plot, Series

SVG = "{http://www.w3.org/2000/svg}"
MONTHS = tuple(f"2026-{month:02d}" for month in range(1, 13))


def plot(*series: Series, places: tuple[str, ...] = ("a", "b", "c")) -> Plot:
    return Plot("Antal & mer", "fall", places, series)


WOMEN = Series("Kvinnor", (3, 0, 7))
MEN = Series("Män", (2, None, 1))


def parsed(svg: str) -> etree._Element:
    return etree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("draw", [chart.lines, chart.bars, chart.stacked])
def test_a_plot_has_a_title_a_reading_and_its_unit(draw: object) -> None:
    svg = draw(plot(WOMEN, MEN))  # type: ignore[operator]
    root = parsed(svg)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Antal & mer"
    assert root.findtext(f"{SVG}desc") == (
        "Kvinnor: 3 fall (a), 7 (c); högst 7 (c). Män: 2 fall (a), 1 (c); högst 2 (a)."
    )
    assert "fall" in texts(svg)
    assert "style=" not in svg
    assert len(svg) < 6000


@pytest.mark.parametrize("draw", [chart.lines, chart.stacked])
def test_the_axis_begins_at_zero_and_has_few_lines(draw: object) -> None:
    svg = draw(plot(WOMEN))  # type: ignore[operator]
    numbers = [int(text) for text in texts(svg) if re.fullmatch(r"\d+", text)]
    assert numbers[0] == 0
    assert len(numbers) <= MAX_LINES + 1


@pytest.mark.parametrize(
    ("highest", "steps"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (4, [0, 1, 2, 3, 4]),
        (5, [0, 2, 4, 6]),
        (249, [0, 100, 200, 300]),
        (100_000, [0, 50_000, 100_000]),
    ],
)
def test_steps_are_round_and_reach_over_the_highest(highest: int, steps: list[int]) -> None:
    assert chart.axis(highest) == steps


def test_bars_are_as_long_as_their_figures() -> None:
    root = parsed(chart.bars(plot(Series("Antal", (10, 0, 5)))))
    widths = [float(str(rect.get("width"))) for rect in root.iter(f"{SVG}rect")]
    assert len(widths) == 2  # none for nothing
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)


def test_stacked_parts_stand_on_each_other() -> None:
    root = parsed(chart.stacked(plot(Series("a", (4,)), Series("b", (2,)), places=("x",))))
    below, above = [rect for rect in root.iter(f"{SVG}rect") if float(rect.get("y") or 0) > 20]
    bottom = float(str(above.get("y"))) + float(str(above.get("height")))
    assert bottom == pytest.approx(float(str(below.get("y"))) - 1.5, abs=0.2)


def test_a_figure_that_is_not_shown_breaks_the_line_and_is_no_zero() -> None:
    paths = [str(path.get("d")) for path in parsed(chart.lines(plot(MEN))).iter(f"{SVG}path")]
    assert max(path.count("M") for path in paths) == 2
    assert "–" in texts(chart.bars(plot(MEN)))


def test_series_differ_by_more_than_colour() -> None:
    drawn = chart.lines(plot(WOMEN, MEN, Series("Okända", (1, 1, 1))))
    assert len(set(re.findall(r'stroke-dasharray="[^"]*"', drawn))) == 2
    assert "url(#h2)" in chart.stacked(plot(WOMEN, MEN))


def test_names_at_line_ends_do_not_cover_each_other() -> None:
    svg = chart.lines(plot(Series("Ett", (1, 1, 5)), Series("Två", (1, 1, 5))))
    ends = [
        float(str(text.get("y")))
        for text in parsed(svg).iter(f"{SVG}text")
        if (text.text or "").startswith(("Ett", "Två"))
    ]
    assert abs(ends[0] - ends[1]) >= 12


def test_of_many_months_some_are_named_the_last_one_always() -> None:
    places = tuple(f"2026-{month:02d}" for month in range(1, 37))
    said = texts(chart.lines(plot(Series("a", tuple(range(36))), places=places)))
    named = [text for text in said if text.startswith("2026-")]
    assert named[-1] == places[-1]
    assert len(named) < 20


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567, "1\u00a0234\u00a0567"),
        (2.5, "2,5"),
        (3.0, "3"),
        (None, "–"),
        (100, "100"),
    ],
)
def test_numbers_are_written_as_in_this_country(value: float | None, text: str) -> None:
    assert chart.number_text(value) == text


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 3"):
        plot(WOMEN, WOMEN, WOMEN, WOMEN)
    with pytest.raises(ValueError, match="every place"):
        plot(Series("short", (1,)))


def test_markup_in_names_stays_text() -> None:
    svg = chart.bars(plot(Series("a", (1, 2, 3)), places=("<b>", '"&', "c")))
    assert {"<b>", '"&'} <= set(texts(svg))
