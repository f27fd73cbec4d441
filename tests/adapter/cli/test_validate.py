"""`intyg validate`."""

from pathlib import Path

import pytest
from lxml import etree
from typer.testing import Result

from intyg.adapter.cli.options import swedish_now
from intyg.adapter.formats import safe_xml
from intyg.mocks.journalsystem.sample import fk7804
from tests import builders
from tests.adapter.cli.calls import lines, run


def validate(*arguments: str | Path) -> Result:
    """On the day for which the certificates of `builders` are."""
    return run("validate", "--today", f"{builders.NOW:%Y-%m-%d}", *arguments)


def test_valid_file_exits_0(good: Path) -> None:
    result = validate("--json", good)
    assert result.exit_code == 0
    assert lines(result) == [{"file": str(good), "valid": True, "errors": []}]


def test_today_is_the_day_that_rules_ask_for(here: Path) -> None:
    """FK7804/1/R181: a period that starts more than seven days back wants a reason."""
    late, now = here / "late.xml", here / "now.xml"
    late.write_bytes(builders.register_certificate())  # its period starts on 2026-11-20
    now.write_bytes(fk7804("intyg-1", builders.PATIENT, builders.DOCTOR, swedish_now()))

    def found(*arguments: str | Path) -> list[str]:
        [answer] = lines(run("validate", "--json", *arguments))
        return [error["rule"] for error in answer["errors"]]

    assert found(late, "--today", "2026-11-27") == []
    assert found(late, "--today", "2026-11-28") == ["FK7804/1/R181"]
    assert found(now) == []  # the Swedish date
    assert found(now, "--today", "2020-01-01") == ["FK7804/1/R156"]  # examined after it
    assert run("validate", late, "--today", "tomorrow").exit_code == 2


def test_broken_rule_is_named_with_its_place_and_exits_1(bad: Path) -> None:
    result = validate("--json", bad)
    assert result.exit_code == 1
    [answer] = lines(result)
    assert answer["valid"] is False
    [error] = [e for e in answer["errors"] if e["severity"] == "error"]
    assert error["rule"] == "FK7804/1/R83"
    assert error["xpath"].startswith("/RegisterCertificate/intyg/svar[")
    tree = etree.parse(bad)
    position = error["xpath"].removeprefix("/RegisterCertificate/intyg/svar[").split("]")[0]
    svar = tree.findall(f".//{{{builders.CORE}}}svar")[int(position) - 1]
    assert svar.get("id") == "35"
    assert error["line"] == svar[0].sourceline


def test_warnings_leave_a_file_valid(here: Path) -> None:
    """Two periods that share a day: only the national editor minds (FK7804/1/R168)."""
    periods = (
        ("HELT_NEDSATT", "2026-11-01", "2026-11-10"),
        ("HALFTEN", "2026-11-10", "2026-11-20"),
    )
    tree = etree.fromstring(builders.register_certificate())
    first = next(e for e in tree.iter(f"{{{builders.CORE}}}svar") if e.get("id") == "32")
    parent = first.getparent()
    assert parent is not None
    at = parent.index(first)
    for svar in [e for e in parent if e.get("id") in ("32", "33")]:
        parent.remove(svar)
    for number, (code, start, end) in enumerate(periods, start=1):
        parent.insert(
            at + number - 1,
            etree.fromstring(
                f"<svar id='32' xmlns='{builders.CORE}' xmlns:t='{builders.TYPES}'>"
                f"<instans>{number}</instans><delsvar id='32.1'><t:cv><t:code>{code}</t:code>"
                "<t:codeSystem>KV_FKMU_0003</t:codeSystem></t:cv></delsvar><delsvar id='32.2'>"
                f"<t:datePeriod><t:start>{start}</t:start><t:end>{end}</t:end></t:datePeriod>"
                "</delsvar></svar>"
            ),
        )
    parent.insert(
        at + 2,
        etree.fromstring(
            f"<svar id='33' xmlns='{builders.CORE}'><delsvar id='33.1'>false</delsvar></svar>"
        ),
    )
    path = here / "shared-day.xml"
    path.write_bytes(etree.tostring(tree))
    result = validate("--json", path)
    [answer] = lines(result)
    assert (result.exit_code, answer["valid"]) == (0, True)
    assert ("FK7804/1/R168", "warning") in {(e["rule"], e["severity"]) for e in answer["errors"]}


def test_envelope_and_bare_intyg_are_taken_too(good: Path, bad: Path) -> None:
    envelope = good.with_name("envelope.xml")
    envelope.write_bytes(safe_xml.envelope(good.read_bytes(), "X"))
    bare = bad.with_name("bare.xml")
    [intyg] = etree.parse(bad).getroot()
    bare.write_bytes(etree.tostring(intyg))
    result = validate("--json", envelope, bare)
    first, second = lines(result)
    assert first["valid"]
    assert [e["rule"] for e in second["errors"]] == ["FK7804/1/R83"]
    assert second["errors"][0]["xpath"].startswith("/intyg/svar[")


def test_every_fault_is_reported_at_once(bad: Path) -> None:
    """Schema and rules are both asked."""
    bad.write_bytes(bad.read_bytes().replace(b"<svar id=", b"<svar nr='1' id=", 1))
    [answer] = lines(validate("--json", bad))
    assert {e["rule"] for e in answer["errors"]} == {"XSD", "FK7804/1/R83"}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        pytest.param(b"not xml", "XML", id="not XML"),
        pytest.param(b"<!DOCTYPE a><a/>", "XML", id="DTD"),
        pytest.param(b"<a/>", "CONTRACT", id="no contract"),
        pytest.param(
            safe_xml.envelope(b"<a/>", "X").replace(b"<a/>", b"<a/><b/>"), "XML", id="two elements"
        ),
    ],
)
def test_what_is_no_message_is_not_valid(here: Path, content: bytes, rule: str) -> None:
    path = here / "file.xml"
    path.write_bytes(content)
    result = validate("--json", path)
    assert result.exit_code == 1
    assert [e["rule"] for e in lines(result)[0]["errors"]] == [rule]


def test_unknown_type_names_the_known_ones(here: Path) -> None:
    path = here / "file.xml"
    path.write_bytes(builders.register_certificate(version="9.9"))
    [answer] = lines(validate("--json", path))
    [error] = answer["errors"]
    assert error["rule"] == "TYPE"
    assert "1.3" in error["message"]


def test_unreadable_file_exits_2_and_the_others_are_still_checked(good: Path) -> None:
    result = validate("--json", "missing.xml", good)
    assert result.exit_code == 2
    assert [(a["file"], a["valid"]) for a in lines(result)] == [
        ("missing.xml", False),
        (str(good), True),
    ]


def test_readable_form_names_rule_line_and_message(bad: Path) -> None:
    result = validate(bad)
    assert "not valid" in result.stdout
    assert "FK7804/1/R83" in result.stdout
    assert "line " in result.stdout


# --- folders, summary, files for build servers --------------------------------------------------


@pytest.fixture
def tree(good: Path, bad: Path) -> Path:
    """A folder with a valid message, a deeper one that is not, and a file that is no message."""
    folder = good.with_name("tree")
    (folder / "deep/er").mkdir(parents=True)
    good.rename(folder / "good.xml")
    bad.rename(folder / "deep/er/bad.xml")
    (folder / "notes.txt").write_text("no message", "utf-8")
    return folder


def test_a_folder_is_each_xml_file_beneath(tree: Path) -> None:
    result = validate("--json", tree)
    assert result.exit_code == 1
    assert [(Path(row["file"]).name, row["valid"]) for row in lines(result)] == [
        ("bad.xml", False),
        ("good.xml", True),
    ]


def test_a_folder_without_any_is_2(here: Path) -> None:
    (here / "empty").mkdir()
    result = validate("empty")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "empty: there is no *.xml in this folder" in result.stderr


def test_several_files_end_with_a_summary(tree: Path) -> None:
    assert validate(tree).stdout.endswith("\n2 files: 1 valid, 1 not valid\n")
    with_missing = validate(tree, "missing.xml")
    assert with_missing.exit_code == 2
    assert "\n3 files: 1 valid, 1 not valid, 1 not readable\n" in with_missing.stdout
    assert "files:" not in validate(tree / "good.xml").stdout


def test_quiet_leaves_out_what_is_valid(tree: Path) -> None:
    result = validate("-q", tree)
    assert result.exit_code == 1
    assert "bad.xml: not valid" in result.stdout
    assert "good.xml" not in result.stdout
    assert "files:" not in result.stdout
    alone = validate("-q", tree / "good.xml")
    assert (alone.exit_code, alone.output) == (0, "")
    assert len(lines(validate("-q", "--json", tree))) == 1


def test_junit_has_a_case_a_file(tree: Path) -> None:
    assert validate(tree, "missing.xml", "--junit", "junit.xml").exit_code == 2
    suite = etree.parse("junit.xml").getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
    }
    cases = {Path(case.get("name", "")).name: case for case in suite}
    assert len(cases["good.xml"]) == 0
    [failure] = cases["bad.xml"].iterchildren("failure")
    assert failure.get("type") == "FK7804/1/R83"
    assert "(line " in (failure.text or "")
    [error] = cases["missing.xml"].iterchildren("error")
    assert error.get("message") == "cannot be read: No such file or directory"


def test_junit_holds_names_that_xml_cannot(good: Path) -> None:
    odd = good.rename(good.with_name("a\x01b.xml"))
    assert validate(odd, "--junit", "junit.xml").exit_code == 0
    [case] = etree.parse("junit.xml").getroot()
    assert case.get("name", "").endswith("a\ufffdb.xml")


def test_junit_that_cannot_be_written_is_2(good: Path) -> None:
    result = validate(good, "--junit", "no-such-folder/junit.xml")
    assert result.exit_code == 2
    assert "no-such-folder/junit.xml: No such file or directory" in result.stderr


def test_a_form_s_number_in_a_message_is_told_from_its_code(good: Path) -> None:
    good.write_bytes(good.read_bytes().replace(b">LISJP<", b">FK7804<"))
    [answer] = lines(validate("--json", good))
    assert answer["errors"][0]["message"].endswith("; FK7804 is LISJP in a message")


def test_several_processes_say_what_one_says_in_the_same_order(
    here: Path, good: Path, bad: Path
) -> None:
    """By two processes because told so; with types of one's own, which they must know, too."""
    folder = here / "many"
    folder.mkdir()
    for number in range(40):
        data = (bad if number % 7 == 3 else good).read_bytes()
        (folder / f"{number:02}.xml").write_bytes(data[: -number or None])
    alone, together = (validate("--jobs", jobs, folder) for jobs in ("1", "2"))
    assert together.output == alone.output
    assert together.exit_code == alone.exit_code == 1
    assert "40 files" in alone.output


def test_standard_input_is_read_by_the_process_that_has_it(good: Path) -> None:
    day = f"{builders.NOW:%Y-%m-%d}"
    told = run("validate", "--jobs", "2", "-", good, "--today", day, stdin=good.read_bytes())
    assert told.output.count(": valid") == 2


def test_processes_are_worth_while_for_many_files_alone(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_processes(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("intyg.adapter.cli.validate.ProcessPoolExecutor", no_processes)
    assert validate(*[good] * 20).exit_code == 0
