"""The first page: which mocks there are, and what has come to them; and the search in all."""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.mocks.journal import Filter
from intyg.mocks.pages.address import PREFIX
from intyg.mocks.pages.visit import Shown, Visit, asked_mock, look, prefix

_IDS: Final = ("intygs_id", "meddelande_id")


def build_start_pages(visit: Visit) -> Blueprint:
    """`/mock` and `/mock/search`."""
    del visit
    pages = Blueprint("start", __name__)

    @pages.get(PREFIX)
    def start() -> ResponseReturnValue:
        rows = [(key, look(mock, "describe_mock"), _state(mock)) for key, mock in g.mocks.items()]
        return render_template(
            "start.html",
            rows=rows,
            calls=sum(state.calls for _, _, state in rows),
            clock=look(asked_mock(), "read_clock"),
        )

    @pages.post(f"{PREFIX}/search")
    def search() -> ResponseReturnValue:
        """By POST: what is typed may be anything, also what must not stand in an address."""
        asked = request.form.get("q", "").strip()
        found = [
            (key, mock.name, field, count)
            for key, mock in g.mocks.items()
            for field in _IDS
            if asked and (count := mock.journal.count(Filter.of([(field, asked)])))
        ]
        if len(found) == 1:
            [(key, _, field, _)] = found
            query = urlencode({field: asked})
            return redirect(f"{prefix()}/{key}/journal?{query}", HTTPStatus.SEE_OTHER)
        return render_template("mock_found.html", found=found, asked=asked if found else "")

    return pages


def _state(mock: Shown) -> Any:
    return look(mock, "read_state")
