"""The four lists of a unit, as tabs: questions, drafts, certificates, and those of a patient."""

from urllib.parse import quote

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.pages.arende_query import PATH, Query, read_query
from intyg.adapter.console.pages.drafts import PATH as DRAFTS
from intyg.adapter.console.pages.visit import PREFIX, Visit
from intyg.adapter.store import Rows

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


def tabs_of(rows: Rows, query: Query, unhandled: int) -> list[Tab]:
    """
    The tabs of a unit.

    Args:
        unhandled: How many of its questions nobody has handled.
    """
    unit = quote(query.unit or "")
    return [
        ("unhandled", f"{PATH}?unit={unit}", unhandled),
        ("drafts", f"{DRAFTS}?unit={unit}", rows.drafts.count_of_unit(query.unit or "")),
        ("signed", f"{PREFIX}/unit?id={unit}", 0),
        ("earlier", f"{PATH}/earlier?unit={unit}", 0),
    ]
