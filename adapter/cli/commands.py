"""The one list of commands, and what `intyg --help` says.

By string, since each command is imported when it is called and not before: settings, database and
web pages take most of a second, which `intyg mocks` or `intyg validate` has no need of. So that
`intyg --help` is there at once, nothing here needs Typer either.
"""

import shutil
import textwrap
from typing import Final, NamedTuple


class Listed(NamedTuple):
    """
    A command in the list.

    Attributes:
        where: `module:name` of a function, or of a `Typer` with commands of its own.
        line: What `intyg --help` says of it: the first paragraph of its own help.
    """

    where: str
    line: str


COMMANDS: Final = {
    "serve": Listed(
        "intyg.adapter.cli.serve:serve",
        "Run the adapter until it is stopped. SIGHUP reads routes and certificates again.",
    ),
    "doctor": Listed(
        "intyg.adapter.cli.doctor:doctor",
        "Look at everything that must hold in this environment; sends nothing, changes nothing.",
    ),
    "route": Listed("intyg.adapter.cli.route:route", "Where messages go, and who may call."),
    "patient": Listed("intyg.adapter.cli.patient:patient", "Who is a test patient."),
    "blocked": Listed(
        "intyg.adapter.cli.blocked:blocked",
        "List what the guard blocked, newest first, and what it holds; by certificate, no person.",
    ),
    "deliveries": Listed(
        "intyg.adapter.cli.deliveries:deliveries",
        "What is on its way out: what waits and why, and sending again.",
    ),
    "backup": Listed(
        "intyg.adapter.cli.backup:backup",
        "Copy the SQLite database, whole, also beside an adapter that runs.",
    ),
    "statistics": Listed(
        "intyg.adapter.cli.statistics:statistics",
        "Count certificates, sick-leave cases and questions, as the national statistics do.",
    ),
    "audit": Listed(
        "intyg.adapter.cli.audit:audit",
        "Who did what with which certificate, in a log that nobody can change.",
    ),
    "console": Listed(
        "intyg.adapter.cli.console:console",
        "Keys to the pages at /console: who may open them, and what for.",
    ),
    "demo": Listed(
        "intyg.sandbox.demo_command:demo",
        "A whole round trip on loopback: EHR, adapter, Försäkringskassan; each step checked.",
    ),
    "mocks": Listed(
        "intyg.sandbox.mocks_command:mocks",
        "Run the mock authorities and the mock EHR until they are stopped.",
    ),
    "init-tests": Listed(
        "intyg.sandbox.init_tests_command:init_tests",
        "Write a test project that passes: ten scenarios with adapter, EHR and authorities.",
    ),
    "validate": Listed(
        "intyg.adapter.cli.validate:validate",
        "Check messages against contract and certificate type: envelope, request or bare intyg.",
    ),
    "sign": Listed(
        "intyg.adapter.cli.sign:sign",
        "Sign an intyg in the national profile; a signature that is there is replaced.",
    ),
    "verify": Listed(
        "intyg.adapter.cli.verify:verify",
        "Verify the signature of an intyg: prints outcome and code.",
    ),
    "send": Listed(
        "intyg.adapter.cli.send:send",
        "Post a message to an adapter or mock and print the answer.",
    ),
    "types": Listed("intyg.adapter.cli.types:types", "List the certificate types."),
    "type": Listed(
        "intyg.adapter.cli.type:type_",
        "Show a certificate type: what it is and what it asks.",
    ),
    "example": Listed(
        "intyg.adapter.cli.example:example",
        "Write an unsigned RegisterCertificate request with invented contents.",
    ),
    "render": Listed(
        "intyg.adapter.cli.render:render",
        "Show a certificate as a person reads it. It need not be valid.",
    ),
    "schema": Listed(
        "intyg.adapter.cli.schema:schema",
        "Write a certificate type's rules as XSD 1.1 or Schematron, or its answers as JSON Schema.",
    ),
    "wsdl": Listed(
        "intyg.adapter.cli.wsdl:wsdl",
        "Write every contract as WSDL and XSD: those that the adapter offers, and those it calls.",
    ),
    "test-keys": Listed(
        "intyg.adapter.cli.test_keys:make_keys",
        "Make a test CA, signers, and server and client certificates. For tests only.",
    ),
    "version": Listed("intyg.adapter.cli.version:version", "Print the version."),
}

ABOUT: Final = (
    "Integration adapter for Swedish medical certificates (intyg), and its mock authorities."
)

OPTIONS: Final = {
    "--version": "Print the version.",
    "--install-completion": "Let this shell complete commands and options from now on.",
    "--show-completion": "Print what --install-completion would install.",
    "-h, --help": "Show this, or with a command, what that does.",
}

_WIDEST: Final = 100  # longer lines are hard to read
_GAP: Final = 2


def help_text() -> str:
    """What `intyg --help` says, as wide as the terminal lets it be."""
    width = max(40, min(shutil.get_terminal_size().columns, _WIDEST))
    lines = {name: listed.line for name, listed in COMMANDS.items()}
    return "\n".join(
        (
            "Usage: intyg [OPTIONS] COMMAND [ARGS]...\n",
            textwrap.fill(ABOUT, width, initial_indent="  ", subsequent_indent="  "),
            "\nOptions:",
            _two_columns(OPTIONS, width),
            "\nCommands:",
            _two_columns(lines, width),
        )
    )


def _two_columns(lines: dict[str, str], width: int) -> str:
    first = max(map(len, lines)) + 2 * _GAP
    return "\n".join(
        textwrap.fill(
            line,
            width,
            initial_indent=f"{'':{_GAP}}{name:{first - _GAP}}",
            subsequent_indent=" " * first,
        )
        for name, line in lines.items()
    )
