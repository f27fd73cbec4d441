"""In which line of a settings file something stands."""

import tomllib
from typing import Any

import pytest

from intyg.adapter.settings.toml_lines import Place, TomlLines

TEXT = '''\
environment = "demo"   # [not a table]
"quoted key" = """
[server]
port = 1
"""
list = [
  "a]", # [
  "b",
]
server.host = "x"
[server.tls]
cert = 'a#b'
inline = { port = 1, host = "h" }

[destinations."fk.se"]
url = "http://a"
[[routes]]
contract = "*"
[[routes]]
logical_address = """a
b"""
destination = "fk"
[routes.more]
x = 1
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("environment",), 1),
        (("quoted key",), 2),
        (("list",), 6),
        (("list", 1), 6),  # of what is around it
        (("server",), 10),
        (("server", "host"), 10),
        (("server", "tls"), 11),
        (("server", "tls", "cert"), 12),
        (("server", "tls", "inline", "port"), 13),
        (("destinations", "fk.se", "url"), 16),
        (("routes", 0), 17),
        (("routes", 0, "contract"), 18),
        (("routes", 1), 19),
        (("routes", 1, "destination"), 22),
        (("routes", 1, "more", "x"), 24),
        (("routes", 1, "missing"), 19),
        (("nothing", "of", "it"), None),
        ((), None),
    ],
)
def test_each_place_has_its_line(place: Place, line: int | None) -> None:
    assert TomlLines(TEXT).line(place) == line


def test_every_key_of_the_text_has_a_line_that_names_it() -> None:
    """Compared with what the standard library reads of the same text."""
    lines, texts = TomlLines(TEXT), TEXT.splitlines()

    def walk(value: Any, place: Place) -> None:
        for key, inner in value.items():
            line = lines.line((*place, key))
            assert line is not None
            assert key in texts[line - 1]
            for number, each in enumerate(inner if isinstance(inner, list) else [inner]):
                if isinstance(each, dict):
                    walk(each, (*place, key, number) if isinstance(inner, list) else (*place, key))

    walk(tomllib.loads(TEXT), ())
