"""Logging in: with a token, a link that works once, or in an open demonstration by a button."""

from http import HTTPStatus

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.pages.visit import PREFIX, Visit
from intyg.pages.session import COOKIE, Visitor


def build_login_pages(visit: Visit) -> Blueprint:
    """`/console/login` and `/console/logout`."""
    pages = Blueprint("login", __name__)

    @pages.get(f"{PREFIX}/login")
    def login() -> ResponseReturnValue:
        code = request.args.get("once")
        if code is None:
            return _form(visit)
        found = visit.links.take(code)
        return _begin(visit, found) if found else _form(visit, "used")

    @pages.post(f"{PREFIX}/login")
    def log_in() -> ResponseReturnValue:
        found = visit.token.whose(request.form.get("token", ""))
        return _begin(visit, found) if found else _form(visit, "wrong")

    @pages.post(f"{PREFIX}/logout")
    def log_out() -> ResponseReturnValue:
        answer = redirect(f"{PREFIX}/login", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE, path=PREFIX)
        return answer

    return pages


def _form(visit: Visit, fault: str | None = None) -> ResponseReturnValue:
    way = "closed" if visit.token.closed else "open" if visit.token.is_open else "token"
    status = HTTPStatus.UNAUTHORIZED if fault else HTTPStatus.OK
    return render_template("login.html", way=way, fault=fault), status


def _begin(visit: Visit, who: Visitor) -> Response:
    answer = redirect(PREFIX, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        visit.sessions.start(who),
        path=PREFIX,
        httponly=True,
        samesite="Strict",
        secure=request.is_secure,
    )
    assert isinstance(answer, Response)
    return answer
