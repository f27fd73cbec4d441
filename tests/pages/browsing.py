"""A real browser, and what every page of ours must stand in it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("playwright", reason="no playwright: pages were NOT tried in a browser")

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

expect.set_options(timeout=20_000)  # a machine that others use, too, may take its time

CHROMIUM: Final = Path("/usr/bin/chromium")
AXE: Final = Path(__file__).parent / "vendored" / "axe-4.14.1.min.js"
# What axe finds, and whether the page is as wide as the window at most.
RUN_AXE: Final = """async () => {
    const found = await axe.run(document, {resultTypes: ['violations']});
    const fits = document.documentElement.scrollWidth <= innerWidth;
    return [found.violations.map(each => [each.id, each.nodes.map(node => node.html)]), fits];
}"""

IN_A_BROWSER: Final = [
    pytest.mark.skipif(
        not CHROMIUM.exists() and os.environ.get("CI") != "true",
        reason="no Debian chromium: pages were NOT tried in a browser",
    ),
    pytest.mark.timeout(300),
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for as long as it is wanted."""
    with sync_playwright() as playwright:
        options: dict[str, Any] = {"executable_path": str(CHROMIUM), "args": ["--no-sandbox"]}
        with playwright.chromium.launch(**options) as browser:
            yield browser


class Watched:
    """Pages of one context, and everything they asked for or complained of."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context, self.base = context, base
        self.asked: list[str] = []
        self.said: list[str] = []
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("console", lambda message: self.said.append(message.text))
        context.on("weberror", lambda error: self.said.append(str(error.error)))
        self.page: Page = context.new_page()

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def end(self) -> None:
        """Close it, and see that nobody else was asked and that nothing complained."""
        self.context.close()
        assert all(url.startswith(f"{self.base}/") for url in self.asked)
        assert [said for said in self.said if "status of 404" not in said] == []


def assert_fit_to_read(watched: Watched, paths: Iterable[str]) -> None:
    """Axe finds nothing on any of these pages, with no rule disabled, and nothing is cut."""
    watched.context.add_init_script(path=AXE)  # goes to the browser once, and not with each page
    for path in paths:
        assert watched.open(path).evaluate(RUN_AXE) == [[], True], path
