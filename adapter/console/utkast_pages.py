"""Drafts over REST.

    POST   /api/utkast                   order one; ?dryRun=true: say what would come of it
    GET    /api/utkast?enhet=<HSA-id>    a unit's drafts, without their answers
    GET    /api/utkast/<id>              one, whole, with its version as ETag
    PUT    /api/utkast/<id>              save; If-Match is the version that was read
    DELETE /api/utkast/<id>              delete; If-Match
    POST   /api/utkast/<id>/validate     what keeps it, or other content, from being signed
    POST   /api/utkast/<id>/ready        it is ready for signing
    POST   /api/utkast/<id>/forward      somebody was asked by mail to go on; {"vidarebefordrad"}
    POST   /api/utkast/<id>/launch       opened from an EHR: {"alternatePatientSSn", "ref"}
    POST   /api/utkast/<id>/to-sign      the octets to sign; {"method"}
    POST   /api/utkast/<id>/signature    {"value", "certificate", "der"}: signed and registered
    POST   /api/utkast/<id>/sign         signed with the adapter's test key, in demo and test
    POST   /api/utkast/<id>/revoke       a locked one is revoked
    GET    /api/utkast/<id>/print        for a person to read, marked as what it is
    POST   /api/utkast/<id>/copy         a new one from a locked one
    POST   /api/utkast/<id>/renew, replace, complement, template
                                         a new one from the certificate with this id

Who does it stands in the parameters `hanteratAv` (HSA-id) and `namn`. Unlike the rest of `/api`
these show a patient's answers: they are what an editor of certificates works with.
"""

import base64
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.problem import problem
from intyg.adapter.console.utkast_acts import Acts, Order, in_words, mark_of
from intyg.adapter.console.utkast_views import draft_view, finding_view, list_view
from intyg.adapter.domain.draft import Draft
from intyg.adapter.domain.errors import (
    AdapterError,
    DraftConflictError,
    DraftRefusedError,
    DraftStateError,
    RuleError,
    SignatureError,
    TechnicalError,
    UnknownDraftError,
)
from intyg.adapter.domain.intyg import Enhet, HosPersonal
from intyg.adapter.domain.person import PersonId
from intyg.adapter.drafts.contents import certificate_json
from intyg.adapter.flows.drafts import copies, end, save, signing
from intyg.adapter.flows.drafts.about import (
    Actor,
    about_draft,
    read_draft,
)
from intyg.adapter.flows.drafts.create import Created
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.rules.draft_rules import Way
from intyg.adapter.rules.person_id import person_from
from intyg.adapter.signature import Method

_WAYS: Final = (Way.RENEW, Way.REPLACE, Way.COMPLEMENT, Way.COPY, Way.TEMPLATE)
_STATUS: Final[tuple[tuple[type[AdapterError], HTTPStatus], ...]] = (
    (UnknownDraftError, HTTPStatus.NOT_FOUND),
    (DraftConflictError, HTTPStatus.CONFLICT),
    (DraftStateError, HTTPStatus.CONFLICT),
    (DraftRefusedError, HTTPStatus.FORBIDDEN),
    (RuleError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (SignatureError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TechnicalError, HTTPStatus.SERVICE_UNAVAILABLE),
)
"""The first that fits; anything else is a conflict."""


class _BadRequestError(Exception):
    """The request is not of the form that this page wants; the text says what would be."""

    def __init__(self, text: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


def build_utkast_pages(services: Services) -> Blueprint:
    """`/api/utkast` and everything below it."""
    pages = Blueprint("utkast", __name__)
    page = _Pages(services)
    pages.register_error_handler(AdapterError, _refused)
    pages.register_error_handler(_BadRequestError, lambda e: problem(e.status, e.text))
    for rule, method, view in page.table():
        name = f"{method} {rule}".replace(".", "_")
        path = f"/api/utkast{rule}"
        pages.add_url_rule(path, endpoint=name, view_func=view, methods=[method])
    return pages


def _refused(error: AdapterError) -> Response:
    """RFC 9457; every finding with the question that it is about, and who saved first."""
    status = next((s for kind, s in _STATUS if isinstance(error, kind)), HTTPStatus.CONFLICT)
    answer = problem(status, error.text, [f.rule for f in error.findings])
    body: dict[str, Any] = answer.get_json()
    if error.findings:
        body["fel"] = [finding_view(finding) for finding in error.findings]
    if isinstance(error, SignatureError):
        body["code"] = error.code
    if isinstance(error, DraftConflictError):
        body |= {"sparadAv": error.by, "sparad": error.at, "version": error.stamp}
    answer.set_data(jsonify(body).get_data())
    return answer


class _Pages:
    """The views; each asks for one thing of the flows and shows what came of it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def table(self) -> list[tuple[str, str, Callable[..., ResponseReturnValue]]]:
        """Rule below `/api/utkast`, method and view."""
        one = "/<intygs_id>"
        return [
            ("", "POST", self.create),
            ("", "GET", self.of_unit),
            (one, "GET", self.read),
            (one, "PUT", self.save),
            (one, "DELETE", self.delete),
            (f"{one}/validate", "POST", self.validate),
            (f"{one}/ready", "POST", self.ready),
            (f"{one}/forward", "POST", self.forward),
            (f"{one}/launch", "POST", self.launch),
            (f"{one}/to-sign", "POST", self.to_sign),
            (f"{one}/signature", "POST", self.signature),
            (f"{one}/sign", "POST", self.sign),
            (f"{one}/revoke", "POST", self.revoke),
            (f"{one}/print", "GET", self.print_),
            *((f"{one}/{way.value}", "POST", partial(self.from_older, way)) for way in _WAYS),
        ]

    # --- new ones

    def create(self) -> ResponseReturnValue:
        wanted = _body()
        order = Order(
            typ=_text(wanted, "typ"),
            patient=_patient(wanted.get("person-id")),
            skapad_av=_skapad_av(wanted),
            version=wanted.get("version"),
            answers=wanted.get("svar", {}),
            ref=wanted.get("ref"),
            dry=request.args.get("dryRun") == "true",
        )
        return self._created(self._acts.order(order))

    def from_older(self, way: Way, intygs_id: str) -> ResponseReturnValue:
        wanted = _body()
        number = wanted.get("alternatePatientSSn")
        wish = copies.Wish(
            skapad_av=_skapad_av(wanted),
            ref=wanted.get("ref"),
            copying_ok=wanted.get("kopieringOK", True) is not False,
            number=_patient(number) if number else None,
            comment=str(wanted.get("kommentar", "")),
        )
        unit, trace = self._unit(f"utkast {way.value}", intygs_id)
        made = copies.make_from(intygs_id, way, wish, self._services, unit, trace)
        return self._created(made)

    def _created(self, made: Created) -> ResponseReturnValue:
        shown = self._view(made.draft) | {"anmarkning": made.remark}
        if request.args.get("dryRun") == "true":
            return jsonify(shown | {"intygsId": None})
        answer = _with_version(jsonify(shown), made.draft)
        answer.headers["Location"] = f"/api/utkast/{made.draft.intygs_id}"
        return answer, HTTPStatus.CREATED

    # --- one that is there

    def read(self, intygs_id: str) -> ResponseReturnValue:
        draft = read_draft(self._services, intygs_id)
        self._acts.looked(intygs_id)
        return _with_version(jsonify(self._view(draft)), draft)

    def of_unit(self) -> ResponseReturnValue:
        with self._services.store.read() as rows:
            drafts = rows.drafts.of_unit(request.args.get("enhet", ""))
        return jsonify([list_view(draft) for draft in drafts])

    def save(self, intygs_id: str) -> ResponseReturnValue:
        stamp = _stamp()
        if stamp is None:
            text = "If-Match: give the version that the content was made from, or *."
            raise _BadRequestError(text, HTTPStatus.PRECONDITION_REQUIRED)
        content = _body()
        by = _actor(content.get("skapadAv"))
        saved = self._acts.save(intygs_id, None if stamp < 0 else stamp, content, by)
        shown = self._view(saved.draft, saved.findings)
        return _with_version(jsonify(shown), saved.draft)

    def validate(self, intygs_id: str) -> ResponseReturnValue:
        content = _body() if request.get_data() else None
        checked = save.validate(intygs_id, content, self._services)
        return jsonify(
            state=checked.draft.state.value, fel=[finding_view(f) for f in checked.findings]
        )

    def delete(self, intygs_id: str) -> ResponseReturnValue:
        unit, trace = self._unit("utkast delete", intygs_id)
        stamp = _stamp()
        wanted = None if stamp is None or stamp < 0 else stamp
        end.delete(intygs_id, wanted, _actor(), self._services, unit, trace)
        return "", HTTPStatus.NO_CONTENT

    def ready(self, intygs_id: str) -> ResponseReturnValue:
        unit, trace = self._unit("utkast ready", intygs_id)
        now = save.ready(intygs_id, _actor(), self._services, unit, trace)
        return jsonify(intygsId=intygs_id, nu=now)

    def forward(self, intygs_id: str) -> ResponseReturnValue:
        unit, _ = self._unit("utkast forward", intygs_id)
        on = _body().get("vidarebefordrad", True) is not False
        draft = save.forward(intygs_id, _actor(), self._services, unit, on=on)
        return jsonify(list_view(draft))

    def launch(self, intygs_id: str) -> ResponseReturnValue:
        if request.args:
            raise _BadRequestError("Parameters belong in the body, never in the address.")
        wanted = _body()
        unit, _ = self._unit("utkast launch", intygs_id)
        by = _actor({"personal-id": {"extension": wanted.get("hanteratAv")}}, wanted.get("namn"))
        draft, notices = save.open_from_ehr(
            intygs_id,
            by,
            self._services,
            unit,
            number=wanted.get("alternatePatientSSn"),
            ref=str(wanted.get("ref") or "").strip() or None,
        )
        return _with_version(jsonify(self._view(draft) | {"notiser": notices}), draft)

    def revoke(self, intygs_id: str) -> ResponseReturnValue:
        unit, trace = self._unit("utkast revoke", intygs_id)
        draft = end.revoke_locked(intygs_id, _actor(), self._services, unit, trace)
        return jsonify(list_view(draft))

    def print_(self, intygs_id: str) -> ResponseReturnValue:
        draft = read_draft(self._services, intygs_id)
        self._acts.looked(intygs_id)
        page, mark = in_words(self._services, draft).as_html(), mark_of(draft)
        marked = page.replace("<body>", f"<body><p><strong>{escape(mark)}</strong></p>", 1)
        return Response(marked, content_type="text/html; charset=utf-8")

    # --- signing

    def to_sign(self, intygs_id: str) -> ResponseReturnValue:
        wanted = _body()
        try:
            method = Method[str(wanted.get("method", "RSA_SHA256")).upper()]
        except KeyError:
            names = ", ".join(one.name for one in Method)
            raise _BadRequestError(f"method: give one of {names}") from None
        unit, _ = self._unit("utkast to-sign", intygs_id)
        stamp = _stamp()
        given = signing.give_out(
            intygs_id,
            None if stamp is None or stamp < 0 else stamp,
            _actor(),
            method,
            self._services,
            unit,
        )
        return jsonify(
            intygsId=intygs_id,
            method=method.name,
            algorithm=method.value,
            octets=base64.b64encode(given.signed_info).decode(),
            digest=given.digest.hex(),
        )

    def signature(self, intygs_id: str) -> ResponseReturnValue:
        brought, trace = _body(), secrets.token_hex(16)
        result = signing.take_back(
            intygs_id,
            signing.decoded(brought.get("value", ""), "value"),
            signing.decoded(_without_armour(brought.get("certificate", "")), "certificate"),
            self._services,
            self._acts.record("utkast signature", intygs_id, trace),
            trace,
            value_is_der=brought.get("der") is True,
        )
        return jsonify(intygsId=intygs_id, result=result.code.value, text=result.text)

    def sign(self, intygs_id: str) -> ResponseReturnValue:
        stamp = _stamp()
        wanted = None if stamp is None or stamp < 0 else stamp
        result = self._acts.sign(intygs_id, wanted, _actor())
        return jsonify(intygsId=intygs_id, result=result.code.value, text=result.text)

    # --- inside

    def _view(self, draft: Draft, findings: Any = None) -> dict[str, Any]:
        it = about_draft(self._services, draft)
        found = it.findings(draft) if findings is None else findings
        with self._services.store.read() as rows:
            ref = rows.intyg.ref(draft.intygs_id)
        data = certificate_json(draft, it.intyg_type, it.facts)
        return draft_view(draft, data, found, ref)

    @property
    def _acts(self) -> Acts:
        return Acts(self._services, request.args.get("hanteratAv"))

    def _unit(self, action: str, intygs_id: str | None) -> tuple[UnitOfWork, str]:
        return self._acts.unit(action, intygs_id)


# --- what stands in a request ---------------------------------------------------------------------


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True, force=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise _BadRequestError("The body must be a JSON object.")
    return body


def _text(body: Mapping[str, Any], name: str) -> str:
    text = body.get(name)
    if not isinstance(text, str) or not text.strip():
        raise _BadRequestError(f"{name}: must be a text")
    return text.strip()


def _patient(number: object) -> PersonId:
    given = number.get("extension") if isinstance(number, dict) else number
    try:
        return person_from(str(given or ""))
    except ValueError as exc:
        raise _BadRequestError(f"person-id: {exc}") from None


def _skapad_av(body: Mapping[str, Any]) -> HosPersonal:
    """As in the certificate, or with ids as texts."""
    author = body.get("skapadAv")
    enhet = author.get("enhet") if isinstance(author, dict) else None
    if not isinstance(author, dict) or not isinstance(enhet, dict):
        raise _BadRequestError("skapadAv: must name personal-id, fullstandigtNamn and enhet")
    provider = enhet.get("vardgivare")
    provider_id = provider.get("vardgivare-id", "") if isinstance(provider, dict) else ""
    return HosPersonal(
        _id(author, "personal-id"),
        _text(author, "fullstandigtNamn"),
        Enhet(_id(enhet, "enhets-id"), _text(enhet, "enhetsnamn"), _extension(provider_id)),
    )


def _id(body: Mapping[str, Any], name: str) -> str:
    text = _extension(body.get(name))
    if not text:
        raise _BadRequestError(f"{name}: must be an HSA-id")
    return text


def _extension(value: object) -> str:
    given = value.get("extension") if isinstance(value, dict) else value
    return given.strip() if isinstance(given, str) else ""


def _actor(author: object = None, name: object = None) -> Actor:
    """Who does it: by the parameters, or, where they are silent, the author of the content."""
    known = author if isinstance(author, dict) else {}
    personal_id = request.args.get("hanteratAv") or _extension(known.get("personal-id"))
    if not personal_id:
        raise _BadRequestError("hanteratAv: give the HSA-id of who does it")
    name = request.args.get("namn") or name or known.get("fullstandigtNamn") or ""
    return Actor(personal_id, str(name))


def _stamp() -> int | None:
    """The version in If-Match; -1 for `*`, None without one."""
    text = request.headers.get("If-Match")
    if text is None:
        return None
    plain = text.strip().removeprefix("W/").strip('"')
    if plain == "*":
        return -1
    if not plain.isdigit() or len(plain) > 9:
        raise _BadRequestError('If-Match: must be a version as read, "3"')
    return int(plain)


def _with_version(answer: Response, draft: Draft) -> Response:
    answer.headers["ETag"] = f'"{draft.stamp}"'
    return answer


def _without_armour(text: object) -> str:
    """Base64 of a certificate, PEM or not."""
    lines = str(text).splitlines()
    return "".join(line for line in lines if not line.startswith("-----"))
