"""The options of `intyg mocks`, a word each for its signature."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

MAX_PORT: Final = 65535
LAST_FIRST_PORT: Final = MAX_PORT - 10
"""There are some more mocks than one."""

# --- where the mocks are, and what they do --------------------------------------------------------

PortsFrom: TypeAlias = Annotated[
    int,
    typer.Option(min=0, max=LAST_FIRST_PORT, help="In a row, from this one; 0 takes free ones."),
]
Port: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=PORT",
        help="Another for one, e.g. skatteverket=9000; 0 takes a free one. As often as needed.",
    ),
]
Ca: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(help="CA certificates of signers (PEM); without any, none is verified."),
]
RulesDir: TypeAlias = Annotated[
    Path | None, typer.Option(help="Behaviour rules (YAML); see `intyg mocks lint`.")
]
ScriptsDir: TypeAlias = Annotated[
    Path | None, typer.Option(help="Conversations (YAML); see `intyg mocks lint`.")
]
JournalFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="SQLite file that keeps the calls; without one they are in memory."),
]

# --- who may control them -------------------------------------------------------------------------

Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="What /control wants as Bearer; made up if it is not given.",
        envvar="INTYG_MOCKS_TOKEN",
        show_envvar=True,
    ),
]
NoToken: TypeAlias = Annotated[
    bool, typer.Option("--no-token", help="/control wants no token, from anybody here.")
]

# --- the adapter that they speak to ---------------------------------------------------------------

AdapterUrl: TypeAlias = Annotated[
    str, typer.Option(help="Where the adapter serves its contracts; questions go there.")
]
AdapterClockUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(help="The adapter's clock, if it can be moved: …/api/clock; goes with ours."),
]
AdapterToken: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="The adapter's console.token, for its clock and its drafts.",
        envvar="INTYG_MOCKS_ADAPTER_TOKEN",
        show_envvar=True,
    ),
]
AdapterCa: TypeAlias = Annotated[
    Path | None, typer.Option(help="CAs of the adapter's certificate (PEM), for https.")
]
AdapterCert: TypeAlias = Annotated[
    Path | None, typer.Option(help="Certificate that the mocks show to the adapter (PEM).")
]
AdapterKey: TypeAlias = Annotated[
    Path | None, typer.Option(help="The key of --adapter-cert (PEM).")
]

# --- TLS towards those who call -------------------------------------------------------------------

Cert: TypeAlias = Annotated[
    Path | None, typer.Option(help="Serve TLS with this certificate (PEM); needs --key.")
]
Key: TypeAlias = Annotated[Path | None, typer.Option(help="The key of --cert (PEM).")]
ClientCa: TypeAlias = Annotated[
    Path | None, typer.Option(help="CAs of client certificates (PEM): they say who calls.")
]
RequireClient: TypeAlias = Annotated[
    bool, typer.Option("--require-client", help="Nobody gets in without a certificate.")
]
RunByClient: TypeAlias = Annotated[
    bool, typer.Option("--run-by-client", help="Each client certificate is a run of its own.")
]
