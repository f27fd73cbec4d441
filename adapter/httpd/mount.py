"""Several applications as one."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication

_SLASHES: Final = re.compile("^//+")


class Mount:
    """
    Applications, each under a path such as `/services` (or `` for the rest); is one itself.

    The longest path that fits wins; it moves from PATH_INFO to SCRIPT_NAME. Without one: 404. Paths
    begin with one slash, however many there are: clients append to addresses.
    """

    def __init__(self, apps: Mapping[str, WSGIApplication]) -> None:
        self._by_length = sorted(apps.items(), key=lambda item: -len(item[0]))
        self._text = f"Nothing here. There is: {', '.join(sorted(apps))}\n".encode()

    def find(self, environ: dict[str, Any]) -> WSGIApplication:
        """The application for a request; moves the path."""
        path = _SLASHES.sub("/", environ.get("PATH_INFO", ""))
        for prefix, app in self._by_length:
            if path == prefix or path.startswith(f"{prefix}/"):
                environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
                environ["PATH_INFO"] = path[len(prefix) :]
                return app
        return self._nothing

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        own = dict(environ)
        return self.find(own)(own, start_response)

    def _nothing(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        length = str(len(self._text))
        headers = [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", length)]
        start_response("404 Not Found", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self._text]
