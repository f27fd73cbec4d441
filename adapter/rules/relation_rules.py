"""What a certificate's relation asks of the older certificate, one table.

Nationally the editor asks this before a certificate is signed, and the store that takes it in does
not. So a broken rule is a warning: told to the caller, and a reason to refuse only with
`strict_rules`.

Source: the national editor's conditions for replacing, renewing and completing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from intyg.adapter.domain.intyg import StoredIntyg
from intyg.schemas.codes import TypAvRelation
from intyg.schemas.finding import Finding, Severity


@dataclass(frozen=True)
class RelationFacts:
    """
    What the rules need to know of a relation and the older certificate.

    Attributes:
        itself: The relation is to the very certificate that has it.
        older: The certificate that it points at; None: to itself, not here, or
            another patient's. None of the rest holds then.
        same_type: It is of the newer one's type, whatever the versions.
        renewable: Certificates of both types and versions may be renewed.
        newer: All that point at it already, whatever their relation.
        sent: A recipient has it, may have it, or will get it.
        asked: A completion request about it is open.
    """

    itself: bool
    older: StoredIntyg | None
    same_type: bool
    renewable: bool
    newer: tuple[StoredIntyg, ...]
    sent: bool
    asked: bool


@dataclass(frozen=True)
class RelationRule:
    """
    One rule.

    Attributes:
        id: What a broken rule is called in `resultText`.
        relations: Asked of certificates with one of these; None: of every code that is no
            relation's.
        text: What is wrong.
        broken: Whether a new relation to the older certificate breaks it.
    """

    id: str
    relations: frozenset[TypAvRelation] | None
    text: str
    broken: Callable[[RelationFacts], bool]

    def asks(self, typ: str) -> bool:
        """Whether it is asked of relations with this code."""
        return typ not in set(TypAvRelation) if self.relations is None else typ in self.relations


def _has_newer(facts: RelationFacts, typ: TypAvRelation) -> bool:
    """A newer certificate with this relation is in force."""
    return any(
        one.revoked_at is None and one.intyg.relation is not None and one.intyg.relation.typ == typ
        for one in facts.newer
    )


def _revoked(facts: RelationFacts) -> bool:
    return facts.older is not None and facts.older.revoked_at is not None


_ERSATT, _FRLANG, _KOMPLT = TypAvRelation.ERSATT, TypAvRelation.FRLANG, TypAvRelation.KOMPLT
_FOLLOWS = frozenset({_ERSATT, _FRLANG, _KOMPLT})

# How it works. RegisterCertificate asks once, in its transaction and before the new certificate is
# kept, so that `newer` holds only others. Of an older certificate that is another patient's the
# rules know no more than of one that is not here. Several rules may fire for one relation. They
# tell; they move no question: that does `fraga_moves`, afterwards, and whatever these rules said.

RELATION_RULES: Final = (
    RelationRule(
        "RELATION_NOT_KNOWN",
        None,
        f"the relation must be one of {', '.join(TypAvRelation)}; this one has no effect",
        lambda _: True,
    ),
    RelationRule(
        "RELATION_TO_ITSELF",
        frozenset(TypAvRelation),
        "a certificate has no relation to itself; this one has no effect",
        lambda f: f.itself,
    ),
    RelationRule(
        "RELATION_TO_ANOTHER_TYPE",
        _FOLLOWS,
        "the older certificate is of another type",
        lambda f: f.older is not None and not f.same_type,
    ),
    RelationRule(
        "RELATION_NOT_RENEWED",
        frozenset({_FRLANG}),
        "certificates of this type are not renewed; write a new one",
        lambda f: not f.itself and not f.renewable,
    ),
    RelationRule("RELATION_TO_REVOKED", _FOLLOWS, "the older certificate is revoked", _revoked),
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
        lambda f: f.older is not None and not f.sent,
    ),
    RelationRule(
        "RELATION_NOTHING_ASKED",
        frozenset({_KOMPLT}),
        "no completion request about the older certificate is open",
        lambda f: f.older is not None and not f.asked,
    ),
    RelationRule(
        "RELATION_OVER_QUESTIONS",
        frozenset({_ERSATT}),
        "a completion request about the older certificate is open; complete it instead (KOMPLT)",
        lambda f: f.asked,
    ),
)
"""Every rule, in the order they are told. A copy (KOPIA) is made of a draft: little is asked."""

RELATION_FROM_EARLIER: Final = Finding(
    "RELATION_FROM_EARLIER",
    "a certificate that was registered before this one points at it; its relation has no effect",
    "/RegisterCertificate/intyg/intygs-id",
    severity=Severity.WARNING,
)
"""Told of a certificate that others have a relation to when it comes. It refuses nothing: whatever
is wrong, is wrong in the others."""


def check_relation(typ: str, facts: RelationFacts) -> list[Finding]:
    """
    Try every rule of a relation.

    Args:
        typ: Its code, as written in the certificate.

    Returns:
        One warning a broken rule, in the order of the table.
    """
    return [
        Finding(
            rule.id, rule.text, "/RegisterCertificate/intyg/relation", severity=Severity.WARNING
        )
        for rule in RELATION_RULES
        if rule.asks(typ) and rule.broken(facts)
    ]
