"""The commands about certificate types: `intyg types`, `type`, `example` and `render`."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from lxml import etree
from rich.console import Console
from rich.table import Table

from intyg.adapter.cli.options import (
    DAY,
    TypesOption,
    fail,
    known_types,
    swedish_now,
)
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.formats import safe_xml
from intyg.schemas.examples.breaking import broken
from intyg.schemas.examples.draft import (
    Draft,
    Frame,
    request_bytes,
    request_element,
)
from intyg.schemas.examples.example import (
    PERSON,
    SIGNER,
    ExampleError,
    Size,
    Workshop,
    frame_of,
)
from intyg.schemas.export.outline import ROLES, outline, usage_in_words
from intyg.schemas.export.render import render as rendered
from intyg.schemas.intyg_model import IntygHeader, IntygType
from intyg.schemas.typefile.lookup import IntygTypes, UnknownTypeError

NameArgument = Annotated[
    str, typer.Argument(metavar="TYPE", help="FK7804, LISJP, 7443: any name of the type.")
]
VersionOption = Annotated[str | None, typer.Option(help="Default: the newest.")]
OutputOption = Annotated[Path | None, typer.Option("-o", help="Default: standard output.")]

_WIDE = 200  # columns of the table where no terminal says how wide it is


def types(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    types_dir: TypesOption = None,
) -> None:
    """List the certificate types."""
    headers = known_types(types_dir).headers()
    if as_json:
        for header in headers:
            typer.echo(json.dumps(_as_json(header), ensure_ascii=False))
    else:
        _print_table(headers)


def type_(
    name: NameArgument,
    version: VersionOption = None,
    rules: Annotated[
        bool, typer.Option("--rules", help="Also everything that is checked, by rule id.")
    ] = False,
    types_dir: TypesOption = None,
) -> None:
    """Show a certificate type: what it is and what it asks."""
    for line in outline(lookup(known_types(types_dir), name, version), rules=rules):
        typer.echo(line)


def example(
    name: NameArgument,
    version: VersionOption = None,
    minimal: Annotated[
        bool, typer.Option("--minimal", help="Nothing that can be left out.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="As much as goes together; the default.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Another one gives another certificate.")] = 0,
    break_: Annotated[
        str | None,
        typer.Option("--break", metavar="RULE", help="Break this rule, R21, and no other."),
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="The patient, 12 digits; default: a test person.")
    ] = None,
    signer: Annotated[str | None, typer.Option(help="HSA-id of who signs.")] = None,
    intygs_id: Annotated[
        str | None, typer.Option("--id", help="Default: made from type, size and seed.")
    ] = None,
    signed_at: Annotated[
        datetime | None,
        typer.Option(help="Swedish local time; default: now, on the day of --today."),
    ] = None,
    today: Annotated[
        datetime | None,
        typer.Option(
            formats=DAY, help="For rules that depend on it; default: the day of --signed-at."
        ),
    ] = None,
    output: OutputOption = None,
    types_dir: TypesOption = None,
) -> None:
    """Write an unsigned RegisterCertificate request with invented contents."""
    if minimal and full:
        fail("give one of --minimal and --full")
    if person is not None and not (len(person) == 12 and person.isdecimal()):
        fail("--person: 12 digits are needed")
    intyg_type = lookup(known_types(types_dir), name, version)
    now = signed_at or swedish_now()
    day = (today or now).date()
    size = Size.MINIMAL if minimal else Size.FULL
    frame = frame_of(
        intyg_type,
        signed_at or datetime.combine(day, now.time()),
        seed=f"{size}/{seed}/{break_ or ''}",
        version=_text_version(intyg_type, version),
        intygs_id=intygs_id,
        person_id=person or PERSON,
        signer=signer or SIGNER,
    )
    workshop = Workshop(intyg_type, day)
    try:
        if break_ is None:
            draft = workshop.draft(frame, size, seed)
        else:
            draft = _broken(workshop, frame, break_, seed)
        written = request_bytes(request_element(intyg_type, draft))
    except ExampleError as exc:
        fail(str(exc), 1)
    except ValueError:
        fail("--id and --signer: characters that XML cannot hold")
    write(written, output)


def render(
    file: Annotated[
        Path, typer.Argument(help="Envelope, request or bare intyg; - is standard input.")
    ],
    html: Annotated[bool, typer.Option("--html", help="As a HTML page.")] = False,
    output: OutputOption = None,
    types_dir: TypesOption = None,
) -> None:
    """Show a certificate as a person reads it. It need not be valid."""
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        root = safe_xml.parse(data).getroot()
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
            fail(f"{file}: {exc}", 1)
    text = "\n".join(page.as_html() if html else page.as_text() for page in pages)
    write(text.encode(), output)


def _broken(workshop: Workshop, frame: Frame, rule: str, seed: int) -> Draft:
    """A draft that breaks a rule, given with or without its type."""
    intyg_type = workshop.intyg_type
    rule_id = rule.removeprefix(f"{intyg_type.key}/")
    try:
        return broken(workshop, frame, f"{intyg_type.key}/{rule_id}", seed)
    except KeyError:
        if rule_id in intyg_type.same_as:
            checked = " and ".join(intyg_type.same_as[rule_id])
            fail(f"{rule_id} is checked as {checked}; break one of those", 1)
        if rule_id in intyg_type.not_checked:
            fail(f"{rule_id} is not checked: {intyg_type.not_checked[rule_id]}", 1)
        fail(f"{intyg_type.key} has no rule {rule_id}; intyg type --rules shows those it has")


def lookup(known: IntygTypes, name: str, version: str | None) -> IntygType:
    try:
        return known.lookup(name, version)
    except UnknownTypeError as exc:
        fail(str(exc))


def _text_version(intyg_type: IntygType, version: str | None) -> str | None:
    """The version to write, where one of the XML's own was asked for: 1.2, not 1."""
    asked_for = version in intyg_type.xml_versions and version != intyg_type.version
    return version if asked_for else None


def _typ(intyg: etree._Element) -> str:
    return intyg.findtext("{*}typ/{*}code") or ""


def _version(intyg: etree._Element) -> str:
    return intyg.findtext("{*}version") or ""


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


def write(data: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        return
    try:
        output.write_bytes(data)
    except OSError as exc:
        fail(f"{output}: {exc.strerror}")
