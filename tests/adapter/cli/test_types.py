"""The commands about certificate types, as a user types them."""

import json
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import CliRunner, Result

from intyg.adapter.cli.main import cli
from intyg.adapter.cli.options import swedish_now
from intyg.schemas.finding import Severity
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.strategies import TODAY, TYPES

AT = "2026-11-23T09:30:00"


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), input=stdin, env={"COLUMNS": "200"})


def errors_in(data: bytes) -> list[str]:
    intyg = etree.fromstring(data)[-1]
    intyg_type = TYPES.find(
        intyg.findtext("{*}typ/{*}code") or "", intyg.findtext("{*}version") or ""
    )
    found = TYPES.check(intyg_type, intyg, today=TODAY)
    return [finding.rule for finding in found if finding.severity is Severity.ERROR]


# --- types ----------------------------------------------------------------------------------------


def test_types_lists_every_type_and_version() -> None:
    result = run("types", "--json")
    assert result.exit_code == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {(row["code"], row["version"]) for row in rows} == {
        (header.code, header.version) for header in IntygTypes().headers()
    }
    fk7472 = next(row for row in rows if row["code"] == "FK7472")
    assert fk7472["former"] == ["FK7443"]
    assert fk7472["xml_code"] == "ITFP"
    assert fk7472["recipient"] == "FKASSA"
    assert fk7472["signs"] == ["lakare", "privatlakare", "sjukskoterska", "barnmorska"]
    assert fk7472["messages_from_recipient"] == ["KOMPLT", "PAMINN"]
    assert fk7472["sent_on_signing"] is True


def test_types_shows_a_table() -> None:
    result = run("types")
    assert result.exit_code == 0
    line = next(line for line in result.stdout.splitlines() if "FK7472" in line)
    assert all(word in line for word in ("ITFP", "FK7443", "FKASSA", "KOMPLT PAMINN", "yes"))


def test_types_of_a_folder_are_listed_too(tmp_path: Path) -> None:
    own = Path(__file__).parents[3] / "schemas" / "intyg" / "fk7472-1.0.yaml"
    text = own.read_text(encoding="utf-8").replace("code: FK7472", "code: XX1", 1)
    (tmp_path / "xx1.yaml").write_text(text.replace("code: ITFP", "code: XX1"), encoding="utf-8")
    assert '"XX1"' in run("types", "--json", "--types-dir", str(tmp_path)).stdout


# --- type -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["FK7472", "itfp", "7443"])
def test_type_is_found_by_any_of_its_names(name: str) -> None:
    result = run("type", name)
    assert result.exit_code == 0
    assert result.stdout.startswith("FK7472 intyg tillfällig föräldrapenning, version 1.0\n")
    assert "EN_ATTONDEL: En åttondel av den ordinarie tiden" in result.stdout


def test_superseded_type_says_what_replaced_it_and_what_may_still_be_done() -> None:
    shown = " ".join(run("type", "TSTRK1007", "--version", "6").stdout.split())
    assert "May be: only read; replaced by TS8071" in shown
    assert "Sent: no longer" in shown
    shown = " ".join(run("type", "TSTRK1007", "--version", "7").stdout.split())
    assert "May be: registered, sent; replaced by TS8071" in shown


def test_type_shows_rules_when_asked() -> None:
    assert "  R21  " not in run("type", "FK7804", "--version", "1").stdout
    assert "  R21  " in run("type", "FK7804", "--version", "1", "--rules").stdout


def test_unknown_type_names_the_known_ones() -> None:
    result = run("type", "FK9999")
    assert result.exit_code == 2
    assert "FK7804" in result.stderr


# --- example --------------------------------------------------------------------------------------


def test_example_is_valid_and_the_same_each_time() -> None:
    once, again = (run("example", "FK7804", "--signed-at", AT) for _ in "12")
    assert once.exit_code == 0
    assert once.stdout_bytes == again.stdout_bytes
    assert errors_in(once.stdout_bytes) == []
    other = run("example", "FK7804", "--signed-at", AT, "--seed", "1")
    assert other.stdout_bytes != once.stdout_bytes


def test_minimal_example_is_shorter_than_a_full_one() -> None:
    minimal = run("example", "FK7804", "--minimal", "--signed-at", AT).stdout_bytes
    full = run("example", "FK7804", "--full", "--signed-at", AT).stdout_bytes
    assert errors_in(minimal) == []
    assert len(minimal) < len(full)


def test_example_holds_what_it_was_told(tmp_path: Path) -> None:
    file = tmp_path / "example.xml"
    given = ("--id", "intyg-7", "--person", builders.SAMORDNINGSNUMMER, "--signer", "SE-X")
    result = run("example", "7804", "--version", "1.2", "--signed-at", AT, "-o", str(file), *given)
    assert (result.exit_code, result.stdout) == (0, "")
    intyg = etree.fromstring(file.read_bytes())[-1]
    assert intyg.findtext("{*}intygs-id/{*}extension") == "intyg-7"
    assert intyg.findtext("{*}version") == "1.2"
    assert intyg.findtext("{*}signeringstidpunkt") == AT
    assert intyg.findtext("{*}patient/{*}person-id/{*}extension") == builders.SAMORDNINGSNUMMER
    assert intyg.findtext("{*}patient/{*}person-id/{*}root") == builders.SAMORDNING
    assert intyg.findtext("{*}skapadAv/{*}personal-id/{*}extension") == "SE-X"


def dates_in(request: bytes) -> tuple[str, str]:
    """When an FK7210 was signed, and its expected date of birth, which is not before today."""
    intyg = etree.fromstring(request)[-1]
    birth = intyg.find("{*}svar[@id='54']/{*}delsvar[@id='54.1']")
    assert birth is not None
    return intyg.findtext("{*}signeringstidpunkt") or "", birth.text or ""


def test_dates_of_an_example_are_around_today() -> None:
    example = ("example", "FK7210", "--minimal")
    signed, birth = dates_in(run(*example, "--today", "2028-02-29").stdout_bytes)
    assert (signed[:10], birth) == ("2028-02-29", "2028-02-29")
    told = run(*example, "--today", "2028-02-29", "--signed-at", AT).stdout_bytes
    assert dates_in(told) == (AT, "2028-02-29")
    assert dates_in(run(*example, "--signed-at", AT).stdout_bytes) == (AT, AT[:10])


def test_today_is_the_swedish_day_unless_told() -> None:
    earliest = swedish_now()
    signed, birth = dates_in(run("example", "FK7210", "--minimal").stdout_bytes)
    assert birth == signed[:10] in {str(earliest.date()), str(swedish_now().date())}


@pytest.mark.parametrize("rule", ["R21", "FK7804/1/R21"])
def test_broken_example_breaks_that_rule(rule: str) -> None:
    result = run("example", "FK7804", "--version", "1", "--break", rule, "--signed-at", AT)
    assert errors_in(result.stdout_bytes) == ["FK7804/1/R21"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        pytest.param(("--break", "R3"), 1, "R54 broke with it", id="implied by another rule"),
        pytest.param(("--break", "R155"), 1, "checked as R19 and R42", id="another rule's name"),
        pytest.param(("--break", "R163"), 1, "is not checked", id="a rule nobody checks"),
        pytest.param(("--break", "R9999"), 2, "no rule R9999", id="no such rule"),
        pytest.param(("--minimal", "--full"), 2, "one of", id="two sizes"),
        pytest.param(("--person", "1912"), 2, "12 digits", id="no person number"),
        pytest.param(("--id", "a\x00b"), 2, "cannot hold", id="no XML text"),
        pytest.param(("-o", "/nowhere/x.xml"), 2, "No such file", id="no such folder"),
    ],
)
def test_example_that_cannot_be_made_says_why(
    arguments: tuple[str, ...], exit_code: int, words: str
) -> None:
    result = run("example", "FK7804", "--version", "1", "--signed-at", AT, *arguments)
    assert result.exit_code == exit_code
    assert words in result.stderr
    assert result.stdout == ""


# --- render ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["request", "envelope", "intyg"])
def test_render_takes_any_message_with_an_intyg(form: str, tmp_path: Path) -> None:
    request = etree.fromstring(run("example", "DB", "--signed-at", AT).stdout_bytes)
    element = request[-1] if form == "intyg" else request
    if form == "envelope":
        soap = "http://schemas.xmlsoap.org/soap/envelope/"
        element = etree.Element(f"{{{soap}}}Envelope")
        etree.SubElement(element, f"{{{soap}}}Body").append(request)
    file = tmp_path / "message.xml"
    file.write_bytes(etree.tostring(element))
    result = run("render", str(file))
    assert result.exit_code == 0
    assert result.stdout.startswith("DB dödsbevis\n")
    assert "DÖDSDATUM OCH DÖDSPLATS" in result.stdout


def test_render_writes_html_and_reads_standard_input() -> None:
    request = run("example", "FK7804", "--signed-at", AT).stdout_bytes
    result = run("render", "-", "--html", stdin=request)
    assert result.exit_code == 0
    assert result.stdout.startswith("<!DOCTYPE html>")
    assert result.stdout.count("<!DOCTYPE") == 1


@pytest.mark.parametrize(
    ("data", "exit_code", "words"),
    [
        pytest.param(b"<a/>", 1, "no intyg", id="something else"),
        pytest.param(b"<a", 1, "XML", id="not XML"),
        pytest.param(
            b"<intyg><typ><code>LISJP</code></typ><version>9</version></intyg>",
            1,
            "unknown certificate type LISJP version 9",
            id="unknown version",
        ),
    ],
)
def test_render_says_what_it_cannot_show(
    data: bytes, exit_code: int, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "message.xml"
    file.write_bytes(data)
    result = run("render", str(file))
    assert result.exit_code == exit_code
    assert words in result.stderr


def test_render_of_a_missing_file_says_so() -> None:
    result = run("render", "/nowhere/x.xml")
    assert result.exit_code == 2
    assert "No such file" in result.stderr
