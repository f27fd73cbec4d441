"""An answer that is a list, as pieces that nobody puts together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pieces:
    """
    A response element, UTF-8, that is in memory once: a patient may have 20,000 certificates.

    Attributes:
        opening: From its start tag to where the items begin.
        items: Each a whole element.
        closing: The rest.
    """

    opening: bytes
    items: Sequence[bytes]
    closing: bytes

    def __iter__(self) -> Iterator[bytes]:
        """All of it, in order."""
        yield self.opening
        yield from self.items
        yield self.closing

    def with_one_each(self) -> Iterator[bytes]:
        """The same answer with one item alone, for each; without any where there is none."""
        for item in self.items or (b"",):
            yield self.opening + item + self.closing
