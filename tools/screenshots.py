"""Pictures of every page, in both languages and themes, wide and as on a phone.

    python -m tools.screenshots FOLDER

Wants Debian's `chromium`, and `fonts-inter`, since its default fonts are wide. Pages are those of
the tests: an adapter with four invented days behind it.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from tests.adapter.console.pages.asked import UNIT
from tests.adapter.console.pages.lively import DRAFT, NEWER, SENT, lively_app

WIDTHS: Final = {"": 1360, "-360": 360}
LOCALES: Final = {"sv": "sv-SE", "en": "en-GB"}
FONT: Final = "body { font-family: Inter, sans-serif !important }"
PAGES: Final = {
    "overview": "/console",
    "deliveries": "/console/deliveries",
    "deliveries-retry": "/console/deliveries/retry",
    "deliveries-pause": "/console/deliveries/pause",
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
    "certificate": f"/console/intyg/{SENT}",
    "compare": f"/console/intyg/{NEWER}?tab=compare",
    "unit": "/console/unit?id=SE0000000000-UNIT1",
    "not-there": "/console/intyg/never",
    **{
        tab: f"/console/intyg/{SENT}?tab={tab}"
        for tab in ("readable", "xml", "headers", "findings", "signature", "audit")
    },
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        lively_app(Path(data)) as app,
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        ) as browser,
    ):
        for language in LOCALES:
            for theme in ("light", "dark"):
                for name, width in WIDTHS.items():
                    end = f"-{language}-{theme}{name}.png"
                    _take(browser, app.console_url, app.login_url(), width, theme, folder, end)


def _take(
    browser: Browser, base: str, login: str, width: int, theme: str, folder: Path, end: str
) -> None:
    context = browser.new_context(
        locale=LOCALES[end[1:3]],
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 900},
        bypass_csp=True,  # for the font
    )
    page = context.new_page()
    page.goto(login)
    for name, path in PAGES.items():
        page.goto(base + path)
        page.add_style_tag(content=FONT)
        page.screenshot(path=folder / f"{name}{end}", full_page=True)
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
