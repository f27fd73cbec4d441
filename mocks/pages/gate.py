"""What stands before the pages: it makes the site when somebody first looks."""

import secrets
from functools import cached_property
from typing import TYPE_CHECKING, Final
from wsgiref.types import WSGIEnvironment

from werkzeug.wrappers import Response

from intyg.mocks.control.gate import Guarded
from intyg.mocks.control.operation import MOCK

if TYPE_CHECKING:  # Flask takes a tenth of a second to import, and most mocks in tests show nothing
    from intyg.mocks.pages.site import MockSite

PREFIX: Final = "/mock"


def is_page(path: str) -> bool:
    """Whether a path is one of the pages'."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


class Pages:
    """The pages of mocks that were started together; whichever of them is asked answers for all."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def respond(self, environ: WSGIEnvironment, mock: Guarded) -> Response:
        """Answer for a mock and its fellows."""
        return Response.from_app(self._site, {**environ, MOCK: mock})

    def login_path(self) -> str:
        """A path that lets somebody in, once."""
        return self._site.login_path()

    @cached_property
    def _site(self) -> "MockSite":
        from intyg.mocks.pages.site import MockSite

        return MockSite(self._secret)
