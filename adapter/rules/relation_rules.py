"""What a certificate's relation asks of the older certificate, one table.

Nationally the editor asks this before a certificate is signed, and the store that takes it in does
not. So a broken rule is a warning: told to the caller, and a reason to refuse only with
`strict_rules`.

Source: the national editor's conditions for replacing, renewing and completing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from intyg.adapter.domain.intyg import Relation, StoredIntyg
from intyg.adapter.domain.uuids import same_id
from intyg.schemas.codes import TypAvRelation
from intyg.schemas.finding import Finding, Severity


@dataclass(frozen=True)
class RelationFacts:
    """
    What the rules need to know of the older certificate.

    Attributes:
        older: The certificate itself.
        newer: All that point at it already, whatever their relation.
        sent: A recipient has it, may have it, or will get it.
        asked: A completion request about it is open.
    """

    older: StoredIntyg
    newer: tuple[StoredIntyg, ...]
    sent: bool
    asked: bool


@dataclass(frozen=True)
class RelationRule:
    """
    One rule.

    Attributes:
        id: What a broken rule is called in `resultText`.
        relations: Asked of certificates with one of these.
        text: What is wrong.
        broken: Whether a new relation to the older certificate breaks it.
    """

    id: str
    relations: frozenset[TypAvRelation]
    text: str
    broken: Callable[[RelationFacts], bool]


def _has_newer(facts: RelationFacts, typ: TypAvRelation) -> bool:
    """A newer certificate with this relation is in force."""
    return any(
        one.revoked_at is None and one.intyg.relation is not None and one.intyg.relation.typ == typ
        for one in facts.newer
    )


_ERSATT, _FRLANG, _KOMPLT = TypAvRelation.ERSATT, TypAvRelation.FRLANG, TypAvRelation.KOMPLT

# How it works. RegisterCertificate asks once, in its transaction and before the new certificate is
# kept, so that `newer` holds only others; not at all where the older certificate is not ours or is
# another patient's. Several rules may fire for one relation. They tell; they move no question: that
# does `fraga_moves`, afterwards, and whatever these rules said.

RELATION_RULES: Final = (
    RelationRule(
        "RELATION_TO_REVOKED",
        frozenset({_ERSATT, _FRLANG, _KOMPLT}),
        "the older certificate is revoked",
        lambda f: f.older.revoked_at is not None,
    ),
    RelationRule(
        "RELATION_TO_REPLACED",
        frozenset({_ERSATT, _FRLANG}),
        "the older certificate has been replaced already",
        lambda f: _has_newer(f, _ERSATT),
    ),
    RelationRule(
        "RELATION_TO_COMPLETED",
        frozenset({_ERSATT, _FRLANG}),
        "the older certificate has been completed by a newer one; go on from that one",
        lambda f: _has_newer(f, _KOMPLT),
    ),
    RelationRule(
        "RELATION_TO_UNSENT",
        frozenset({_KOMPLT}),
        "no recipient has the older certificate",
        lambda f: not f.sent,
    ),
    RelationRule(
        "RELATION_NOTHING_ASKED",
        frozenset({_KOMPLT}),
        "no completion request about the older certificate is open",
        lambda f: not f.asked,
    ),
)
"""Every rule, in the order they are told. A copy (KOPIA) is made of a draft: nothing is asked."""


TO_ITSELF: Final = "RELATION_TO_ITSELF"
NOT_KNOWN: Final = "RELATION_NOT_KNOWN"
_PLACE: Final = "/RegisterCertificate/intyg/relation"


def check_form(relation: Relation, intygs_id: str) -> list[Finding]:
    """
    Look at a relation by itself: what it says has no effect where there is a remark.

    Nationally a certificate with another code than the four is not registered at all.
    """
    if relation.typ not in frozenset(TypAvRelation):
        known = ", ".join(TypAvRelation)
        text = f"there is no such relation, and it has no effect; there are {known}"
        return [Finding(NOT_KNOWN, text, f"{_PLACE}/typ/code", severity=Severity.WARNING)]
    if same_id(relation.intygs_id, intygs_id):
        text = "the certificate points at itself, which has no effect"
        return [Finding(TO_ITSELF, text, f"{_PLACE}/intygs-id", severity=Severity.WARNING)]
    return []


def check_relation(typ: str, facts: RelationFacts) -> list[Finding]:
    """
    Try every rule of a relation.

    Args:
        typ: Its code, as written in the certificate.

    Returns:
        One warning a broken rule, in the order of the table.
    """
    return [
        Finding(rule.id, rule.text, _PLACE, severity=Severity.WARNING)
        for rule in RELATION_RULES
        if typ in rule.relations and rule.broken(facts)
    ]
