"""What the guard stopped, and what it holds until it can tell: signal, rule, destination."""

from typing import Final

from flask import Blueprint, render_template

from intyg.adapter.console.pages.visit import PREFIX, Visit
from intyg.pages.site import words

MOST: Final = 200


def build_blocked_pages(visit: Visit) -> Blueprint:
    """`/console/blocked`."""
    pages = Blueprint("blocked", __name__)

    @pages.get(f"{PREFIX}/blocked")
    def blocked() -> str:
        with visit.services.store.read() as rows:
            blocks, holds = rows.blocks.newest(MOST), rows.blocks.holds(MOST)
        say = words()
        lede = say("blocked.lede", n=len(blocks)) if blocks or holds else say("blocked.empty.text")
        return render_template("blocked.html", blocks=blocks, holds=holds, lede=lede, most=MOST)

    return pages
