"""`intyg send`: where a file may go, and what may come back. Over real sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import CliRunner, Result

from intyg.adapter.cli.main import cli
from intyg.adapter.formats import safe_xml
from intyg.schemas.contract.contract import Contracts
from tests import builders
from tests.adapter.receivers import NOBODY, Received, Receiver, fault, http, receiver, result

TEST_PATIENT = builders.PATIENT
FOREIGN = "192.0.2.1"
"""An address that nobody has: RFC 5737."""

SETTINGS = """
environment = "demo"
data_dir = "."
[server]
port = 8080
[test_patients]
list_files = ["test.csv"]
reserved_numbers = false
[destinations.fk]
url = "{url}"
kind = "{kind}"
allow = true
"""


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as served:
        served.url = served.url.removesuffix("/path?q=1")
        served.answer = lambda _: http(result("OK"))
        yield served


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "message.xml"
    path.write_bytes(builders.send_certificate_to_recipient("an-id", TEST_PATIENT))
    return path


def send(file: Path, to: str, *more: str | Path) -> Result:
    return CliRunner().invoke(cli, ["send", str(file), "--to", to, *map(str, more)])


def settings(folder: Path, url: str, kind: str = "mock", listed: str = TEST_PATIENT) -> Path:
    (folder / "test.csv").write_text(f"{listed}\n", "utf-8")
    path = folder / "adapter.toml"
    path.write_text(SETTINGS.format(url=url, kind=kind), "utf-8")
    return path


# --- without settings -----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_this_machine_may_be_sent_to(file: Path, there: Receiver, host: str) -> None:
    answered = send(file, there.url.replace("127.0.0.1", host))
    assert (answered.exit_code, answered.stdout) == (0, "OK\n")
    (request,) = there.received
    path = "/clinicalprocess/healthcond/certificate/SendCertificateToRecipient/2/rivtabp21"
    assert request.request_line == f"POST {path} HTTP/1.1"
    assert request.header("User-Agent") == []
    assert request.header("Content-Type") == ["text/xml; charset=UTF-8"]


def test_this_machine_by_its_other_address_too(file: Path) -> None:
    with receiver("::1") as there:
        there.answer = lambda _: http(result("OK"))
        assert send(file, there.url).exit_code == 0
        assert there.received[0].header("Host") == [there.url.split("/")[2]]


@pytest.mark.parametrize(
    "host", [FOREIGN, "127.0.0.1.example", "localhost.example", "[2001:db8::1]", "adapter.invalid"]
)
def test_nothing_goes_elsewhere_without_settings(file: Path, host: str) -> None:
    refused = send(file, f"http://{host}/services")
    assert refused.exit_code == 2
    assert "give --config" in refused.stderr


@pytest.mark.parametrize("to", ["http://127.1/", "http://0x7f.1/", "ftp://127.0.0.1/", "nonsense"])
def test_an_odd_address_is_refused(file: Path, to: str) -> None:
    refused = send(file, to)
    assert refused.exit_code == 2
    assert "--to" in refused.stderr


# --- what comes back ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(file: Path, there: Receiver, status: int) -> None:
    with receiver() as elsewhere:
        away = f"HTTP/1.1 {status} X\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
        there.answer = lambda _: away.encode()
        answered = send(file, there.url)
        assert (answered.exit_code, elsewhere.connections) == (1, 0)
    assert f"HTTP {status}, no SOAP" in answered.stdout


def test_no_proxy_of_the_environment_is_used(
    file: Path, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "")
        assert send(file, there.url).exit_code == 0
        assert (len(there.received), proxy.connections) == (1, 0)


def test_an_endless_answer_is_cut(
    file: Path, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intyg.adapter.cli.send._MAX_ANSWER_BYTES", 1000)

    def endless(_: Received) -> bytes:
        return b"HTTP/1.1 200 X\r\n\r\n" + b"x" * 100_000  # no length, and it never ends

    there.answer = endless
    answered = send(file, there.url, "--timeout", "20")
    assert answered.exit_code == 1
    assert "no SOAP" in answered.stdout


def test_an_answer_that_does_not_come_is_not_waited_for(file: Path, there: Receiver) -> None:
    there.answer = lambda _: b"HTTP/1.1 200 X\r\n"
    answered = send(file, there.url, "--timeout", "0.3")
    assert answered.exit_code == 1
    assert "the answer took too long" in answered.stderr


def test_a_fault_is_shown(file: Path, there: Receiver) -> None:
    there.answer = lambda _: http(fault("no such thing", detail="here"), 500)
    answered = send(file, there.url)
    assert (answered.exit_code, answered.stdout) == (1, "Fault s:Server: no such thing\nhere\n")


def test_nobody_there_is_told(file: Path) -> None:
    answered = send(file, NOBODY)
    assert answered.exit_code == 1
    assert "connection refused" in answered.stderr


# --- with settings --------------------------------------------------------------------------------


def test_a_test_patients_message_goes_to_a_mock(
    file: Path, there: Receiver, tmp_path: Path
) -> None:
    answered = send(file, there.url, "--config", settings(tmp_path, there.url))
    assert (answered.exit_code, len(there.received)) == (0, 1)


@pytest.mark.parametrize(
    ("kind", "listed", "says"),
    [
        pytest.param("mock", builders.OTHER_PATIENT, "not_test", id="a real patient's, to a mock"),
        pytest.param("real", TEST_PATIENT, "list test.csv", id="a test patient's, to a real one"),
        pytest.param("mock", "no number", "cannot_tell", id="a list that is damaged"),
    ],
)
def test_what_the_guard_blocks_opens_no_connection(
    file: Path, there: Receiver, tmp_path: Path, kind: str, listed: str, says: str
) -> None:
    config = settings(tmp_path, there.url, kind, listed)
    for path in (file, enveloped(file)):
        blocked = send(path, there.url, "--config", config)
        assert blocked.exit_code == 1
        assert "the guard lets it not go: patient " in blocked.stderr
        assert says in blocked.stderr
        assert builders.PATIENT not in blocked.output
    assert there.connections == 0


def enveloped(file: Path) -> Path:
    path = file.with_name("envelope.xml")
    path.write_bytes(safe_xml.envelope(file.read_bytes(), "FKASSA"))
    return path


def test_everybody_in_the_message_is_asked_about(
    file: Path, there: Receiver, tmp_path: Path
) -> None:
    """Also somebody in a second element of the Body, which a server may look at."""
    other = builders.send_certificate_to_recipient("another-id", builders.OTHER_PATIENT)
    path = enveloped(file)
    end = b"</soapenv:Body>"
    path.write_bytes(path.read_bytes().replace(end, other[other.index(b"<m:") :] + end))
    assert builders.OTHER_PATIENT.encode() in path.read_bytes()
    blocked = send(path, there.url, "--config", settings(tmp_path, there.url))
    assert (blocked.exit_code, there.connections) == (1, 0)
    assert "not_test" in blocked.stderr


def test_a_message_that_names_nobody_does_not_go(there: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "list.xml"
    request = Contracts().get("ListKnownRecipients", 1).request
    path.write_bytes(etree.tostring(etree.Element(request)))
    blocked = send(path, there.url, "--config", settings(tmp_path, there.url))
    assert (blocked.exit_code, there.connections) == (1, 0)
    assert "it names nobody" in blocked.stderr


def test_an_address_of_two_roles_is_asked_about_as_both(there: Receiver, tmp_path: Path) -> None:
    """What came from an EHR may go back to it; what an authority may get is another matter."""
    file = tmp_path / "question.xml"
    file.write_bytes(builders.send_message_to_care("an-id", person=TEST_PATIENT))
    config = settings(tmp_path, there.url, "real")
    as_authority = config.read_text("utf-8")
    as_care = as_authority.replace(".fk]", '.ehr]\nrole = "care"')
    config.write_text(as_care, "utf-8")
    assert send(file, there.url, "--config", config).exit_code == 0
    config.write_text(as_care + as_authority[as_authority.index("[destinations") :], "utf-8")
    assert send(file, there.url, "--config", config).exit_code == 1
    assert len(there.received) == 1


@pytest.mark.parametrize("to", ["http://192.0.2.1/services", "http://127.0.0.1:8081/services"])
def test_what_is_no_destination_gets_nothing(file: Path, tmp_path: Path, to: str) -> None:
    refused = send(file, to, "--config", settings(tmp_path, "http://127.0.0.1:8082/"))
    assert refused.exit_code == 2
    assert "no destination of the settings (fk)" in refused.stderr


def test_another_path_of_a_destinations_machine_is_none(
    file: Path, there: Receiver, tmp_path: Path
) -> None:
    config = settings(tmp_path, f"{there.url}/here")
    assert send(file, f"{there.url}/there", "--config", config).exit_code == 2
    assert there.connections == 0
    assert send(file, f"{there.url}/here/", "--config", config).exit_code == 0


def test_an_address_with_the_contract_in_it_is_taken_as_it_is(
    file: Path, there: Receiver, tmp_path: Path
) -> None:
    config = settings(tmp_path, there.url + "/{contract}/v{major}")
    to = f"{there.url}/SendCertificateToRecipient/v2"
    assert send(file, to, "--config", config).exit_code == 0
    assert there.received[0].request_line.split()[1] == "/SendCertificateToRecipient/v2"


def test_the_adapter_itself_may_be_sent_to(file: Path, there: Receiver, tmp_path: Path) -> None:
    """It asks its own guard, also about a patient who is on no list."""
    port = there.url.rpartition(":")[2]
    config = settings(tmp_path, "http://192.0.2.1/", listed=builders.OTHER_PATIENT)
    config.write_text(config.read_text("utf-8").replace("8080", port), "utf-8")
    assert send(file, f"{there.url}/services", "--config", config).exit_code == 0
    assert len(there.received) == 1


def test_wrong_settings_are_told(file: Path, tmp_path: Path) -> None:
    refused = send(file, "http://127.0.0.1/", "--config", tmp_path / "missing.toml")
    assert refused.exit_code == 2
    assert "missing.toml" in refused.stderr
