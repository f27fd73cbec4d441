"""The mocks' pages in a real browser: the main task, with and without JavaScript, and axe."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests import builders
from tests.mocks.pages.lively import PLACES, Lively, lively_mocks
from tests.pages.browsing import IN_A_BROWSER, Watched, assert_fit_to_read, chromium

from playwright.sync_api import Browser, expect  # isort: skip -- there, since browsing is

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def mocks() -> Iterator[Lively]:
    with lively_mocks() as running:
        yield running


@pytest.fixture
def watch(browser: Browser, mocks: Lively) -> Iterator[Any]:
    opened: list[Watched] = []

    def begin(**options: Any) -> Watched:
        options = {"locale": "sv-SE", "viewport": {"width": 1360, "height": 900}, **options}
        opened.append(Watched(browser.new_context(**options), mocks.url))
        return opened[-1]

    yield begin
    for each in opened:
        each.end()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_a_question_is_asked_and_stands_in_the_journal(watch: Any, script: bool) -> None:
    page = watch(java_script_enabled=script).open("/mock")
    page.get_by_role("main").get_by_role("link", name="Försäkringskassan", exact=True).click()
    page.get_by_role("link", name=builders.INTYGS_ID).click()
    asked = f"Arbetar patienten kvällar? {script}"
    page.get_by_label("Text", exact=True).fill(asked)
    page.get_by_role("button", name="Fråga", exact=True).click()
    expect(page.get_by_text("Adaptern tog emot det: OK")).to_be_visible()
    page.get_by_role("navigation", name="Huvudmeny").get_by_text("Journalsystem").click()
    page.get_by_role("link", name="Journal", exact=True).click()
    row = page.get_by_role("row").filter(has_text="OVRIGT").first
    row.get_by_role("link", name="SendMessageToCare").click()
    page.get_by_role("link", name="I ord").click()
    expect(page.get_by_text(asked)).to_be_visible()
    page.get_by_role("link", name="Spara som test").first.click()
    expect(page.locator("#code")).to_contain_text(f'text="{asked}"')


@pytest.mark.parametrize(
    ("locale", "theme", "width"), [("en-GB", "light", 1360), ("sv-SE", "dark", 360)]
)
def test_axe_finds_nothing_and_nothing_is_cut(
    watch: Any, locale: str, theme: str, width: int
) -> None:
    watched = watch(locale=locale, color_scheme=theme, viewport={"width": width, "height": 900})
    assert_fit_to_read(watched, PLACES)
    watched.said[:] = [
        said for said in watched.said if "status of 400" not in said
    ]  # a wrong filter
