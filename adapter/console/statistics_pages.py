"""Statistics over REST: each report as JSON, CSV or a plot, and facts made anew.

    GET   /api/statistics                which reports there are, and what can be said of each
    GET   /api/statistics/<report>       as JSON; parameter `format`: json, csv or svg
    POST  /api/statistics/rebuild        make the facts of some certificates anew; parameter `after`

Care sees its own unit's figures alone. Parameters are those of `intyg statistics`; those that
filter may stand several times. A rebuild is asked for again and again, with the `seq` that the last
answer gave as `after`, until it is `whole`: what arrives meanwhile does not wait for it.
"""

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.own_unit import NotYoursError, may_see, of_own_unit
from intyg.adapter.console.problem import problem
from intyg.adapter.console.token import asking
from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.flows.services import Services
from intyg.adapter.statistics.catalogue import REPORTS, Report, make_report
from intyg.adapter.statistics.formats import as_csv, as_json
from intyg.adapter.statistics.plots import draw
from intyg.adapter.statistics.rebuild import rebuild_part
from intyg.adapter.statistics.registers import registers_from_settings
from intyg.adapter.statistics.report import MissingRegisterError, ReportError

FORMAT = "format"


def build_statistics_pages(services: Services) -> Blueprint:
    """`/api/statistics` and below."""
    pages = Blueprint("statistics", __name__)
    registers = registers_from_settings(services.settings, services.staff)
    answers: dict[str, Callable[[Report], Response]] = {
        "json": lambda report: jsonify(as_json(report)),
        "csv": lambda report: _csv(report, registers.cutoff),
        "svg": lambda report: Response(draw(report), content_type="image/svg+xml; charset=utf-8"),
    }

    @pages.get("/api/statistics")
    def index() -> ResponseReturnValue:
        return jsonify([describe(name) for name in REPORTS if may_see(asking(), REPORTS[name])])

    @pages.get("/api/statistics/<name>")
    def report(name: str) -> ResponseReturnValue:
        said = {key: request.args.getlist(key) for key in request.args if key != FORMAT}
        answer = answers.get(request.args.get(FORMAT, "json"))
        if answer is None:
            return problem(HTTPStatus.BAD_REQUEST, f"format: give one of {', '.join(answers)}")
        if name not in REPORTS:
            return problem(HTTPStatus.NOT_FOUND, "There is no such report; see /api/statistics.")
        try:
            theirs = of_own_unit(asking(), REPORTS[name], said)
            with services.store.read() as rows:
                return answer(
                    make_report(rows, name, theirs, registers, swedish_day(services.clock()))
                )
        except NotYoursError as exc:
            return problem(HTTPStatus.FORBIDDEN, str(exc))
        except MissingRegisterError as exc:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(exc))
        except ReportError as exc:
            return problem(HTTPStatus.BAD_REQUEST, str(exc))

    @pages.post("/api/statistics/rebuild")
    def rebuild() -> ResponseReturnValue:
        after = request.values.get("after", 0, type=int)
        maker = services.facts
        if maker is None:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "No facts are kept here.")
        done = services.store.write(lambda rows: rebuild_part(rows, maker, after))
        return jsonify(done=done.done, seq=done.seq, lastSeq=done.last_seq, whole=done.is_whole)

    return pages


def describe(name: str) -> dict[str, object]:
    """What can be said of a report."""
    kind = REPORTS[name]
    return {
        "report": name,
        "title": kind.title,
        "shapes": [shape.value for shape in kind.shapes],
        "levels": sorted(level.value for level in kind.levels),
        "filters": sorted(kind.filters),
    }


def _csv(report: Report, cutoff: int) -> Response:
    answer = Response(as_csv(report, cutoff), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{report.name}.csv"'
    return answer
