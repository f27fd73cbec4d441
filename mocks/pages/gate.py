"""What stands before the pages: it makes the site when somebody first looks."""

import secrets
from functools import cached_property
from typing import TYPE_CHECKING
from wsgiref.types import WSGIEnvironment

from werkzeug.wrappers import Response

from intyg.mocks.control.gate import Guarded
from intyg.mocks.control.operation import MOCK
from intyg.mocks.pages.address import LOGIN
from intyg.mocks.pages.recorder import Recorder

if TYPE_CHECKING:  # Flask takes a tenth of a second to import, and most mocks in tests show nothing
    from intyg.mocks.pages.site import MockSite
    from intyg.pages.session import OnceLinks


class Pages:
    """The pages of mocks that were started together; whichever of them is asked answers for all."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._recorder = Recorder()

    def respond(self, environ: WSGIEnvironment, mock: Guarded) -> Response:
        """Answer for a mock and its fellows."""
        return Response.from_app(self._site, {**environ, MOCK: mock})

    def login_path(self) -> str:
        """A path that lets somebody in, once."""
        from intyg.pages.session import Visitor

        return f"{LOGIN}?once={self._links.make(Visitor('mock', 'operator'))}"

    @cached_property
    def _links(self) -> "OnceLinks":
        from intyg.pages.session import OnceLinks

        return OnceLinks()

    @cached_property
    def _site(self) -> "MockSite":
        from intyg.mocks.pages.site import MockSite

        return MockSite(self._secret, self._links, self._recorder)
