"""May there be one more of this type for this patient? Asked of death certificates alone.

Certificates signed and not revoked count, and drafts that can still be signed; locked, revoked and
deleted ones never do. Nationally a draft of DOI may stand beside a signed one of another care
provider, with a remark; a DB may not. Only one thing is said: the first ERROR in the order
certificate, draft; else the first remark in the same order, and last that a DOI has no DB yet.

Source: uniqueness rules of the national editor.
"""

from collections.abc import Iterable
from typing import TypeAlias

from intyg.adapter.domain.draft_texts import (
    DRAFT_ELSEWHERE_INFO,
    DRAFT_SAME_PROVIDER,
    DRAFT_SAME_UNIT,
    NO_DEATH_CERTIFICATE,
    SIGNED_ELSEWHERE,
    SIGNED_ELSEWHERE_INFO,
    SIGNED_SAME_PROVIDER,
    SIGNED_SAME_UNIT,
)
from intyg.adapter.domain.errors import DraftRefusedError
from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.domain.intyg import Enhet
from intyg.adapter.domain.person import PersonId
from intyg.adapter.domain.uuids import same_id
from intyg.adapter.store import Rows
from intyg.schemas.intyg_model import IntygType, Unique

_Said: TypeAlias = tuple[bool, str] | None
"""Whether it refuses, and the text; None: nothing to say."""


def remark_on_others(
    rows: Rows,
    patient: PersonId,
    intyg_type: IntygType,
    enhet: Enhet,
    *,
    replaces: str | None = None,
) -> str | None:
    """
    Look at the patient's others of the same type.

    Args:
        replaces: Id of one that does not count, because the new one takes its place.

    Returns:
        A remark for the caller, if there is one.

    Raises:
        DraftRefusedError: There may be no other.
    """
    if intyg_type.unique is None:
        return None
    code = intyg_type.xml_code
    signed = [
        one.intyg.skapad_av.enhet
        for one in rows.intyg.of_patient(patient, code)
        if one.revoked_at is None and not same_id(one.intyg.intygs_id, replaces or "")
    ]
    drafts = [one.skapad_av.enhet for one in rows.drafts.of_patient(patient, code)]
    everywhere = intyg_type.unique is Unique.EVERYWHERE
    said = [
        _of_signed(signed, enhet, everywhere=everywhere),
        _of_drafts(drafts, enhet),
        _without_death_certificate(rows, patient, intyg_type),
    ]
    texts = [one for one in said if one is not None]
    for refuses, text in sorted(texts, key=lambda one: not one[0]):
        worded = text.format(typ=code.lower())
        if refuses:
            raise DraftRefusedError(worded)
        return worded
    return None


def _of_signed(others: Iterable[Enhet], enhet: Enhet, *, everywhere: bool) -> _Said:
    match _nearest(others, enhet):
        case 0:
            return True, SIGNED_SAME_UNIT
        case 1:
            return True, SIGNED_SAME_PROVIDER
        case 2:
            return (True, SIGNED_ELSEWHERE) if everywhere else (False, SIGNED_ELSEWHERE_INFO)
    return None


def _of_drafts(others: Iterable[Enhet], enhet: Enhet) -> _Said:
    match _nearest(others, enhet):
        case 0:
            return True, DRAFT_SAME_UNIT
        case 1:
            return True, DRAFT_SAME_PROVIDER
        case 2:
            return False, DRAFT_ELSEWHERE_INFO
    return None


def _nearest(others: Iterable[Enhet], enhet: Enhet) -> int | None:
    """0 at the same unit, 1 at the same care provider, 2 elsewhere; the nearest wins."""
    return min((_distance(one, enhet) for one in others), default=None)


def _distance(one: Enhet, other: Enhet) -> int:
    if same_hsa_id(one.enhets_id, other.enhets_id):
        return 0
    named = bool(one.vardgivare_id)
    return 1 if named and same_hsa_id(one.vardgivare_id, other.vardgivare_id) else 2


def _without_death_certificate(rows: Rows, patient: PersonId, intyg_type: IntygType) -> _Said:
    if intyg_type.code != "DOI":
        return None
    known = any(one.revoked_at is None for one in rows.intyg.of_patient(patient, "DB"))
    return None if known else (False, NO_DEATH_CERTIFICATE)
