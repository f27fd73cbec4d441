"""Ids of messages and certificates: UUIDs are equal in either case, other ids as they stand.

They are kept and sent on as written.

Source: RFC 9562, section 4: «output as lower case characters and are case insensitive on input».
"""

import re
from typing import Final

_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def is_uuid(text: str) -> bool:
    """Whether an id is one."""
    return _UUID.fullmatch(text) is not None


def same_id(one: str, other: str) -> bool:
    """Whether two ids are one: a UUID in either case, anything else letter by letter."""
    return id_key(one) == id_key(other)


def forms_of(wanted: str) -> tuple[str, str, str]:
    """
    How an id may have been written, for a look-up by it: as it stands, small, large.

    A UUID that was written in letters of both cases is found as it stands alone; nobody makes such.
    """
    if _UUID.fullmatch(wanted):
        return wanted, wanted.lower(), wanted.upper()
    return wanted, wanted, wanted


def id_key(text: str) -> str:
    """What to look an id up by, where forms are not looked up one by one."""
    return text.lower() if _UUID.fullmatch(text) else text
