"""Ids of messages: a UUID is the same in small and in large letters (RFC 9562, section 4)."""

from collections import UserDict
from typing import Generic, TypeVar
from uuid import UUID

_T = TypeVar("_T")


class ById(UserDict[str, _T], Generic[_T]):
    """What is kept by id, and found in whichever case the id is asked for."""

    def __getitem__(self, key: str) -> _T:
        return super().__getitem__(_one_form(key))

    def __setitem__(self, key: str, item: _T) -> None:
        super().__setitem__(_one_form(key), item)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(_one_form(key))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and super().__contains__(_one_form(key))


def _one_form(key: str) -> str:
    try:
        return str(UUID(key)) if len(key) == len(str(UUID(int=0))) else key
    except ValueError:
        return key
