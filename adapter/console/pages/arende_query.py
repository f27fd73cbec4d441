"""Which questions a page is about: read from its address, and written into the next one's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from intyg.adapter.console.arende_requests import ArendeWanted
from intyg.adapter.console.pages.address import address, said
from intyg.adapter.console.pages.visit import PREFIX, visitor
from intyg.adapter.console.unit_tree import works_at

PATH: Final = f"{PREFIX}/arenden"
FIELDS: Final = (
    "unit", "only", "turn", "overdue", "atgard", "amne", "asker", "signer", "forwarded",
)  # fmt: skip
CHOSEN: Final = FIELDS[1:]
"""Fields that leave something out."""


@dataclass(frozen=True)
class Query:
    """
    What is asked for.

    Attributes:
        fields: As they stand in the address; those that say nothing are left out.
        opened: Id of the question whose conversation is shown; '' for none.
        before: Where the list goes on; '' at its beginning.
    """

    fields: Mapping[str, str]
    opened: str = ""
    before: str = ""

    @property
    def unit(self) -> str | None:
        """HSA-id."""
        return self.fields.get("unit")

    def wanted(self) -> ArendeWanted:
        """
        As `/api` takes it.

        Raises:
            pydantic.ValidationError: A field is wrong.
        """
        before = {"before": self.before} if self.before else {}
        return ArendeWanted.model_validate({**self.fields, **before})

    def address(self, path: str = PATH, **more: object) -> str:
        """A path with these fields, and more of them; None and '' take one away."""
        return address(path, {**self.fields, "before": self.before, **more})

    def first(self, **more: object) -> str:
        """The beginning of a list with these fields, and more of them."""
        return self.address(PATH, **{"before": None, **more})

    def of_this(self, path: str = PATH, **more: object) -> str:
        """The page with the question that is open."""
        return self.address(path, open=self.opened, **more)


def read_query(given: Mapping[str, str]) -> Query:
    """From the fields of an address; care looks at its own units alone."""
    fields = said(given, FIELDS)
    who = visitor()
    if who.unit is not None and not works_at(who, fields.get("unit")):
        fields["unit"] = who.unit
    return Query(fields, given.get("open", ""), given.get("before", ""))
