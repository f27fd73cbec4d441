"""Logging in: with a token, a link that works once, or in an open demonstration by a button."""

from http import HTTPStatus

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.pages.visit import PREFIX, Visit
from intyg.pages.entering import enter, leave


def build_login_pages(visit: Visit) -> Blueprint:
    """`/console/login` and `/console/logout`."""
    pages = Blueprint("login", __name__)

    @pages.get(f"{PREFIX}/login")
    def login() -> ResponseReturnValue:
        code = request.args.get("once")
        if code is None:
            return _form(visit)
        found = visit.links.take(code)
        return enter(visit.sessions, found, PREFIX) if found else _form(visit, "used")

    @pages.post(f"{PREFIX}/login")
    def log_in() -> ResponseReturnValue:
        found = visit.token.whose(request.form.get("token", ""))
        return enter(visit.sessions, found, PREFIX) if found else _form(visit, "wrong")

    @pages.post(f"{PREFIX}/logout")
    def log_out() -> ResponseReturnValue:
        return leave(PREFIX)

    return pages


def _form(visit: Visit, fault: str | None = None) -> ResponseReturnValue:
    way = "closed" if visit.token.closed else "open" if visit.token.is_open else "token"
    status = HTTPStatus.UNAUTHORIZED if fault else HTTPStatus.OK
    return render_template("login.html", way=way, fault=fault), status
