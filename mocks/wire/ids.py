"""
Ids that are equal without regard to case: UUIDs (RFC 9562, section 4), and HSA-ids.

They are kept as they were written.
"""

from collections import UserDict
from typing import Generic, TypeVar
from uuid import UUID

_T = TypeVar("_T")


class ById(UserDict[str, _T], Generic[_T]):
    """What is kept by id, and found in whichever case the id is asked for."""

    def __getitem__(self, key: str) -> _T:
        return super().__getitem__(id_key(key))

    def __setitem__(self, key: str, item: _T) -> None:
        super().__setitem__(id_key(key), item)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(id_key(key))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and super().__contains__(id_key(key))


def same_id(one: str, other: str) -> bool:
    """Whether two ids are one: a UUID in either case, anything else letter by letter."""
    return id_key(one) == id_key(other)


def meant(wanted: str | None, intygs_id: str) -> bool:
    """Whether an id is the one that is wanted; None: any is."""
    return wanted is None or same_id(wanted, intygs_id)


def same_hsa_id(one: str | None, other: str | None) -> bool:
    """Whether both are there, and are one HSA-id."""
    return one is not None and other is not None and hsa_key(one) == hsa_key(other)


def hsa_key(text: str) -> str:
    """What to compare an HSA-id by: A to Z have a case, and nothing else in it has."""
    return "".join(each.upper() if each.isascii() else each for each in text)


def id_key(key: str) -> str:
    """What to compare an id by."""
    try:
        return str(UUID(key)) if len(key) == len(str(UUID(int=0))) else key
    except ValueError:
        return key
