"""The options of `intyg example`, a word each for its signature."""

from datetime import datetime
from typing import Annotated, Final

import typer

from intyg.adapter.cli.options import DAY

# --- of a certificate -----------------------------------------------------------------------------

Name = Annotated[
    str,
    typer.Argument(
        metavar="TYPE", help="FK7804, LISJP, 7443: any name of the type; or a contract's."
    ),
]
Minimal = Annotated[bool, typer.Option("--minimal", help="Nothing that can be left out.")]
Full = Annotated[bool, typer.Option("--full", help="As much as goes together; the default.")]
Seed = Annotated[int, typer.Option(help="Another one gives another certificate.")]
Break = Annotated[
    str | None,
    typer.Option("--break", metavar="RULE", help="Break this rule, R21, and no other."),
]
Person = Annotated[str | None, typer.Option(help="The patient, 12 digits; default: a test person.")]
Signer = Annotated[
    str | None, typer.Option(help="HSA-id of who signs; default: the test key's owner.")
]
IntygsId = Annotated[
    str | None, typer.Option("--id", "--intygs-id", help="Default: a new one each time.")
]
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200


def _with_days_around_it(value: datetime | None) -> datetime | None:
    """An example has dates before and after its own."""
    if value is not None and not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise typer.BadParameter(f"the year must be {FIRST_YEAR} to {LAST_YEAR}")
    return value


SignedAt = Annotated[
    datetime | None,
    typer.Option(
        callback=_with_days_around_it,
        help="Swedish local time; default: now, on the day of --today.",
    ),
]
Today = Annotated[
    datetime | None,
    typer.Option(
        callback=_with_days_around_it,
        formats=DAY,
        help="For rules that depend on it; default: the day of --signed-at.",
    ),
]

Unit = Annotated[str | None, typer.Option(help="HSA-id of the care unit.")]
Relation = Annotated[
    str | None,
    typer.Option(metavar="CODE:ID", help="What it is to an older certificate: KOMPLT:ID."),
]
SvarPa = Annotated[str | None, typer.Option(help="Id of the message that is answered.")]
Envelope = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="As a SOAP message, to this logical address."),
]

_OTHERS: Final = "With the name of another contract"

Type = Annotated[
    str | None,
    typer.Option("--type", rich_help_panel=_OTHERS, help="Certificate type, where one is named."),
]
To = Annotated[
    str | None,
    typer.Option(rich_help_panel=_OTHERS, help="Whom it is for: part code, or logical address."),
]
Part = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Who asks or is concerned: FKASSA.")
]
Amne = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Subject of a message: KONTKT.")
]
Text = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Of a message, or why it is revoked.")
]
FrageId = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Question that KOMPLT asks about: 35.")
]
LastDay = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Last day for an answer, YYYY-MM-DD.")
]
Reminds = Annotated[
    str | None,
    typer.Option(rich_help_panel=_OTHERS, help="Id of the message that PAMINN reminds of."),
]
MeddelandeId = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Default: a new one each time.")
]
Status = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="State that is recorded: RECEIV.")
]
Handelse = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Event that care is told: SIGNAT.")
]
Ref = Annotated[str | None, typer.Option(rich_help_panel=_OTHERS, help="The EHR's own reference.")]
Archived = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="The archived ones: true or false.")
]
