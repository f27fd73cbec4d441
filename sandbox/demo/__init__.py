"""The whole round trip on loopback: `intyg demo`, and with `--stay` a set-up to try things on.

The only part of the adapter that knows the mocks, beside the command that starts them.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from intyg.adapter.domain import log
from intyg.adapter.domain.environment import Environment
from intyg.adapter.store import database_version
from intyg.mocks.control.token import new_token
from intyg.mocks.conversations import Script
from intyg.mocks.conversations.files import read_scripts
from intyg.mocks.personas import FIRST_PORT, give_scripts, ports_from
from intyg.mocks.rules import Rule, RuleError
from intyg.mocks.rules.files import give_rules, read_rules
from intyg.mocks.rules.type_codes import TypeCodes
from intyg.mocks.yaml_file import FilesError
from intyg.sandbox.demo.accident import Accident
from intyg.sandbox.demo.narrator import StoryError
from intyg.sandbox.demo.stage import (
    PATIENT,
    Ports,
    Stage,
    free_or_any,
    set_stage,
)
from intyg.sandbox.demo.story import Story, issue_sample
from intyg.schemas.typefile.lookup import IntygTypes

UP_FOLDER = Path("data/up")
"""Settings, database and a signed sample of `make up`."""

UP_SCRIPTS = UP_FOLDER / "scripts"
"""Conversations that its mocks hold by themselves."""

UP_RULES = UP_FOLDER / "rules"
"""Behaviour rules that its mocks have from the start."""

UP_PORT = 8080
"""The adapter's; the mocks have theirs in `mocks/personas.py`. If it is taken, a free one."""


TOKEN_VARIABLE = "INTYG_MOCKS_TOKEN"  # noqa: S105 -- its name
"""Environment variable that says which token the mocks want; else one is made up."""


def play(keys: Path, console: Console) -> int:
    """Play the round trip in a folder that is thrown away, all but its log; the exit code."""
    started = time.monotonic()
    log_file = keys.parent / "demo.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="intyg-demo-") as folder,
        log_file.open("w", encoding="utf-8") as stream,
    ):
        log.configure(stream, environment=Environment.DEMO.value)
        try:
            with set_stage(Path(folder), keys) as stage:
                console.print(f"[dim]on {_database(stage)}[/dim]", highlight=False)
                story = Story(stage, console)
                story.play()
            production = Path(folder) / "production"
            production_log = log_file.with_name("demo-production.log")
            Accident(production, production_log, console, first_step=story.last_step + 1).play()
        except StoryError as exc:
            console.print(f"\n[bold red]FAILED[/bold red] at {exc}", highlight=False)
            console.print(
                f"The adapters' logs are in {log_file.parent}/demo*.log.", highlight=False
            )
            return 1
    seconds = time.monotonic() - started
    console.print(f"\n[bold green]All steps had their effect.[/bold green] {seconds:.1f} s")
    return 0


def stay_up(
    keys: Path, console: Console, run_until_signalled: Callable[[Callable[[], None]], None]
) -> int:
    """Start the same and leave it running until a signal; the exit code."""
    for folder in (UP_SCRIPTS, UP_RULES):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        codes = TypeCodes(IntygTypes().headers())
        scripts = read_scripts([UP_SCRIPTS], codes)
        rules = read_rules([UP_RULES], codes=codes)
        return _stay_up(keys, console, run_until_signalled, scripts, rules)
    except (FilesError, RuleError) as exc:
        console.print(str(exc), style="red", highlight=False, markup=False, soft_wrap=True)
        return 2


def _stay_up(
    keys: Path,
    console: Console,
    run_until_signalled: Callable[[Callable[[], None]], None],
    scripts: tuple[Script, ...],
    rules: tuple[Rule, ...],
) -> int:
    token = os.environ.get(TOKEN_VARIABLE) or new_token()
    with (
        (UP_FOLDER / "adapter.log").open("a", encoding="utf-8") as stream,
        set_stage(UP_FOLDER, keys, _usual_ports(), token) as stage,
    ):
        write_token(UP_FOLDER, token)
        log.configure(stream, environment=Environment.DEMO.value)
        mocks = {key: server.mock for key, server in stage.mocks.items()}
        give_scripts(scripts, mocks)
        give_rules(rules, [each.rules for each in mocks.values()])
        sample = UP_FOLDER / "fk7804.xml"
        intygs_id, envelope = issue_sample(stage)
        sample.write_bytes(envelope)
        run_until_signalled(lambda: _announce(console, stage, sample, intygs_id))
    return 0


def write_token(folder: Path, token: str) -> None:
    """The mocks' token, and the options with which curl brings it; for their owner alone."""
    for name, text in (("token", token), ("curl", f'header = "Authorization: Bearer {token}"')):
        path = folder / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{text}\n", "utf-8")


def _usual_ports() -> Ports:
    mocks = {key: free_or_any(port) for key, port in ports_from(FIRST_PORT).items()}
    return Ports(free_or_any(UP_PORT), mocks)


def _database(stage: Stage) -> str:
    return database_version(stage.adapter.services.settings.effective_database_url)


def _announce(console: Console, stage: Stage, sample: Path, intygs_id: str) -> None:
    adapter = stage.adapter.url
    register = stage.adapter.services.contracts.get("RegisterCertificate", 3).path
    mocks = [
        f"{server.mock.settings.name:<19}{server.url}/control" for server in stage.mocks.values()
    ]
    lines = (
        f"adapter            {adapter}/services",
        *mocks,
        f"settings, log      {stage.folder}/adapter.toml, adapter.log",
        f"database           {_database(stage)}",
        f"conversations      {UP_SCRIPTS}/*.yaml",
        f"behaviour rules    {UP_RULES}/*.yaml",
        f"test patient       {PATIENT}",
        "",
        "Try:",
        f"  curl {adapter}/services",
        f"  curl -H 'Content-Type: text/xml' --data-binary @{sample} {adapter}/services{register}",
        f"  curl {adapter}/api/intyg/{intygs_id}",
        f"  curl -K {stage.folder}/curl {stage.journalsystem.url}/control/handelser",
        f"  curl -K {stage.folder}/curl {stage.forsakringskassan.url}/control/journal/count",
        "",
        f"The mocks want the token in {stage.folder}/token at /control; -K has curl bring it.",
        "Ctrl-C stops all of it.",
    )
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
