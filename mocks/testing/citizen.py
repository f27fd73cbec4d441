"""What a citizen does with certificates, in sentences: `journalsystem.citizen().list()`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from intyg.mocks.testing.sentences import HasIntygsId, checked

if TYPE_CHECKING:  # and with it zeep
    from intyg.mocks.journalsystem.citizen import CitizenClient, OwnIntyg
    from intyg.mocks.journalsystem.client import Answer

_ARCHIVE: Final = "SetCertificateStatus"


class Citizen:
    """
    A person who looks at their own certificates.

    Args:
        local: Swedish local time by the clock of the test.
    """

    def __init__(self, client: CitizenClient, local: Callable[[], datetime]) -> None:
        self._client = client
        self._local = local

    def list(self, *, archived: bool = False) -> tuple[OwnIntyg, ...]:
        """Own certificates, oldest first: those that are archived, or the others."""
        return self._client.list(archived=archived)

    def archive(self, intyg: HasIntygsId, *, check: bool = True) -> Answer:
        """Put one away; raises NotAcceptedError when it is answered ERROR."""
        __tracebackhide__ = True
        return checked(_ARCHIVE, self._client.archive(intyg.intygs_id, self._local()), check)

    def restore(self, intyg: HasIntygsId, *, check: bool = True) -> Answer:
        """Take one back; raises as `archive`."""
        __tracebackhide__ = True
        answer = self._client.archive(intyg.intygs_id, self._local(), back=True)
        return checked(_ARCHIVE, answer, check)

    def send(self, intyg: HasIntygsId, to: str = "FKASSA", *, check: bool = True) -> Answer:
        """Have one sent to a recipient (part code); raises as `archive`."""
        __tracebackhide__ = True
        answer = self._client.send(intyg.intygs_id, to, self._local())
        return checked("SendCertificateToRecipient", answer, check)
