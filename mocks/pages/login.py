"""Logging in: with the token of `/control`, or a link that works once."""

from http import HTTPStatus

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.mocks.control.token import brings
from intyg.mocks.pages.address import LOGIN, PREFIX
from intyg.mocks.pages.visit import Visit, asked_mock
from intyg.pages.session import COOKIE, Visitor


def build_login_pages(visit: Visit) -> Blueprint:
    """`/mock/login` and `/mock/logout`."""
    pages = Blueprint("login", __name__)

    @pages.get(LOGIN)
    def login() -> ResponseReturnValue:
        code = request.args.get("once")
        if code is None:
            return _form()
        found = visit.links.take(code)
        return _begin(visit, found) if found else _form("used")

    @pages.post(LOGIN)
    def log_in() -> ResponseReturnValue:
        token = asked_mock().token
        given = f"Bearer {request.form.get('token', '').strip()}"
        if token is not None and not brings(given, token):
            return _form("wrong")
        return _begin(visit, Visitor("mock", "operator"))

    @pages.post(f"{PREFIX}/logout")
    def log_out() -> ResponseReturnValue:
        answer = redirect(LOGIN, HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE, path=PREFIX)
        return answer

    return pages


def _form(fault: str | None = None) -> ResponseReturnValue:
    status = HTTPStatus.UNAUTHORIZED if fault else HTTPStatus.OK
    return render_template("mock_login.html", fault=fault), status


def _begin(visit: Visit, who: Visitor) -> Response:
    answer = redirect(PREFIX, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE, visit.sessions.start(who), path=PREFIX, httponly=True, samesite="Strict",
        secure=request.is_secure,
    )  # fmt: skip
    assert isinstance(answer, Response)
    return answer
