"""The one list of commands. Each is imported when it is called, and not before.

Settings, database and web pages take most of a second to import, which `intyg --help`, `intyg
mocks` or `intyg validate` has no need of. By string, too, since the sandbox stands above this room.
"""

from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
import typer.core
import typer.main


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
    "audit": Listed(
        "intyg.adapter.cli.audit:audit",
        "Who did what with which certificate, in a log that nobody can change.",
    ),
    "demo": Listed(
        "intyg.sandbox.demo_command:demo",
        "A whole round trip on loopback: EHR, adapter, Försäkringskassan; each step checked.",
    ),
    "mocks": Listed(
        "intyg.sandbox.mocks_command:mocks",
        "Run the mock authorities and the mock EHR until they are stopped.",
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
        "Write a certificate type's rules as XSD 1.1 or Schematron, to check with elsewhere.",
    ),
    "test-keys": Listed(
        "intyg.adapter.cli.test_keys:make_keys",
        "Make a test CA, signers, and server and client certificates. For tests only.",
    ),
    "version": Listed("intyg.adapter.cli.version:version", "Print the version."),
}


class Commands(typer.core.TyperGroup):
    """The commands of the list, each its line until it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  as the class above has it
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  as above
        if cmd_name not in COMMANDS:
            return None
        return LateCommand(cmd_name, help=COMMANDS[cmd_name].line)


class LateCommand(typer.core.TyperCommand):
    """A command before it is called."""

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Import the command; it goes on from here by itself."""
        assert self.name is not None
        return load(self.name).make_context(info_name, args, parent, **extra)


def load(name: str) -> Any:
    """The command itself."""
    module, _, attribute = COMMANDS[name].where.partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        found = alone
    command = typer.main.get_command(found)
    command.name = name
    return command
