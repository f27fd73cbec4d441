"""The command `intyg render`."""

from pathlib import Path
from typing import Annotated

import typer
from lxml import etree

from intyg.adapter.cli.options import (
    JsonOption,
    OutputOption,
    TypesOption,
    known_types,
    unknown_in_message,
)
from intyg.adapter.cli.terminal import fail, read, write
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.formats import safe_xml
from intyg.schemas.export.render import render as rendered
from intyg.schemas.typefile.lookup import UnknownTypeError


def render(
    file: Annotated[
        Path, typer.Argument(help="Envelope, request or bare intyg; - is standard input.")
    ],
    html: Annotated[bool, typer.Option("--html", help="As a HTML page.")] = False,
    output: OutputOption = None,
    as_json: JsonOption = False,
    types_dir: TypesOption = None,
) -> None:
    """Show a certificate as a person reads it. It need not be valid."""
    try:
        root = safe_xml.parse(read(file)).getroot()
    except OSError as exc:
        fail(f"{file}: {exc.strerror}")
    except AdapterError as exc:
        fail(f"{file}: {exc.text}", 1)
    found = [element for element in root.iter("{*}intyg") if _typ(element)]
    if not found:
        fail(f"{file}: there is no intyg in it", 1)
    known = known_types(types_dir)
    pages = []
    for intyg in found:
        try:
            pages.append(rendered(known.find(_typ(intyg), _version(intyg)), intyg))
        except UnknownTypeError as exc:
            fail(f"{file}: {unknown_in_message(known, exc)}", 1)
    text = "\n".join(page.as_html() if html else page.as_text() for page in pages)
    facts = {"file": str(file), "format": "html" if html else "text"}
    write(text.encode(), output, facts if as_json else None)


def _typ(intyg: etree._Element) -> str:
    return intyg.findtext("{*}typ/{*}code") or ""


def _version(intyg: etree._Element) -> str:
    return intyg.findtext("{*}version") or ""
