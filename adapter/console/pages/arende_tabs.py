"""The four lists of a unit, as tabs: questions, drafts, certificates, and those of a patient."""

from typing import Final
from urllib.parse import quote

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.pages.arende_query import PATH, Query, read_query
from intyg.adapter.console.pages.visit import PREFIX, Visit
from intyg.adapter.store import Rows

DRAFTS: Final = f"{PREFIX}/utkast"

Tab = tuple[str, str, int]
"""Its name, where it leads, and how many are in it; 0: that is not said."""


def build_earlier_page(visit: Visit) -> Blueprint:
    """`/console/arenden/earlier`: a patient's certificates, asked for by a form."""
    pages = Blueprint("earlier", __name__)

    @pages.get(f"{PATH}/earlier")
    def earlier() -> ResponseReturnValue:
        query = read_query(request.args)
        with visit.services.store.read() as rows:
            name = rows.intyg.unit_name(query.unit or "") or query.unit or ""
            lists = tabs_of(rows, query, 0)
        return render_template("arende_earlier.html", unit_name=name, lists=lists)

    return pages


def drafts_page() -> str | None:
    """Where drafts are listed and edited; None where this console has no page for them."""
    there = any(rule.rule == DRAFTS for rule in current_app.url_map.iter_rules())
    return DRAFTS if there else None


def tabs_of(rows: Rows, query: Query, unhandled: int) -> list[Tab]:
    """
    The tabs of a unit; its drafts where this console has a page for them.

    Args:
        unhandled: How many of its questions nobody has handled.
    """
    unit = quote(query.unit or "")
    lists: list[Tab] = [("unhandled", f"{PATH}?unit={unit}", unhandled)]
    if drafts_page() is not None:
        count = rows.drafts.count_of_unit(query.unit or "")
        lists.append(("drafts", f"{DRAFTS}?unit={unit}", count))
    lists.append(("signed", f"{PREFIX}/unit?id={unit}", 0))
    return [*lists, ("earlier", f"{PATH}/earlier?unit={unit}", 0)]
