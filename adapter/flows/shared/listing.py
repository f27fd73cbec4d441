"""Lists of certificates: read a few at a time, refused where too long for a single answer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from intyg.adapter.domain.errors import ApplicationError
from intyg.adapter.domain.intyg import IntygsStatus, StoredIntyg
from intyg.adapter.domain.texts import TOO_MANY_INTYG
from intyg.adapter.store import Rows

Listed: TypeAlias = tuple[StoredIntyg, tuple[IntygsStatus, ...]]


@dataclass
class Listing:
    """
    What is to be shown.

    Attributes:
        of: The certificates, without their bytes: for the guard.
        written: Each as it stands in the answer.
    """

    of: list[StoredIntyg] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)


def read_each(rows: Rows, found: Sequence[int], most: int) -> Iterator[Listed]:
    """
    Certificates that were found, with all their states.

    Args:
        most: How many may be in an answer; one more was looked for.

    Raises:
        ApplicationError: There are more.
    """
    if len(found) > most:
        raise ApplicationError(TOO_MANY_INTYG.format(most=most))
    return rows.intyg.each(found)


def gather(written: Iterable[tuple[StoredIntyg, bytes]]) -> Listing:
    """Take each as it is written, while the next is not yet read."""
    listing = Listing()
    for stored, data in written:
        listing.of.append(replace(stored, body=b""))
        listing.written.append(data)
    return listing
