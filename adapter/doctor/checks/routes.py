"""Rows of routes and permissions: the same look for `intyg route check` and `intyg doctor`."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pydantic

from intyg.adapter.doctor.checks.callers import permission_remarks
from intyg.adapter.doctor.checks.check import Facts, Remark
from intyg.adapter.doctor.checks.destinations import (
    destination_remarks,
    recipient_remarks,
    tls_remarks,
)
from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.environment import Environment
from intyg.adapter.routing.check_rows import (
    SERIOUS,
    UNKNOWN_CONTRACT,
    RouteFinding,
    check_routing,
    file_with_rows,
    read_tables,
    unknown_contracts,
)
from intyg.adapter.settings.files import TomlFileError, anchored, open_toml
from intyg.adapter.settings.routing import RoutingSettings
from intyg.adapter.settings.settings import RecipientSettings
from intyg.adapter.settings.toml_lines import TomlLines

_TODO: Final = {
    "ambiguous": "take one of them out, or let one end before the other begins",
    "duplicate": "take one of them out",
    "shadowed": "take it out, or write what it is an exception to",
    "expired": "take it out, or set valid_to anew",
    "unused": "write a route to it, or take it out",
    "no address": "set its url; until then nothing is sent there",
    "white space": "write the address as it is sent, without blanks around it",
    "no sender": "write the HSA-id that stands in the caller's certificate",
    "no route": "write a route for its logical address; until then nothing is sent to it",
}


def contracts(facts: Facts) -> Iterator[Remark]:
    """Asked at the start: what names no contract is never found, and nobody would notice."""
    lines, where = _source(facts)
    for found in unknown_contracts(facts.settings.routing, contract_names(facts), lines):
        yield Remark(_placed(found, where), "write it as its WSDL does: intyg wsdl lists them")


def routes(facts: Facts) -> Iterator[Remark]:
    lines, where = _source(facts)
    recipients = {(part, one.logical_address) for part, one in facts.settings.recipients.items()}
    today = swedish_day(facts.clock())
    names = contract_names(facts)
    for found in check_routing(facts.settings.routing, names, today, lines, sorted(recipients)):
        if found.code != UNKNOWN_CONTRACT:  # told by `contracts`
            yield Remark(_placed(found, where), _TODO.get(found.code, ""), found.code in SERIOUS)


def contract_names(facts: Facts) -> frozenset[str]:
    """What a row may name beside `*`."""
    return frozenset(contract.name for contract in facts.contracts.all())


def _source(facts: Facts) -> tuple[TomlLines, Path | None]:
    path = facts.settings.rows_file
    try:
        return (open_toml(path).lines if path else TomlLines("")), path
    except TomlFileError:  # it has changed since it was read
        return TomlLines(""), path


def _placed(found: RouteFinding, path: Path | None) -> str:
    return f"{path}:{found.line}: {found.text}" if path and found.line else found.text


def check_routes_file(
    path: Path, contracts: Collection[str], today: date
) -> tuple[Path, list[RouteFinding]]:
    """
    Check a routes file, or the tables of a settings file, or the file that it names for them.

    Of a settings file it is known in addition for which environment, and who the recipients are:
    what the adapter would refuse there is found, too.

    Args:
        contracts: Names of all contracts there are.

    Returns:
        The file that holds the rows, and the findings by line; none when all is well.

    Raises:
        OSError: The file cannot be read.
    """
    file = file_with_rows(path)
    tables = read_tables(file)
    if tables.routing is None:
        return file, list(tables.faults)
    settings = _values(path)
    recipients = settings.get("recipients", {})
    known = [
        (part, one["logical_address"])
        for part, one in (recipients.items() if isinstance(recipients, dict) else ())
        if isinstance(one, dict) and isinstance(one.get("logical_address"), str)
    ]
    found = check_routing(tables.routing, contracts, today, tables.lines, known)
    if settings.get("environment") in set(Environment):
        environment = Environment(settings["environment"])
        routing = anchored(tables.routing, file.parent)
        found += _refused(routing, environment, _recipients(recipients), tables.lines)
    return file, sorted(found, key=lambda finding: finding.line or 0)


def _values(path: Path) -> dict[str, Any]:
    try:
        return open_toml(path).values
    except TomlFileError:
        return {}


def _recipients(values: object) -> Mapping[str, RecipientSettings]:
    """Those that can be read; what is wrong with the others is told of the settings."""
    try:
        return pydantic.TypeAdapter(dict[str, RecipientSettings]).validate_python(values)
    except pydantic.ValidationError:
        return {}


def _refused(
    routing: RoutingSettings,
    environment: Environment,
    recipients: Mapping[str, RecipientSettings],
    lines: TomlLines,
) -> Iterator[RouteFinding]:
    for name, one in routing.destinations.items():
        line = lines.line(("destinations", name))
        for remark in (*destination_remarks(name, one, environment), *tls_remarks(name, one)):
            yield _finding(remark, line)
    for place, row in enumerate(routing.permissions):
        for remark in permission_remarks([row], environment):
            yield _finding(remark, lines.line(("permissions", place)))
    for remark in recipient_remarks(recipients, routing):
        yield _finding(remark, None)


def _finding(remark: Remark, line: int | None) -> RouteFinding:
    text = f"{remark.text}; {remark.todo}"
    return RouteFinding("refused" if remark.refuses else "note", text, line)
