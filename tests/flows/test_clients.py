"""
Clients and served EHRs of other makes, each with the tools that its users have.

A client calls the six contracts that an EHR needs, and sends the certificate as the bytes that were
signed. A served EHR is told of events, and is asked a question.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from intyg.mocks.testing.ehr import Intyg
from intyg.mocks.testing.stage import Stage
from intyg.sandbox.adapter_settings import Wanted
from intyg.sandbox.adapter_under_test import Adapter, Adapters
from tests.real_tools import JAVA, JAXWS_JARS, need, need_jaxws

HERE: Final = Path(__file__).parent / "clients"
SERVED: Final = (("CertificateStatusUpdateForCare", 3), ("SendMessageToCare", 2))

CLIENT_SAYS: Final = """\
RegisterCertificate OK
SendCertificateToRecipient OK
SendMessageToRecipient OK
GetCertificate read
ListCertificatesForCareWithQA read
RevokeCertificate OK
"""
EVENTS: Final = {"SIGNAT", "SKICKA", "NYFRFV", "MAKULE"}
"""Of a certificate that is sent, asked about by care, and revoked."""

QUESTION: Final = {"NYFRFM", "OVRIGT"}
"""The event, and the question itself."""

_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Make:
    """
    How programs of one make are run.

    Attributes:
        client: Begins the client's command.
        ehr: From a port to the command of the served EHR.
    """

    client: Sequence[str]
    ehr: Callable[[int], Sequence[str]]


def _php(_: Path) -> Make:
    need("php-cli", "php")
    php = ("php", "-d", "zend.assertions=1", "-d", "assert.exception=1")
    return Make(
        (*php, str(HERE / "client.php")),
        lambda port: (*php, "-S", f"127.0.0.1:{port}", str(HERE / "ehr.php")),
    )


def _node(_: Path) -> Make:
    need("nodejs", "node")
    return Make(
        ("node", str(HERE / "client.mjs")), lambda port: ("node", str(HERE / "ehr.mjs"), str(port))
    )


CONTRACTS: Final = (
    *SERVED,
    ("RegisterCertificate", 3),
    ("SendCertificateToRecipient", 2),
    ("SendMessageToRecipient", 2),
    ("GetCertificate", 2),
    ("ListCertificatesForCareWithQA", 3),
    ("RevokeCertificate", 2),
)


def _java(wsdls: Path) -> Make:
    """From the WSDLs to classes, as a vendor's build does it."""
    need_jaxws()
    sources, classes = wsdls / "sources", wsdls / "classes"
    sources.mkdir()
    tools, runtime = JAXWS_JARS / "jaxws-tools.jar", JAXWS_JARS / "jaxws-rt.jar"
    files = [str(wsdls / f"{name}.wsdl") for name, _ in CONTRACTS]
    java = HERE / "java"
    _must([*JAVA, "-cp", str(tools), str(java / "Generate.java"), str(sources), *files])
    every = [str(path) for path in sources.rglob("*.java")]
    own = [str(java / f"{name}.java") for name in ("Client", "Ehr")]
    compiler = ["javac", "-J-XX:TieredStopAtLevel=1", "-encoding", "UTF-8", "-proc:none", "-nowarn"]
    _must([*compiler, "-d", str(classes), "-cp", f"{runtime}:{tools}", *own, *every])
    run = (*JAVA, "-cp", f"{classes}:{runtime}")
    return Make((*run, "Client"), lambda port: (*run, "Ehr", str(port)))


def _must(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def wsdls(tmp_path: Path, intyg_stage: Stage) -> Path:
    """What an EHR calls and serves, as `?singleWsdl` has it."""
    contracts = intyg_stage.servers.contracts
    for name, major in CONTRACTS:
        (tmp_path / f"{name}.wsdl").write_bytes(contracts.wsdl_whole(contracts.get(name, major)))
    return tmp_path


@contextmanager
def _serving(command: Sequence[str], port: int, told: Path, wsdls: Path) -> Iterator[None]:
    log = told.with_suffix(".err").open("wb")
    with (
        log,
        subprocess.Popen(command, env=_environ(told, wsdls), stdout=log, stderr=log) as process,
    ):
        try:
            _await_port(process, port, told)
            yield
        finally:
            process.terminate()


def _environ(told: Path, wsdls: Path) -> dict[str, str]:
    return {**os.environ, "TOLD": str(told), "WSDLS": str(wsdls)}


def _await_port(process: "subprocess.Popen[bytes]", port: int, told: Path) -> None:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the EHR did not start: {told.with_suffix('.err').read_text()}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def _run(client: Sequence[str], adapter: Adapter, intyg: Intyg, told: Path, wsdls: Path) -> str:
    """What a client says of its calls."""
    signed = wsdls / "signed.xml"
    signed.write_bytes(intyg.body)
    done = subprocess.run(
        [*client, adapter.services_url, str(signed), intyg.intygs_id, intyg.person],
        env=_environ(told, wsdls),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("make", [_php, _node, _java], ids=["PHP", "Node", "Java"])
def test_a_client_and_a_served_ehr(
    make: Callable[[Path], Make],
    wsdls: Path,
    tmp_path: Path,
    intyg_stage: Stage,
    intyg_adapters: Adapters,
) -> None:
    programs = make(wsdls)
    port, told = _free_port(), tmp_path / "told"
    wanted = Wanted(destinations={"journalsystem": {"url": f"http://127.0.0.1:{port}"}})
    intyg = intyg_stage.journalsystem.issue("FK7804")
    with (
        _serving(programs.ehr(port), port, told, wsdls),
        intyg_adapters.running(intyg_stage, wanted) as adapter,
    ):
        assert _run(programs.client, adapter, intyg, told, wsdls) == CLIENT_SAYS
        assert intyg_stage.forsakringskassan.await_intyg(intyg).signature == "valid"
        other = intyg_stage.journalsystem.register("FK7804")
        intyg_stage.journalsystem.send(other)
        intyg_stage.forsakringskassan.ask("OVRIGT", other)
        _await_told(told, intyg, EVENTS)
        _await_told(told, other, QUESTION)


def _await_told(told: Path, intyg: Intyg, wanted: set[str]) -> None:
    """Until all of it has come about a certificate."""
    until = time.monotonic() + _SECONDS
    while not wanted <= (codes := _codes(told, intyg)) and time.monotonic() < until:
        time.sleep(0.1)
    assert wanted <= codes


def _codes(told: Path, intyg: Intyg) -> set[str]:
    lines = told.read_text().splitlines() if told.exists() else []
    return {line.split()[0] for line in lines if line.split()[1:] == [intyg.intygs_id]}
