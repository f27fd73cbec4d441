"""What a doctor does with drafts, in sentences: `journalsystem.draft("FK7804").fill().sign()`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from intyg.mocks.testing.sentences import SentenceError

if TYPE_CHECKING:
    from intyg.mocks.journalsystem.drafts import DraftsClient


class DraftError(AssertionError):
    """
    The adapter did not do with a draft what a sentence says.

    Attributes:
        status: Of HTTP.
        problem: What it answered.
    """

    def __init__(self, what: str, status: int, problem: Mapping[str, Any]) -> None:
        faults = "; ".join(
            f"{f['delsvar'] or f['svar']}: {f['text']}" for f in problem.get("fel", ())
        )
        super().__init__(f"{what}: HTTP {status}, {problem.get('detail')} {faults}".rstrip())
        self.status = status
        self.problem = problem


@dataclass(frozen=True)
class Signed:
    """A certificate that came of a draft."""

    intygs_id: str
    typ: str
    person: str


class Utkast:
    """
    A draft at an adapter.

    Args:
        answers: What `fill` writes where nothing is said.
        unit: Address and care provider, which a certificate must have.

    Attributes:
        intygs_id: Its id, and that of the certificate to be.
        shown: What the adapter showed of it last.
    """

    def __init__(
        self,
        client: DraftsClient,
        intygs_id: str,
        person: str,
        answers: Mapping[str, Any],
        unit: Mapping[str, Any],
    ) -> None:
        self._client = client
        self._person = person
        self._answers = answers
        self._unit = unit
        self.intygs_id = intygs_id
        self.shown: dict[str, Any] = {}
        self.read()

    @property
    def state(self) -> str:
        """`DRAFT_INCOMPLETE`, …; as it is now."""
        self.read()
        return str(self.shown["state"])

    def read(self) -> Self:
        """Look at it again."""
        self.shown = self._ask("GET", "")
        return self

    def fill(self, answers: Mapping[str, Any] | None = None) -> Self:
        """Write answers; without any, those of an example that breaks no rule."""
        author = self.shown["intyg"]["skapadAv"]
        enhet = {**author["enhet"], **self._unit}
        content = {
            "skapadAv": {**author, "enhet": enhet},
            "svar": self._answers if answers is None else answers,
        }
        self.shown = self._ask("PUT", "", content, self.shown["version"])
        return self

    def ready(self) -> Self:
        """Say that it is ready for signing."""
        self._ask("POST", "/ready", {})
        return self

    def sign(self) -> Signed:
        """Sign it with the adapter's test key: it is registered."""
        self._ask("POST", "/sign", {})
        return Signed(self.intygs_id, str(self.shown["typ"]), self._person)

    def delete(self) -> None:
        """Delete it."""
        self._ask("DELETE", "")

    def copy(self) -> Utkast:
        """A new one from it; it must be locked."""
        return self.made_from(self.intygs_id, "copy")

    def made_from(self, source: str, way: str, **wish: Any) -> Utkast:
        """A new one from a certificate or a locked draft: `renew`, `replace`, `complement`, …"""
        author = self.shown["intyg"]["skapadAv"]
        body = {"skapadAv": author, **wish}
        status, answered = self._client.ask("POST", f"/{source}/{way}", body)
        if status != 201:
            raise DraftError(way, status, answered)
        made = answered["intygsId"]
        return Utkast(self._client, made, self._person, self._answers, self._unit)

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> dict[str, Any]:
        __tracebackhide__ = True
        status, answered = self._client.ask(method, f"/{self.intygs_id}{path}", body, version)
        if status >= 400:
            raise DraftError(f"{method} {path or 'draft'}", status, answered)
        return answered


def require_id(intygs_id: str | None) -> str:
    """The id of a draft that was ordered; SentenceError without one."""
    if intygs_id is None:
        raise SentenceError("the adapter answered without the draft's id")
    return intygs_id
