"""The command `intyg example`: a certificate to try with, whole or broken by one rule."""

import uuid
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Annotated, Final

import typer
from lxml import etree

from intyg.adapter.cli import example_request as requests
from intyg.adapter.cli.options import (
    DAY,
    OutputOption,
    TypesOption,
    VersionOption,
    known_types,
    lookup,
    swedish_now,
)
from intyg.adapter.cli.terminal import fail, write
from intyg.schemas.contract.contract import Contracts
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


def example(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TYPE", help="FK7804, LISJP, 7443: any name of the type; or a contract's."
        ),
    ] = USUAL_TYPE,
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
    signer: Annotated[
        str | None, typer.Option(help="HSA-id of who signs; default: the test key's owner.")
    ] = None,
    intygs_id: Annotated[
        str | None, typer.Option("--id", "--intygs-id", help="Default: a new one each time.")
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
    unit: requests.Unit = None,
    relation: requests.Relation = None,
    svar_pa: requests.SvarPa = None,
    envelope: requests.Envelope = None,
    type_: requests.Type = None,
    to: requests.To = None,
    part: requests.Part = None,
    amne: requests.Amne = None,
    text: requests.Text = None,
    frage_id: requests.FrageId = None,
    last_day: requests.LastDay = None,
    reminds: requests.Reminds = None,
    meddelande_id: requests.MeddelandeId = None,
    status: requests.Status = None,
    handelse: requests.Handelse = None,
    ref: requests.Ref = None,
    archived: requests.Archived = None,
) -> None:
    """
    Write an unsigned RegisterCertificate request with invented contents.

    Made for `intyg example | intyg sign | intyg send`. With the name of another contract: a request
    of that one, as `intyg example RevokeCertificate --intygs-id ID`.
    """
    if minimal and full:
        fail("give one of --minimal and --full")
    if person is not None and not (len(person) == 12 and person.isdecimal()):
        fail("--person: 12 digits are needed")
    told = {"to": to, "part": part, "amne": amne, "text": text, "status": status, "ref": ref}
    told |= {"svar_pa": svar_pa, "reminds": reminds, "frage_id": frage_id, "last_day": last_day}
    told |= {"meddelande_id": meddelande_id, "handelse": handelse, "archived": archived}
    contracts = Contracts()
    contract = requests.contract_called(contracts, name, version)
    if contract is not None:
        name, version = type_ or USUAL_TYPE, None
    elif type_ is not None:
        fail(f"--type: {name} is a type, or no contract's name")
    intyg_type = lookup(known_types(types_dir), name, version)
    now = signed_at or swedish_now()
    day = (today or now).date()
    size = Size.MINIMAL if minimal else Size.FULL
    frame = frame_of(
        intyg_type,
        signed_at or datetime.combine(day, now.time()),
        seed=f"{size}/{seed}/{break_ or ''}",
        version=_text_version(intyg_type, version),
        intygs_id=intygs_id or str(uuid.uuid4()),
        person_id=person or PERSON,
        signer=signer or SIGNER,
        parent=requests.parent_of(relation, svar_pa),
    )
    frame = replace(frame, unit=unit or frame.unit)
    certificate = partial(_certificate, intyg_type, day, frame, size, seed, break_)
    try:
        if contract is None or contract.name == requests.CERTIFICATE:
            requests.only_of_certificates(told, relation)
            written = request_bytes(certificate())
        elif break_ is not None or relation is not None:
            fail("--break and --relation: only certificates have rules and relations")
        else:
            written = requests.request_of(contracts, contract, frame, intyg_type, certificate, told)
    except ExampleError as exc:
        fail(str(exc), 1)
    except ValueError:
        fail("an option holds characters that XML cannot hold")
    write(requests.enveloped(written, envelope), output)


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
