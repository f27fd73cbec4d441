"""A draft is signed, with the key where it belongs.

`give_out` makes the certificate and gives the very octets that a key signs; `take_back` puts the
signature in, verifies it and registers the certificate by the ordinary flow, in one transaction
with the draft's end. The signer becomes the author; the signature of anybody else is refused as it
is for any certificate (`trust.require_author`).
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from intyg.adapter.domain.draft import Draft, DraftState, ToSign
from intyg.adapter.domain.draft_texts import (
    CHANGED_SINCE,
    INCOMPLETE,
    MAY_NOT_SIGN,
    NO_TEST_KEY,
    NOTHING_TO_SIGN,
)
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import (
    AdapterError,
    DraftRefusedError,
    DraftStateError,
    RuleError,
    SignatureError,
)
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.drafts.contents import certificate_json, request_of
from intyg.adapter.flows.contracts import register_certificate
from intyg.adapter.flows.drafts.about import (
    About,
    Actor,
    about_draft,
    locked_draft,
    read_draft,
    require_assignment,
    require_editable,
    staff_member,
)
from intyg.adapter.flows.drafts.save import changed, require_stamp
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import Record, UnitOfWork
from intyg.adapter.formats.intyg_bytes import find_intyg_bytes
from intyg.adapter.formats.safe_xml import parse_own
from intyg.adapter.formats.xml_bytes import bytes_of
from intyg.adapter.rules.draft_rules import may_sign
from intyg.adapter.signature import Method, Pending, complete, prepare
from intyg.adapter.store import Rows, Store
from intyg.schemas import ns

T = TypeVar("T")

_INTYG: Final = f"{{{ns.message('RegisterCertificate', 3)}}}intyg"


def give_out(
    intygs_id: str,
    stamp: int | None,
    by: Actor,
    method: Method,
    services: Services,
    unit: UnitOfWork,
) -> ToSign:
    """
    Make what a signer signs; it waits for the signature until the draft is changed.

    Raises:
        RuleError: The draft is incomplete; lists every fault.
        DraftConflictError, DraftStateError, DraftRefusedError, UnknownDraftError: As they say.
    """
    draft = read_draft(services, intygs_id)
    it = about_draft(services, draft)
    _require_signer(services, by, draft, it)
    require_editable(draft, "signed")
    if stamp is not None:
        require_stamp(draft, stamp)
    author = changed(draft, {}, by, it)
    findings = it.findings(author)
    if findings:
        raise RuleError(INCOMPLETE, findings)
    given = _to_sign(author, it, method, by, it.now)

    def put(rows: Rows) -> ToSign:
        now = locked_draft(rows, intygs_id)
        require_editable(now, "signed")
        require_stamp(now, draft.stamp)
        rows.drafts.put(replace(now, to_sign=given), now.state)
        return given

    return unit.write(put)


def _require_signer(services: Services, by: Actor, draft: Draft, it: About) -> None:
    unit = draft.skapad_av.enhet.enhets_id
    member = staff_member(services, by.personal_id, unit)
    require_assignment(services, member, by.personal_id, unit)
    if member is not None and not may_sign(member, it.intyg_type):
        roles = ", ".join(sorted(role.value for role in it.intyg_type.signs))
        raise DraftRefusedError(MAY_NOT_SIGN.format(typ=draft.typ, roles=roles))


def _to_sign(draft: Draft, it: About, method: Method, by: Actor, at: datetime) -> ToSign:
    data = certificate_json(draft, it.intyg_type, it.facts, signed_at=at)
    body = request_of(draft, it.intyg_type, data)
    intyg = parse_own(body).find(_INTYG)
    assert intyg is not None  # it was just written
    pending = prepare(intyg, method)
    return ToSign(
        method=method.value,
        digest=pending.digest,
        signed_info=pending.signed_info,
        body=body,
        stamp=draft.stamp,
        by=by.personal_id,
    )


def take_back(
    intygs_id: str,
    value: bytes,
    cert: bytes,
    services: Services,
    record: Record | None,
    correlation_id: str,
    *,
    value_is_der: bool = False,
) -> Result:
    """
    Put a signature in and register the certificate.

    Args:
        value: RSA signature; for ECDSA r and s side by side.
        cert: The signer's certificate, DER.
        value_is_der: This signer sends ECDSA values as an ASN.1 sequence, as openssl does.
        record: Adds the audit's row of the registration.

    Raises:
        DraftStateError: Nothing was given out, or the draft was changed or signed since.
        SignatureError: The signature is not the one, or not the author's, or not trusted.
        AdapterError: Whatever RegisterCertificate refuses.
    """
    draft = read_draft(services, intygs_id)
    require_editable(draft, "signed")
    given = draft.to_sign
    if given is None:
        raise DraftStateError(NOTHING_TO_SIGN)
    body = _signed(given, intygs_id, value, cert, value_is_der=value_is_der)
    inbound = _inbound(body, draft, services, correlation_id)
    unit = _SigningUnit(services.store, record, intygs_id, given)
    return register_certificate.handle(inbound, services, unit)


def sign_with_test_key(
    intygs_id: str,
    stamp: int | None,
    by: Actor,
    services: Services,
    unit: UnitOfWork,
    record: Record | None,
    correlation_id: str,
) -> Result:
    """
    Sign with the adapter's own key, in demo and test.

    Raises:
        DraftStateError: In production, or without a key.
        AdapterError: As `give_out` and `take_back`.
    """
    key = services.signing_key
    if key is None or services.settings.environment is Environment.PRODUCTION:
        raise DraftStateError(NO_TEST_KEY)
    given = give_out(intygs_id, stamp, by, key.method, services, unit)
    value = key.sign(given.signed_info)
    return take_back(intygs_id, value, key.der, services, record, correlation_id)


def decoded(text: object, what: str) -> bytes:
    """
    The octets of a base64 text.

    Raises:
        SignatureError: It is none.
    """
    try:
        return base64.b64decode("".join(str(text).split()), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError("BASE64", f"{what} must be base64.") from None


def _signed(
    given: ToSign, intygs_id: str, value: bytes, cert: bytes, *, value_is_der: bool
) -> bytes:
    """The request with `underskrift` put in as the octets that were signed."""
    intyg = parse_own(given.body).find(_INTYG)
    assert intyg is not None  # it was written here
    pending = Pending(intygs_id, Method(given.method), given.digest, given.signed_info)
    signature = complete(intyg, pending, value, cert, value_is_der=value_is_der)
    underskrift = b'<e32:underskrift xmlns:e32="%b">%b</e32:underskrift>' % (
        ns.EXT32.encode(),
        signature,
    )
    at = bytes_of(intyg, given.body).inside_end
    return given.body[:at] + underskrift + given.body[at:]


def _inbound(body: bytes, draft: Draft, services: Services, correlation_id: str) -> Inbound:
    return Inbound(
        contract=services.contracts.get("RegisterCertificate", 3),
        logical_address=services.settings.logical_address,
        element=parse_own(body),
        body=body,
        intyg=find_intyg_bytes(body),
        received_at=services.clock(),
        correlation_id=correlation_id,
        sender=draft.skapad_av.enhet.enhets_id,
    )


class _SigningUnit(UnitOfWork):
    """A registration's transaction, in which the draft becomes signed: one of two at once wins."""

    def __init__(self, store: Store, record: Record | None, intygs_id: str, given: ToSign) -> None:
        super().__init__(store, record)
        self._intygs_id = intygs_id
        self._given = given

    def write(self, function: Callable[[Rows], T | AdapterError]) -> T:
        def registered(rows: Rows) -> T | AdapterError:
            draft = locked_draft(rows, self._intygs_id)
            require_editable(draft, "signed")
            if draft.to_sign != self._given:
                raise DraftStateError(CHANGED_SINCE)
            answer = function(rows)
            if not isinstance(answer, AdapterError):
                signed = replace(
                    draft, state=DraftState.SIGNED, changed_at=None, to_sign=None, saved_at=rows.now
                )
                rows.drafts.put(signed, draft.state)
            return answer

        return super().write(registered)
