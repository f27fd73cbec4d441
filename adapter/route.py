"""Where a message goes: logical address → destination, recipient → logical address."""

from dataclasses import dataclass
from typing import Final

from adapter.errors import UnknownRecipientError
from adapter.model import Destination
from adapter.recipients import NEVER_SENT_TO, takes
from adapter.settings import Settings
from schemas.intyg_model import IntygType

ANY: Final = "*"

NATIONAL_PATH: Final = "/clinicalprocess/healthcond/certificate/{contract}/{major}/rivtabp21"
"""Added to a destination's base address."""


@dataclass(frozen=True)
class Recipient:
    """An authority that a certificate can be sent to."""

    part: str  # as `mottagare` names it, `FKASSA`
    logical_address: str


class Routes:
    """The routes and recipients of the settings, made ready for lookup."""

    def __init__(self, settings: Settings) -> None:
        self._destinations = settings.destinations
        self._recipients = settings.recipients
        self._routes = {(r.contract, r.logical_address): r.destination for r in settings.routes}

    def find(self, contract: str, major: int, logical_address: str) -> Destination | None:
        """
        Find where a message is posted.

        The exact logical address wins over `*`, and within each the exact
        contract wins over `*`. The address is compared as it stands: one with
        white space around it has no route, as on the national platform.

        Args:
            contract: The contract's name, `RegisterCertificate`.
            major: Its major version, for the path.
            logical_address: Of the receiver.

        Returns:
            The destination with the full address for this contract, or None.
        """
        for address in (logical_address, ANY):
            for name in (contract, ANY):
                destination = self._routes.get((name, address))
                if destination is not None:
                    return self._destination(destination, contract, major)
        return None

    def recipient(self, part: str, intyg_type: IntygType) -> Recipient:
        """
        Find who `mottagare` is.

        A recipient takes a type that its `types` names, by either of the
        type's codes; `*` stands for the types that name it as theirs.

        Raises:
            UnknownRecipientError: No such recipient, not active, not one that
                certificates are sent to, or not for this type.
        """
        known = self._recipients.get(part)
        if known is None or part in NEVER_SENT_TO:
            names = ", ".join(sorted(set(self._recipients) - NEVER_SENT_TO)) or "none"
            raise UnknownRecipientError(
                f"The recipient (mottagare) is not known. Known recipients: {names}"
            )
        if not known.active:
            raise UnknownRecipientError(f"The recipient {part} takes no certificates at present")
        if not intyg_type.usage.send or not takes(known, part, intyg_type):
            raise UnknownRecipientError(
                f"The recipient {part} does not take certificates of type {intyg_type.code}"
            )
        return Recipient(part, known.logical_address)

    def knows_part(self, part: str) -> bool:
        """Whether a part is one of the recipients, active or not."""
        return part in self._recipients

    def recipient_address(self, part: str) -> str | None:
        """The logical address of a part, whatever the type; None if there is no such recipient."""
        known = self._recipients.get(part)
        return known.logical_address if known else None

    def part_of(self, logical_address: str) -> str | None:
        """Which recipient a logical address belongs to, if any."""
        for part, recipient in self._recipients.items():
            if recipient.logical_address == logical_address:
                return part
        return None

    def _destination(self, name: str, contract: str, major: int) -> Destination:
        found = self._destinations[name]
        if "{contract}" in found.url or "{major}" in found.url:
            url = found.url
        else:
            url = found.url.rstrip("/") + NATIONAL_PATH
        return Destination(
            name=name,
            url=url.replace("{contract}", contract).replace("{major}", str(major)),
            kind=found.kind,
            role=found.role,
            timeout_seconds=found.timeout_seconds,
        )
