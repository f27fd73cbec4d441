"""Who a person number belongs to: the port through which drafts ask the population register."""

from typing import Protocol

from intyg.adapter.domain.person import PersonFacts, PersonId


class PeopleDownError(Exception):
    """The register cannot say; the text says why, without anybody's number."""


class People(Protocol):
    """A register of persons."""

    def find(self, person: PersonId) -> PersonFacts | None:
        """
        What is known of a person; None: nobody with this number.

        Raises:
            PeopleDownError: It does not answer.
        """
