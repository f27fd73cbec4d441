"""Several processes on one port, as their operator sees them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from intyg.adapter.bootstrap.processes import Fitness, Processes
from intyg.adapter.domain.kept_thread import FAILURES
from intyg.adapter.httpd.ports import reserve_port
from tests.adapter.databases import postgresql_schema, why_no_postgresql

ROUTES = """
[destinations.fk]
url = "http://127.0.0.1:1"
kind = "mock"
[[routes]]
contract = "*"
logical_address = "FK"
destination = "fk"
"""


def await_(happened: Callable[[], object], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    by_thread = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for listed in by_thread for child in listed.read_text().split()]


@contextmanager
def running(folder: Path, database_url: str, count: int) -> Iterator[tuple[int, str, Path]]:
    """The process that starts the others, their address and their log."""
    (folder / "routes.toml").write_text(ROUTES)
    (folder / "adapter.toml").write_text(
        f'environment = "demo"\ndata_dir = "."\ndatabase_url = "{database_url}"\n'
        'routes_file = "routes.toml"\n[server]\nport = 0\nthreads = 4\n[delivery]\nworkers = 1\n'
    )
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "intyg.adapter",
                "serve",
                "-c",
                "adapter.toml",
                f"--processes={count}",
            ],
            cwd=folder,
            env={k: v for k, v in os.environ.items() if not k.startswith("INTYG_")},
            stderr=stream,
        )
    try:
        await_(lambda: b"adapter, environment" in log.read_bytes() or process.poll() is not None)
        words = log.read_text().split()
        url = next((word for word in words if word.startswith("http://")), "")
        yield process.pid, url, log
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def database_url() -> Iterator[str]:
    if reason := why_no_postgresql():
        pytest.skip(reason)
    with postgresql_schema() as url:
        yield url


def get(url: str) -> int:
    return requests.get(f"{url}/health", timeout=10).status_code  # each time a new connection


@pytest.mark.timeout(300)  # four starts, of seconds each, on a busy machine
def test_processes_share_a_port_and_one_that_dies_is_started_again(
    database_url: str, tmp_path: Path
) -> None:
    with running(tmp_path, database_url, 2) as (pid, url, log):
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(get, [url] * 40)) == {200}
        first, second = children(pid)
        assert log.read_text().count('"intyg.database": "PostgreSQL ') == 2
        os.kill(pid, signal.SIGHUP)  # each of them reads the routes again
        await_(lambda: log.read_text().count('"routes.read"') == 2)

        os.kill(first, signal.SIGKILL)
        await_(lambda: len(children(pid)) == 2 and first not in children(pid))
        assert second in children(pid)
        await_(lambda: "processes.started_again" in log.read_text())
        assert {get(url) for _ in range(10)} == {200}

        everyone = children(pid)
        os.kill(pid, signal.SIGKILL)  # without a chance to stop the others
        await_(lambda: not any(Path(f"/proc/{one}/exe").exists() for one in everyone))


def test_sqlite_is_for_one_process(tmp_path: Path) -> None:
    with running(tmp_path, f"sqlite:///{tmp_path / 'adapter.sqlite'}", 2) as (_, url, log):
        assert url == ""
        assert "several processes need PostgreSQL" in log.read_text()


ONE_OF_SEVERAL = """#!/usr/bin/env python3
import os, sys
alive, ready = (int(each.partition("=")[2]) for each in sys.argv[-2:])
os.write(ready, b"1")
os.close(ready)
os.read(alive, 1)
"""


def test_a_process_that_cannot_be_started_again_is_when_it_can(tmp_path: Path) -> None:
    """Who watches over it does not end by that."""
    command, away = tmp_path / "command", tmp_path / "away"
    command.write_text(ONE_OF_SEVERAL)
    command.chmod(0o700)
    several = Processes([str(command)], 1, 0)
    failures = FAILURES.labels("process-0")._value
    before, others = failures.get(), set(children(os.getpid()))

    def started() -> set[int]:
        return set(children(os.getpid())) - others

    try:
        assert several.start(lambda: False)
        [first] = started()
        command.rename(away)
        os.kill(first, signal.SIGKILL)
        await_(lambda: failures.get() > before)
        away.rename(command)
        await_(lambda: len(started()) == 1)
    finally:
        several.stop()
    assert started() == set()


def test_who_starts_processes_can_be_stopped_before_they_serve(tmp_path: Path) -> None:
    command = tmp_path / "command"
    command.write_text("#!/bin/sh\nexec sleep 60\n")  # says nothing, as one that waits for a lock
    command.chmod(0o700)
    several = Processes([str(command)], 1, 0)
    began = time.monotonic()
    try:
        assert not several.start(lambda: time.monotonic() - began > 0.3)
    finally:
        several.stop()
    assert time.monotonic() - began < 10


def test_a_process_of_several_ends_when_a_thread_of_it_has() -> None:
    """The one that started it starts another then."""
    ended: list[str] = []
    asked = threading.Event()
    with Fitness(lambda: ended, asked.set):
        assert not asked.wait(1.5)
        ended.append("worker-0")
        assert asked.wait(10)


def test_a_port_that_others_listen_on_is_not_shared_by_mistake() -> None:
    with reserve_port("127.0.0.1", 0) as reserved:
        port = reserved.getsockname()[1]
        with socket.socket() as shared:
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind(("127.0.0.1", port))
            shared.listen()
            with pytest.raises(OSError, match="in use"):
                reserve_port("127.0.0.1", port)


def test_a_port_that_was_closed_a_moment_ago_can_be_had() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # leaves the port in TIME_WAIT
    reserve_port("127.0.0.1", port).close()
