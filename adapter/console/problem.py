"""What is answered when something is wrong."""

from http import HTTPStatus

from flask import Response, jsonify


def problem(status: HTTPStatus, detail: str, rules: list[str] | None = None) -> Response:
    """RFC 9457, with the ids of broken rules as a member of our own."""
    body: dict[str, object] = {"title": status.phrase, "status": status.value, "detail": detail}
    if rules:
        body["rules"] = rules
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response
