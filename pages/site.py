"""A site of ours: its frame, its files, and what each answer says to the browser.

Nothing comes from elsewhere, nothing is written into a page as script or style, nothing is kept by
the browser, and no other site may show a page of ours or post to it.
"""

import ipaddress
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import BadRequest, Forbidden, HTTPException

from intyg.pages.frame_texts import FRAME_TEXTS
from intyg.pages.signs import chip, sign
from intyg.pages.words import Text, Words, best_language

HERE: Final = Path(__file__).parent
HTMX: Final = "htmx-4.0.1.min.js"

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

THEMES: Final = ("light", "dark")
_YEAR_SECONDS: Final = 365 * 24 * 3600
_STATIC_SECONDS: Final = 3600


@dataclass(frozen=True)
class Site:
    """
    What a site is.

    Attributes:
        name: Of its Flask application.
        prefix: Where it is mounted: `/console`.
        brand: What it is called in its bar.
        templates: Its own, beside those of the frame.
        texts: Its sentences, beside those of the frame.
        hosts: Names that it may be called by, beside `localhost` and addresses.
        frame: What the frame shows of a request: environment, who, navigation.
    """

    name: str
    prefix: str
    brand: str
    templates: Path
    texts: Mapping[str, Text]
    hosts: Collection[str]
    frame: Callable[[], Mapping[str, object]]


def words() -> Words:
    """The language of the page that is being made."""
    found = g.words
    assert isinstance(found, Words)
    return found


def build_site(site: Site) -> Flask:
    """Make the application: the frame without a page in it."""
    app = Flask(
        site.name, static_folder=str(HERE / "static"), static_url_path=f"{site.prefix}/static"
    )
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = _STATIC_SECONDS
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(site.templates), FileSystemLoader(HERE / "templates")]
    )
    texts = {**FRAME_TEXTS, **site.texts}

    @app.before_request
    def begin() -> None:
        g.words = Words(texts, best_language(request.cookies.get("lang"), _accepted()))
        _refuse_strangers(site.hosts)

    @app.context_processor
    def shared() -> dict[str, object]:
        theme = request.cookies.get("theme")
        return {
            "t": words(),
            "theme": theme if theme in THEMES else None,
            "brand": site.brand,
            "prefix": site.prefix,
            "here": request.full_path.rstrip("?") if request.method == "GET" else site.prefix,
            "htmx": HTMX,
            "chip": chip,
            "sign": sign,
            "notices": (),
            **site.frame(),
        }

    app.add_url_rule(f"{site.prefix}/look", view_func=_look(site.prefix), endpoint="look")
    app.after_request(_say)
    app.register_error_handler(HTTPException, _error_page)
    return app


def our_version() -> str:
    """For the foot of each page."""
    try:
        return version("intygsadapter")
    except PackageNotFoundError:  # run from files that were never installed
        return ""


def _accepted() -> str | None:
    return request.headers.get("Accept-Language")


def _refuse_strangers(hosts: Collection[str]) -> None:
    """
    No name that is not ours, and no form of another site.

    A page elsewhere that has its own name point here is another site, whatever the address.
    """
    name = (urlsplit(f"//{request.host}").hostname or "").lower()
    if name != "localhost" and not _is_address(name) and name not in hosts:
        raise BadRequest("host")
    origin = request.headers.get("Origin")
    changes = request.method not in ("GET", "HEAD") and origin is not None
    if changes and urlsplit(origin or "").netloc.lower() != request.host.lower():
        raise Forbidden("origin")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _look(prefix: str) -> Callable[[], ResponseReturnValue]:
    """Switches language and theme: a link, so that it works without JavaScript."""

    def look() -> ResponseReturnValue:
        to = request.args.get("to", prefix)
        own = to == prefix or to.startswith((f"{prefix}/", f"{prefix}?"))
        answer = redirect(to if own and "\\" not in to else prefix, HTTPStatus.SEE_OTHER)
        for cookie, known in (("lang", ("sv", "en")), ("theme", THEMES)):
            wanted = request.args.get(cookie)
            if wanted in known:
                answer.set_cookie(
                    cookie, str(wanted), max_age=_YEAR_SECONDS, path=prefix, samesite="Strict",
                    httponly=True, secure=request.is_secure,
                )  # fmt: skip
            elif wanted is not None:
                answer.delete_cookie(cookie, path=prefix)
        return answer

    return look


def _say(response: Response) -> Response:
    response.headers.update(HEADERS)
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _error_page(error: HTTPException) -> ResponseReturnValue:
    """What is wrong, and what to do about it; 403 and 404 of a thing are one text."""
    code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if error.response is not None or code < HTTPStatus.BAD_REQUEST:
        return error.get_response()
    return error_page(HTTPStatus(code), str(error.description or ""))


def error_page(status: HTTPStatus, reason: str = "") -> ResponseReturnValue:
    """
    A page for something that did not work.

    Args:
        reason: Key of a sentence under `error.`; without one, the number's own.
    """
    say = words()
    key = next(
        each
        for each in (f"error.{reason}", f"error.{status.value}", "error.500")
        if say.knows(f"{each}.title")
    )
    return render_template("error.html", key=key, status=status.value), status
