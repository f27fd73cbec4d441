"""What a doctor does with drafts, in sentences: `journalsystem.draft("FK7804").fill().sign()`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from intyg.mocks.testing.sentences import SentenceError

if TYPE_CHECKING:
    from datetime import datetime

    from intyg.mocks.journalsystem.client import Answer
    from intyg.mocks.journalsystem.drafts import Doctor


@dataclass(frozen=True)
class Signed:
    """A certificate that came of a draft."""

    intygs_id: str
    typ: str
    person: str


class Utkast:
    """
    A draft at an adapter. What the adapter does not do with it is a `DraftError`.

    Args:
        local: Swedish local time by the clock of the test.

    Attributes:
        intygs_id: Its id, and that of the certificate to be.
        answer: To the order; None where it was made from an older one.
        shown: What the adapter showed of it last.
    """

    def __init__(
        self,
        doctor: Doctor,
        intygs_id: str,
        local: Callable[[], datetime],
        answer: Answer | None = None,
    ) -> None:
        self._doctor = doctor
        self._local = local
        self.intygs_id = intygs_id
        self.answer = answer
        self.shown: dict[str, Any] = {}
        self.read()

    @property
    def state(self) -> str:
        """`DRAFT_INCOMPLETE`, …; as it is now."""
        return str(self.read().shown["state"])

    @property
    def faults(self) -> set[str]:
        """Questions and parts, as it was last shown, that keep it from being signed: `35.1`."""
        return {str(fault["delsvar"] or fault["svar"]) for fault in self.shown["fel"]}

    def read(self) -> Self:
        """Look at it again."""
        self.shown = self._doctor.read(self.intygs_id)
        return self

    def fill(self, answers: Mapping[str, Any] | None = None) -> Self:
        """
        Write an example that breaks no rule of the type.

        Args:
            answers: Of these questions in place of the example's: `{"35": {"35.1": "Trött."}}`;
                None leaves a question out.
        """
        __tracebackhide__ = True
        self.shown = self._doctor.fill(self.intygs_id, self._local(), answers)
        return self

    def write(self, answers: Mapping[str, Any]) -> Self:
        """Write these answers and no others, into the draft as it was last shown."""
        __tracebackhide__ = True
        self.shown = self._doctor.write(self.shown, answers)
        return self

    def ready(self) -> Self:
        """Say that it is ready for signing."""
        __tracebackhide__ = True
        self._doctor.act(self.intygs_id, "ready")
        return self

    def launch(self, **fields: str) -> Self:
        """Open it from the EHR: `alternatePatientSSn`, `ref`; `shown` has the notices, too."""
        __tracebackhide__ = True
        hsa_id = self._doctor.author["personal-id"]["extension"]
        self.shown = self._doctor.act(self.intygs_id, "launch", {"hanteratAv": hsa_id, **fields})
        return self

    def sign(self) -> Signed:
        """Sign it with the adapter's test key: it is registered."""
        __tracebackhide__ = True
        self._doctor.act(self.intygs_id, "sign")
        person = self.shown["intyg"]["patient"]["person-id"]["extension"]
        return Signed(self.intygs_id, str(self.shown["typ"]), str(person))

    def revoke(self) -> None:
        """Revoke it; it must be locked."""
        __tracebackhide__ = True
        self._doctor.act(self.intygs_id, "revoke")

    def delete(self) -> None:
        """Delete it."""
        __tracebackhide__ = True
        self._doctor.delete(self.intygs_id)

    def copy(self, **wish: Any) -> Utkast:
        """A new one from it; it must be locked."""
        __tracebackhide__ = True
        return made_from(self._doctor, self.intygs_id, "copy", self._local, wish)


def made_from(
    doctor: Doctor,
    source: str,
    way: str,
    local: Callable[[], datetime],
    wish: Mapping[str, Any],
) -> Utkast:
    """A new draft from a certificate or a locked draft."""
    __tracebackhide__ = True
    made = doctor.made_from(source, way, wish)
    return Utkast(doctor, str(made["intygsId"]), local)


def require_id(intygs_id: str | None) -> str:
    """The id of a draft that was ordered; SentenceError without one."""
    if intygs_id is None:
        raise SentenceError("the adapter answered without the draft's id")
    return intygs_id
