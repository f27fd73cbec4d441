"""HSA-ids: equal without regard to case, wherever they are compared; kept and sent on as written.

One place compares them otherwise: the caller's HSA-id in a permission, which the national platform
compares exactly (`intyg.adapter.routing.table`).

Source: the national HSA-id is A to Z, digits and hyphen; the reference systems compare it without
regard to case.
"""


def same_hsa_id(one: str | None, other: str | None) -> bool:
    """Whether both are there, and are one HSA-id."""
    return one is not None and other is not None and hsa_key(one) == hsa_key(other)


def hsa_key(hsa_id: str) -> str:
    """
    What to look an HSA-id up by.

    Only the letters A to Z have a case here: elsewhere upper case may be another length, and
    databases disagree with each other about it.
    """
    return hsa_id.translate(_UPPER)


_UPPER = {ord(small): ord(small.upper()) for small in "abcdefghijklmnopqrstuvwxyz"}
