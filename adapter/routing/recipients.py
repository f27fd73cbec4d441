"""The register of recipients: who certificates can be sent to, and the two who hold them anyway.

Source: `recipients` in the settings; the kinds that the national register gives the authorities.
"""

from collections.abc import Mapping
from typing import Final

from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.recipient import KnownRecipient, RecipientKind
from intyg.adapter.settings.settings import RecipientSettings, Settings
from intyg.schemas.codes import Part
from intyg.schemas.intyg_model import IntygType

NEVER_SENT_TO: Final = frozenset({Part.HSVARD, Part.INVANA})
"""Parts that hold a certificate without being sent it: care and the citizen."""

ANY_TYPE: Final = "*"

NATIONAL_KINDS: Final[Mapping[str, RecipientKind]] = {
    Part.FKASSA: RecipientKind.HUVUDMOTTAGARE,
    Part.TRANSP: RecipientKind.HUVUDMOTTAGARE,
    Part.AF: RecipientKind.HUVUDMOTTAGARE,
    Part.SKV: RecipientKind.DIREKTMOTTAGARE,
    Part.SOS: RecipientKind.DIREKTMOTTAGARE,
}
"""What a recipient is that the settings say nothing else of; anybody else is a MOTTAGARE."""

_ALWAYS_KNOWN: Final[Mapping[str, str]] = {
    Part.HSVARD: "Hälso- och sjukvården",
    Part.INVANA: "Invånaren",
}


class RecipientRegister:
    """The recipients of the settings, with care (HSVARD) and the citizen (INVANA) always there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.recipients
        known = {part: _always_known(part, name) for part, name in _ALWAYS_KNOWN.items()}
        known |= {part: _known(part, one) for part, one in settings.recipients.items()}
        self._known = {part: known[part] for part in sorted(known)}

    def all(self) -> tuple[KnownRecipient, ...]:
        """Every recipient, active or not, by id."""
        return tuple(self._known.values())

    def get(self, part: str) -> KnownRecipient | None:
        """The recipient with this id."""
        return self._known.get(part)

    def possible(self, intyg_type: IntygType) -> tuple[KnownRecipient, ...]:
        """Those that a certificate of this type can be sent to now, by id."""
        if not intyg_type.usage.send:
            return ()
        return tuple(
            self._known[part]
            for part, one in sorted(self._settings.items())
            if one.active and part not in NEVER_SENT_TO and takes(one, part, intyg_type)
        )


def takes(recipient: RecipientSettings, part: str, intyg_type: IntygType) -> bool:
    """Whether a recipient takes a type: named by either of its codes, or `*` and the type's own."""
    by_name = {intyg_type.code, intyg_type.xml_code} & set(recipient.types)
    return bool(by_name) or (ANY_TYPE in recipient.types and intyg_type.recipient == part)


def may_speak_for(settings: Settings, part: str, sender: str | None) -> bool:
    """
    Whether a calling system may write and read as a part.

    Care and the citizen, where the settings say nothing of their callers, are everybody who may
    call at all, but for those who speak for somebody else.

    Args:
        sender: Its HSA-id, compared as it stands; None: callers are not asked who they are.
    """
    listed = {name: set(one.callers) for name, one in settings.recipients.items()}
    if listed.get(part):
        return sender in listed[part]
    if part in NEVER_SENT_TO:
        return sender is None or not any(sender in callers for callers in listed.values())
    return settings.environment is Environment.DEMO


def _known(part: str, recipient: RecipientSettings) -> KnownRecipient:
    kind = recipient.kind or NATIONAL_KINDS.get(part, RecipientKind.MOTTAGARE)
    trusted = part in NATIONAL_KINDS if recipient.trusted is None else recipient.trusted
    return KnownRecipient(part, recipient.name, kind, trusted, recipient.active)


def _always_known(part: str, name: str) -> KnownRecipient:
    return KnownRecipient(part, name, RecipientKind.MOTTAGARE, trusted=True, active=True)
