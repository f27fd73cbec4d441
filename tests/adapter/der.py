"""DER as a tree that may be changed: lengths are written anew, so that damage gets past them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

_CONSTRUCTED = 0x20


@dataclass
class Item:
    """One tag-length-value; a primitive holds `content`, a constructed one `items`."""

    tag: int  # of one octet
    content: bytes = b""
    items: list["Item"] = field(default_factory=list)

    def encode(self) -> bytes:
        """The item's octets."""
        content = self.content + b"".join(item.encode() for item in self.items)
        size = len(content)
        octets = (size.bit_length() + 7) // 8
        length = bytes([size]) if size < 0x80 else bytes([0x80 | octets]) + size.to_bytes(octets)
        return bytes([self.tag]) + length + content

    def walk(self) -> Iterator["Item"]:
        """The item and all below it."""
        yield self
        for item in self.items:
            yield from item.walk()


def decode(data: bytes) -> Item:
    """The one item of right DER."""
    (item,) = _items(data)
    return item


def _items(data: bytes) -> Iterator[Item]:
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size])
            at += size
        content = data[at : at + length]
        at += length
        is_constructed = tag & _CONSTRUCTED
        yield Item(tag, items=list(_items(content))) if is_constructed else Item(tag, content)
