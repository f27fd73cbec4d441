"""What a newcomer does wrong first: one line with what to do, and never a traceback.

Each command runs in a process of its own, since a traceback can come from anywhere up to the exit.
"""

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from intyg.adapter.cli.last_words import EXTRAS, last_words
from tests.adapter.databases import POSTGRES_URL, why_no_postgresql

NO_ENCRYPTION = b"1234"  # of that length is what asks for encryption, besides its own length
ASKS_FOR_PASSWORD = 3  # AuthenticationCleartextPassword

NO_HOST = "10.255.255.254"
"""An address that no machine of a test has."""


_COMMAND: list[Path] = []


@pytest.fixture(autouse=True)
def _command(intyg_command: Path) -> None:
    _COMMAND[:] = [intyg_command]


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )


def last_line(folder: Path, *arguments: str, **variables: str) -> str:
    """What the command ends with, which is no traceback and no success."""
    ended = run(folder, *arguments, **variables)
    assert ended.returncode in (1, 2), ended
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.stderr.splitlines()[-1]


def settings(folder: Path, more: str, before: str = "") -> str:
    (folder / "adapter.toml").write_text(
        f'environment = "demo"\ndata_dir = "data"\n{before}[server]\nport = 0\n{more}'
    )
    return "adapter.toml"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


# --- addresses ------------------------------------------------------------------------------------


def test_serve_on_a_port_that_is_taken(tmp_path: Path, taken: int) -> None:
    config = settings(tmp_path, "").replace("port = 0", "")
    text = (tmp_path / config).read_text().replace("port = 0", f"port = {taken}")
    (tmp_path / config).write_text(text)
    line = last_line(tmp_path, "serve", "--config", config)
    assert line.startswith(f"127.0.0.1:{taken} is taken: another program listens there")
    assert line.endswith("set server.port (0 takes a free one)")


def test_serve_with_a_console_on_a_port_that_is_taken(tmp_path: Path, taken: int) -> None:
    config = settings(tmp_path, f"[console]\nport = {taken}\n")
    line = last_line(tmp_path, "serve", "--config", config)
    assert line.startswith(f"127.0.0.1:{taken} is taken")
    assert "console.port" in line


@pytest.mark.parametrize("host", [NO_HOST, "no-such-host.invalid"])
def test_serve_on_a_host_that_is_not_this_machine(tmp_path: Path, host: str) -> None:
    config = settings(tmp_path, f'host = "{host}"\n')
    line = last_line(tmp_path, "serve", "--config", config)
    assert line.startswith(f"{host}:0 is no address of this machine: set server.host")


def test_mocks_on_a_port_that_is_taken(tmp_path: Path, taken: int) -> None:
    line = last_line(tmp_path, "mocks", "--ports-from", "0", "--port", f"skatteverket={taken}")
    assert line.startswith(f"127.0.0.1:{taken} is taken")
    assert "--port NAME=PORT" in line


def test_the_national_mock_on_a_port_that_is_taken(tmp_path: Path, taken: int) -> None:
    line = last_line(tmp_path, "mocks", "national", "--port", str(taken))
    assert line.startswith(f"127.0.0.1:{taken} is taken")


@pytest.mark.parametrize(
    "arguments",
    [("mocks", "--ports-from", "70000"), ("mocks", "national", "--port", "70000")],
    ids=" ".join,
)
def test_a_port_that_there_is_not(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert "less than or equal to" in " ".join(run(tmp_path, *arguments).stderr.split())
    assert "Traceback" not in run(tmp_path, *arguments).stderr


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("serve",),
        ("blocked",),
        ("audit", "list"),
        ("patient", "explain", "189001019802"),
        ("route", "explain", "RegisterCertificate", "X"),
    ],
    ids=" ".join,
)
def test_no_settings_names_the_option(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert last_line(tmp_path, *command).startswith("no settings: name a file with --config")


@pytest.mark.parametrize(
    ("config", "says"),
    [("gone.toml", "gone.toml: No such file"), (".", ".: Is a directory")],
)
def test_a_settings_file_that_cannot_be_read(tmp_path: Path, config: str, says: str) -> None:
    assert last_line(tmp_path, "serve", "--config", config).startswith(says)


def test_a_misspelt_setting_has_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    config = settings(tmp_path, "prot = 1\n")
    assert last_line(tmp_path, "serve", "-c", config) == (
        "adapter.toml:5: server.prot is no setting here; did you mean server.port?"
    )


def test_a_misspelt_contract_in_a_route_is_refused_with_the_nearest(tmp_path: Path) -> None:
    rows = (
        '[destinations.fk]\nurl = "http://127.0.0.1:1"\nkind = "mock"\n'
        '[[routes]]\ncontract = "RegisterCertficate"\nlogical_address = "X"\ndestination = "fk"\n'
    )
    config = settings(tmp_path, rows)
    line = last_line(tmp_path, "serve", "-c", config)
    assert "adapter.toml:8: there is no contract RegisterCertficate" in line
    assert "did you mean RegisterCertificate?" in line
    asked = run(tmp_path, "doctor", "-c", config)
    assert "adapter.toml:8: there is no contract" in asked.stdout
    assert asked.returncode == 1
    checked = run(tmp_path, "route", "check", config)
    assert "adapter.toml:8: unknown contract" in checked.stdout


# --- folders --------------------------------------------------------------------------------------


@pytest.fixture
def no_folder(tmp_path: Path) -> Path:
    """A path below which nobody can write, not even root."""
    file = tmp_path / "file"
    file.write_text("")
    return file / "below"


def test_a_data_folder_that_cannot_be_written(tmp_path: Path, no_folder: Path) -> None:
    config = settings(tmp_path, "")
    text = (tmp_path / config).read_text().replace('"data"', f'"{no_folder}"')
    (tmp_path / config).write_text(text)
    line = last_line(tmp_path, "serve", "-c", config)
    assert line.startswith(f"data_dir {no_folder}: Not a directory; set data_dir to a folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_folder_that_is_read_only(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    line = last_line(tmp_path, "serve", "-c", settings(tmp_path, ""))
    assert "data: Permission denied; set data_dir" in line


def test_a_keys_folder_that_cannot_be_written(tmp_path: Path, no_folder: Path) -> None:
    line = last_line(tmp_path, "test-keys", str(no_folder))
    assert line == f"{no_folder}: Not a directory"


@pytest.mark.parametrize("command", [("example", "FK7804"), ("schema", "FK7804", "--xsd11")])
def test_an_output_file_that_cannot_be_written(
    tmp_path: Path, no_folder: Path, command: tuple[str, ...]
) -> None:
    assert last_line(tmp_path, *command, "-o", str(no_folder)) == f"{no_folder}: Not a directory"


def test_a_demo_whose_keys_cannot_be_written(tmp_path: Path, no_folder: Path) -> None:
    line = last_line(tmp_path, "demo", "--keys", str(no_folder))
    assert str(no_folder.parent) in line


# --- database -------------------------------------------------------------------------------------


def with_database(folder: Path, url: str) -> str:
    return settings(folder, "", f'database_url = "{url}"\n')


COMMANDS = pytest.mark.parametrize("command", [("serve",), ("blocked",), ("doctor",)], ids=" ".join)


@COMMANDS
def test_no_postgresql_runs_there(tmp_path: Path, command: tuple[str, ...]) -> None:
    config = with_database(tmp_path, "postgresql+psycopg://u:secret@127.0.0.1:1/x")
    ended = run(tmp_path, *command, "-c", config)
    said = ended.stderr + ended.stdout
    assert "no PostgreSQL answers at 127.0.0.1:1: see that it runs" in said
    assert "Traceback" not in said
    assert "secret" not in said
    assert ended.returncode in (1, 2)


def test_a_url_that_is_none_of_a_database(tmp_path: Path) -> None:
    config = with_database(tmp_path, "postgresql+psycopg://u@[half/x")
    line = last_line(tmp_path, "serve", "-c", config)
    assert "database_url cannot be read" in line or "the host in database_url is not known" in line


@pytest.mark.skipif(why_no_postgresql() is not None, reason=why_no_postgresql() or "")
def test_a_database_that_there_is_not(tmp_path: Path) -> None:
    url = make_url(POSTGRES_URL).set(database="no_such_database")
    config = with_database(tmp_path, url.render_as_string(hide_password=False))
    line = last_line(tmp_path, "serve", "-c", config)
    assert line.startswith("PostgreSQL has no database no_such_database: make it (createdb")


def refuse_password(caller: socket.socket) -> None:
    """
    Speak as a PostgreSQL server does, up to a password that it does not take.

    https://www.postgresql.org/docs/15/protocol-message-formats.html
    """
    while len(caller.recv(1000)) == len(NO_ENCRYPTION) + 4:
        caller.sendall(b"N")  # nor SSL, nor GSSAPI: the start-up message is longer
    caller.sendall(b"R" + struct.pack("!ii", 8, ASKS_FOR_PASSWORD))
    assert caller.recv(1000).startswith(b"p")
    fields = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "u"\0\0'
    caller.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)


@pytest.fixture
def refuses_passwords() -> Iterator[int]:
    """Where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):  # until it is shut down
                while True:
                    caller, _ = server.accept()
                    with caller:
                        refuse_password(caller)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@COMMANDS
def test_a_wrong_password(tmp_path: Path, command: tuple[str, ...], refuses_passwords: int) -> None:
    url = f"postgresql+psycopg://u:secret@127.0.0.1:{refuses_passwords}/x"
    ended = run(tmp_path, *command, "-c", with_database(tmp_path, url))
    said = ended.stderr + ended.stdout
    assert "PostgreSQL refuses the password of user u: set the right one in database_url" in said
    assert "Traceback" not in said
    assert "secret" not in said
    assert ended.returncode in (1, 2)


# --- packages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["xmlsec", "werkzeug"])
@pytest.mark.parametrize("command", ["mocks", "demo"])
def test_a_package_of_an_extra_is_missing(tmp_path: Path, command: str, package: str) -> None:
    hidden = f"import sys; sys.modules['{package}'] = None; sys.argv = ['intyg', '{command}']\n"
    program = f"{hidden}from intyg.adapter.__main__ import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        f"this needs {package}, which is not installed: pip install 'intygsadapter[mocks]'"
    ]


def test_what_is_the_program_s_own_fault_keeps_its_traceback() -> None:
    assert last_words(ValueError("x")) is None
    assert last_words(ModuleNotFoundError("x", name="intyg.nothing")) is None
    assert last_words(OSError("no file named")) is None


def test_every_package_of_the_extra_is_known() -> None:
    import tomllib

    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    names = {
        each.partition(">")[0].partition("=")[0].replace("pytest-httpserver", "pytest_httpserver")
        for each in project["optional-dependencies"]["mocks"]
    }
    assert names == {name for name, extra in EXTRAS.items() if extra == "mocks"}
