"""The command `intyg send`."""

from pathlib import Path
from typing import Annotated

import typer

from intyg.adapter.cli.send_file import post_file
from intyg.adapter.cli.terminal import fail, out, read
from intyg.adapter.domain.destination import ClientTls
from intyg.adapter.domain.errors import AdapterError
from intyg.schemas.contract.contract import Contracts


def send(
    file: Annotated[Path, typer.Argument(help="A request element or envelope; - is stdin.")],
    to: Annotated[str, typer.Option(help="Service address, or the base that paths are added to.")],
    logical_address: Annotated[
        str, typer.Option(help="For the header; an envelope keeps its own.")
    ] = "INTYGSADAPTER",
    timeout: Annotated[float, typer.Option(help="Seconds.")] = 30.0,
    ca: Annotated[Path | None, typer.Option(help="PEM: who vouches for the server.")] = None,
    cert: Annotated[Path | None, typer.Option(help="PEM: the client certificate.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM: its key, unless it is in it.")] = None,
) -> None:
    """Post a message to an adapter or mock and print the answer."""
    tls = ClientTls(ca, cert, key)
    try:
        answer = post_file(read(file), Contracts(), to, logical_address, timeout, tls)
    except OSError as exc:
        fail(f"{exc.filename or file}: {exc.strerror or exc}")
    except AdapterError as exc:
        fail(exc.text, 1)
    out.print(answer.text, markup=False)
    raise typer.Exit(0 if answer.accepted else 1)
