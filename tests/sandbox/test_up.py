"""`make up` and `make down`: one set of adapter and mocks a folder, at ports that are told."""

import html
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from rich.console import Console

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature.demo_keys import make_test_keys
from intyg.mocks.personas import PERSONAS
from intyg.sandbox.demo.stage import Ports
from intyg.sandbox.up import shut_down, stay_up
from intyg.sandbox.up.folder import UpFolder
from intyg.sandbox.up.ports import USUAL, PortsError, named_ports, usual_ports
from intyg.sandbox.up.running import FILE
from tests.free_ports import ports_in_a_row

INTYG = (sys.executable, "-c", "from intyg.adapter.cli.main import main; main()", "demo")
TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_test_keys(folder, system_clock())
    return folder


def demo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*INTYG, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def staying(
    folder: Path,
    keys: Path,
    ports_from: int | None = 0,
    while_up: Callable[[Callable[[], None]], None] = lambda announce: announce(),
) -> tuple[int, str]:
    """Exit code and text of what stays, in this process, until `while_up` returns."""
    told = io.StringIO()
    return stay_up(keys, Console(file=told), while_up, folder, ports_from), told.getvalue()


def shutting_down(folder: Path) -> tuple[int, str]:
    told = io.StringIO()
    return shut_down(Console(file=told), folder), told.getvalue()


@contextmanager
def up(folder: Path, keys: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that stays, and what it said until it stayed."""
    command = [*INTYG, "--stay", "--folder", str(folder), "--keys", str(keys), "--ports-from", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if line.startswith("Ctrl-C"):
                    break
            yield process, "".join(said)
        finally:
            process.kill()


def opened(link: str) -> str:
    """The heading of what a browser comes to by a link."""
    browser = requests.Session()
    return html.unescape(re.findall("<h1>(.*?)</h1>", browser.get(link, timeout=10).text)[0])


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything in a folder but what the database writes at any time."""
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.iterdir()
        if path.is_file() and "sqlite" not in path.name
    }


# --- one at a time --------------------------------------------------------------------------------


@pytest.mark.timeout(300)  # four processes, each starting anew
def test_a_second_one_says_one_line_and_touches_nothing(tmp_path: Path, keys: Path) -> None:
    folder = tmp_path / "up"
    with up(folder, keys) as (process, said):
        url = re.search(r"^adapter +(\S+)/services$", said, re.MULTILINE)
        assert url is not None
        before = files_of(folder)
        again = demo("--stay", "--folder", folder, "--keys", keys)
        running = f"{folder} is up already: {url[1]}/services, process {process.pid}\n"
        assert (again.returncode, again.stdout, again.stderr) == (0, running, "")
        elsewhere = demo("--stay", "--folder", folder, "--keys", keys, "--ports-from", "1")
        assert elsewhere.returncode == 1
        assert elsewhere.stdout.startswith(running.rstrip())
        assert elsewhere.stdout.count("\n") == 1
        assert files_of(folder) == before
        with urllib.request.urlopen(f"{url[1]}/health", timeout=5) as health:
            assert json.load(health)
        link = re.search(rf"({re.escape(url[1])}/console/login\S+)$", said, re.MULTILINE)
        assert link is not None
        assert [opened(link[1]), opened(link[1])] == ["L\u00e4get just nu", "Logga in"]
        link = re.search(r"^The mocks, .*: (http://\S+/mock/login\S+)$", said, re.MULTILINE)
        assert link is not None
        assert opened(link[1]) == "Attrapperna just nu"

        down = demo("--stop", "--folder", folder)
        assert (down.returncode, down.stdout) == (0, f"{folder} is down\n")
        assert process.wait(TIMEOUT_SECONDS) == 0


@pytest.mark.timeout(300)
def test_what_was_killed_stands_in_nobodys_way(tmp_path: Path, keys: Path) -> None:
    with up(tmp_path, keys) as (process, _):
        process.kill()
        process.wait(TIMEOUT_SECONDS)
    assert (tmp_path / FILE).read_text("ascii").startswith(f"{process.pid}\n")
    assert shutting_down(tmp_path) == (0, f"nothing is up in {tmp_path}\n")
    code, said = staying(tmp_path, keys)
    assert code == 0
    assert "adapter  " in said


def test_a_number_that_was_left_behind_is_sent_no_signal(tmp_path: Path) -> None:
    """It may be anybody's by now: here that of a process which must not end."""
    with subprocess.Popen(["sleep", "60"]) as bystander:
        (tmp_path / FILE).write_text(f"{bystander.pid}\nhttp://127.0.0.1:8080\n", "ascii")
        try:
            assert shutting_down(tmp_path) == (0, f"nothing is up in {tmp_path}\n")
            assert bystander.poll() is None
        finally:
            bystander.kill()


@pytest.mark.timeout(300)
def test_what_is_starting_can_be_stopped(tmp_path: Path, keys: Path) -> None:
    command = [*INTYG, "--stay", "--folder", str(tmp_path), "--keys", str(keys)]
    file = tmp_path / FILE
    with subprocess.Popen([*command, "--ports-from", "0"], stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while not file.exists() or not file.read_text("ascii"):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert shutting_down(tmp_path) == (0, f"{tmp_path} is down\n")
            assert process.wait(TIMEOUT_SECONDS) in {0, -signal.SIGTERM}
        finally:
            process.kill()


# --- ports ----------------------------------------------------------------------------------------


def test_two_folders_have_ports_of_their_own(tmp_path: Path, keys: Path) -> None:
    told: list[str] = []

    def another(announce: Callable[[], None]) -> None:
        announce()
        told.append(staying(tmp_path / "two", keys, None)[1])

    code, said = staying(tmp_path / "one", keys, None, another)
    assert code == 0
    one, two = (
        re.findall(r"^\S+ +http://127\.0\.0\.1:(\d+)/", each, re.M) for each in (said, *told)
    )
    assert len(one) == len(two) == 1 + len(PERSONAS)
    assert not set(one) & set(two)
    for port in one:
        assert f"port {port} is taken: " in told[0] or int(port) >= USUAL + len(one)


def test_a_port_that_is_taken_in_the_last_moment_is_given_up(
    tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        choices = iter([(Ports(adapter=taken), ()), (Ports(), ("another",))])
        monkeypatch.setattr("intyg.sandbox.up.left_running.usual_ports", lambda: next(choices))
        code, said = staying(tmp_path, keys, None)
    assert code == 0
    assert said.startswith("another\n")
    assert f":{taken}/" not in said


def test_named_ports_are_in_a_row() -> None:
    with ports_in_a_row(1 + len(PERSONAS)) as first:
        ports = named_ports(first)
        assert ports.adapter == first
        assert list(ports.mocks.values()) == list(range(first + 1, first + 1 + len(PERSONAS)))


def test_a_named_port_that_is_taken_is_an_error(tmp_path: Path, keys: Path) -> None:
    count = 1 + len(PERSONAS)
    with ports_in_a_row(count) as first, socket.create_server(("127.0.0.1", first + 4)):
        refused = staying(tmp_path, keys, first)
    text = f"port {first + 4}, for Skatteverket: it is taken; name another first port\n"
    assert refused == (1, text)


@pytest.mark.parametrize("first", [-1, 65531, 700000])
def test_what_is_no_port_is_an_error(first: int) -> None:
    with pytest.raises(PortsError, match="they go from 1 to 65535"):
        named_ports(first)


def test_a_usual_port_that_is_taken_is_told_with_the_one_in_its_place() -> None:
    with ExitStack() as stack:
        before, _ = usual_ports()
        stack.enter_context(socket.create_server(("127.0.0.1", before.mocks["skatteverket"])))
        ports, notes = usual_ports()
    skatteverket = ports.mocks["skatteverket"]
    assert skatteverket not in {before.mocks["skatteverket"], ports.adapter}
    assert f"port 8084 is taken: Skatteverket has {skatteverket}" in notes
    assert len({ports.adapter, *ports.mocks.values()}) == 1 + len(PERSONAS)


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--stay", "--stop"], "one of --stay and --stop", id="both"),
        pytest.param(["--folder", "x"], "goes with --stay or --stop", id="folder alone"),
        pytest.param(["--stop", "--ports-from", "1"], "goes with --stay", id="ports alone"),
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], words: str) -> None:
    refused = demo(*arguments)
    assert refused.returncode == 2
    assert words in refused.stderr


def test_a_folder_that_is_a_file_is_told(tmp_path: Path, keys: Path) -> None:
    (tmp_path / "file").touch()
    code, said = staying(tmp_path / "file", keys)
    assert (code, said) == (1, f"{tmp_path}/file/scripts: Not a directory\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, keys: Path) -> None:
    tmp_path.chmod(0o500)
    assert staying(tmp_path / "up", keys) == (1, f"{tmp_path}/up: Permission denied\n")


# --- what it leaves -------------------------------------------------------------------------------


def test_what_stays_up_begins_with_the_rules_in_its_folder(tmp_path: Path, keys: Path) -> None:
    folder = UpFolder(tmp_path / "up")
    folder.make()
    rule = folder.rules / "slow.yaml"
    rule.write_text("match: {typ: FK7804}\nanswers: {kind: hang}\n", "utf-8")
    code, said = staying(folder.path, keys)
    assert code == 2
    assert "slow.yaml:1: match.typ: FK7804 is LISJP in a certificate" in said
    rule.write_text("match: {typ: LISJP}\nanswers: {kind: hang}\n", "utf-8")
    code, said = staying(folder.path, keys)
    assert code == 0
    assert f"{folder.rules}/*.yaml" in said
