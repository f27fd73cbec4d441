"""What RegisterCertificate does about the signature and its maker, as the settings say."""

from dataclasses import dataclass
from typing import Final

from adapter.errors import SignatureError
from adapter.model import Inbound, Intyg
from adapter.parts import Parts
from adapter.readers import SWEDEN, read_yrken
from adapter.settings import SignaturePolicy
from adapter.signature import SignatureOptions, SignatureOutcome, Signer, sign_document, verify
from adapter.signer_roles import check_by_directory, check_by_word, yrken_of_titles
from adapter.texts import SIGNER_REFUSED
from adapter.validate import refuse
from schemas import ns
from schemas.intyg_model import IntygType

SIGNED_HERE: Final = "SIGNED_HERE"
"""Outcome kept for a certificate that arrived without signature and got the adapter's."""

_INTYG: Final = f"{{{ns.message('RegisterCertificate', 3)}}}intyg"


@dataclass(frozen=True)
class Settled:
    """
    A signature that is in order, or that nobody asks for.

    Attributes:
        body: The request's bytes as they are kept and sent on.
        outcome: `VALID`, `ABSENT`, `SIGNED_HERE`, …
        signer: Whose signature came with it; None without one.
    """

    body: bytes
    outcome: str
    signer: Signer | None = None


def settle_signature(inbound: Inbound, parts: Parts) -> Settled:
    """
    Check the signature; where the policy is `sign` and there is none, make one.

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
        return Settled(inbound.body, result.outcome, result.signer)
    if result.outcome is SignatureOutcome.ABSENT:
        match parts.settings.signature:
            case SignaturePolicy.ACCEPT:
                return Settled(inbound.body, result.outcome)
            case SignaturePolicy.SIGN:
                return Settled(_sign(inbound.body, parts), SIGNED_HERE)
            case SignaturePolicy.REQUIRE:
                pass
    raise result.error()


def refuse_signer(
    inbound: Inbound, parts: Parts, intyg: Intyg, intyg_type: IntygType, signer: Signer | None
) -> None:
    """
    Let only those sign who may sign certificates of this type, at this unit.

    That the signer is the author is the signature's matter (`trust.require_author`), so it is the
    author who is asked about.

    Raises:
        RuleError: SIGNER_ROLE, SIGNER_UNKNOWN or SIGNER_NOT_ASSIGNED.
        TechnicalError: There is a staff directory, and it does not answer.
    """
    if parts.staff is not None:
        at = (intyg.signeringstidpunkt or inbound.received_at).astimezone(SWEDEN)
        member = parts.staff.find(intyg.skapad_av.personal_id)
        findings = check_by_directory(intyg_type, intyg, member, at)
    else:
        element = inbound.element.find(_INTYG)
        assert element is not None  # the schema requires it
        titles = signer.titles if signer else ()
        findings = check_by_word(intyg_type, yrken_of_titles(titles), read_yrken(element))
    refuse(findings, SIGNER_REFUSED)


def _sign(body: bytes, parts: Parts) -> bytes:
    if parts.signing_key is None:
        raise SignatureError("NO_KEY", "The adapter has no key to sign this certificate with.")
    return sign_document(body, parts.signing_key)
