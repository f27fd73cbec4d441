"""`intyg example | intyg sign | intyg send`, with all defaults, to what `make up` runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from lxml import etree

from intyg.sandbox.demo.stage import TEST_PERSONS, Stage
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
