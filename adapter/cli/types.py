"""The command `intyg types`."""

from typing import Any, Final

from rich.console import Console
from rich.table import Table

from intyg.adapter.cli.options import JsonOption, TypesOption, known_types
from intyg.adapter.cli.terminal import print_json
from intyg.schemas.export.outline import ROLES, usage_in_words
from intyg.schemas.intyg_model import IntygHeader

_WIDE: Final = 200  # columns of the table where no terminal says how wide it is


def types(
    as_json: JsonOption = False,
    types_dir: TypesOption = None,
) -> None:
    """List the certificate types."""
    headers = known_types(types_dir).headers()
    if as_json:
        for header in headers:
            print_json(_as_json(header))
    else:
        _print_table(headers)


def _as_json(header: IntygHeader) -> dict[str, Any]:
    return {
        "code": header.code,
        "version": header.version,
        "name": header.name,
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


def _print_table(headers: tuple[IntygHeader, ...]) -> None:
    table = Table("form", "version", "in the XML", "former", "name", "recipient", "signed by")
    table.columns[4].overflow = "fold"
    for heading in ("asked by recipient", "asked by care", "sent on signing", "may be"):
        table.add_column(heading)
    for header in headers:
        table.add_row(
            header.code,
            header.version,
            f"{header.xml_code} {', '.join(header.xml_versions)}",
            ", ".join(header.former),
            header.name,
            header.recipient or "-",
            ", ".join(ROLES[role] for role in header.signs),
            " ".join(header.messages.incoming) or "-",
            " ".join(header.messages.care) or "-",
            "yes" if header.sent_on_signing else "no",
            usage_in_words(header),
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    console.print(table, markup=False)
