"""Who may sign: the certificate type names roles, and the signer must have one of them.

A role follows from professions and positions as in the national editor, the first that fits:

    licensed profession LK (läkare)       → läkare
    licensed profession TL (tandläkare)   → tandläkare
    position 204010 or 203020             → läkare (internship: AT, BT)
    position with prescriber group        → läkare (four pairs, below)
    licensed profession BM (barnmorska)   → barnmorska
    licensed profession SJ (sjuksköterska) → sjuksköterska
    anything else                         → none that signs

A doctor in private practice is a doctor to every type, and no message tells the two apart.

With a staff directory its word counts alone: profession, and an assignment for care at the unit.
Without one the signing certificate's title counts, then what the message says of its author. Where
neither says anything, `signer_role` of the settings decides: "require" refuses (in production, if
nothing else is said), "accept" does not. Positions such as 201010 are no proof of a licence.

Source: authorities of the national editor (roles); types_3.2.xsd `LegitimeratYrkeType`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.domain.intyg import Intyg, Yrken
from intyg.adapter.domain.texts import (
    SIGNER_NO_ROLE,
    SIGNER_NOT_ASSIGNED,
    SIGNER_NOT_KNOWN,
    SIGNER_WRONG_ROLE,
    STAFF_NOT_ASSIGNED,
    STAFF_WRONG_ROLE,
)
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType, Role

# How it works. RegisterCertificate asks when the signature is in order and before anything is kept:
# `check_by_directory` where a staff directory is set up, `check_by_word` where none is, never both.
# That the author is the signer is not asked here but by the signature (`trust.require_author`).
# `signs` in the certificate type's file says which roles; each finding refuses.

CARE: Final = "vård och behandling"
"""The purpose (`ändamål`) of an assignment that lets its holder sign; compared without case."""

_SKAPAD_AV: Final = "/RegisterCertificate/intyg/skapadAv"
_INTERN_POSITIONS: Final = frozenset({"204010", "203020"})
_PRESCRIBERS: Final = (
    ("203090", "9300005"),
    ("203090", "9400003"),
    ("204090", "9100009"),
    ("204090", "9200007"),
)
_TITLES: Final = {
    "läkare": "LK",
    "tandläkare": "TL",
    "barnmorska": "BM",
    "sjuksköterska": "SJ",
}
"""Titles in signing certificates that are names of licensed professions."""

_NAMES: Final = {
    Role.LAKARE: "läkare",
    Role.PRIVATLAKARE: "läkare",
    Role.TANDLAKARE: "tandläkare",
    Role.BARNMORSKA: "barnmorska",
    Role.SJUKSKOTERSKA: "sjuksköterska",
}


@dataclass(frozen=True)
class Uppdrag:
    """An assignment (`medarbetaruppdrag`) at a unit."""

    enhets_id: str  # HSA-id
    andamal: str  # purpose
    first: date | None  # None: since ever
    last: date | None  # None: until further notice; otherwise its last day


@dataclass(frozen=True)
class StaffMember:
    """What a staff directory says of one person."""

    yrken: Yrken
    uppdrag: tuple[Uppdrag, ...]


def role_of(yrken: Yrken) -> Role | None:
    """The role that professions and positions give; None: none that signs."""
    licensed, positions = yrken.legitimerade, yrken.befattningar
    if "LK" in licensed:
        return Role.LAKARE
    if "TL" in licensed:
        return Role.TANDLAKARE
    if positions & _INTERN_POSITIONS or any(
        position in positions and group in yrken.forskrivargrupper
        for position, group in _PRESCRIBERS
    ):
        return Role.LAKARE
    if "BM" in licensed:
        return Role.BARNMORSKA
    return Role.SJUKSKOTERSKA if "SJ" in licensed else None


def yrken_of_titles(titles: Iterable[str]) -> Yrken:
    """The licensed professions among a signing certificate's titles; others say nothing."""
    known = (_TITLES.get(title.strip().lower()) for title in titles)
    return Yrken(legitimerade=frozenset(code for code in known if code))


def check_by_word(
    intyg_type: IntygType, cert: Yrken, message: Yrken, *, required: bool = False
) -> list[Finding]:
    """
    Without a directory: what the signing certificate says, or else the message.

    The certificate comes first because the message is the signer's own word.

    Args:
        required: One of the two must say something.
    """
    for yrken, source in ((cert, "the signing certificate"), (message, "skapadAv")):
        if yrken.legitimerade or role_of(yrken):
            return _check_role(intyg_type, yrken, source)
    if not required:
        return []
    names = ", ".join(_names(intyg_type.signs))
    text = SIGNER_NO_ROLE.format(typ=intyg_type.code, roles=names)
    return [Finding("SIGNER_ROLE", text, _SKAPAD_AV)]


def check_by_directory(
    intyg_type: IntygType, intyg: Intyg, member: StaffMember | None, at: datetime
) -> list[Finding]:
    """
    With a directory: profession, and an assignment for care at the unit when it was signed.

    Args:
        intyg_type: Says which roles sign.
        intyg: Its unit is where the assignment must be.
        member: What the directory says of the signer; None: it does not know them.
        at: When it was signed; Swedish local time.
    """
    if member is None:
        return [Finding("SIGNER_UNKNOWN", SIGNER_NOT_KNOWN, f"{_SKAPAD_AV}/personal-id")]
    findings = _check_role(intyg_type, member.yrken, "the staff directory")
    unit, day = intyg.skapad_av.enhet.enhets_id, at.date()
    if not has_assignment(member, unit, day):
        where = f"{_SKAPAD_AV}/enhet/enhets-id"
        findings.append(Finding("SIGNER_NOT_ASSIGNED", SIGNER_NOT_ASSIGNED, where))
    return findings


def check_actor(
    member: StaffMember | None,
    unit: str,
    day: date,
    roles: frozenset[Role | None] | None,
    where: str,
) -> list[Finding]:
    """
    With a directory: who revokes, answers or marks is known, has a role for it, and works there.

    Args:
        member: What the directory says of them; None: it does not know them.
        unit: HSA-id of the unit where the assignment must be.
        day: In Sweden.
        roles: One of these, in which None is nobody who signs; None alone: anybody.
        where: XPath for the findings.
    """
    if member is None:
        return [Finding("STAFF_UNKNOWN", SIGNER_NOT_KNOWN, where)]
    findings = []
    role = role_of(member.yrken)
    if roles is not None and (None if role is None else _NAMES[role]) not in _allowed(roles):
        names = ", ".join(sorted(name for name in _allowed(roles) if name))
        text = STAFF_WRONG_ROLE.format(roles=names, role=_said(member.yrken))
        findings.append(Finding("STAFF_ROLE", text, where))
    if not has_assignment(member, unit, day):
        findings.append(Finding("STAFF_NOT_ASSIGNED", STAFF_NOT_ASSIGNED, where))
    return findings


def has_assignment(member: StaffMember, unit: str, day: date) -> bool:
    """Whether somebody has an assignment for care at a unit (HSA-id) on a day."""
    return any(
        same_hsa_id(one.enhets_id, unit)
        and one.andamal.strip().lower() == CARE
        and (one.first is None or one.first <= day)
        and (one.last is None or day <= one.last)
        for one in member.uppdrag
    )


def _check_role(intyg_type: IntygType, yrken: Yrken, source: str) -> list[Finding]:
    role = role_of(yrken)
    names = _names(intyg_type.signs)
    if role is not None and _NAMES[role] in names:
        return []
    text = SIGNER_WRONG_ROLE.format(
        typ=intyg_type.code, roles=", ".join(names), source=source, role=_said(yrken)
    )
    return [Finding("SIGNER_ROLE", text, _SKAPAD_AV)]


def _allowed(roles: Iterable[Role | None]) -> set[str | None]:
    return {None if one is None else _NAMES[one] for one in roles}


def _names(roles: Iterable[Role]) -> list[str]:
    return sorted({_NAMES[one] for one in roles})


def _said(yrken: Yrken) -> str:
    """The role, or the two-letter codes of professions that do not sign; never other text."""
    role = role_of(yrken)
    if role is not None:
        return _NAMES[role]
    codes = sorted(c for c in yrken.legitimerade if len(c) == 2 and c.isalpha() and c.isascii())
    return ", ".join(codes) or "no profession that signs"
