"""What a page of statistics is about: read from its address, and written into the next one's."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import MultiDict

from intyg.adapter.console.pages.address import address
from intyg.adapter.statistics.catalogue import REPORTS, Kind
from intyg.adapter.statistics.report import Level

OVERVIEW: Final = "overview"
"""The report that is shown where none is said."""

SEVERAL: Final = ("unit", "diagnosis", "age", "length", "type")
"""Fields that may have several values, apart by commas or blanks."""

FIELDS: Final = ("report", "from", "to", "shape", "level", *SEVERAL, "within")
_APART: Final = re.compile(r"[,;\s]+")


@dataclass(frozen=True)
class Query:
    """
    What is asked for.

    Attributes:
        report: Its name; there may be none.
        fields: As they stand in the address; those that say nothing are left out.
    """

    report: str
    fields: Mapping[str, str]

    @property
    def kind(self) -> Kind | None:
        """The report; None: there is none of this name."""
        return REPORTS.get(self.report)

    def said(self) -> dict[str, list[str]]:
        """As reports take it, without what this one does not have."""
        said = {
            name: [one for one in _APART.split(value) if one] if name in SEVERAL else [value]
            for name, value in self.fields.items()
            if self.takes(name)
        }
        if self.kind and Level.VERKSAMHET not in self.kind.levels:  # it has no other
            said["level"] = [next(iter(self.kind.levels)).value]
        return said

    def takes(self, name: str) -> bool:
        """Whether the report has a field."""
        kind = self.kind
        if kind is None or name == "report":
            return False
        match name:
            case "shape":
                return len(kind.shapes) > 1
            case "level":
                return len(kind.levels) > 1
            case "within":
                return self.report == "sjukfall-diagnosis"
        return name not in SEVERAL or name in kind.filters

    def not_taken(self) -> Iterator[str]:
        """Fields that the report does not have, and that do nothing therefore."""
        return (name for name in self.fields if name != "report" and not self.takes(name))

    def address(self, path: str, **changes: str) -> str:
        """The same elsewhere, with other fields."""
        return address(path, {"report": self.report, **self.fields, **changes})


def read_query(args: MultiDict[str, str]) -> Query:
    """What stands in an address; what it says of nothing we know is left out."""
    fields = {
        name: said
        for name in FIELDS
        if (said := ", ".join(one.strip() for one in args.getlist(name) if one.strip()))
    }
    return Query(fields.pop("report", OVERVIEW), fields)
