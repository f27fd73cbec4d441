"""`/console`: the pages together, who may open them, and what their frame shows."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Final

import structlog
from flask import Flask, g, redirect, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.app import WholeId, whole_path
from intyg.adapter.console.arende_pages import units_of
from intyg.adapter.console.pages.arende_actions import build_arende_actions
from intyg.adapter.console.pages.arende_tabs import build_earlier_page
from intyg.adapter.console.pages.arenden import build_arende_site
from intyg.adapter.console.pages.audit_pages import build_audit_pages
from intyg.adapter.console.pages.blocked import build_blocked_pages
from intyg.adapter.console.pages.certificate import build_certificate_pages
from intyg.adapter.console.pages.deliveries import build_delivery_site
from intyg.adapter.console.pages.delivery_actions import build_delivery_actions
from intyg.adapter.console.pages.doctor import Doctor, build_doctor_pages
from intyg.adapter.console.pages.drafts import build_draft_pages
from intyg.adapter.console.pages.explain import build_explain_pages
from intyg.adapter.console.pages.login import build_login_pages
from intyg.adapter.console.pages.overview import build_overview_pages
from intyg.adapter.console.pages.search import build_search_pages
from intyg.adapter.console.pages.statistics import build_statistics_site
from intyg.adapter.console.pages.texts import TEXTS
from intyg.adapter.console.pages.visit import PREFIX, Visit, may_open
from intyg.adapter.console.token import OPERATOR, Token
from intyg.adapter.console.unit_tree import keys_under
from intyg.adapter.domain.arende import ArendeFilter
from intyg.adapter.domain.clock import Clock, swedish_day
from intyg.adapter.domain.delivery_filter import DeliveryFilter
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.domain.way import Stop, WayCause
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import ConsoleRole
from intyg.adapter.store.tables import NOT_THERE
from intyg.pages.session import COOKIE, OnceLinks, Sessions, Visitor
from intyg.pages.site import Site, build_site, error_page, our_version, words

LOGIN: Final = f"{PREFIX}/login"
_WITHOUT_LOGIN: Final = (LOGIN, f"{PREFIX}/static/", f"{PREFIX}/look")

NAVIGATION: Final = (
    (
        "nav.running",
        (("nav.overview", ""), ("nav.deliveries", "/deliveries"), ("nav.blocked", "/blocked")),
    ),
    (
        "nav.care",
        (
            ("nav.arenden", "/arenden"),
            ("nav.drafts", "/utkast"),
            ("nav.signed", "/unit"),
            ("nav.statistics", "/statistics"),
        ),
    ),
    ("nav.trouble", (("nav.explain", "/explain"), ("nav.doctor", "/doctor"))),
    ("nav.control", (("nav.audit", "/audit"),)),
)
"""Groups of the menu, each with the sentences and the paths of its pages."""

MOST_COUNTED: Final = 1000

_log = structlog.get_logger()


@dataclass(frozen=True)
class ConsoleSite:
    """
    The pages, and links that let somebody in once.

    Attributes:
        app: The WSGI application, for `/console` and for `/`.
        links: Made by whoever runs this process.
    """

    app: Flask
    links: OnceLinks

    def login_path(self) -> str:
        """A path that logs an operator in, once."""
        return f"{LOGIN}?once={self.links.make(OPERATOR)}"


def build_console_site(services: Services, people_clock: Clock, doctor: Doctor) -> ConsoleSite:
    """
    Make the application.

    Args:
        people_clock: The machine's own: how long somebody stays logged in.
        doctor: What can be looked at; it stands above the console.

    Raises:
        SettingsError: A token cannot be had.
    """
    token = Token.from_settings(services.settings)
    visit = Visit(services, token, Sessions(_secret(services, token), people_clock), OnceLinks())
    site = Site(
        name="intyg.adapter.console.pages",
        prefix=PREFIX,
        brand="Intygsadapter",
        templates=Path(__file__).parent / "templates",
        texts=TEXTS,
        hosts=services.settings.console.hosts,
        frame=lambda: _frame(visit),
    )
    app = build_site(site)
    app.wsgi_app = whole_path(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.url_map.merge_slashes = False  # two slashes in an id are two
    app.url_map.converters["id"] = WholeId
    app.before_request(lambda: _let_in(visit))
    app.add_url_rule("/", view_func=lambda: redirect(PREFIX, HTTPStatus.SEE_OTHER), endpoint="root")
    for build in (
        build_login_pages,
        build_overview_pages,
        build_delivery_site,
        build_delivery_actions,
        build_arende_site,
        build_earlier_page,
        build_arende_actions,
        build_blocked_pages,
        build_search_pages,
        build_certificate_pages,
        build_draft_pages,
        build_explain_pages,
        build_statistics_site,
        build_audit_pages,
    ):
        app.register_blueprint(build(visit))
    app.register_blueprint(build_doctor_pages(visit, doctor))
    app.register_error_handler(StoreError, lambda _: error_page(HTTPStatus.SERVICE_UNAVAILABLE))
    app.register_error_handler(Exception, _failed)
    return ConsoleSite(app, visit.links)


def _secret(services: Services, token: Token) -> bytes:
    """The same in every process on one database, and another one once a token has changed."""
    own = services.audit.secret_for(b"console sessions") if services.audit else None
    return (own or secrets.token_bytes(32)) + token.everybody


def _let_in(visit: Visit) -> ResponseReturnValue | None:
    """Who asks, and whether they may: otherwise to the page where one logs in."""
    g.visitor = _visitor(visit)
    path = request.path
    if path == "/" or path.startswith(_WITHOUT_LOGIN):
        return None
    if g.visitor is None:
        return redirect(LOGIN, HTTPStatus.SEE_OTHER)
    if request.method == "POST" and not visit.is_own_form(request.form.get("csrf", "")):
        return error_page(HTTPStatus.FORBIDDEN, "form")
    if not may_open(g.visitor, path):
        return error_page(HTTPStatus.FORBIDDEN, "role")
    return None


def _visitor(visit: Visit) -> Visitor | None:
    """Who the cookie says, with the units under theirs as the settings have them today."""
    who = visit.sessions.read(request.cookies.get(COOKIE))
    under = keys_under(visit.services.settings.console, who.unit if who else None)
    return replace(who, under=under) if who else None


def _frame(visit: Visit) -> Mapping[str, object]:
    visitor = g.get("visitor")
    waits, notices = _waits(visit, visitor)
    return {
        "environment": visit.services.settings.environment.value,
        "who": visitor,
        "csrf": visit.sessions.form_token(visitor) if visitor else "",
        "version": our_version(),
        "current": request.path.removeprefix(PREFIX).rstrip("/"),
        "notices": notices,
        "navigation": [
            (
                group,
                [(key, path, waits.get(path)) for key, path in items if _is_for(visitor, path)],
            )
            for group, items in NAVIGATION
            if visitor and any(_is_for(visitor, path) for _, path in items)
        ],
    }


def _waits(visit: Visit, who: Visitor | None) -> tuple[Mapping[str, int], list[str]]:
    """How much waits behind a page of the menu, and what somebody has paused."""
    if who is None:
        return {}, []
    try:
        if who.role == ConsoleRole.CARE:
            return {"/arenden": _unhandled(visit, who)}, []
        with visit.services.store.read() as rows:
            wanted = DeliveryFilter(states=frozenset(NOT_THERE))
            waits = {"/deliveries": rows.search.count(wanted, MOST_COUNTED)}
            paused = [stop for stop in rows.ways.stopped() if stop.cause is WayCause.PAUSED]
    except StoreError:  # the page says so itself
        return {}, []
    return waits, [_paused(stop) for stop in paused]


def _unhandled(visit: Visit, who: Visitor) -> int:
    """How many questions nobody has handled, at the units of somebody in care."""
    wanted = ArendeFilter(units_of(visit.services, who.unit))
    today = swedish_day(visit.services.clock())
    with visit.services.store.read() as rows:
        return rows.arenden.find(wanted, today, 1).count(wanted)


def _is_for(who: Visitor, path: str) -> bool:
    """Whether a page stands in somebody's menu; a unit's own certificates in care's alone."""
    return may_open(who, PREFIX + path) and (path != "/unit" or who.role == ConsoleRole.CARE)


def _paused(stop: Stop) -> str:
    return words()(
        "notice.paused",
        to=stop.way.destination,
        by=stop.by or "",
        since=words().short(stop.since),
        reason=stop.reason or "",
    )


def _failed(error: Exception) -> ResponseReturnValue:
    # The error's text may quote a row.
    _log.error("console.unexpected", **{"error.type": type(error).__name__})
    return error_page(HTTPStatus.INTERNAL_SERVER_ERROR)
