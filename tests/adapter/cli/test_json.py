"""`--json`: who takes it, and that objects have the keys that the page says."""

import json
import re
from pathlib import Path

import pytest

from intyg.adapter.audit.log import AuditKey
from intyg.adapter.domain.environment import Environment
from intyg.adapter.settings.settings import AuditSettings
from intyg.adapter.store import Store
from tests.adapter.audit.test_log import entry
from tests.adapter.cli.calls import every_command, lines, run
from tests.adapter.cli.test_blocked import stop_two_and_hold_one
from tests.adapter.conftest import VirtualClock
from tests.builders import PATIENT
from tests.docs import pages

JSON_ANYWAY = {("mocks", "rule-schema"), ("mocks", "script-schema")}
"""Print nothing else."""


def documented() -> dict[str, list[list[str]]]:
    """The keys of each command's objects, of one kind a list."""
    found: dict[str, list[list[str]]] = {}
    for row in pages.rows(pages.read("command-line.md")):
        if len(row) == 3 and row[0].startswith("`") and row[2].startswith("`"):
            keys = re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", row[2]))
            found.setdefault(row[0].strip("`"), []).append(keys)
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_everything_that_prints_takes_json(words: tuple[str, ...]) -> None:
    takes_it = "--json" in run(*words, "-h").stdout
    assert takes_it == (words not in JSON_ANYWAY)
    if takes_it:
        assert " ".join(words) in {*documented(), "type"}


@pytest.fixture
def operated(here: Path, clock: VirtualClock) -> Path:
    """A folder with settings, and what commands about an adapter and its mocks read."""
    (here / "adapter.toml").write_text('environment = "test"\ndata_dir = "."\n', "utf-8")
    key = AuditKey.from_settings(AuditSettings(), here, make=True)
    store = Store(f"sqlite:///{here / 'adapter.sqlite'}", clock)
    store.migrate(Environment.TEST)
    stop_two_and_hold_one(store)
    with store.begin() as rows:
        rows.audit.add(entry(0, "intyg-1"), key)
    store.close()
    (here / "routes.toml").write_text('[[routes]]\ncontract = "No"\n', "utf-8")
    (here / "rules.yaml").write_text("- match: {contract: No}\n", "utf-8")
    return here / "adapter.toml"


@pytest.mark.parametrize(
    "command",
    [
        *("doctor -c adapter.toml", "route explain RegisterCertificate X -c adapter.toml"),
        *("route check routes.toml", f"patient explain {PATIENT} -c adapter.toml"),
        *("audit verify -c adapter.toml", "audit list -c adapter.toml"),
        *("audit anchors -c adapter.toml", "mocks lint rules.yaml"),
    ],
)
def test_an_operators_command_prints_the_keys_of_the_page(operated: Path, command: str) -> None:
    words = command.split()
    name = max((name for name in documented() if command.startswith(f"{name} ")), key=len)
    rows = lines(run(*words, "--json"))
    assert rows
    for row in rows:
        assert [list(row)] == documented()[name]


def test_blocks_and_held_messages_have_keys_of_their_own(operated: Path) -> None:
    rows = {row["kind"]: list(row) for row in lines(run("blocked", "-c", operated, "--json"))}
    assert [rows["block"], rows["hold"]] == documented()["blocked"]


def test_the_keys_of_certificates_are_those_of_the_page(here: Path, good: Path) -> None:
    for command in (
        *("types DB", "example DB", "schema DB --xsd11", "version", "wsdl --out w", "test-keys k"),
        *(f"validate {good}", f"render {good}", f"verify {good}"),
        f"send {good} --to http://127.0.0.1:1/ --timeout 1",
    ):
        name = command.split()[0]
        result = run(*command.split(), "--json")
        if name == "send":  # nobody answers there, so there is no answer to print
            assert (result.exit_code, result.stdout) == (1, "")
        else:
            assert [list(lines(result)[0])] == documented()[name], command
    signer = ("--key", "k/signer.key.pem", "--cert", "k/signer.pem")
    assert [list(lines(run("sign", good, *signer, "--json"))[0])] == documented()["sign"]


def test_a_type_has_its_questions_and_rules(here: Path) -> None:
    [found] = lines(run("type", "FK7804", "--version", "1", "--rules", "--json"))
    assert list(found) == [*documented()["types"][0], "questions", "rules"]
    [funktion] = [each for each in found["questions"] if each["svar"] == "35"]
    [part] = funktion["delsvar"]
    assert (part["id"], part["least"], part["most"], part["type"]) == ("35.1", 1, 1, "text")
    [sysselsattning] = [each for each in found["questions"] if each["svar"] == "28"]
    assert "NUVARANDE_ARBETE" in sysselsattning["delsvar"][0]["codes"]
    assert "FK7804/1/R83" in {rule["rule"] for rule in found["rules"]}
    page = pages.read("command-line.md")
    for keys in (funktion, part, found["rules"][0]):
        assert not [key for key in keys if f"`{key}`" not in page]


def test_a_document_is_in_the_object_or_in_the_file_that_it_names(here: Path) -> None:
    [inside] = lines(run("example", "DB", "--json"))
    [written] = lines(run("example", "DB", "--json", "-o", "db.xml"))
    assert inside["output"] is None
    assert (written["output"], written["document"]) == ("db.xml", None)
    document = Path("db.xml").read_text("utf-8")
    for text, named in ((inside["document"], inside), (document, written)):
        assert f"<ns0:extension>{named['intygs_id']}<" in text or named["intygs_id"] in text
        assert text.startswith("<")


def test_no_key_is_camel_case(operated: Path) -> None:
    keys = {key for kinds in documented().values() for each in kinds for key in each}
    assert not [key for key in keys if not re.fullmatch(r"[a-z]+(_[a-z]+)*|xml_\w+", key)]
    assert json.dumps(sorted(keys))
