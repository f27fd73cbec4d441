"""A PostgreSQL server of one's own, which may be stopped in the middle of its work."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from intyg.adapter.store import tables

USER: Final = "postgres"
SETTINGS: Final = """
listen_addresses = ''
unix_socket_directories = '{sockets}'
max_connections = 60
shared_buffers = 16MB
log_min_messages = fatal
"""


def folder_of_programs() -> Path | None:
    """Where initdb and pg_ctl are; None: nowhere."""
    found = shutil.which("pg_ctl")
    if found is not None and Path(found).with_name("initdb").exists():
        return Path(found).resolve().parent
    asked = shutil.which("pg_config")
    if asked is None:
        return None
    done = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=True)
    folder = Path(done.stdout.strip())
    return folder if (folder / "initdb").exists() else None


def why_no_cluster() -> str | None:
    """Why there can be no server of one's own; None when there can."""
    if folder_of_programs() is None:
        return "no initdb: PostgreSQL's programs are not installed"
    if os.geteuid() == 0 and not _has_user():
        return f"root cannot run PostgreSQL, and there is no user {USER}"
    return None


def _has_user() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


class Cluster:
    """
    One server, reached by a socket in its folder.

    Attributes:
        url: Of its one database, for SQLAlchemy.
    """

    def __init__(self, folder: Path) -> None:
        programs = folder_of_programs()
        assert programs is not None  # see `why_no_cluster`
        self._programs = programs
        self._data = folder / "data"
        self._folder = folder
        self.url = f"postgresql+psycopg://{USER}@/postgres?host={folder}"

    def make(self) -> None:
        """Make it, and start it."""
        if os.geteuid() == 0:
            shutil.chown(self._folder, USER, USER)
        self._run(
            "initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"
        )
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write(SETTINGS.format(sockets=self._folder))
        self.start()

    def start(self) -> None:
        """Start it, and wait until it serves."""
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-l", log, "-w", "-s", "start")

    def stop(self) -> None:
        """End it as a crash does: nothing is finished, nobody is told."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "-s", "stop")

    def empty(self) -> None:
        """Let everybody else go, and delete every row but the environment's mark."""
        with self.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            for table in reversed(tables.metadata.sorted_tables):
                if table is not tables.environment:
                    connection.execute(f"DELETE FROM {table.name}".encode())

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self._folder), user=USER, dbname="postgres")

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *command]
        clean = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        done = subprocess.run(
            command,
            env={**clean, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program == "initdb" else subprocess.DEVNULL,
            cwd="/",
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {(done.stdout or b'').decode()}")


@contextmanager
def own_cluster(folder: Path) -> Iterator[Cluster]:
    """A server for as long as the block lasts."""
    folder.mkdir()
    cluster = Cluster(folder)
    cluster.make()
    try:
        yield cluster
    finally:
        cluster.stop()
