"""Coming in and going out: what the browser is told to keep, and no longer to keep."""

from http import HTTPStatus

from flask import Response, redirect, request

from intyg.pages.session import COOKIE, Sessions, Visitor


def enter(sessions: Sessions, who: Visitor, prefix: str) -> Response:
    """To the first page of the site that is mounted at `prefix`, as somebody."""
    answer = redirect(prefix, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE, sessions.start(who), path=prefix, httponly=True, samesite="Strict",
        secure=request.is_secure,
    )  # fmt: skip
    assert isinstance(answer, Response)
    return answer


def leave(prefix: str) -> Response:
    """To where one logs in, as nobody."""
    answer = redirect(f"{prefix}/login", HTTPStatus.SEE_OTHER)
    answer.delete_cookie(COOKIE, path=prefix)
    assert isinstance(answer, Response)
    return answer
