"""The whole round trip on loopback: `intyg demo`, and in `up.py` what stays to try things on.

The only part of the adapter that knows the mocks, beside the command that starts them.
"""

import tempfile
import time
from pathlib import Path

from intyg.adapter.domain import log
from intyg.adapter.domain.environment import Environment
from intyg.adapter.store import database_version
from intyg.sandbox.demo.accident import Accident
from intyg.sandbox.demo.narrator import StoryError, Telling
from intyg.sandbox.demo.stage import Stage, set_stage
from intyg.sandbox.demo.story import Story


def play(keys: Path, telling: Telling) -> int:
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
                telling.note(f"on {_database(stage)}")
                story = Story(stage, telling)
                story.play()
            production = Path(folder) / "production"
            production_log = log_file.with_name("demo-production.log")
            Accident(production, production_log, telling, first_step=story.last_step + 1).play()
        except StoryError as exc:
            telling.end(time.monotonic() - started, str(exc))
            telling.note(f"The adapters' logs are in {log_file.parent}/demo*.log.")
            return 1
    telling.end(time.monotonic() - started)
    return 0


def _database(stage: Stage) -> str:
    return database_version(stage.adapter.services.settings.effective_database_url)
