"""What `make up` runs: the demonstration's adapter and mocks, until they are stopped."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from intyg.adapter.bootstrap.listening import ListenError
from intyg.adapter.cli.options import swedish_now
from intyg.adapter.domain import log
from intyg.adapter.domain.environment import Environment
from intyg.adapter.store import database_version
from intyg.mocks.control.token import new_token
from intyg.mocks.conversations.files import read_scripts
from intyg.mocks.personas import give_scripts
from intyg.mocks.rules.files import give_rules, read_rules
from intyg.mocks.rules.type_codes import TypeCodes
from intyg.sandbox.demo.stage import PATIENT, Stage, set_stage
from intyg.sandbox.demo.story import issue_sample
from intyg.sandbox.up.folder import UpFolder
from intyg.sandbox.up.ports import named_ports, usual_ports
from intyg.schemas.typefile.lookup import IntygTypes

TOKEN_VARIABLE: Final = "INTYG_MOCKS_TOKEN"  # noqa: S105 -- its name
"""Environment variable that says which token the mocks want; else one is made up."""


def run(
    up: UpFolder,
    keys: Path,
    console: Console,
    ports_from: int | None,
    tell: Callable[[str], None],
    run_until_signalled: Callable[[Callable[[], None]], None],
) -> None:
    """
    Run them.

    Args:
        ports_from: As for `stay_up`.
        tell: Is told the adapter's address.

    Raises:
        FilesError, RuleError: A script or rule in the folder is wrong.
        PortsError: The ports that were named cannot be had.
        OSError, AdapterError: Something cannot be written or listened on.
    """
    codes = TypeCodes(IntygTypes().headers())
    scripts = read_scripts([up.scripts], codes)
    rules = read_rules([up.rules], codes=codes)
    token = os.environ.get(TOKEN_VARIABLE) or new_token()
    with (
        (up.path / "adapter.log").open("a", encoding="utf-8") as stream,
        _stage(up.path, keys, ports_from, token) as (stage, notes),
    ):
        write_token(up.path, token)
        log.configure(stream, environment=Environment.DEMO.value)
        mocks = {key: server.mock for key, server in stage.mocks.items()}
        give_scripts(scripts, mocks)
        give_rules(rules, [each.rules for each in mocks.values()])
        intygs_id = _write_sample(up, stage)
        tell(stage.adapter.url)
        run_until_signalled(lambda: _announce(console, stage, up, intygs_id, notes))


@contextmanager
def _stage(
    folder: Path, keys: Path, ports_from: int | None, token: str
) -> Iterator[tuple[Stage, tuple[str, ...]]]:
    """A stage, and a text for each of its ports that is not the usual one."""
    with ExitStack() as stack:
        ports, notes = usual_ports() if ports_from is None else (named_ports(ports_from), ())
        while True:
            try:
                stage = stack.enter_context(set_stage(folder, keys, ports, token))
                break
            except (OSError, ListenError):
                before = ports
                if ports_from is None:
                    ports, notes = usual_ports()
                if ports == before:
                    raise
                # else somebody else has begun to listen there meanwhile, perhaps as this does
        yield stage, notes


def write_token(folder: Path, token: str) -> None:
    """The mocks' token, and the options with which curl brings it; for their owner alone."""
    for name, text in (("token", token), ("curl", f'header = "Authorization: Bearer {token}"')):
        path = folder / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{text}\n", "utf-8")


def _write_sample(up: UpFolder, stage: Stage) -> str:
    """A signed certificate, and what sends it to Försäkringskassan; its id."""
    intygs_id, envelope = issue_sample(stage)
    up.sample.write_bytes(envelope)
    send = stage.ehr.request_to_send(intygs_id, PATIENT, "FKASSA", swedish_now())
    up.send_sample.write_bytes(send)
    up.intygs_id.write_text(f"{intygs_id}\n", "utf-8")
    return intygs_id


def _announce(
    console: Console, stage: Stage, up: UpFolder, intygs_id: str, notes: tuple[str, ...]
) -> None:
    adapter = stage.adapter.url
    register = stage.adapter.services.contracts.get("RegisterCertificate", 3).path
    post = f"curl -H 'Content-Type: text/xml' --data-binary @{up.sample}"
    mocks = [
        f"{server.mock.settings.name:<19}{server.url}/control" for server in stage.mocks.values()
    ]
    database = database_version(stage.adapter.services.settings.effective_database_url)
    lines = (
        *notes,
        f"adapter            {adapter}/services",
        *mocks,
        f"settings, log      {up.path}/adapter.toml, adapter.log",
        f"database           {database}",
        f"conversations      {up.scripts}/*.yaml",
        f"behaviour rules    {up.rules}/*.yaml",
        f"test patient       {PATIENT}",
        f"certificate        {up.sample}, with the id {intygs_id}",
        "",
        f"Look at it in a browser, by a link that works once: {stage.adapter.login_url()}",
        f"The mocks, what came to them, and buttons: {stage.forsakringskassan.pages_url()}",
        "",
        "Try:",
        f"  curl {adapter}/services",
        f"  {post} {adapter}/services{register}",
        f"  curl {adapter}/api/intyg/{intygs_id}",
        f"  curl -K {up.path}/curl {stage.journalsystem.url}/control/handelser",
        f"  curl -K {up.path}/curl {stage.forsakringskassan.url}/control/journal/count",
        "",
        f"The mocks want the token in {up.path}/token at /control; -K has curl bring it.",
        f"Ctrl-C stops all of it; from elsewhere {up.how_to_stop}.",
    )
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
