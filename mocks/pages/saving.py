"""«Save as test»: what was clicked, as a file for pytest."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from flask import Blueprint, Response, g, redirect, render_template
from flask.typing import ResponseReturnValue
from lxml import etree

from intyg.mocks.journal import Entry, Filter
from intyg.mocks.pages.address import PREFIX
from intyg.mocks.pages.as_test import Came, as_test
from intyg.mocks.pages.recorder import Click
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
    clicks = visit.recorder.clicks(run_id())
    authorities = {key: mock for key, mock in g.mocks.items() if clicks and not is_ehr(mock)}
    came = [each for key, mock in authorities.items() for each in _came(key, mock, clicks)]
    return as_test(clicks, came, _acted)


def _acted(key: str, rule_id: str) -> int | None:
    try:
        count: int = g.mocks[key].rules.book.acted(rule_id)
    except KeyError:
        return None
    return count


def _came(key: str, mock: Shown, clicks: Sequence[Click]) -> Iterator[Came]:
    """Each certificate that a mock was brought and that the clicks have to do with, once."""
    held, seen = ById[str](), ById[int]()
    if can(mock, "list_intyg"):
        held.update({each.intygs_id: each.typ for each in look(mock, "list_intyg").intyg})
    spoken_of = ById[bool]({each.values.get("intygs_id", ""): True for each in clicks})
    since = clicks[0].seen.get(key, 0)
    where = Filter.parse("RegisterCertificate")
    for entry in filter(where.matches, mock.journal.heads(where)):
        about, typ = entry.intygs_id, entry.typ
        if not about or not typ or seen.get(about) is not None:
            continue
        seen[about] = entry.number
        if entry.number > since or spoken_of.get(about):
            part, taken = mock.settings.part, held.get(about) is not None
            relation = _relation(mock.journal.get(entry.number))
            yield Came(about, typ, key, part, entry.number, taken, relation)


def _relation(entry: Entry | None) -> tuple[str, str] | None:
    try:
        element = envelope.read(b"" if entry is None else entry.request, None).element
    except envelope.FaultError:
        return None
    relation = element.find("{*}intyg/{*}relation")
    if relation is None:
        return None
    return _text(relation, "{*}typ/{*}code"), _text(relation, "{*}intygs-id/{*}extension")


def _text(element: etree._Element, path: str) -> str:
    return element.findtext(path) or ""
