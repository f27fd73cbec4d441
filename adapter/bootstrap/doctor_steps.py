"""What `intyg doctor` looks at, for the console, which is below and cannot ask it itself.

A serving adapter opens no connection beside the guard. So the way to a destination is walked by the
command itself, in a process of its own, which is told the destination's name and nothing else.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from intyg.adapter.bootstrap.startup import facts_of
from intyg.adapter.console.pages import Doctor, Looked
from intyg.adapter.doctor.checks import CHECKS
from intyg.adapter.domain.destination import DestinationRole
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import Settings


def doctor_of(services: Services) -> Doctor:
    """The doctor of one adapter; it sends nothing of a patient, and changes nothing."""
    destinations = services.settings.destinations.items()
    asked = [name for name, each in destinations if each.role is not DestinationRole.HOOK]
    return Doctor(partial(_checks, services), partial(_way, services), tuple(sorted(asked)))


def _checks(services: Services) -> Iterator[Looked]:
    facts = facts_of(services)
    for check in CHECKS:
        remarks = list(check.look(facts))
        if not remarks:
            yield Looked(check.name, "ok")
        for remark in remarks:
            verdict = "fails" if remark.refuses else "note"
            yield Looked(check.name, verdict, remark.text, remark.todo)


def _way(services: Services, name: str) -> Iterator[Looked]:
    command = _command(services.settings, name)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}  # each step when it has been taken
    with subprocess.Popen(  # noqa: S603  # our own
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        try:
            for line in process.stdout or ():
                told = json.loads(line)
                yield Looked(told["check"], told["state"], told["text"], told["todo"])
        finally:
            process.kill()  # where nobody looks any more


def _command(settings: Settings, name: str) -> list[str]:
    config = ["--config", str(settings.file)] if settings.file else []
    return [sys.executable, "-m", "intyg.adapter", "doctor", "--json", *config, "--", name]
