"""Logging in: with the token of `/control`, or a link that works once."""

from http import HTTPStatus

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from intyg.mocks.control.token import brings
from intyg.mocks.pages.address import LOGIN, PREFIX
from intyg.mocks.pages.visit import Visit, asked_mock
from intyg.pages.entering import enter, leave
from intyg.pages.session import Visitor


def build_login_pages(visit: Visit) -> Blueprint:
    """`/mock/login` and `/mock/logout`."""
    pages = Blueprint("login", __name__)

    @pages.get(LOGIN)
    def login() -> ResponseReturnValue:
        code = request.args.get("once")
        if code is None:
            return _form()
        found = visit.links.take(code)
        return enter(visit.sessions, found, PREFIX) if found else _form("used")

    @pages.post(LOGIN)
    def log_in() -> ResponseReturnValue:
        token = asked_mock().token
        given = f"Bearer {request.form.get('token', '').strip()}"
        if token is not None and not brings(given, token):
            return _form("wrong")
        return enter(visit.sessions, Visitor("mock", "operator"), PREFIX)

    @pages.post(f"{PREFIX}/logout")
    def log_out() -> ResponseReturnValue:
        return leave(PREFIX)

    return pages


def _form(fault: str | None = None) -> ResponseReturnValue:
    status = HTTPStatus.UNAUTHORIZED if fault else HTTPStatus.OK
    return render_template("mock_login.html", fault=fault), status
