"""What RegisterCertificate does about the signature and its maker, as the settings say."""

from dataclasses import dataclass
from typing import Final

from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.errors import SignatureError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import Intyg, IntygBytes
from intyg.adapter.domain.texts import SIGNER_REFUSED
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.validate import refuse
from intyg.adapter.formats.intyg_bytes import cut_intyg
from intyg.adapter.formats.intyg_reader import read_yrken
from intyg.adapter.rules.signer_roles import check_by_directory, check_by_word, yrken_of_titles
from intyg.adapter.settings.settings import SignaturePolicy
from intyg.adapter.signature import (
    SignatureOptions,
    SignatureOutcome,
    Signer,
    sign_document,
    verify,
)
from intyg.schemas import ns
from intyg.schemas.intyg_model import IntygType

SIGNED_HERE: Final = "SIGNED_HERE"
"""Outcome kept for a certificate that arrived without signature and got the adapter's."""

_INTYG: Final = f"{{{ns.message('RegisterCertificate', 3)}}}intyg"


@dataclass(frozen=True)
class Settled:
    """
    A signature that is in order, or that nobody asks for.

    Attributes:
        body: The request's bytes as they are kept and sent on.
        intyg: What stands in their `intyg`.
        outcome: `VALID`, `ABSENT`, `SIGNED_HERE`, …
        signer: Whose signature came with it; None without one.
    """

    body: bytes
    intyg: IntygBytes
    outcome: str
    signer: Signer | None = None


def settle_signature(inbound: Inbound, services: Services) -> Settled:
    """
    Check the signature; where the policy is `sign` and there is none, make one.

    Raises:
        SignatureError: The signature is missing and required, or is there and
            not accepted. A wrong one is never let through as if it were none.
    """
    intyg, cut = inbound.element.find(_INTYG), inbound.intyg
    assert intyg is not None and cut is not None  # noqa: PT018  the schema requires it
    result = verify(
        intyg,
        services.trust,
        at=inbound.received_at,
        options=SignatureOptions.from_settings(services.settings.trust),
        size=len(inbound.body),
    )
    if result.accepted:
        return Settled(inbound.body, cut, result.outcome, result.signer)
    if result.outcome is SignatureOutcome.ABSENT:
        match services.settings.signature:
            case SignaturePolicy.ACCEPT:
                return Settled(inbound.body, cut, result.outcome)
            case SignaturePolicy.SIGN:
                signed = _sign(inbound.body, services)
                return Settled(signed, cut_intyg(signed), SIGNED_HERE)
            case SignaturePolicy.REQUIRE:
                pass
    raise result.error()


def refuse_signer(
    inbound: Inbound, services: Services, intyg: Intyg, intyg_type: IntygType, signer: Signer | None
) -> None:
    """
    Let only those sign who may sign certificates of this type, at this unit.

    That the signer is the author is the signature's matter (`trust.require_author`), so it is the
    author who is asked about.

    Raises:
        RuleError: SIGNER_ROLE, SIGNER_UNKNOWN or SIGNER_NOT_ASSIGNED.
        TechnicalError: There is a staff directory, and it does not answer.
    """
    if services.staff is not None:
        at = (intyg.signeringstidpunkt or inbound.received_at).astimezone(SWEDEN)
        member = services.staff.find(intyg.skapad_av.personal_id)
        findings = check_by_directory(intyg_type, intyg, member, at)
    else:
        element = inbound.element.find(_INTYG)
        assert element is not None  # the schema requires it
        titles = signer.titles if signer else ()
        findings = check_by_word(
            intyg_type,
            yrken_of_titles(titles),
            read_yrken(element),
            required=services.settings.signer_role_required,
        )
    refuse(findings, SIGNER_REFUSED)


def _sign(body: bytes, services: Services) -> bytes:
    if services.signing_key is None:
        raise SignatureError("NO_KEY", "The adapter has no key to sign this certificate with.")
    return sign_document(body, services.signing_key)
