"""What RegisterCertificate does about the signature, as the settings say."""

from typing import Final

from adapter.errors import SignatureError
from adapter.model import Inbound
from adapter.parts import Parts
from adapter.settings import SignaturePolicy
from adapter.signature import SignatureOptions, SignatureOutcome, sign_document, verify
from schemas import ns

SIGNED_HERE: Final = "SIGNED_HERE"
"""Outcome kept for a certificate that arrived without signature and got the adapter's."""

_INTYG: Final = f"{{{ns.message('RegisterCertificate', 3)}}}intyg"


def settle_signature(inbound: Inbound, parts: Parts) -> tuple[bytes, str]:
    """
    Check the signature; where the policy is `sign` and there is none, make one.

    Returns:
        The request's bytes as they are kept and sent on, and the outcome.

    Raises:
        SignatureError: The signature is missing and required, or is there and
            not accepted. A wrong one is never let through as if it were none.
    """
    intyg = inbound.element.find(_INTYG)
    assert intyg is not None  # the schema requires it
    result = verify(
        intyg,
        parts.trust,
        at=inbound.received_at,
        options=SignatureOptions.from_settings(parts.settings.trust),
        size=len(inbound.body),
    )
    if result.accepted:
        return inbound.body, result.outcome
    if result.outcome is SignatureOutcome.ABSENT:
        match parts.settings.signature:
            case SignaturePolicy.ACCEPT:
                return inbound.body, result.outcome
            case SignaturePolicy.SIGN:
                return _sign(inbound.body, parts), SIGNED_HERE
            case SignaturePolicy.REQUIRE:
                pass
    raise result.error()


def _sign(body: bytes, parts: Parts) -> bytes:
    if parts.signing_key is None:
        raise SignatureError("NO_KEY", "The adapter has no key to sign this certificate with.")
    return sign_document(body, parts.signing_key)
