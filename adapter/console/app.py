"""REST on loopback, for operators and for EHRs that mark questions as handled.

    GET    /health                             200 when the database can be written and every
                                               thread runs, otherwise 503
    GET    /metrics                            for Prometheus
    GET    /api                                what there is: methods and paths
    GET    /api/intyg/<id>                     where a certificate stands
    GET    /api/route                          where a message would go, and why not; see there
    GET    /api/blocked                        what the guard stopped or holds; parameter `limit`
    GET    /api/arenden                        a unit's questions that are not handled; see there
    POST   /api/arenden                        those of a patient
    GET    /api/deliveries                     what waits or ended, and of which causes
    GET    /api/deliveries/<id>                one of them, with its attempts
    POST   /api/deliveries/retry               and give-up, mark-delivered: see there
    GET    /api/ways                           what waits for each destination, what is stopped
    POST   /api/destinations/<name>/pause      and resume
    POST   /api/backup                         copy the SQLite database, while it is in use
    GET    /api/openapi.json                   all of `/api`, described
    GET    /api/statistics                     reports, and each of them; see there
    POST   /api/statistics/rebuild             make anew what they count
    PUT    /api/intyg/<id>/ref                 keep the EHR's own reference, the parameter `ref`
    POST   /api/meddelanden/<id>/hanterad      mark a question as handled
    DELETE /api/meddelanden/<id>/hanterad      mark it as not handled after all

Nothing here shows a person: no number, no name, no text of a message or certificate. Errors are
`application/problem+json` (RFC 9457). POST and DELETE take the HSA-id of who does it in the
parameter `hanteratAv`, and answer the question's new state.
"""

from collections.abc import Callable, Collection, Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import PathConverter

from intyg.adapter.console.arende_pages import build_arende_pages
from intyg.adapter.console.backup_pages import build_backup_pages
from intyg.adapter.console.delivery_pages import build_delivery_pages
from intyg.adapter.console.intyg_pages import build_intyg_pages
from intyg.adapter.console.meddelande_pages import build_meddelande_pages
from intyg.adapter.console.openapi import build_openapi_page
from intyg.adapter.console.problem import problem
from intyg.adapter.console.route_pages import build_route_pages
from intyg.adapter.console.statistics_pages import build_statistics_pages
from intyg.adapter.console.token import Token, ask_for
from intyg.adapter.console.units import unit_of
from intyg.adapter.console.utkast_pages import build_utkast_pages
from intyg.adapter.console.watch_pages import build_watch_pages
from intyg.adapter.domain.errors import AdapterError, StoreError, ValidationError
from intyg.adapter.flows.services import Services

_log = structlog.get_logger()


def build_console(
    services: Services, ended_threads: Callable[[], Collection[str]] = tuple
) -> Flask:
    """
    Make the WSGI application.

    Args:
        ended_threads: Names of threads that should run and do not, for `/health`.

    Raises:
        SettingsError: The token that it is to ask for cannot be had.
    """
    token = Token.from_settings(services.settings)
    app = Flask("intyg.adapter.console", static_folder=None)
    app.wsgi_app = whole_path(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.url_map.merge_slashes = False  # two slashes in an id are two
    app.url_map.converters["id"] = WholeId
    ask_for(token, app, lambda named: unit_of(services.store, named))
    for pages in (
        build_watch_pages(
            services, ended_threads, lambda given: token.refuses("/api", given) is None
        ),
        build_intyg_pages(services),
        build_route_pages(services),
        build_meddelande_pages(services),
        build_arende_pages(services),
        build_utkast_pages(services),
        build_delivery_pages(services),
        build_backup_pages(services),
        build_openapi_page(),
        build_statistics_pages(services),
    ):
        app.register_blueprint(pages)
    app.register_error_handler(AdapterError, _refused)
    app.register_error_handler(HTTPException, _not_served)
    app.register_error_handler(Exception, _failed)
    return app


class WholeId(PathConverter):
    """An id in a path, whatever is in it: slashes too, also as its first sign."""

    regex = ".+?"
    part_isolating = False


def whole_path(app: WSGIApplication) -> WSGIApplication:
    """Let the application see whole paths: it is mounted under each of its first steps."""

    def whole(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        return app({**environ, "SCRIPT_NAME": "", "PATH_INFO": path}, start_response)

    return whole


def _refused(error: AdapterError) -> ResponseReturnValue:
    return problem(_status(error), error.text, [f.rule for f in error.findings])


def _not_served(error: HTTPException) -> ResponseReturnValue:
    return problem(HTTPStatus(error.code or 500), error.name)


def _failed(error: Exception) -> ResponseReturnValue:
    # The error's text may quote a row.
    _log.error("console.unexpected", **{"error.type": type(error).__name__})
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here.")


def _status(error: AdapterError) -> HTTPStatus:
    if isinstance(error, StoreError):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, ValidationError):
        return HTTPStatus.CONFLICT
    return HTTPStatus.NOT_FOUND
