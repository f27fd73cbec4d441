"""
Whether the tests would notice: small faults put into the code, one at a time.

    python -m tools.mutants TREE [--seed 1] [--count 200] [--only N …] [--list]

For each fault, the tests that run its line are run on a private copy of the checkout, the quickest
first, until one fails (the fault is killed) or there are no more (it survived). What holds too long
is killed, too. Which test runs which line is measured first, once; `--measure` does only that.

To be cheap, one process imports the code and the tests, and a child of it gets the faulty function
in the place of the right one. What runs while modules are imported is judged by a child that
imports everything itself. At the end, the tests that killed are run without any fault.

It exits with 0 if nine of ten are killed, with 1 if not.
"""

import argparse
import ast
import gc
import importlib
import itertools
import math
import os
import pickle
import pkgutil
import resource
import shutil
import signal
import sys
import tempfile
import time
import types
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import pytest

from tools.lines_seen import TREES, Recorder, SeenLines, load, stale
from tools.mutations import Mutant, Statement, pick, set_by, statements

ROOT: Final = Path(__file__).resolve().parent.parent
ENOUGH: Final = 0.9
"""The share that must be killed."""

MEASURED: Final = (
    *("tests/schemas", "tests/mocks", "tests/adapter", "tests/flows"),
    "tests/docs/test_certificate_types.py",
)
TOO_SLOW: Final = (
    "tests/schemas/export/test_agreement.py",
    "tests/schemas/test_official_examples.py",
    "tests/adapter/flows/test_conversations.py",
    "tests/adapter/bootstrap/test_processes.py",
    "tests/flows/test_accident.py",
    "tests/flows/test_demo.py",
    "tests/flows/test_guard_proof.py",
    "tests/flows/test_kill.py",
    "tests/flows/test_unwritable_log.py",
)
"""Tests that take long, and that others see less of the code than."""

HOLD_TABLES: Final = ("tests/adapter/test_same_again.py", "tests/mocks/test_same_again.py")
"""Tests that compare whole tables of names with what they were."""

BUDGET_SECONDS: Final = 20.0
"""How much of the tests, by what they take without a fault, is run for one fault."""

PATIENCE: Final = 8
"""How many times that they may take before they hang."""

LIBRARIES: Final = (
    *("lxml.etree", "sqlalchemy.orm", "xmlschema", "elementpath", "zeep", "signxml", "flask"),
    *("cryptography.x509", "pydantic_settings", "typer", "rich.console", "structlog", "yaml"),
    *("h11", "werkzeug.serving", "alembic.command", "prometheus_client", "requests"),
)

_TICK_SECONDS: Final = 0.02

FEW_FILES: Final = 5
"""How many files of tests are imported anew for one fault."""

TOLD_TO: Final = os.dup(1)
"""Where verdicts are told: standard output, also while pytest's goes elsewhere."""

_Key = TypeVar("_Key")
_Lines = dict[_Key, set[tuple[str, int]]]

Child = Callable[[], int]
Held = dict[str, list[types.FunctionType]]
Changes = list[tuple[types.FunctionType, types.CodeType]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one fault: by which test it was killed, if it was."""

    number: int
    mutant: Mutant
    killed_by: str | None
    tests: int
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """The command; returns what to exit with."""
    asked = _parser().parse_args(arguments)
    picked = list(enumerate(pick(ROOT, asked.tree, seed=asked.seed, count=asked.count), 1))
    if asked.only:
        picked = [each for each in picked if each[0] in asked.only]
    if asked.list:
        for number, mutant in picked:
            print(f"{number:4} {mutant.path}:{mutant.line}  {mutant.what}")
        return 0
    with private_copy() as copy:
        files = _test_files(asked.tests or MEASURED)
        _measure(copy, stale(copy, files))
        if asked.measure:
            return 0
        verdicts = judged(copy, picked, load(copy, files))
        verdicts.sort(key=lambda each: each.number)
        return _tell(asked.tree, verdicts, _fail_anyway(copy, verdicts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants")
    parser.add_argument("tree", help="schemas, mocks, adapter, or a folder in one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--only", type=int, nargs="+", help="numbers, as the list tells")
    parser.add_argument("--list", action="store_true", help="tell the faults, and judge none")
    parser.add_argument("--measure", action="store_true", help="measure, and judge none")
    parser.add_argument("--tests", nargs="+", help=f"folders of tests: {' '.join(MEASURED)}")
    return parser


def _test_files(folders: Iterable[str]) -> list[str]:
    return [
        path
        for folder in folders
        for file in sorted((ROOT / folder).rglob("test_*.py")) or [ROOT / folder]
        if file.is_file() and (path := file.relative_to(ROOT).as_posix()) not in TOO_SLOW
    ]


@contextmanager
def private_copy() -> Iterator[Path]:
    """The checkout, with its test keys, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="intyg-mutants-") as folder:
        copy = Path(folder).resolve() / "checkout"
        unseen = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")
        shutil.copytree(ROOT, copy, symlinks=True, ignore=unseen)
        yield copy


def in_child(copy: Path, do: Child, *, cpu_seconds: float = math.inf) -> int | None:
    """
    Run something in a child process that sees the copy; what it leaves running is ended.

    Args:
        cpu_seconds: How much it may compute. What only waits gets ten times as long, not counting
            what this process itself has to wait: others use the machine, too.

    Returns:
        What it exited with, None when it was too much.
    """
    sys.stdout.flush()
    if (pid := os.fork()) == 0:
        if cpu_seconds < math.inf:
            resource.setrlimit(
                resource.RLIMIT_CPU, (math.ceil(cpu_seconds), resource.RLIM_INFINITY)
            )
        os._exit(_as_child(copy, do))
    try:
        return _waited(pid, 10 * cpu_seconds)
    finally:
        end_group(pid)
        shutil.rmtree(copy.parent / f"tmp{pid}", ignore_errors=True)


def end_group(group: int) -> None:
    """End what a child started and left; there is often nothing."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _waited(pid: int, seconds: float) -> int | None:
    for _ in itertools.takewhile(lambda tick: tick * _TICK_SECONDS < seconds, itertools.count()):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return None if code == -signal.SIGXCPU else code
        time.sleep(_TICK_SECONDS)
    end_group(pid)
    os.waitpid(pid, 0)
    return None


def _as_child(copy: Path, do: Child) -> int:
    os.setsid()
    output = os.open(copy.parent / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        return do()
    except BaseException as error:  # noqa: BLE001 -- a fault may do anything
        print(f"{type(error).__name__}: {error}")
        return int(pytest.ExitCode.INTERNAL_ERROR)
    finally:
        sys.stdout.flush()


def _see(copy: Path) -> None:
    """From here on this process imports the copy, and so do those that it starts."""
    os.chdir(copy)
    sys.path[:0] = [str(copy), str(copy / "src")]
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
    temporary = copy.parent / f"tmp{os.getpid()}"
    temporary.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    os.environ.pop("INTYG_NATIONAL_EXAMPLES", None)


def run_tests(tests: Iterable[str], plugin: object, *options: str) -> int:
    """Run tests of the folder that this process is in; plain `assert`, so nothing is compiled."""
    return pytest.main(
        [
            *tests,
            "-q",
            "--assert=plain",
            "-o",
            "timeout=1800",
            "--hypothesis-seed=0",
            "-p",
            "no:cacheprovider",
            *options,
        ],
        plugins=[plugin],
    )


def _measure(copy: Path, test_files: list[str]) -> None:
    if not test_files:
        return
    print(f"measuring what {len(test_files)} test files run …", flush=True)

    def measures() -> int:
        _see(copy)
        sys.dont_write_bytecode = True
        sys.pycache_prefix = str(copy.parent / "none")
        return run_tests(test_files, Recorder(copy))

    code = in_child(copy, measures)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"not measured: {(copy.parent / 'output').read_text()[-2000:]}")


class Chosen:
    """A plugin of pytest that runs chosen tests in their order, and tells which one failed."""

    def __init__(self, tests: list[str], told: Path) -> None:
        self._order = {test: at for at, test in enumerate(tests)}
        self._told = told

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order),
            key=lambda item: self._order[item.nodeid],
        )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        tell_failure(report, self._told)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        tell_failure(report, self._told)


def tell_failure(report: Any, told: Path) -> None:
    """Write down the test, or the file of tests, when it failed."""
    if report.failed:
        with told.open("a") as file:
            file.write(f"{report.nodeid}\n")


def judged(copy: Path, picked: list[tuple[int, Mutant]], seen: SeenLines) -> list[Verdict]:
    """Each fault's verdict, told as soon as it is known; what must be imported anew last."""
    warm = [each for each in picked if not _is_early(each[1], seen)]
    _import(LIBRARIES)
    verdicts = _judge_warm(copy, warm, seen) if warm else []
    judged_warm = {each.number for each in verdicts}
    left = [each for each in picked if each[0] not in judged_warm]
    return verdicts + [_judge_imported_anew(copy, *each, seen) for each in left]


def _judge_warm(copy: Path, faults: list[tuple[int, Mutant]], seen: SeenLines) -> list[Verdict]:
    """Verdicts of those whose functions are held; others must be imported anew, too."""
    kept = copy.parent / "verdicts"

    def judges() -> int:
        loop = Warm(copy, faults, seen)
        _see(copy)
        _import(_ours(copy))
        code = run_tests(loop.files, loop, "-s")
        kept.write_bytes(pickle.dumps(loop.verdicts))
        return code

    in_child(copy, judges)
    if not kept.exists():
        raise RuntimeError((copy.parent / "output").read_text()[-2000:])
    return cast("list[Verdict]", pickle.loads(kept.read_bytes()))


def _judge_imported_anew(copy: Path, number: int, mutant: Mutant, seen: SeenLines) -> Verdict:
    tests = _of_few_files(tests_for(copy, mutant, seen))

    def judges() -> int:
        _see(copy)
        files = sorted({test.partition("::")[0] for test in tests})
        return run_tests(files, Chosen(tests, copy.parent / "failed"), "-x")

    return _judge(copy, number, mutant, tests, seen, judges)


def _of_few_files(tests: list[str]) -> list[str]:
    """Each file costs its import."""
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))[:FEW_FILES]
    return [test for test in tests if test.partition("::")[0] in files]


class Warm:
    """
    A plugin of pytest that judges where tests would be run, in a process that has collected them.

    Args:
        faults: With their numbers; each is within a function.
    """

    def __init__(self, copy: Path, faults: list[tuple[int, Mutant]], seen: SeenLines) -> None:
        self.verdicts: list[Verdict] = []
        self._copy, self._faults, self._seen = copy, faults, seen
        self._tests = {number: tests_for(copy, mutant, seen) for number, mutant in faults}
        tests = itertools.chain.from_iterable(self._tests.values())
        self.files = sorted({test.partition("::")[0] for test in tests})

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        held = held_functions(self._copy)
        gc.collect()
        gc.freeze()
        for number, mutant in self._faults:
            if not (changed := changes(self._copy, mutant, held)):
                continue
            tests = [test for test in self._tests[number] if test in items]
            chosen = [items[test] for test in tests]
            judges = partial(self._run, chosen, changed)
            verdict = _judge(self._copy, number, mutant, tests, self._seen, judges)
            self.verdicts.append(verdict)
        return True

    def _run(self, items: list[pytest.Item], changed: Changes) -> int:
        _see(self._copy)
        for function, code in changed:
            function.__code__ = code
        told = self._copy.parent / "failed"
        for item, following in itertools.pairwise([*items, None]):
            assert item is not None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if told.exists():
                break
        return 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        tell_failure(report, self._copy.parent / "failed")


def _is_early(mutant: Mutant, seen: SeenLines) -> bool:
    return not mutant.in_function or (mutant.path, mutant.statement) in seen.early


def _import(names: Iterable[str]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 -- then its tests tell
            print(f"not imported beforehand: {name}: {error}")


def _ours(copy: Path) -> Iterator[str]:
    for tree in TREES:
        folder = str(copy / "src/intyg" / tree)
        for _, name, _ in pkgutil.walk_packages([folder], f"intyg.{tree}."):
            if not name.endswith("__main__") and ".migrations." not in name:
                yield name


def _judge(
    copy: Path, number: int, mutant: Mutant, tests: list[str], seen: SeenLines, judges: Child
) -> Verdict:
    told = copy.parent / "failed"
    told.unlink(missing_ok=True)
    allowed = 10 + PATIENCE * sum(seen.seconds[test] for test in tests)
    started = _spent()
    with _faulty(copy / mutant.path, mutant):
        code = in_child(copy, judges, cpu_seconds=allowed) if tests else 0
    verdict = Verdict(number, mutant, _killer(code, told), len(tests), _spent() - started)
    _tell_verdict(verdict)
    return verdict


def _spent() -> float:
    """Processor time of the children that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _killer(code: int | None, told: Path) -> str | None:
    if told.exists():
        return told.read_text().splitlines()[0]
    if code is None:
        return "time-out"
    if code in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR):
        return "what the tests share, which cannot be imported"
    if code not in (0, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        return "the end of all tests, in the middle of one"
    return None


@contextmanager
def _faulty(file: Path, mutant: Mutant) -> Iterator[None]:
    """The file with the fault; its time differs, so that no older bytecode is taken for it."""
    right, before = file.read_bytes(), file.stat().st_mtime
    file.write_bytes(mutant.applied(right))
    os.utime(file, (before, before + 10 + mutant.start))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        file.write_bytes(right)
        os.utime(file, (before, before))
        sys.dont_write_bytecode = False


def tests_for(copy: Path, mutant: Mutant, seen: SeenLines) -> list[str]:
    """
    The tests to run, in order and as many as the budget allows.

    First those of the file that mirrors this one, then others, quickest first and each file in its
    turn. Tests of the mirror that do not run the line come last: what is kept between tests is
    run by the first one only. They come first where the fault is in what is read, not run, and so
    do tests that hold whole tables, of which those of the same tree read what they run no line of.
    """
    mirror = _mirror(mutant.path)
    lines = _lines(copy, mutant, seen)
    touching = set[str]().union(*(seen.tests.get(line, ()) for line in lines))
    near = _quickest(seen, mirror, touching)
    rest = _quickest(seen, mirror, seen.seconds.keys() - touching)
    far = list(_in_turn(touching.difference(near), seen))
    tables = [test for test in seen.seconds if test.startswith(_tables_of(mutant.path))]
    whole = [*near, *rest, *tables, *(test for test in far if test not in tables)]
    ordered = [*near, *far, *rest] if mutant.in_function else whole
    if not touching:
        folder = mirror.rpartition("/")[0] + "/"
        ordered += _quickest(seen, folder, seen.seconds.keys() - set(ordered))
    spent = itertools.accumulate(seen.seconds[each] for each in ordered)
    return [test for test, seconds in zip(ordered, spent, strict=True) if seconds < BUDGET_SECONDS]


def _quickest(seen: SeenLines, start: str, tests: Iterable[str]) -> list[str]:
    found = (test for test in tests if test.startswith(start))
    return sorted(found, key=lambda each: (seen.seconds[each], each))


def _mirror(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"tests/{folder}/test_{name.removeprefix('_')}::"


def _tables_of(path: str) -> tuple[str, ...]:
    tree = f"tests/{path.partition('/')[0]}/"
    return tuple(file for file in HOLD_TABLES if file.startswith(tree))


def _in_turn(tests: Iterable[str], seen: SeenLines) -> Iterator[str]:
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in sorted(tests, key=lambda each: (seen.seconds[each], each)):
        by_file[test.partition("::")[0]].append(test)
    for turn in itertools.zip_longest(*by_file.values()):
        yield from filter(None, turn)


def _lines(copy: Path, mutant: Mutant, seen: SeenLines) -> set[tuple[str, int]]:
    """Where the fault is seen: its own line, or where what it sets is read."""
    own = {(mutant.path, mutant.statement)} if mutant.in_function else set()
    return own | readers(copy, mutant) if _is_early(mutant, seen) else own


def readers(root: Path, mutant: Mutant) -> set[tuple[str, int]]:
    """
    Statements of functions that read what a statement of a module or class sets.

    Of a function that modules call as they are imported, it is what they keep of its answer.
    """
    by_name, onwards, by_scope = _reads(root)
    lines = set(by_scope[mutant.path, mutant.scope[0]]) if mutant.scope else set()
    names = {mutant.scope[-1]} if mutant.in_function else mutant.names
    found = {(mutant.path, name) for name in names}
    for _ in range(3):
        lines.update(*(_at_home(path, name, by_name[name]) for path, name in found))
        found = set[tuple[str, str]]().union(
            *(_at_home(path, name, onwards[name]) for path, name in found)
        )
    return lines


def _at_home(path: str, name: str, reads: set[tuple[str, _Key]]) -> set[tuple[str, _Key]]:
    """A private name is its module's own, whatever others have by the same name."""
    own = {each for each in reads if each[0] == path} if name.startswith("_") else set()
    return own or reads


@cache
def _reads(
    root: Path,
) -> tuple[_Lines[str], dict[str, set[tuple[str, str]]], _Lines[tuple[str, str]]]:
    """By name, who reads it: functions, and names of modules; what each class consists of."""
    by_name: _Lines[str] = defaultdict(set)
    onwards: dict[str, set[tuple[str, str]]] = defaultdict(set)
    by_scope: _Lines[tuple[str, str]] = defaultdict(set)
    for path, each in _statements_of(root):
        names = {getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(each.node)}
        if each.in_function:
            by_scope[path, each.scope[0]].add((path, each.node.lineno))
            for name in names:
                by_name[name].add((path, each.node.lineno))
        elif not isinstance(each.node, ast.FunctionDef | ast.ClassDef):
            for name in names:
                onwards[name] |= {(path, one) for one in (*set_by(each.node), *each.scope[:1])}
    return by_name, onwards, by_scope


def _statements_of(root: Path) -> Iterator[tuple[str, Statement]]:
    for file in (file for tree in TREES for file in (root / tree).rglob("*.py")):
        for each in statements(ast.parse(file.read_bytes())):
            yield file.relative_to(root).as_posix(), each


def changes(copy: Path, mutant: Mutant, held: Held) -> Changes:
    """
    The functions that are otherwise with the fault, wherever they are held, and how.

    There are none where the fault makes them hold other variables from around them: Python gives no
    function such a body while it is there.
    """
    functions = held[(copy / mutant.path).as_posix()]
    source = mutant.applied((copy / mutant.path).read_bytes())
    found = []
    for name in {each.__code__.co_filename for each in functions}:
        faulty = _functions(compile(source, name, "exec", dont_inherit=True))
        for each in functions:
            code = faulty.get((each.__code__.co_qualname, each.__code__.co_firstlineno))
            if each.__code__.co_filename == name and code and code != each.__code__:
                found.append((each, code))
    same = all(each.__code__.co_freevars == code.co_freevars for each, code in found)
    return found if same else []


def held_functions(copy: Path) -> Held:
    """All functions of the copy that this process has, by the file they come from."""
    held: Held = defaultdict(list)
    gc.unfreeze()  # what is frozen is not among the objects: the code itself may have done so
    for each in gc.get_objects():
        if isinstance(each, types.FunctionType):
            file = os.path.realpath(each.__code__.co_filename)
            if file.startswith(f"{copy}/"):
                held[file].append(each)
    return held


def _functions(code: types.CodeType) -> dict[tuple[str, int], types.CodeType]:
    found = {(code.co_qualname, code.co_firstlineno): code}
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            found |= _functions(each)
    return found


def _tell_verdict(verdict: Verdict) -> None:
    by = f"killed by {verdict.killed_by}" if verdict.killed_by else "SURVIVED"
    mutant = verdict.mutant
    line = f"{verdict.number:4} {mutant.path}:{mutant.line}  {mutant.what}\n     {by}"
    line += f" ({verdict.tests} tests, {verdict.seconds:.1f} s)\n"
    os.write(TOLD_TO, line.encode())


def _fail_anyway(copy: Path, verdicts: list[Verdict]) -> set[str]:
    """Tests among those that killed that fail without a fault, too."""
    killers = sorted(
        {each.killed_by for each in verdicts if each.killed_by and "::" in each.killed_by}
    )
    told = copy.parent / "failed"
    told.unlink(missing_ok=True)
    files = sorted({test.partition("::")[0] for test in killers})

    def runs() -> int:
        _see(copy)
        return run_tests(files, Chosen(killers, told))

    if killers:
        in_child(copy, runs)
    return set(told.read_text().splitlines()) if told.exists() else set()


def _tell(tree: str, verdicts: list[Verdict], void: set[str]) -> int:
    killed = [each for each in verdicts if each.killed_by and each.killed_by not in void]
    for test in sorted(void):
        print(f"fails without a fault, so it kills none: {test}")
    print(f"\n{tree}: {len(killed)} of {len(verdicts)} killed", end="")
    print(f", {len(killed) / max(len(verdicts), 1):.1%}. Survivors:")
    for each in verdicts:
        if each not in killed:
            print(f"{each.number:4} {each.mutant.path}:{each.mutant.line}  {each.mutant.what}")
    return 0 if len(killed) >= ENOUGH * len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
