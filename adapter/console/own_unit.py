"""Whose figures somebody may see: care those of its own unit, everybody else all of them."""

from collections.abc import Mapping, Sequence

from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.settings.settings import ConsoleRole
from intyg.adapter.statistics.catalogue import Kind
from intyg.adapter.statistics.report import Level, ReportError
from intyg.pages.session import Visitor


class NotYoursError(ReportError):
    """Somebody asks for figures of others; the text says whose they may see."""


def may_see(who: Visitor, kind: Kind) -> bool:
    """Whether there is anything for somebody in a report: for care, what tells units apart."""
    return who.role != ConsoleRole.CARE or (
        "unit" in kind.filters and Level.VERKSAMHET in kind.levels
    )


def of_own_unit(
    who: Visitor, kind: Kind, said: Mapping[str, Sequence[str]]
) -> Mapping[str, Sequence[str]]:
    """
    What somebody asks for, and for care, that it is its own unit's.

    Raises:
        NotYoursError: It is another unit's, or a region's.
    """
    if who.role != ConsoleRole.CARE:
        return said
    others = [unit for unit in said.get("unit", ()) if not same_hsa_id(unit.strip(), who.unit)]
    if others or not may_see(who, kind):
        raise NotYoursError("unit: your role sees its own unit alone", "not_yours")
    if list(said.get("level", ())) not in ([], [Level.VERKSAMHET.value]):
        raise NotYoursError("level: your role sees its own unit alone", "not_yours")
    return {**said, "unit": [who.unit or ""]}
