"""`intyg example | intyg sign | intyg send`, with all defaults, to what `make up` runs."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from lxml import etree

from intyg.adapter.flows.contracts import READERS
from intyg.sandbox.demo.stage import TEST_PERSONS, Stage
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.intyg_model import IntygType
from tests.adapter.cli.calls import run
from tests.strategies import all_types


@pytest.fixture
def here(
    shared_stage: Stage, keys_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A clone in which `make setup` and `make up` have been run; the adapter's log is in a file."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/keys").symlink_to(keys_folder)
    (tmp_path / "data/up").symlink_to(shared_stage.folder)
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "adapter.log").open("w", encoding="utf-8") as stream:
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(stream))
        yield tmp_path
        structlog.reset_defaults()


def example_sign_send(*options: str) -> tuple[str, bytes]:
    """What is answered, and what was sent; nothing is said beside it."""
    example = run("example", *options)
    assert (example.exit_code, example.stderr) == (0, "")
    signed = run("sign", stdin=example.stdout_bytes)
    assert (signed.exit_code, signed.stderr) == (0, "")
    sent = run("send", stdin=signed.stdout_bytes)
    assert sent.exit_code == 0, sent.output
    return sent.stdout, signed.stdout_bytes


@pytest.mark.parametrize("options", [(), *(("--person", person) for person in TEST_PERSONS)])
def test_an_example_is_registered_each_time(
    here: Path, shared_stage: Stage, options: tuple[str, ...]
) -> None:
    answers, sent = zip(*(example_sign_send(*options) for _ in range(2)), strict=True)
    assert answers == ("OK\n", "OK\n")
    for message in sent:
        intyg = etree.fromstring(message)[-1]
        intygs_id = intyg.findtext("{*}intygs-id/{*}extension") or ""
        shared_stage.journal.await_handelse("SIGNAT", intygs_id)


@pytest.mark.parametrize(
    "intyg_type",
    [pytest.param(each, id=each.key) for each in all_types() if each.usage.register],
)
def test_an_example_of_each_type_is_registered(here: Path, intyg_type: IntygType) -> None:
    answer, _ = example_sign_send(intyg_type.code, "--version", intyg_type.version)
    assert answer.startswith(("OK", "INFO Registered."))  # or registered, with a remark


def test_a_certificates_whole_life_by_examples_of_every_contract(
    here: Path, shared_stage: Stage
) -> None:
    """What the pages for each role paste: register, send, ask, answer, complete, read, revoke."""
    first, second, asked, wanted = (str(uuid.uuid4()) for _ in range(4))
    by_example = Examples(shared_stage, first)
    assert example_sign_send("--minimal", "--id", first)[0] == "OK\n"
    assert by_example("SendCertificateToRecipient") == "OK"
    shared_stage.journal.await_handelse("SKICKA", first)
    assert by_example("SendCertificateToRecipient").startswith("INFO The certificate has already")

    assert by_example("SendMessageToRecipient") == "OK"
    assert by_example("SendMessageToCare", "--meddelande-id", asked) == "OK"
    assert by_example("SendMessageToCare", "--amne", "PAMINN", "--reminds", asked) == "OK"
    answer = ("--svar-pa", asked, "--amne", "OVRIGT", "--text", "Nej.")
    assert by_example("SendMessageToRecipient", *answer) == "OK"
    komplt = ("--meddelande-id", wanted, "--amne", "KOMPLT", "--frage-id", "35")
    assert by_example("SendMessageToCare", *komplt, "--last-day", "2999-12-31") == "OK"
    assert by_example("SetCertificateStatus", "--status", "RECEIV") == "OK"
    completes = ("--minimal", "--id", second, "--relation", f"KOMPLT:{first}", "--svar-pa", wanted)
    assert example_sign_send(*completes)[0] == "OK\n"
    shared_stage.journal.await_handelse("SKICKA", second)

    assert by_example("RegisterApprovedReceivers") == "OK"
    for key in READERS:
        name, _, major = key.partition(":")
        assert by_example(name, "--version", major).startswith(("HTTP 200", "OK"))

    assert by_example("RevokeCertificate") == "OK"
    shared_stage.journal.await_handelse("MAKULE", first)
    assert by_example("SendMessageToRecipient").startswith("ERROR VALIDATION_ERROR")
    assert by_example("CreateDraftCertificate") == "OK"
    assert by_example("CertificateStatusUpdateForCare", to=shared_stage.journalsystem.url) == "OK"
    assert by_example.used == {contract.name for contract in Contracts().all()} - {
        "RegisterCertificate"
    }


class Examples:
    """Examples of requests about one certificate, sent."""

    def __init__(self, stage: Stage, intygs_id: str) -> None:
        self.used: set[str] = set()
        self._services = f"{stage.adapter.url}/services"
        self._intygs_id = intygs_id

    def __call__(self, contract: str, *options: str, to: str | None = None) -> str:
        """What is answered, its first line."""
        self.used.add(contract)
        made = run("example", contract, "--intygs-id", self._intygs_id, *options)
        assert (made.exit_code, made.stderr) == (0, "")
        sent = run("send", "--to", to or self._services, stdin=made.stdout_bytes)
        assert sent.stdout, sent.output
        return sent.stdout.splitlines()[0]
