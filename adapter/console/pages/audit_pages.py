"""The audit log: its newest rows, some of them, and whether anybody has changed it."""

from typing import Any, Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.pages.visit import PREFIX, Visit

PATH: Final = f"{PREFIX}/audit"
PAGE: Final = 50


def build_audit_pages(visit: Visit) -> Blueprint:
    """`/console/audit`."""
    pages = Blueprint("audit", __name__)

    @pages.get(PATH)
    def audit() -> ResponseReturnValue:
        return render_template("audit.html", **_shown(visit), checked=None)

    @pages.post(PATH)
    def verify() -> ResponseReturnValue:
        log = visit.services.audit
        checked = log.verify() if log else None
        return render_template("audit.html", **_shown(visit), checked=checked)

    return pages


def _shown(visit: Visit) -> dict[str, Any]:
    asked = {name: request.args.get(name, "").strip() for name in ("action", "who")}
    before = request.args.get("before", type=int)
    with visit.services.store.read() as rows:
        found = rows.audit.newest(PAGE + 1, before, **asked)
    older = found[PAGE - 1].seq if len(found) > PAGE else None
    return {"found": found[:PAGE], "older": older, "asked": asked, "path": PATH}
