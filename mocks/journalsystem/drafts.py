"""How the EHR speaks of drafts: over REST, with certificates as JSON.

The JSON is made here from an example's XML, and not by the code of whoever is spoken to.
"""

from collections.abc import Mapping
from typing import Any, Final

import requests
from lxml import etree

_DEADLINE: Final = 30.0


class DraftsClient:
    """
    Calls `/api/utkast` of an adapter.

    Args:
        url: Of the adapter, without a path.
        by: HSA-id and name of who does it.
        session: Over which it calls.
    """

    def __init__(self, url: str, by: tuple[str, str], session: requests.Session) -> None:
        self._url = f"{url.rstrip('/')}/api/utkast"
        self._by = {"hanteratAv": by[0], "namn": by[1]}
        self._session = session

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """HTTP status and the JSON of an answer; empty where it has none."""
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        response = self._session.request(
            method,
            f"{self._url}{path}",
            json=body,
            params=self._by,
            headers=headers,
            timeout=_DEADLINE,
        )
        answered: dict[str, Any] = response.json() if response.content else {}
        return response.status_code, answered


def answers_of(intyg: etree._Element) -> dict[str, Any]:
    """The answers of a certificate, every question as a list of rows."""
    answers: dict[str, Any] = {}
    for svar in intyg.iterfind("{*}svar"):
        row = {part.get("id", ""): _value(part) for part in svar.iterfind("{*}delsvar")}
        answers.setdefault(svar.get("id", ""), []).append(row)
    return answers


def _value(part: etree._Element) -> Any:
    if len(part) == 0:
        return part.text or ""
    return {etree.QName(child).localname: child.text or "" for child in part[0]}
