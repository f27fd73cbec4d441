"""
Crash trials: adapters are killed, disks and receivers fail, and nothing may be lost.

    python -m tools.trials --count 10000 --seed 1 [--postgres] [--processes 1..3] [--fault NAME]
                           [--jobs N] [--seconds N] [--mistake NAME] [--judge] [--keep FOLDER]

Each trial follows from its seed: what is called, what goes wrong, and when. `--postgres` runs them
on a server made for them; without it they run on SQLite. With `--fault` each trial has that fault,
with `--mistake` the adapter has one that the checker must find; `--judge` plants each in its turn,
and wants it found within 200 trials. `--seconds` ends them early, and so does Ctrl-C: what was
tried until then is summed up. A violation is printed with its seed, and its folder, with database
and log, is kept where `--keep` says.

It exits with 0 if there was no violation, and every mistake was found; with 1 if not; with 3 if it
could not begin, or broke off.
"""

import argparse
import gc
import math
import os
import pickle
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO, Final

from tools.crash import cluster, disk
from tools.crash.adapter import Workshop
from tools.crash.mistakes import MISTAKES, SHOWN_BY
from tools.crash.plan import FAULTS, Plan, draw
from tools.crash.shared import Shared
from tools.crash.trial import Ground, Verdict, run
from tools.crash.world import AUTHORITY, EHR, REAL, answer_well

ONE_TRIAL_SECONDS: Final = 400.0
JUDGED_BY: Final = 200
"""Trials within which a planted mistake must be found."""

CANNOT_BEGIN: Final = 3
MEMORY: Final = Path("/dev/shm")


@dataclass
class Summary:
    """What came of the trials so far."""

    trials: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    drawn: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    with_kills: int = 0
    arrivals: int = 0
    violated: list[Verdict] = field(default_factory=list)
    judged: Counter[str] = field(default_factory=Counter)
    found: set[str] = field(default_factory=set)

    def add(self, verdict: Verdict) -> None:
        if verdict.mistake is not None:
            self._judge(verdict, verdict.mistake)
            return
        self.trials += 1
        self.drawn.update(verdict.plan.faults)
        self.killed += verdict.killed
        self.with_kills += verdict.killed > 0
        self.arrivals += verdict.arrivals
        if verdict.violations:
            self.violated.append(verdict)

    def _judge(self, verdict: Verdict, mistake: str) -> None:
        self.judged[mistake] += 1
        if finds(verdict, mistake):
            self.found.add(mistake)
            print(f"planted {mistake}: found by trial {self.judged[mistake]}", flush=True)

    def text(self, seconds: float) -> str:
        faults = "\n".join(f"  {name:20} {self.drawn[name]:6}" for name in sorted(self.drawn))
        return (
            f"{faults}\n{self.trials} trials, {len(self.violated)} with violations; "
            f"{self.with_kills} with killed processes ({self.killed} processes), "
            f"{self.arrivals} arrivals; {seconds:.0f} s, {self.trials / seconds:.2f} a second"
        )


@dataclass(frozen=True)
class Wanted:
    """What is to be tried."""

    seeds: Sequence[int]
    postgresql: bool = False
    processes: int | None = None
    fault: str | None = None
    mistake: str | None = None
    seconds: float = math.inf
    judges: bool = False

    def plan(self, seed: int, able: frozenset[str]) -> Plan:
        return draw(
            seed,
            postgresql=self.postgresql,
            processes=self.processes,
            fault=self.fault,
            able=able,
        )


@contextmanager
def ground(folder: Path, *, postgresql: bool) -> Iterator[Ground]:
    """What trials stand on, for one process that has no threads."""
    with ExitStack() as stack:
        listeners = {}
        for place in (AUTHORITY, EHR, REAL):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
            listeners[place] = listener
        urls = {
            place: f"http://127.0.0.1:{one.getsockname()[1]}/{place}/{{contract}}"
            for place, one in listeners.items()
        }
        shared = Shared()
        server = small = None
        workshop = Workshop(folder, urls, shared)
        receivers = partial(answer_well, listeners, shared)
        if postgresql:
            server = stack.enter_context(cluster.own_cluster(folder / "postgresql"))
            workshop.empty_postgresql(server.url)
            workshop.warm_up(server.url, receivers)
        else:
            workshop.warm_up(workshop.new_sqlite(folder), receivers)
            small = stack.enter_context(disk.small_disk(folder / "small"))
        gc.collect()
        gc.freeze()  # so that forks share what is there already
        yield Ground(workshop, shared, listeners, folder, server, small)


def able(*, small: bool) -> frozenset[str]:
    """The faults that can be had here."""
    missing: set[str] = set()
    if disk.why_no_libfiu() is not None or not disk.preloaded():
        missing |= {"fsync", "write-error"}
    if not small:
        missing |= {"disk-full"}
    return frozenset(FAULTS) - missing


def trials(wanted: Wanted, folder: Path) -> Generator[Verdict, None, None]:
    """Run the trials one after the other, each in a process of its own."""
    with ground(folder, postgresql=wanted.postgresql) as here:
        can = able(small=here.small is not None or wanted.postgresql)
        until = time.monotonic() + wanted.seconds
        for seed in wanted.seeds:
            if time.monotonic() > until:
                break
            yield _apart(wanted.plan(seed, can), here, wanted.mistake)
        for mistake in MISTAKES if wanted.judges else ():
            yield from _judge(wanted, can, here, mistake)


def finds(verdict: Verdict, mistake: str) -> bool:
    """Whether a trial has violated what a planted mistake violates."""
    return any(one[0] in SHOWN_BY[mistake] for one in verdict.violations)


def _judge(wanted: Wanted, can: frozenset[str], here: Ground, mistake: str) -> Iterator[Verdict]:
    """Trials of an adapter with a mistake, until it is found."""
    for seed in range(wanted.seeds[0], wanted.seeds[0] + JUDGED_BY):
        verdict = replace(_apart(wanted.plan(seed, can), here, mistake), mistake=mistake)
        yield verdict
        if finds(verdict, mistake):
            return


def _apart(plan: Plan, here: Ground, mistake: str | None) -> Verdict:
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            os.close(ours)
            verdict = run(plan, here, mistake)
            with os.fdopen(theirs, "wb") as pipe:
                pickle.dump(verdict, pipe)
            code = 0
        finally:
            _print_trace()
            os._exit(code)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        data = _read_within(pipe.fileno(), ONE_TRIAL_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    if here.cluster is not None and not data:
        with suppress(RuntimeError):
            here.cluster.start()
    if not data:
        return Verdict(plan, ("the trial itself did not come to its end",), 0, 0, 0, 0.0)
    verdict = pickle.loads(data)
    assert isinstance(verdict, Verdict)
    return verdict


def _print_trace() -> None:
    if sys.exc_info()[0] is not None:
        traceback.print_exc()
        sys.stderr.flush()


def _read_within(pipe: int, seconds: float) -> bytes:
    data, until = b"", time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([pipe], [], [], left)[0]:
            chunk = os.read(pipe, 1 << 20)
            if not chunk:
                break
            data += chunk
    return data


def main() -> int:
    options = _options()
    if options.postgres and (why := cluster.why_no_cluster()):
        print(f"PostgreSQL IS NOT TRIED: {why}")
        return CANNOT_BEGIN
    if not options.postgres and not disk.preloaded():
        why_not = disk.why_no_libfiu()
        if why_not is None:
            disk.start_again_with_libfiu(["-m", "tools.trials", *sys.argv[1:]])
        print(f"fsync and write errors ARE NOT TRIED: {why_not}")
    print(f"seed {options.seed}, {options.count} trials", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return _run_jobs(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[1])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--processes", type=int, choices=(1, 2, 3))
    parser.add_argument("--fault", choices=FAULTS)
    parser.add_argument("--mistake", choices=tuple(MISTAKES))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=math.inf, help="end after so long")
    parser.add_argument("--judge", action="store_true", help="is each planted mistake found?")
    parser.add_argument("--until-violation", action="store_true", help="stop at the first one")
    parser.add_argument("--keep", type=Path, help="folder for what is left of violations")
    return parser.parse_args()


def make_folder() -> Path:
    """In memory, where there is such a place: what is killed here is no machine."""
    folder = Path(tempfile.mkdtemp(prefix="trials-", dir=MEMORY if MEMORY.is_dir() else None))
    folder.chmod(0o755)  # the server's own user walks through it
    return folder


def _run_jobs(options: argparse.Namespace) -> int:
    began, summary = time.monotonic(), Summary()
    seeds = range(options.seed, options.seed + options.count)
    folder = make_folder()
    ours, theirs = os.pipe()
    jobs = []
    for number in range(options.jobs):
        mine = folder / f"job-{number}"
        mine.mkdir()
        wanted = Wanted(
            seeds[number :: options.jobs],
            options.postgres,
            options.processes,
            options.fault,
            options.mistake,
            options.seconds,
            options.judge and number == 0,
        )
        jobs.append(_job(wanted, mine, ours, theirs))
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe, suppress(KeyboardInterrupt):
        for verdict in _verdicts(pipe):
            summary.add(verdict)
            seconds = time.monotonic() - began
            _tell(verdict, summary, seconds)
            if verdict.violations:
                _keep(verdict, folder, options.keep)
            if verdict.violations and options.until_violation:
                break  # whoever writes on finds the pipe closed, and ends
    failed = [os.waitpid(pid, 0)[1] for pid in jobs]
    print(summary.text(time.monotonic() - began))
    shutil.rmtree(folder, ignore_errors=True)
    if any(failed):
        print(f"{sum(map(bool, failed))} of {options.jobs} jobs BROKE OFF: the rest is not tried")
        return CANNOT_BEGIN
    lost = sorted(set(MISTAKES) - summary.found) if options.judge else []
    for mistake in lost:
        print(f"planted {mistake}: NOT FOUND by {summary.judged[mistake]} trials")
    return 1 if summary.violated or lost else 0


def _job(wanted: Wanted, folder: Path, ours: int, pipe: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.close(ours)  # so that writing fails when nobody reads
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with (
            os.fdopen(pipe, "wb", buffering=0) as out,
            _silent(folder),
            closing(trials(wanted, folder)) as verdicts,  # and so its disk and its server
        ):
            for verdict in verdicts:
                out.write(pickle.dumps(verdict))
        code = 0
    except BrokenPipeError:  # nobody wants more of them
        code = 0
    finally:
        _print_trace()
        os._exit(code)


@contextmanager
def _silent(folder: Path) -> Iterator[None]:
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    yield


def _verdicts(pipe: IO[bytes]) -> Iterator[Verdict]:
    while True:
        try:
            yield pickle.load(pipe)
        except EOFError:
            return


def _tell(verdict: Verdict, summary: Summary, seconds: float) -> None:
    for violation in verdict.violations if verdict.mistake is None else ():
        print(f"seed {verdict.plan.seed} {'+'.join(verdict.plan.faults)}: {violation}", flush=True)
    if summary.trials % 100 == 0 and verdict.mistake is None:
        print(
            f"{summary.trials} trials, {seconds:.0f} s, {len(summary.violated)} violated",
            flush=True,
        )


def _keep(verdict: Verdict, folder: Path, keep: Path | None) -> None:
    if keep is None:
        return
    keep.mkdir(parents=True, exist_ok=True)
    name = f"trial-{verdict.plan.seed}"
    for found in folder.glob(f"*/{name}"):
        shutil.copytree(found, keep / name, dirs_exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
