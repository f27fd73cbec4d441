"""«Save as test»: what was clicked, as a file for pytest."""

from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, Response, g, redirect, render_template
from flask.typing import ResponseReturnValue
from lxml import etree

from intyg.mocks.journal import Entry, Filter
from intyg.mocks.pages.address import PREFIX
from intyg.mocks.pages.as_test import Came, as_test
from intyg.mocks.pages.visit import Shown, Visit, can, is_ehr, look, prefix, run_id
from intyg.mocks.wire import envelope
from intyg.mocks.wire.ids import ById

FILE = "test_what_was_clicked.py"


def build_saving_pages(visit: Visit) -> Blueprint:
    """`/mock/test` and `/mock/test/file`."""
    pages = Blueprint("saving", __name__)
    path = f"{PREFIX}/test"

    @pages.get(path)
    def shown() -> ResponseReturnValue:
        clicks = visit.recorder.clicks(run_id())
        return render_template("saving.html", clicks=clicks, text=written(visit), file=FILE)

    @pages.get(f"{path}/file")
    def file() -> ResponseReturnValue:
        answer = Response(written(visit), content_type="text/x-python; charset=UTF-8")
        answer.headers["Content-Disposition"] = f"attachment; filename={FILE}"
        return answer

    @pages.post(path)
    def forget() -> ResponseReturnValue:
        visit.recorder.clear(run_id())
        return redirect(f"{prefix()}/test", HTTPStatus.SEE_OTHER)

    return pages


def written(visit: Visit) -> str:
    """The test for what was clicked in the run, or outside of runs."""
    came = [each for key, mock in g.mocks.items() if not is_ehr(mock) for each in _came(key, mock)]
    return as_test(visit.recorder.clicks(run_id()), came, _acted)


def _acted(key: str, rule_id: str) -> int | None:
    try:
        count: int = g.mocks[key].rules.book.acted(rule_id)
    except KeyError:
        return None
    return count


def _came(key: str, mock: Shown) -> Iterator[Came]:
    """Each certificate that a mock was brought, once."""
    held = ById[str]()
    if can(mock, "list_intyg"):
        for each in look(mock, "list_intyg").intyg:
            held[each.intygs_id] = each.typ
    seen = ById[int]()
    for entry in mock.journal.entries(Filter.parse("RegisterCertificate")):
        if entry.intygs_id and entry.typ and seen.get(entry.intygs_id) is None:
            seen[entry.intygs_id] = entry.number
            yield Came(
                entry.intygs_id, entry.typ, key, mock.settings.part, entry.number,
                held.get(entry.intygs_id) is not None, _relation(entry),
            )  # fmt: skip


def _relation(entry: Entry) -> tuple[str, str] | None:
    try:
        element = envelope.read(entry.request, None).element
    except envelope.FaultError:
        return None
    relation = element.find("{*}intyg/{*}relation")
    if relation is None:
        return None
    return _text(relation, "{*}typ/{*}code"), _text(relation, "{*}intygs-id/{*}extension")


def _text(element: etree._Element, path: str) -> str:
    return element.findtext(path) or ""
