"""What may be done with drafts, by whom and for whom: pure tables.

Two national engines differ here and there; where they do, the stricter word counts, and the table
says so. `None` as a role is somebody in care without a profession that signs (vårdadministratör).

Source: authorities and access rules of the national editor.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from intyg.adapter.domain.clock import SWEDEN, swedish_day
from intyg.adapter.domain.person import PersonFacts
from intyg.adapter.rules.signer_roles import StaffMember, role_of
from intyg.schemas.codes import TypAvRelation
from intyg.schemas.intyg_model import IntygHeader, Role


class Way(StrEnum):
    """How a draft comes to be."""

    CREATE = "create"
    RENEW = "renew"  # FRLANG
    REPLACE = "replace"  # ERSATT
    COMPLEMENT = "complement"  # KOMPLT
    COPY = "copy"  # KOPIA, of a locked draft
    TEMPLATE = "template"  # another type's certificate


RELATION_OF: Final[Mapping[Way, str | None]] = {
    Way.CREATE: None,
    Way.RENEW: TypAvRelation.FRLANG,
    Way.REPLACE: TypAvRelation.ERSATT,
    Way.COMPLEMENT: TypAvRelation.KOMPLT,
    Way.COPY: TypAvRelation.KOPIA,
    Way.TEMPLATE: None,
}
"""Relation of the new draft to what it was made from."""

DECEASED_MAY: Final[Mapping[Way, frozenset[str]]] = {
    Way.CREATE: frozenset({"DOI"}),  # nationally so; a DB is written before the register knows
    Way.RENEW: frozenset(),
    Way.REPLACE: frozenset({"DB", "DOI"}),
    Way.COMPLEMENT: frozenset(),
    Way.COPY: frozenset({"DOI"}),
    Way.TEMPLATE: frozenset({"DOI"}),
}
"""By how a draft comes to be: the types that it may be of for a patient who is dead."""

NOT_FOR_PROTECTED: Final = frozenset({"DB", "DOI", "TSTRK1062", "TSTRK1009"})
"""Types that are not written here for a patient with protected identity."""

TEMPLATES: Final[Mapping[str, str]] = {"DB": "DOI", "LISJP": "AG7804"}
"""From the XML code of a certificate's type to that of the draft it can be a template for."""


def may_sign(member: StaffMember, intyg_type: IntygHeader) -> bool:
    """Whether somebody's profession signs certificates of a type."""
    return role_of(member.yrken) in _signing(intyg_type)


def may_write(member: StaffMember, intyg_type: IntygHeader) -> bool:
    """
    Whether somebody may write drafts of a type.

    Dentists write what dentists sign; everybody else in care writes any.
    """
    role = role_of(member.yrken)
    return role is not Role.TANDLAKARE or Role.TANDLAKARE in intyg_type.signs


def why_not_person(
    intyg_type: IntygHeader, way: Way, facts: PersonFacts, member: StaffMember | None
) -> list[str]:
    """
    Why a draft of a type is not made for a patient; every reason.

    Args:
        facts: What the population register says of the patient.
        member: Who wants it; None: no staff directory is set, so a role is not known.
    """
    reasons = []
    if facts.is_protected is None:
        reasons.append("The population register does not say whether the patient is protected.")
    elif facts.is_protected:
        reasons += _why_not_protected(intyg_type, member)
    if facts.is_deceased and intyg_type.code not in DECEASED_MAY[way]:
        reasons.append(
            f"The patient is dead according to the population register; {intyg_type.code} is then "
            f"not written ({way.value})."
        )
    return reasons


def _why_not_protected(intyg_type: IntygHeader, member: StaffMember | None) -> list[str]:
    if intyg_type.code in NOT_FOR_PROTECTED:
        return [f"{intyg_type.code} is not written for a patient with protected identity."]
    if member is None or not may_sign(member, intyg_type):
        names = ", ".join(sorted({role.value for role in _signing(intyg_type)}))
        return [
            f"The patient has protected identity: {intyg_type.code} is then written by {names} "
            "only, who are known by the staff directory."
        ]
    return []


def _signing(intyg_type: IntygHeader) -> frozenset[Role]:
    """The roles that sign a type, doctors in private practice as doctors."""
    roles = set(intyg_type.signs)
    return frozenset(roles | {Role.LAKARE} if Role.PRIVATLAKARE in roles else roles)


# --- time -----------------------------------------------------------------------------------------


def locked_until(now: datetime, after_days: int) -> datetime:
    """
    Drafts created then or before are locked now: the beginning of the day so many days ago.

    A draft of day 0 is thus locked when day 15 begins, with 14 days.
    """
    day = swedish_day(now) - timedelta(days=after_days)
    return datetime.combine(day, time(), SWEDEN)


def disposed_until(now: datetime, months: int) -> datetime:
    """Drafts created then or before are disposed of: the same time of day, months ago."""
    local = now.astimezone(SWEDEN)
    month = local.year * 12 + local.month - 1 - months
    year, month = divmod(month, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return local.replace(year=year, month=month + 1, day=min(local.day, last))


def still_locks(now: datetime, locking_ends: date | None) -> bool:
    """Whether drafts are locked at all; None: for ever."""
    return locking_ends is None or swedish_day(now) < locking_ends
