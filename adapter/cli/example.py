"""The command `intyg example`: a certificate to try with, whole or broken by one rule."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Final

from lxml import etree

from intyg.adapter.cli import example_options as options
from intyg.adapter.cli import example_request as requests
from intyg.adapter.cli.options import (
    JsonOption,
    OutputOption,
    TypesOption,
    VersionOption,
    known_types,
    lookup,
    swedish_now,
)
from intyg.adapter.cli.terminal import fail, write
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.examples.breaking import broken
from intyg.schemas.examples.draft import Draft, Frame, request_bytes, request_element
from intyg.schemas.examples.example import (
    PERSON,
    SIGNER,
    ExampleError,
    Size,
    Workshop,
    frame_of,
)
from intyg.schemas.intyg_model import IntygType

USUAL_TYPE: Final = "FK7804"


@dataclass(frozen=True)
class Asked:
    """The options, by their names in the signature of `example`."""

    name: str
    version: str | None
    minimal: bool
    full: bool
    seed: int
    break_: str | None
    person: str | None
    signer: str | None
    intygs_id: str | None
    signed_at: datetime | None
    today: datetime | None
    output: Path | None
    as_json: bool
    types_dir: Path | None
    unit: str | None
    relation: str | None
    svar_pa: str | None
    envelope: str | None
    type_: str | None
    to: str | None
    part: str | None
    amne: str | None
    text: str | None
    frage_id: str | None
    last_day: str | None
    reminds: str | None
    meddelande_id: str | None
    status: str | None
    handelse: str | None
    ref: str | None
    archived: str | None

    def only(self, names: Iterable[str]) -> dict[str, str | None]:
        """Some of them."""
        return {name: getattr(self, name) for name in names}


def example(
    name: options.Name = USUAL_TYPE,
    version: VersionOption = None,
    minimal: options.Minimal = False,
    full: options.Full = False,
    seed: options.Seed = 0,
    break_: options.Break = None,
    person: options.Person = None,
    signer: options.Signer = None,
    intygs_id: options.IntygsId = None,
    signed_at: options.SignedAt = None,
    today: options.Today = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
    types_dir: TypesOption = None,
    unit: options.Unit = None,
    relation: options.Relation = None,
    svar_pa: options.SvarPa = None,
    envelope: options.Envelope = None,
    type_: options.Type = None,
    to: options.To = None,
    part: options.Part = None,
    amne: options.Amne = None,
    text: options.Text = None,
    frage_id: options.FrageId = None,
    last_day: options.LastDay = None,
    reminds: options.Reminds = None,
    meddelande_id: options.MeddelandeId = None,
    status: options.Status = None,
    handelse: options.Handelse = None,
    ref: options.Ref = None,
    archived: options.Archived = None,
) -> None:
    """
    Write an unsigned RegisterCertificate request with invented contents.

    Made for `intyg example | intyg sign | intyg send`. With the name of another contract: a request
    of that one, as `intyg example RevokeCertificate --intygs-id ID`.
    """
    asked = Asked(**locals())  # typer wants each option in the signature, and nobody else does
    if minimal and full:
        fail("give one of --minimal and --full")
    if person is not None and not (len(person) == 12 and person.isdecimal()):
        fail("--person: 12 digits are needed")
    contracts = Contracts()
    contract = requests.contract_called(contracts, name, version)
    if contract is None and type_ is not None:
        fail(f"--type: {name} is a type, or no contract's name")
    _write(asked, contracts, contract)


def _write(asked: Asked, contracts: Contracts, contract: Contract | None) -> None:
    """The request of a contract, or of a type; ends the command where there can be none."""
    if contract is not None:
        asked = replace(asked, name=asked.type_ or USUAL_TYPE, version=None)
    intyg_type = lookup(known_types(asked.types_dir), asked.name, asked.version)
    now = asked.signed_at or swedish_now()
    day = (asked.today or now).date()
    size = Size.MINIMAL if asked.minimal else Size.FULL
    frame = _frame(asked, intyg_type, asked.signed_at or datetime.combine(day, now.time()), size)
    certificate = partial(_certificate, intyg_type, day, frame, size, asked.seed, asked.break_)
    told = asked.only(requests.TOLD)
    try:
        if contract is None or contract.name == requests.CERTIFICATE:
            requests.only_of_certificates(told, asked.relation)
            written = request_bytes(certificate())
        elif asked.break_ is not None or asked.relation is not None:
            fail("--break and --relation: only certificates have rules and relations")
        else:
            written = requests.request_of(contracts, contract, frame, intyg_type, certificate, told)
    except ExampleError as exc:
        fail(str(exc), 1)
    except ValueError:
        fail("an option holds characters that XML cannot hold")
    facts = _facts(intyg_type, frame) if asked.as_json else None
    write(requests.enveloped(written, asked.envelope), asked.output, facts)


def _frame(asked: Asked, intyg_type: IntygType, signed_at: datetime, size: Size) -> Frame:
    frame = frame_of(
        intyg_type,
        signed_at,
        seed=f"{size}/{asked.seed}/{asked.break_ or ''}",
        version=_text_version(intyg_type, asked.version),
        intygs_id=asked.intygs_id or str(uuid.uuid4()),
        person_id=asked.person or PERSON,
        signer=asked.signer or SIGNER,
        parent=requests.parent_of(asked.relation, asked.svar_pa),
    )
    return replace(frame, unit=asked.unit or frame.unit)


def _facts(intyg_type: IntygType, frame: Frame) -> dict[str, object]:
    return {
        "type": intyg_type.code,
        "version": frame.version,
        "intygs_id": frame.intygs_id,
        "signer": frame.signer,
    }


def _certificate(
    intyg_type: IntygType, day: date, frame: Frame, size: Size, seed: int, rule: str | None
) -> etree._Element:
    """A RegisterCertificate request, which breaks a rule if one is named."""
    workshop = Workshop(intyg_type, day)
    if rule is None:
        return request_element(intyg_type, workshop.draft(frame, size, seed))
    return request_element(intyg_type, _broken(workshop, frame, rule, seed))


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


def _text_version(intyg_type: IntygType, version: str | None) -> str | None:
    """The version to write, where one of the XML's own was asked for: 1.2, not 1."""
    asked_for = version in intyg_type.xml_versions and version != intyg_type.version
    return version if asked_for else None
