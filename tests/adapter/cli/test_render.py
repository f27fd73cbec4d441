"""`intyg render`."""

from pathlib import Path

import pytest
from lxml import etree

from tests.adapter.cli.calls import run

AT = "2026-11-23T09:30:00"


@pytest.mark.parametrize("form", ["request", "envelope", "intyg"])
def test_render_takes_any_message_with_an_intyg(form: str, tmp_path: Path) -> None:
    request = etree.fromstring(run("example", "DB", "--signed-at", AT).stdout_bytes)
    element = request[-1] if form == "intyg" else request
    if form == "envelope":
        soap = "http://schemas.xmlsoap.org/soap/envelope/"
        element = etree.Element(f"{{{soap}}}Envelope")
        etree.SubElement(element, f"{{{soap}}}Body").append(request)
    file = tmp_path / "message.xml"
    file.write_bytes(etree.tostring(element))
    result = run("render", str(file))
    assert result.exit_code == 0
    assert result.stdout.startswith("DB dödsbevis\n")
    assert "DÖDSDATUM OCH DÖDSPLATS" in result.stdout


def test_render_writes_html_and_reads_standard_input() -> None:
    request = run("example", "FK7804", "--signed-at", AT).stdout_bytes
    result = run("render", "-", "--html", stdin=request)
    assert result.exit_code == 0
    assert result.stdout.startswith("<!DOCTYPE html>")
    assert result.stdout.count("<!DOCTYPE") == 1


@pytest.mark.parametrize(
    ("data", "exit_code", "words"),
    [
        pytest.param(b"<a/>", 1, "no intyg", id="something else"),
        pytest.param(b"<a", 1, "XML", id="not XML"),
        pytest.param(
            b"<intyg><typ><code>LISJP</code></typ><version>9</version></intyg>",
            1,
            "unknown certificate type LISJP version 9",
            id="unknown version",
        ),
    ],
)
def test_render_says_what_it_cannot_show(
    data: bytes, exit_code: int, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "message.xml"
    file.write_bytes(data)
    result = run("render", str(file))
    assert result.exit_code == exit_code
    assert words in result.stderr


def test_render_of_a_missing_file_says_so() -> None:
    result = run("render", "/nowhere/x.xml")
    assert result.exit_code == 2
    assert "No such file" in result.stderr
