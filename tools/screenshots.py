"""Pictures of every page, in both languages and themes, wide and as on a phone.

    python -m tools.screenshots FOLDER

Wants Debian's `chromium`, and `fonts-inter`, since its default fonts are wide. Pages are those of
the tests: an adapter with four invented days behind it, and mocks that have been asked and told.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import builders
from tests.adapter.console.pages.asked import UNIT
from tests.adapter.console.pages.lively import DRAFT, NEWER, SENT, lively_app
from tests.mocks.pages.lively import DAMAGED, EHR, FK, lively_mocks

WIDTHS: Final = {"": 1360, "-360": 360}
LOCALES: Final = {"sv": "sv-SE", "en": "en-GB"}
FONT: Final = "body { font-family: Inter, sans-serif !important }"
PAGES: Final = {
    "overview": "/console",
    "deliveries": "/console/deliveries",
    "deliveries-retry": "/console/deliveries/retry",
    "deliveries-pause": "/console/deliveries/pause",
    "deliveries-stop": "/console/deliveries/stop",
    "blocked": "/console/blocked",
    "audit": "/console/audit",
    "explain": "/console/explain",
    "doctor": "/console/doctor",
    "drafts": "/console/utkast",
    "draft": f"/console/utkast/{DRAFT}?asked",
    "draft-read": f"/console/utkast/{DRAFT}?view=read",
    "units": "/console/arenden",
    "arenden": f"{UNIT}&open=a-komplt",
    "arenden-cannot": UNIT.replace("?", "/cannot?") + "&open=a-komplt",
    "statistics": "/console/statistics",
    "statistics-report": "/console/statistics?report=sjukfall-age",
    "certificate": f"/console/intyg/{SENT}",
    "compare": f"/console/intyg/{NEWER}?tab=compare",
    "unit": "/console/unit?id=SE0000000000-UNIT1",
    "not-there": "/console/intyg/never",
    **{
        tab: f"/console/intyg/{SENT}?tab={tab}"
        for tab in ("readable", "xml", "headers", "findings", "signature", "audit")
    },
}
MOCKS: Final = {
    "mocks": "/mock",
    "mocks-clock": "/mock/clock",
    "mocks-runs": "/mock/runs",
    "mocks-test": "/mock/test",
    "mocks-authority": f"/mock/{FK}",
    "mocks-intyg": f"/mock/{FK}/intyg?id={builders.INTYGS_ID}",
    "mocks-journal": f"/mock/{FK}/journal",
    "mocks-call": f"/mock/{FK}/journal/1",
    "mocks-readable": f"/mock/{FK}/journal/1?tab=readable",
    "mocks-rules": f"/mock/{FK}/rules",
    "mocks-ehr": f"/mock/{EHR}",
    "mocks-damaged": DAMAGED,
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        lively_app(Path(data)) as app,
        lively_mocks() as mocks,
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        ) as browser,
    ):
        for language in LOCALES:
            for theme in ("light", "dark"):
                for name, width in WIDTHS.items():
                    end = f"-{language}-{theme}{name}.png"
                    context = _context(browser, width, theme, end)
                    page = context.new_page()
                    page.goto(app.login_url())
                    _take(page, app.console_url, PAGES, folder, end)
                    _take(page, mocks.url, MOCKS, folder, end)
                    context.close()


def _context(browser: Browser, width: int, theme: str, end: str) -> BrowserContext:
    return browser.new_context(
        locale=LOCALES[end[1:3]],
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 900},
        bypass_csp=True,  # for the font
    )


def _take(page: Page, base: str, pages: Mapping[str, str], folder: Path, end: str) -> None:
    for name, path in pages.items():
        page.goto(base + path)
        page.add_style_tag(content=FONT)
        page.screenshot(path=folder / f"{name}{end}", full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
