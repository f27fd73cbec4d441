"""Hooks: what other systems are told of as it happens, by ids, codes and states alone.

A hook is a destination whose role is `hook`. What it is told waits in the outbox as a delivery like
any other, and reaches it at least once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.destination import HOOK
from intyg.adapter.domain.person import PersonId

HOOK_MAJOR: Final = 1
HOOK_KEY: Final = f"{HOOK}:{HOOK_MAJOR}"
"""What stands in a delivery's `contract`; its logical address is the hook's name."""

NOBODY: Final = PersonId("", "")
"""Whose data stands in what is about no patient: a way that is stopped."""

ABOUT_NO_INTYG: Final = ""
"""The certificate of what is about none."""


class HookType(StrEnum):
    """What a hook can be told of."""

    DELIVERED = "delivery.delivered"  # the receiver has it
    REFUSED = "delivery.refused"  # the receiver said no, for good
    FAILED = "delivery.failed"  # all attempts are used up, or somebody gave it up
    UNKNOWN = "delivery.unknown"  # the same, and one of them may have arrived
    BLOCKED = "delivery.blocked"  # the guard stopped it on its way
    RECEIVED = "message.received"  # an authority asked, answered or reminded
    STOPPED = "way.stopped"  # nothing goes a way any more
    RESUMED = "way.resumed"  # it goes again
    CREATED = "certificate.created"  # a certificate was registered; these four feed statistics
    REVOKED = "certificate.revoked"  # it was revoked
    SENT = "certificate.sent"  # a recipient has accepted it
    MESSAGE_SENT = "certificate.message-sent"  # an authority has written about it


FEED: Final = frozenset({HookType.CREATED, HookType.REVOKED, HookType.SENT, HookType.MESSAGE_SENT})
"""
What feeds statistics: told only to hooks that name it.

Source: the queue of the national statistics service, whose names of actions and properties it has.
"""

TOLD_OF: Final[Mapping[DeliveryState, HookType]] = {
    DeliveryState.DELIVERED: HookType.DELIVERED,
    DeliveryState.REFUSED: HookType.REFUSED,
    DeliveryState.FAILED: HookType.FAILED,
    DeliveryState.UNKNOWN: HookType.UNKNOWN,
    DeliveryState.BLOCKED: HookType.BLOCKED,
}
"""Where a delivery stands once it has ended, and what that is called."""


@dataclass(frozen=True)
class HookEvent:
    """
    Something that happened.

    Attributes:
        type: What.
        subject: The certificate's id, or the destination's name.
        data: Ids, codes and states, as JSON takes them; never a body or a person's number.
        intygs_id: The certificate that it is about; `ABOUT_NO_INTYG`.
        patient: Whose that is, for the guard; not told.
        is_test: The certificate's mark from when it was registered, for the guard; not told.
    """

    type: HookType
    subject: str
    data: Mapping[str, Any]
    intygs_id: str = ABOUT_NO_INTYG
    patient: PersonId = field(default=NOBODY, repr=False)
    is_test: bool | None = None
