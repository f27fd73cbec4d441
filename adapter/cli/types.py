"""The command `intyg types`."""

import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from intyg.adapter.cli.options import JsonOption, TypesOption, known_types, lookup
from intyg.adapter.cli.terminal import print_json
from intyg.schemas.intyg_model import IntygHeader
from intyg.schemas.typefile.lookup import IntygTypes

_NARROW: Final = 80  # columns of the table where no terminal says how wide it is
_COLUMNS: Final = "{:<10} {:<7}  {:<14}{:<9}"


def types(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[TYPE]...", help="Only these; any name of each.")
    ] = None,
    as_json: JsonOption = False,
    types_dir: TypesOption = None,
) -> None:
    """List the certificate types."""
    headers = _headers(known_types(types_dir), names or [])
    if as_json:
        for header in headers:
            print_json(header_as_json(header))
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _NARROW
    typer.echo("\n".join(_table(headers, width)))


def _headers(known: IntygTypes, names: list[str]) -> tuple[IntygHeader, ...]:
    """All, or every version of those that are named."""
    codes = {lookup(known, name, None).code for name in names}
    return tuple(header for header in known.headers() if not names or header.code in codes)


def header_as_json(header: IntygHeader) -> dict[str, Any]:
    """What is known of a type without its questions; the contract's words as they are."""
    return {
        "code": header.code,
        "version": header.version,
        "name": header.name,
        "engine": header.engine,
        "former": header.former,
        "aliases": header.aliases,
        "xml_code": header.xml_code,
        "xml_system": header.xml_system,
        "xml_versions": header.xml_versions,
        "recipient": header.recipient,
        "signs": header.signs,
        "messages_from_recipient": header.messages.incoming,
        "messages_from_care": header.messages.care,
        "sent_on_signing": header.sent_on_signing,
        "sent_on_complement": header.sent_on_complement,
        "may_register": header.usage.register,
        "may_renew": header.usage.renew,
        "may_send": header.usage.send,
        "replaced_by": header.usage.replaced_by,
        "note": header.usage.note,
        "national_rules": header.national_rules,
    }


def _table(headers: tuple[IntygHeader, ...], width: int) -> Iterator[str]:
    """A line a type, with more where its name needs them; `intyg type` tells the rest."""
    yield _COLUMNS.format("form", "version", "in the XML", "sent to") + "name"
    indent = " " * len(_COLUMNS.format("", "", "", ""))
    for header in headers:
        first = _COLUMNS.format(
            header.code, header.version, header.xml_code, header.recipient or "-"
        )
        name = f"{header.name}{_end(header)}"
        yield textwrap.fill(
            name, max(width, _NARROW), initial_indent=first, subsequent_indent=indent
        )


def _end(header: IntygHeader) -> str:
    """What somebody who chooses a type must know: that it is none to be chosen."""
    if not header.usage.replaced_by:
        return ""
    newer = header.usage.replaced_by == header.code
    return f" (replaced by {'a newer version' if newer else header.usage.replaced_by})"
