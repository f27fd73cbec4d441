"""One trial: adapters are started, disturbed, healed and drained; then everything is looked at."""

import multiprocessing
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.flows.drafts import on_time
from intyg.adapter.store import Store
from tools.crash import checker, disk, mistakes
from tools.crash.adapter import LEASE_SECONDS, Start, Workshop
from tools.crash.cluster import Cluster
from tools.crash.disk import SmallDisk
from tools.crash.plan import Plan
from tools.crash.shared import Shared, moment
from tools.crash.world import History, live

TICK_SECONDS: Final = 0.002
TOO_LONG_SECONDS: Final = 150.0
DISTURBED_SECONDS: Final = 0.4
STOPS_SECONDS: Final = 10.0
DRAINING: Final = (*(1.0,) * 3, LEASE_SECONDS + 1, *(60.0,) * 5, *(3600.0,) * 5, *(86400.0,) * 30)
"""Steps of the clock after healing, for as long as something waits."""


@dataclass(frozen=True)
class Ground:
    """
    What all trials of a process share.

    Attributes:
        folder: Each trial has a folder in it.
        cluster: For PostgreSQL; None: there is none.
        small: A disk to fill; None: there is none.
    """

    workshop: Workshop
    shared: Shared
    listeners: dict[str, socket.socket]
    folder: Path
    cluster: Cluster | None = None
    small: SmallDisk | None = None


@dataclass(frozen=True)
class Verdict:
    """
    What came of a trial.

    Attributes:
        violations: What was not as it must be.
        fired: How many faults of the adapter and its store happened.
        killed: How many processes were killed.
        arrivals: How many messages receivers got.
        mistake: What was wrong with the adapters; None: nothing.
    """

    plan: Plan
    violations: tuple[str, ...]
    fired: int
    killed: int
    arrivals: int
    seconds: float
    mistake: str | None = None


@dataclass
class Disturbances:
    """When something happened to an adapter or its database, from and to."""

    spans: list[tuple[float, float]] = field(default_factory=list)

    def now(self, before: float = 0.0) -> None:
        self.spans.append((moment() - before, moment()))

    def any_between(self, first: float, last: float) -> bool:
        return any(begin <= last and end >= first for begin, end in self.spans)


class Adapters:
    """Those of a trial: started, watched, killed, started again."""

    def __init__(self, ground: Ground, plan: Plan, start: Start, noted: Disturbances) -> None:
        self._ground = ground
        self._plan = plan
        self._start = start
        self._noted = noted
        self._running: dict[int, tuple[int, int, int]] = {}  # place, process, pipe
        self._kills = list(plan.kills)
        self._clean: set[int] = set()
        self.killed = 0
        self.moved = False
        self.wants_disk = plan.has("fsync") or plan.has("write-error")

    def start(self, place: int) -> None:
        kill = next((one for one in self._kills if one.place == place and one.point), None)
        disturb = self._disturb() if self.wants_disk else None
        start = replace(self._start, place=place, kill=kill, disturb=disturb, moved=self.moved)
        self._ground.shared.set_port(place, 0)
        pid, pipe = self._ground.workshop.fork(start)
        self._running[pid] = (place, pid, pipe)
        if kill is not None:
            self._kills.remove(kill)

    def _disturb(self) -> Callable[[], None]:
        self.wants_disk = False
        fault = "fsync" if self._plan.has("fsync") else "write-error"
        shared, at = self._ground.shared, self._plan.disturbed_at
        return partial(disk.fail_later, fault, 0.3, lambda: shared.progress >= at)

    def look(self) -> None:
        """Kill what is to be killed now, and start again what has ended."""
        progress = self._ground.shared.progress
        for kill in [one for one in self._kills if one.point is None and one.count <= progress]:
            self._kills.remove(kill)
            self.kill(kill.place)
        for pid in list(self._running):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._ended(pid)

    def kill(self, place: int) -> None:
        """From outside, at whatever moment this is."""
        for at, pid, _ in list(self._running.values()):
            if at == place:
                os.kill(pid, signal.SIGKILL)
                self._ground.shared.fired += 1

    def _ended(self, pid: int) -> None:
        place, _, pipe = self._running.pop(pid)
        os.close(pipe)
        self._ground.shared.set_port(place, 0)
        self._noted.now(before=TICK_SECONDS)
        self.killed += 1
        self.start(place)

    def end(self, *, cleanly: bool) -> None:
        """End all, and start none again."""
        for _, pid, pipe in self._running.values():
            os.close(pipe)
            if not cleanly:
                os.kill(pid, signal.SIGKILL)
                self.killed += 1
        until = moment() + STOPS_SECONDS
        for place, pid, _ in self._running.values():
            while not os.waitpid(pid, os.WNOHANG)[0]:
                if moment() > until:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(TICK_SECONDS)
            self._ground.shared.set_port(place, 0)
        self._noted.now()
        self._running.clear()


def run(plan: Plan, ground: Ground, mistake: str | None = None) -> Verdict:
    """
    Run a trial, in a process that may be forked and has no threads.

    Args:
        mistake: What is wrong with the adapters, see `mistakes.py`.
    """
    began = moment()
    ground.shared.reset()
    folder = ground.folder / "-".join(filter(None, ("trial", str(plan.seed), mistake)))
    folder.mkdir()
    _log_to(folder / "log")
    mistakes.plant(mistake)
    url = _database(plan, ground, folder)
    noted = Disturbances()
    with _world(plan, ground) as world:
        adapters = Adapters(ground, plan, Start(url, folder / "log"), noted)
        for place in range(plan.processes):
            adapters.start(place)
        trouble = Trouble(plan, ground, adapters, noted)
        finished = _disturb_until_done(trouble, adapters, world)
        world.send("heal")
        while world.recv() != "healed":
            continue
        adapters.end(cleanly=plan.stops_cleanly)
        start = Start(url, folder / "log", moved=plan.has("reroute"))
        violations, history = _drain(ground, start, world)
        if not finished:
            violations.append("callers were not answered in time")
        violations += checker.check(plan, ground.workshop, history, noted.any_between)
        ground.workshop.app.services.store.close()
    if not violations:
        shutil.rmtree(folder)
    shared = ground.shared
    return Verdict(
        plan,
        tuple(violations),
        shared.fired,
        adapters.killed,
        len(history.arrivals),
        moment() - began,
    )


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _database(plan: Plan, ground: Ground, folder: Path) -> str:
    if plan.postgresql:
        assert ground.cluster is not None
        ground.cluster.empty()
        ground.workshop.begin_log(ground.cluster.url)
        return ground.cluster.url
    if plan.has("disk-full") and ground.small is not None:
        for old in ground.small.folder.iterdir():
            old.unlink()
        return ground.workshop.new_sqlite(ground.small.folder)
    return ground.workshop.new_sqlite(folder)


@contextmanager
def _world(plan: Plan, ground: Ground) -> Iterator[Connection]:
    ours, theirs = multiprocessing.Pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            ours.close()
            live(plan, ground.listeners, ground.shared, theirs)
            code = 0
        finally:
            os._exit(code)
    theirs.close()
    try:
        yield ours
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        ours.close()


def _disturb_until_done(trouble: "Trouble", adapters: Adapters, world: Connection) -> bool:
    """Returns whether the callers came to an end."""
    until = moment() + TOO_LONG_SECONDS
    while moment() < until:
        if world.poll(TICK_SECONDS):
            assert world.recv() == "done"
            trouble.finish()
            return True
        adapters.look()
        trouble.look()
    trouble.finish()
    return False


class Trouble:
    """What happens from outside: to the clock, the disk, the database's server."""

    def __init__(self, plan: Plan, ground: Ground, adapters: Adapters, noted: Disturbances) -> None:
        self._at = plan.disturbed_at
        self._shared = ground.shared
        self._noted = noted
        self._jumps = list(plan.jumps)
        self._acts = _acts(plan, ground, adapters)
        self._begun: float | None = None

    def look(self) -> None:
        """Do what is to be done now."""
        progress = self._shared.progress
        while self._jumps and self._jumps[0][0] <= progress:
            self._shared.skew += self._jumps.pop(0)[1]
            self._shared.fired += 1
            self._noted.now(before=2.0)
        if self._acts is None or progress < self._at:
            return
        if self._begun is None:
            self._begun = moment()
            self._acts[0]()
        elif moment() - self._begun > DISTURBED_SECONDS:
            self.finish()

    def finish(self) -> None:
        """End what has begun."""
        if self._acts is not None and self._begun is not None:
            self._acts[1]()
            self._shared.fired += 1
            self._noted.spans.append((self._begun, moment()))
            self._acts = None


def _acts(
    plan: Plan, ground: Ground, adapters: Adapters
) -> tuple[Callable[[], object], Callable[[], object]] | None:
    """What begins a fault of the store, and what ends it."""
    if plan.has("pg-stop") and ground.cluster is not None:
        return ground.cluster.stop, ground.cluster.start
    if plan.has("disk-full") and ground.small is not None:
        return ground.small.fill, ground.small.free
    if plan.has("fsync") or plan.has("write-error"):
        return (lambda: None), partial(adapters.kill, 0)
    return None


def _drain(ground: Ground, start: Start, world: Connection) -> tuple[list[str], History]:
    """Let all that waits go, time and again later. Returns what is wrong, and the history."""
    store = ground.workshop.open(start)
    workers = ground.workshop.app._workers
    violations = []
    for seconds in DRAINING:
        workers.recover()
        on_time.run(ground.workshop.app.services)
        while workers.run_once():
            continue
        waiting = _waiting(store)
        if not waiting:
            break
        ground.shared.skew += seconds
    else:
        violations = [f"7: waits for ever: {one}" for one in waiting]
    world.send("tell")
    while not isinstance(history := world.recv(), History):
        continue
    return violations, history


WAITING: Final = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.HELD)


def _waiting(store: Store) -> list[str]:
    with store.read() as rows:
        untold = ["ANDRAT of a draft"] if rows.drafts.first_changed() else []
        return untold + [
            f"{one.new.contract} {one.state.value}: {one.last_outcome and one.last_outcome.detail}"
            for state in WAITING
            for one in rows.deliveries.find(state=state)
        ]
