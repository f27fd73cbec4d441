"""Which application a path is for."""

from typing import Any
from unittest.mock import Mock

import pytest

from intyg.adapter.httpd.mount import Mount


def _app(name: str) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [f"{name} {environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]

    return app


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/services/a/b", "soap /services /a/b"),
        ("//services//a/b", "soap /services //a/b"),
        ("///services", "soap /services "),
        ("/servicesx", "rest  /servicesx"),
        ("//api/intyg//a", "rest  /api/intyg//a"),
    ],
)
def test_a_path_is_of_one_application(path: str, told: str) -> None:
    mount = Mount({"/services": _app("soap"), "": _app("rest")})
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path}
    start = Mock()
    assert list(mount(environ, start)) == [told.encode()]
