"""One box: the id of anything leads to its certificate, that of a unit or a number to a list."""

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.pages.visit import PREFIX, Visit, sees, sees_unit, visitor
from intyg.adapter.store import Rows
from intyg.adapter.store.intyg_rows import Listed
from intyg.pages.site import words

PAGE: Final = 50
LONGEST: Final = 255
RECENTLY: Final = timedelta(days=92)
"""Three months: what the list of signed certificates holds, unless older ones are asked for."""

_NUMBER: Final = re.compile(r"(?:\d{2})?\d{6}[-+]?\d{4}")


def build_search_pages(visit: Visit) -> Blueprint:
    """`/console/search`, which takes a form alone, and `/console/unit`."""
    pages = Blueprint("search", __name__)

    @pages.post(f"{PREFIX}/search")
    def search() -> ResponseReturnValue:
        wanted = request.form.get("q", "").strip()[:LONGEST]
        number = wanted.replace("-", "")
        with visit.services.store.read() as rows:
            if _NUMBER.fullmatch(wanted):
                return _of_patient(visit, rows, number)
            found = rows.ids.intyg_of(wanted) or rows.ids.intyg_of_call(wanted)
            stored = rows.intyg.get(found) if found else None
            if stored is not None and sees(visitor(), stored):
                return redirect(
                    f"{PREFIX}/intyg/{quote(stored.intyg.intygs_id)}", HTTPStatus.SEE_OTHER
                )
            if wanted and rows.intyg.of_unit(wanted, 1) and sees_unit(visitor(), wanted):
                return redirect(f"{PREFIX}/unit?id={quote(wanted)}", HTTPStatus.SEE_OTHER)
        nothing = render_template(
            "found.html", listed=(), heading=words()("found.none"), older=None, filters=None
        )
        return nothing, HTTPStatus.NOT_FOUND

    @pages.get(f"{PREFIX}/unit")
    def unit() -> ResponseReturnValue:
        who = visitor()
        asked = request.args.get("id", "")
        wanted = asked if asked and sees_unit(visitor(), asked) else who.unit or ""
        before = request.args.get("before", type=int)
        signer, ever = request.args.get("signer", "").strip(), "ever" in request.args
        since = None if ever else visit.services.clock() - RECENTLY
        with visit.services.store.read() as rows:
            listed = rows.intyg.of_unit(wanted, PAGE + 1, before, signer=signer, since=since)
            name = rows.intyg.unit_name(wanted)
        heading = words()("found.unit", name=name) if name else words()("found.none")
        older = listed[PAGE - 1].seq if len(listed) > PAGE else None
        return render_template(
            "found.html",
            listed=_with_names(visit, listed[:PAGE]),
            heading=heading,
            older=older,
            unit=wanted,
            filters={"signer": signer, "ever": ever},
        )

    return pages


def _of_patient(visit: Visit, rows: Rows, number: str) -> ResponseReturnValue:
    """A list that says nothing of whether there is such a person: only certificates are in it."""
    listed = [
        each
        for each in rows.intyg.listed_of_patient(number, PAGE)
        if sees_unit(visitor(), each.enhets_id)
    ]
    heading = words()("found.patient") if listed else words()("found.none")
    return render_template(
        "found.html", listed=_with_names(visit, listed), heading=heading, older=None, filters=None
    )


def _with_names(
    visit: Visit, listed: list[Listed] | tuple[Listed, ...]
) -> list[tuple[Listed, str]]:
    """Each with the number of its form, as people call it."""
    by_code = {header.xml_code: header.code for header in visit.services.types.headers()}
    return [(each, by_code.get(each.typ, each.typ)) for each in listed]
