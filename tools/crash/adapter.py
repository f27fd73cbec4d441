"""One adapter: built once, and started in a process of its own for as long as it lives."""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from intyg.adapter.audit.log import AuditKey
from intyg.adapter.bootstrap import draft_watch
from intyg.adapter.bootstrap.app import App, build_app
from intyg.adapter.bootstrap.load_schemas import load_schemas
from intyg.adapter.settings.routing import RoutingSettings
from intyg.adapter.settings.settings import Settings
from intyg.adapter.signature.demo_keys import TestKeys, make_test_keys
from intyg.adapter.store import Store
from tests import builders
from tools.crash import seam
from tools.crash.drafts import Asked, Doctor
from tools.crash.messages import FK_ADDRESS, PATIENT, request_of
from tools.crash.plan import STEPS, Kill
from tools.crash.shared import Shared
from tools.crash.wire import call
from tools.crash.world import AUTHORITY, EHR, REAL, TIMEOUT_SECONDS

LEASE_SECONDS: Final = 120.0
ANDRAT_SECONDS: Final = 0.2
"""Changes of a draft within this time are told as one."""
LOOK_SECONDS: Final = 0.2
"""Between two looks at what is due by itself."""

WARM: Final = "warm"
NOT_STARTED: Final = 3
"""Exit code of an adapter that could not start."""


def routing(urls: dict[str, str], *, moved: bool = False) -> RoutingSettings:
    """
    Where messages go.

    Args:
        moved: The authority's address leads to a real one now.
    """
    common = {"timeout_seconds": TIMEOUT_SECONDS}
    return RoutingSettings.model_validate(
        {
            "destinations": {
                "fk": {
                    "url": urls[REAL if moved else AUTHORITY],
                    "kind": "real" if moved else "mock",
                    "allow": moved,
                    **common,
                },
                "ehr": {"url": urls[EHR], "kind": "mock", "role": "care", **common},
            },
            "routes": [
                {"contract": "*", "logical_address": FK_ADDRESS, "destination": "fk"},
                {"contract": "*", "logical_address": builders.UNIT, "destination": "ehr"},
            ],
        }
    )


WHERE: Final = {
    "vardgivare_id": builders.CARE_PROVIDER,
    "vardgivarnamn": "Vårdgivaren",
    "arbetsplatskod": "0000000",
    "postadress": "Provgatan 1",
    "postnummer": "12345",
    "postort": "Provstad",
    "telefonnummer": "010-0000000",
}
"""The unit, as drafts have it."""


def settings(folder: Path, urls: dict[str, str]) -> Settings:
    """As in a demonstration, but that everything which waits is soon over."""
    (folder / "list.csv").write_text(f"testpersonnummer\n{PATIENT}\n")
    rows = routing(urls)
    keys = TestKeys.of(folder / "keys")
    return Settings.model_validate(
        {
            "environment": "demo",
            "data_dir": folder,
            "signature": "accept",
            "signing": {"key": keys.signer_ec.key, "cert": keys.signer_ec.cert},
            "trust": {"anchors": [keys.ca]},
            "drafts": {"andrat_seconds": ANDRAT_SECONDS, "units": {builders.UNIT: WHERE}},
            "server": {"port": 0, "threads": 3},
            "test_patients": {"list_files": [folder / "list.csv"]},
            "recipients": {"FKASSA": {"name": "FK", "logical_address": FK_ADDRESS}},
            "destinations": rows.destinations,
            "routes": rows.routes,
            "delivery": {
                "workers": 3,
                "waits_seconds": [0.05, 0.1, 0.2],
                "probe_seconds": [0.1, 0.3],
                "breaker_seconds": [0.1, 0.3],
                "poll_seconds": 0.1,
                "lease_seconds": LEASE_SECONDS,
                "stop_seconds": 2,
            },
        }
    )


@dataclass(frozen=True)
class Start:
    """
    How an adapter is started.

    Attributes:
        url: Of its database.
        kill: Where it ends by itself.
        disturb: Makes its disk fail.
        moved: As for `routing`.
    """

    url: str
    log: Path
    place: int = 0
    kill: Kill | None = None
    disturb: Callable[[], None] | None = None
    moved: bool = False


class Workshop:
    """
    An adapter that is whole but for its database and its threads, to be forked.

    Args:
        folder: For the list of test patients, the audit log's key and the empty database.
        urls: Of the receivers.
    """

    def __init__(self, folder: Path, urls: dict[str, str], shared: Shared) -> None:
        self._shared = shared
        self._urls = urls
        self.empty = folder / "empty.sqlite"
        make_test_keys(folder / "keys", shared.now())
        self._schemas, made = load_schemas(), settings(folder, urls)
        self._engines = KnownStatements()
        self.app = self._build(made, f"sqlite:///{self.empty}")
        self.app.services.store.close()
        for contract in SENT:
            self.app._deliverer._operation(contract)
        self.key = AuditKey.from_settings(made.audit, folder, make=False)

    def _build(self, made: Settings, url: str) -> App:
        chosen = made.model_copy(update={"database_url": url})
        return build_app(chosen, self._shared.now, schemas=self._schemas)

    def warm_up(self, url: str, receivers: Callable[[], int]) -> None:
        """
        Import and compile once what each adapter would compile anew.

        Args:
            url: Of a database of the kind that the trials have.
            receivers: Forks what answers it, and returns the process.
        """
        answering = receivers()
        try:
            self._play(url)
        finally:
            os.kill(answering, signal.SIGKILL)
            os.waitpid(answering, 0)

    def _play(self, url: str) -> None:
        app = self._build(self.app.services.settings, url)
        with app:
            port = int(app.url.rpartition(":")[2])
            for step in ("register", "register", *STEPS):
                while b">VALIDATION_ERROR<" in call(port, request_of(step, WARM)):
                    time.sleep(0.1)  # until the authority has the certificate
            self._play_draft(port)
            time.sleep(0.5)
            self._engines.learn(app.services.store._engine)

    def _play_draft(self, port: int) -> None:
        made: list[Asked] = []
        doctor = Doctor(WARM, self._shared, random.Random(0), made.append, lambda _: None)
        self._shared.set_port(0, port)
        doctor.play(("save", "ready", "sign"))
        self._shared.set_port(0, 0)
        assert [one.status for one in made] == [201, 200, 200, 200, 409], made

    def new_sqlite(self, folder: Path) -> str:
        """The URL of an empty database."""
        shutil.copy(self.empty, folder / "adapter.sqlite")
        return f"sqlite:///{folder / 'adapter.sqlite'}"

    def empty_postgresql(self, url: str) -> None:
        """Bring the tables of a database up to date, which is empty."""
        with closing(Store(url, self._shared.now)) as store:
            store.migrate(self.app.services.settings.environment)

    def begin_log(self, url: str) -> None:
        """Begin the audit log of a database that was emptied."""
        with closing(Store(url, self._shared.now)) as store, store.begin() as rows:
            rows.audit.begin(self.key)

    def open(self, start: Start) -> Store:
        """Give the adapter of this process a database."""
        store = self.app.services.store
        Store.__init__(store, start.url, self._shared.now)
        self.app.services.routes.replace(routing(self._urls, moved=start.moved))
        return store

    def fork(self, start: Start) -> tuple[int, int]:
        """
        Start it.

        Returns:
            Its process, and a pipe: when that is closed, it stops.
        """
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid:
            os.close(ours)
            return pid, theirs
        os.close(theirs)
        code = NOT_STARTED
        try:
            code = self._serve(start, ours)
        finally:
            os._exit(code)

    def _serve(self, start: Start, alive: int) -> int:
        log = os.open(start.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if start.kill is not None and start.kill.point is not None:
            seam.kill_at(start.kill.point, start.kill.count, self._shared)
        self.open(start)
        vars(draft_watch)["LOOK_SECONDS"] = LOOK_SECONDS
        if start.disturb is not None:
            start.disturb()
        with self.app as app:
            self._shared.set_port(start.place, int(app.url.rpartition(":")[2]))
            os.read(alive, 1)
            self._shared.set_port(start.place, 0)
        sys.stdout.flush()
        return 0


SENT: Final = (
    "RegisterCertificate:3",
    "RevokeCertificate:2",
    "SendMessageToRecipient:2",
    "SendMessageToCare:2",
    "CertificateStatusUpdateForCare:3",
)


class KnownStatements:
    """
    Lets every engine that is made from now on know the statements that another has compiled.

    Each adapter has an engine of its own, which would compile them again: a second of each trial.
    """

    def __init__(self) -> None:
        self._learned: dict[str, sa.Engine] = {}
        self._make = sa.create_engine
        sa.create_engine = self._make_knowing

    def learn(self, engine: sa.Engine) -> None:
        """From an engine that has worked; it is used no more."""
        self._learned[engine.dialect.name] = engine

    def _make_knowing(self, *args: Any, **named: Any) -> sa.Engine:
        engine = self._make(*args, **named)
        known = self._learned.get(engine.dialect.name)
        if known is not None:
            engine.dialect = engine.pool._dialect = known.dialect
            engine._compiled_cache = known._compiled_cache
        return engine


def sqlite_file(url: str) -> Path:
    """Where a SQLite database stands."""
    return Path(str(make_url(url).database))
