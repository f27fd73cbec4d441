"""What a doctor does with drafts: over REST, with certificates as JSON.

The JSON is made here from an example's XML, and not by the code of whoever is spoken to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

import requests
from lxml import etree

from intyg.schemas.examples.example import Size, example
from intyg.schemas.typefile.lookup import IntygTypes

Json: TypeAlias = dict[str, Any]

WAYS: Final = ("renew", "replace", "complement", "copy", "template")
"""How a new draft is made from an older certificate, or from a locked draft."""

_DEADLINE: Final = 30.0


class DraftError(AssertionError):
    """
    The adapter did not do with a draft what the doctor wants.

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
class Doctor:
    """
    Who works with the drafts of an adapter, at `/api/utkast`.

    Each method returns what the adapter shows of the draft then.

    Args:
        url: Of the adapter, without a path.
        author: `skapadAv` of a certificate, address and care provider with it.
        session: Over which it calls.
        types: For examples of answers.
        token: What the adapter's REST wants as Bearer; None: nothing.

    Raises:
        DraftError: The adapter does not do it.
    """

    url: str
    author: Json = field(repr=False)
    session: requests.Session = field(repr=False)
    types: IntygTypes = field(repr=False)
    token: str | None = field(default=None, repr=False)

    def read(self, intygs_id: str) -> Json:
        """Look at a draft."""
        return self._ask("GET", f"/{intygs_id}")

    def fill(self, intygs_id: str, at: datetime, answers: Mapping[str, Any] | None = None) -> Json:
        """
        Write an example that breaks no rule of the type, with unit and address.

        Args:
            at: Dates in the example are around it; Swedish local time.
            answers: Of these questions in place of the example's; None leaves a question out.
        """
        shown = self.read(intygs_id)
        every = {**self._example(shown, at), **(answers or {})}
        known = {svar_id: one for svar_id, one in every.items() if one is not None}
        return self.write(shown, known)

    def write(self, shown: Json, answers: Mapping[str, Any]) -> Json:
        """Write these answers and no others into a draft that was read."""
        author = shown["intyg"]["skapadAv"]
        enhet = {**author["enhet"], **self.author["enhet"]}
        content = {"skapadAv": {**author, "enhet": enhet}, "svar": answers}
        return self._ask("PUT", f"/{shown['intygsId']}", content, shown["version"])

    def act(self, intygs_id: str, what: str, body: Mapping[str, Any] | None = None) -> Json:
        """`ready`, `sign`, `revoke`, `launch`, …"""
        return self._ask("POST", f"/{intygs_id}/{what}", body or {})

    def delete(self, intygs_id: str) -> None:
        """Delete it."""
        self._ask("DELETE", f"/{intygs_id}")

    def made_from(self, source: str, way: str, wish: Mapping[str, Any] | None = None) -> Json:
        """A new one from a certificate or a locked draft, one of `WAYS`."""
        return self._ask("POST", f"/{source}/{way}", {"skapadAv": self.author, **(wish or {})})

    def _example(self, shown: Json, at: datetime) -> Json:
        intyg_type = self.types.find(shown["typ"], shown["typversion"])
        person = shown["intyg"]["patient"]["person-id"]["extension"]
        request = example(intyg_type, signed_at=at, size=Size.MINIMAL, person_id=person)
        return _answers_of(request[-1])

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> Json:
        __tracebackhide__ = True
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        response = self.session.request(
            method,
            f"{self.url}/api/utkast{path}",
            json=body,
            params=None if path.endswith("/launch") else self._by,
            headers=headers,
            timeout=_DEADLINE,
        )
        answered: Json = response.json() if response.content else {}
        if not response.ok:
            raise DraftError(f"{method} /api/utkast{path}", response.status_code, answered)
        return answered

    @property
    def _by(self) -> dict[str, str]:
        hsa_id: str = self.author["personal-id"]["extension"]
        return {"hanteratAv": hsa_id, "namn": self.author["fullstandigtNamn"]}


def _answers_of(intyg: etree._Element) -> Json:
    """The answers of a certificate, every question as a list of rows."""
    answers: Json = {}
    for svar in intyg.iterfind("{*}svar"):
        row = {part.get("id", ""): _value(part) for part in svar.iterfind("{*}delsvar")}
        answers.setdefault(svar.get("id", ""), []).append(row)
    return answers


def _value(part: etree._Element) -> Any:
    if len(part) == 0:
        return part.text or ""
    return {etree.QName(child).localname: child.text or "" for child in part[0]}
