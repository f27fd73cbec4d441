"""`/mock`: the pages together, who may open them, and what their frame shows."""

import ipaddress
import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from intyg.mocks.clock.clock import system_clock
from intyg.mocks.control import ProblemError
from intyg.mocks.pages.address import LOGIN, PREFIX
from intyg.mocks.pages.damaged import build_damage_pages
from intyg.mocks.pages.intyg import build_intyg_pages
from intyg.mocks.pages.journal import build_journal_pages
from intyg.mocks.pages.login import build_login_pages
from intyg.mocks.pages.reading import masked
from intyg.mocks.pages.recorder import Recorder
from intyg.mocks.pages.rules import build_rule_pages
from intyg.mocks.pages.saving import build_saving_pages
from intyg.mocks.pages.start import build_start_pages
from intyg.mocks.pages.texts import TEXTS
from intyg.mocks.pages.time import build_time_pages
from intyg.mocks.pages.visit import (
    ANYBODY,
    Visit,
    asked_mock,
    mocks_here,
    prefix,
    run_id,
    split_run,
)
from intyg.pages.session import COOKIE, OnceLinks, Sessions
from intyg.pages.site import Site, build_site, error_page, our_version, words

_WITHOUT_LOGIN: Final = (LOGIN, f"{PREFIX}/static/", f"{PREFIX}/look")

MAX_FORM_BYTES: Final = 1024 * 1024
"""Of what is posted; the longest is a message to care."""

_HERE: Final = "intyg.here"
"""Key of the WSGI environment under which the path stands as it was asked for."""

_log = logging.getLogger(__name__)


class MockSite:
    """
    The site as a WSGI application.

    Args:
        secret: Cookies are signed with it, so that nobody else's count.
        links: Let somebody in, once each.
        recorder: Keeps what is clicked.
    """

    def __init__(self, secret: bytes, links: OnceLinks, recorder: Recorder) -> None:
        self._visit = Visit(Sessions(secret, system_clock), links, recorder)
        self._app = build_site(
            Site(
                name="intyg.mocks.pages",
                prefix=PREFIX,
                brand="Attrapper",
                templates=Path(__file__).parent / "templates",
                texts=TEXTS,
                hosts=(),
                frame=lambda: _frame(self._visit),
            )
        )
        self._app.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES
        self._app.url_map.strict_slashes = False
        self._app.before_request(lambda: _let_in(self._visit))
        for build in (
            build_login_pages,
            build_start_pages,
            build_time_pages,
            build_saving_pages,
            build_damage_pages,
            build_intyg_pages,
            build_journal_pages,
            build_rule_pages,
        ):
            self._app.register_blueprint(build(self._visit))
        self._app.register_error_handler(ProblemError, _problem)
        self._app.register_error_handler(Exception, _failed)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        here = environ.get("PATH_INFO", "")
        return self._app({**split_run(environ), _HERE: here}, start_response)


def _let_in(visit: Visit) -> ResponseReturnValue | None:
    """Who asks, from where, and whether they may: otherwise to the page where one logs in."""
    _refuse_others(urlsplit(f"//{request.host}").hostname or "")
    is_open = asked_mock().token is None
    g.visitor = ANYBODY if is_open else visit.sessions.read(request.cookies.get(COOKIE))
    g.mocks = mocks_here() if g.visitor else {}
    if request.path.startswith(_WITHOUT_LOGIN):
        return None
    if g.visitor is None:
        return redirect(LOGIN, HTTPStatus.SEE_OTHER)
    given = request.form.get("csrf", "") if request.method == "POST" else None
    if given is not None and not visit.sessions.is_form_token(g.visitor, given):
        return error_page(HTTPStatus.FORBIDDEN, "form")
    return None if g.mocks else error_page(HTTPStatus.NOT_FOUND, "run")


def _refuse_others(host: str) -> None:
    """Mocks are for this machine alone, by a name or a number that is its own."""
    try:
        own = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        own = False
    if not own:
        raise BadRequest("host")


def _frame(visit: Visit) -> Mapping[str, object]:
    visitor = g.get("visitor")
    run, query = run_id(), request.query_string.decode("ascii", "replace")
    path = request.environ[_HERE] + (f"?{query}" if query else "")
    return {
        "environment": "mock",
        "who": visitor,
        "csrf": visit.sessions.form_token(visitor) if visitor else "",
        "version": our_version(),
        "prefix": prefix(),
        "here": path if request.method == "GET" else prefix(),
        "run": run,
        "open": visitor is ANYBODY,
        "current": _current(),
        "brand": _mock_shown() or words()("brand"),
        "product": words()("brand"),
        "of": _mock_shown(),
        "notices": [] if run is None else [words()("notice.run", run=run)],
        "navigation": _navigation() if visitor else [],
    }


def _mock_shown() -> str:
    """The name of the mock that a page is about, for the strip and in place of the brand."""
    mock = g.get("mocks", {}).get(_current().removeprefix("/"))
    return "" if mock is None else str(mock.name)


def _current() -> str:
    """The item of the menu that a page belongs to: its mock, or it itself."""
    own = request.path.removeprefix(PREFIX).strip("/")
    return f"/{own.partition('/')[0]}" if own else ""


def _navigation() -> list[tuple[str, list[tuple[str, str, None]]]]:
    """Groups of the menu, each with the names and the paths of its pages; none of them counts."""
    common = ["", "/clock", "/runs", "/test"]
    return [
        ("nav.all", [(f"nav{path or '/start'}", path, None) for path in common]),
        ("nav.mocks", [(str(mock.name), f"/{key}", None) for key, mock in g.mocks.items()]),
    ]


def _problem(problem: ProblemError) -> ResponseReturnValue:
    return render_template("mock_problem.html", detail=masked(problem.detail)), problem.status


def _failed(error: Exception) -> ResponseReturnValue:
    _log.error("pages_failed exception=%s", type(error).__name__)
    return error_page(HTTPStatus.INTERNAL_SERVER_ERROR)
