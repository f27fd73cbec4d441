"""
The national mock service's REST paths, under `/api`.

    POST, GET, DELETE  /behavior, /behavior/<id>     its behaviour rules; `?service=`
    DELETE             /reset                        forget everything
    GET, DELETE        /<service>                    what it has received; forget it
    GET                /<service>/count
    GET                /<service>/<how>/<value>      logical-address, person, …
    GET, DELETE        /<service>/<id>               and /<service>/<id>/xml
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from flask import Flask, Response, request

from intyg.mocks.control import ProblemError
from intyg.mocks.control.app import problem
from intyg.mocks.national.behavior import (
    Behavior,
    BehaviorError,
    KeptBehavior,
    ServiceName,
    read_behavior,
)
from intyg.mocks.national.messages import Received, same_person
from intyg.mocks.rules.model import unknown
from intyg.mocks.wire.ids import same_hsa_id, same_id

PATHS: Final[Mapping[str, ServiceName]] = {
    "register-certificate": ServiceName.REGISTER_CERTIFICATE,
    "revoke-certificate": ServiceName.REVOKE_CERTIFICATE,
    "send-message-to-recipient": ServiceName.SEND_MESSAGE_TO_RECIPIENT,
    "certificate-status-for-care": ServiceName.CERTIFICATE_STATUS_UPDATE_FOR_CARE,
    "store-log": ServiceName.STORE_LOG,
}
"""What stands after `/api/`."""

_HOW: Final[Mapping[str, Callable[[Received, str], bool]]] = {
    "logical-address": lambda each, value: same_hsa_id(each.logical_address, value),
    "person": lambda each, value: same_person(each.person, value),
    "certificate": lambda each, value: same_id(each.intygs_id or "", value),
    "recipient": lambda each, value: each.json.get("logiskAdressMottagare") == value,
    "event-type": lambda each, value: each.event == value,
    "user": lambda _, __: False,  # of StoreLog, which is never received
}


class Takes(Protocol):
    """What is asked of who takes the messages."""

    def received(
        self, service: ServiceName, wanted: Callable[[Received], bool] = ...
    ) -> list[Received]: ...

    def drop(self, service: ServiceName, wanted: Callable[[Received], bool] = ...) -> int: ...


class NationalMock(Protocol):
    """What is asked of the mock behind the paths."""

    @property
    def persona(self) -> Takes: ...

    def reset(self) -> None: ...

    def add_behavior(self, behavior: Behavior) -> KeptBehavior: ...

    def behaviors(self, service: ServiceName | None = None) -> list[KeptBehavior]: ...

    def remove_behavior(self, behavior_id: str) -> None: ...


def make_api(mock: NationalMock) -> Flask:
    """The WSGI application."""
    app = Flask("intyg.mocks.national", static_folder=None)
    app.url_map.strict_slashes = False
    app.register_error_handler(Exception, problem)
    _behavior(app, mock)
    for path, service in PATHS.items():
        _service(app, mock, path, service)

    @app.delete("/api/reset")
    def reset() -> Response:
        mock.reset()
        return _nothing(204)

    return app


def _behavior(app: Flask, mock: NationalMock) -> None:
    @app.post("/api/behavior")
    def create() -> Response:
        try:
            kept = mock.add_behavior(read_behavior(request.get_json(force=True)))
        except BehaviorError as exc:
            raise ProblemError(400, str(exc)) from None
        return _json(_dto(kept), 201)

    @app.get("/api/behavior")
    def every() -> Response:
        return _json([_dto(each) for each in mock.behaviors(_asked_service())])

    @app.get("/api/behavior/<rule_id>")
    def one(rule_id: str) -> Response:
        found = [_dto(each) for each in mock.behaviors() if each.id == rule_id]
        return _json(found[0]) if found else _nothing(404)

    @app.delete("/api/behavior")
    def remove_every() -> Response:
        for each in mock.behaviors(_asked_service()):
            mock.remove_behavior(each.id)
        return _nothing(204)

    @app.delete("/api/behavior/<rule_id>")
    def remove(rule_id: str) -> Response:
        mock.remove_behavior(rule_id)
        return _nothing(204)


def _service(app: Flask, mock: NationalMock, path: str, service: ServiceName) -> None:
    many = service is ServiceName.CERTIFICATE_STATUS_UPDATE_FOR_CARE
    """Of a certificate there are many status updates, and one of what else there is."""

    def rule(rest: str, method: str, view: Callable[..., Response]) -> None:
        name = f"{path} {method} {rest}"
        app.add_url_rule(f"/api/{path}{rest}", name, view, methods=[method])

    def every() -> Response:
        return _json([each.json for each in mock.persona.received(service)])

    def count() -> Response:
        return _json({"count": len(mock.persona.received(service))})

    def found(how: str, value: str) -> Response:
        if how not in _HOW:
            return _nothing(404)
        wanted = mock.persona.received(service, lambda each: _HOW[how](each, value))
        return _json([each.json for each in wanted])

    def one(key: str) -> Response:
        held = [each.json for each in mock.persona.received(service, lambda each: each.key == key)]
        if many:
            return _json(held)
        return _json(held[0]) if held else _nothing(404)

    def xml(key: str) -> Response:
        held = [each.xml for each in mock.persona.received(service, lambda each: each.key == key)]
        if not held:
            return _nothing(404)
        text = f"<status-updates>\n{chr(10).join(held)}\n</status-updates>" if many else held[0]
        declared = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}'
        return Response(declared, content_type="application/xml")

    def drop() -> Response:
        mock.persona.drop(service)
        return _nothing(200)

    def drop_one(key: str) -> Response:
        mock.persona.drop(service, lambda each: each.key == key)
        return _nothing(204 if many else 200)

    rule("", "GET", every)
    rule("", "DELETE", drop)
    rule("/count", "GET", count)
    rule("/<key>/xml", "GET", xml)
    rule("/<how>/<value>", "GET", found)
    rule("/<key>", "GET", one)
    rule("/<key>", "DELETE", drop_one)


def _asked_service() -> ServiceName | None:
    name = request.args.get("service")
    if name is not None and name not in tuple(ServiceName):
        raise ProblemError.of_field("service", unknown(name, ServiceName))
    return None if name is None else ServiceName(name)


def _dto(kept: KeptBehavior) -> dict[str, Any]:
    """A rule as it answers it: every field, null where there is nothing."""
    fields = kept.behavior.model_dump(mode="json", by_alias=True)
    return {
        "id": kept.id,
        **fields,
        "triggerCount": kept.triggered,
        "createdAt": _instant(kept.created_at),
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(value: object, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False)
    return Response(text, status, content_type="application/json")


def _nothing(status: int) -> Response:
    return Response(b"", status)
