"""Somebody who looks at the mocks' pages, without a browser."""

import html
import re
from typing import Any

from werkzeug.test import Client, TestResponse


class Looker:
    """Follows links and sends forms, as a browser without JavaScript does."""

    def __init__(self, mock: Any) -> None:
        self.client = Client(mock)

    def get(self, path: str, **more: Any) -> TestResponse:
        """A page that is there."""
        answer = self.client.get(path, **more)
        assert answer.status_code == 200, (path, answer.status_code, words(answer.text))
        return answer

    def text(self, path: str, **more: Any) -> str:
        """What a page says, without its markup."""
        return words(self.get(path, **more).text)

    def post(self, path: str, status: int = 303, **form: str) -> TestResponse:
        """Send a form of a page, and see what is answered."""
        page = self.client.get(path).text
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found is not None, page
        answer = self.client.post(path, data={"csrf": found[1], **form})
        assert answer.status_code == status, (answer.status_code, words(answer.text))
        return answer


def words(page: str) -> str:
    """The text of a page's main part."""
    main = re.sub(r"(?s)^.*<main.*?>|<footer.*$", "", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())
