"""Certificate types: which there are, how they are found, and which files are refused."""

from dataclasses import fields
from pathlib import Path

import pytest

from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import Engine, Instans, IntygHeader
from intyg.schemas.typefile.lookup import (
    BUILT_IN,
    CODE_LISTS,
    IntygTypes,
    UnknownTypeError,
)
from intyg.schemas.typefile.reader import TypeFileError, read_header
from tests.schemas.intyg_builder import Answers, Cv, Svar
from tests.strategies import TODAY

SMALL = """\
code: XX1
version: "1.0"
name: intyg om cykling
engine: cs
aliases: [cykel]
former: [YY9]
xml:
  code: CYKEL
  system: b64ea353-e8f6-4832-b563-fc7d46f29548
  display: Intyg om cykling
  versions: ["1.0", "1.1"]
recipient: FKASSA
signs: [lakare]

questions:
- svar: "1"
  term: cyklar
  count: 1 (R1)
  only: (R2)
  delsvar:
  - {id: "1.1", term: kan cykla, count: 1 (R3), type: boolean (R4)}
  - {id: "1.2", term: varför inte, type: text (R5), length: 10 (R6?)}
- svar: "2"
  term: hjul
  count: 0..2 (R7)
  instans: required (R8)
  delsvar:
  - {id: "2.1", term: antal, count: 1, type: cv (R9), list: HJUL, system: (R10), codes: (R11)}

rules:
- {id: R12, each: "1.1", is: no, must: ../delsvar(1.2), message: <1.2> is required}

same_as:
  R13: R1 R3

not_checked:
  R14: needs a bicycle
"""
LISTS = "HJUL: {system: 1.2.3, codes: {ETT: ett, TVA: två}}\n"


@pytest.fixture(scope="module")
def types() -> IntygTypes:
    return IntygTypes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / CODE_LISTS).write_text(LISTS, encoding="utf-8")
    (tmp_path / "xx1-1.0.yaml").write_text(SMALL, encoding="utf-8")
    return tmp_path


def test_all_types_of_the_package_are_sound(types: IntygTypes) -> None:
    assert {(t.code, t.version) for t in types.all()} == {
        ("AF00213", "1"), ("AF00251", "1.0"), ("AG1-14", "1"), ("AG1-14", "2.0"),
        ("AG7804", "1"), ("AG7804", "2.0"), ("DB", "1.0"), ("DOI", "1.0"),
        ("FK3221", "1.0"), ("FK3226", "1.0"), ("FK7210", "1.0"),
        ("FK7426", "1.0"), ("FK7427", "1.0"), ("FK7472", "1.0"), ("FK7800", "1"), ("FK7801", "1"),
        ("FK7802", "1"), ("FK7804", "1"), ("FK7804", "2.0"), ("FK7809", "1.0"), ("FK7810", "1.0"),
        ("TS8071", "1.0"), ("TS8071", "2.0"), ("TSTRK1007", "6"), ("TSTRK1007", "7"),
        ("TSTRK1009", "1.0"), ("TSTRK1031", "3"), ("TSTRK1031", "4"), ("TSTRK1062", "1.0"),
    }  # fmt: skip
    assert len(types.headers()) == len(list(BUILT_IN.glob("*.yaml"))) - 1


def test_the_newer_engine_has_these_types_and_the_older_one_all_others(types: IntygTypes) -> None:
    assert {header.key for header in types.headers() if header.engine is Engine.CS} == {
        "FK7804/2.0", "AG1-14/2.0", "AG7804/2.0", "TS8071/1.0", "TS8071/2.0", "FK3221/1.0",
        "FK3226/1.0", "FK7210/1.0", "FK7426/1.0", "FK7427/1.0", "FK7472/1.0", "FK7809/1.0",
        "FK7810/1.0",
    }  # fmt: skip


def test_types_without_national_rules_are_refused_by_the_form_s_rules(types: IntygTypes) -> None:
    without = {(t.code, t.version) for t in types.headers() if not t.national_rules}
    assert without == {("TS8071", "1.0"), ("TS8071", "2.0"), ("AG7804", "2.0"), ("AG1-14", "2.0")}
    rule = types.lookup("TS8071", "2.0").rules[0]
    assert rule.ref.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("code", "version", "found"),
    [
        ("LISJP", "1.3", "FK7804/1"),
        (" lisjp\n", " 1 ", "FK7804/1"),
        ("LISJP", "2.0", "FK7804/2.0"),
        ("AG1-14", "1", "AG1-14/1"),
        ("TSTRK1031", "4.2", "TSTRK1031/4"),
        ("DB", "1.0", "DB/1.0"),
    ],
)
def test_certificate_finds_its_type(types: IntygTypes, code: str, version: str, found: str) -> None:
    assert types.find(code, version).key == found


@pytest.mark.parametrize(
    ("name", "version", "found"),
    [
        ("FK7804", "1", "FK7804/1"),
        ("fk7804", None, "FK7804/2.0"),
        ("7804", "1.2", "FK7804/1"),
        ("lisjp", "2.0", "FK7804/2.0"),
        ("FK3225", None, "FK3226/1.0"),
        ("3225", None, "FK3226/1.0"),
        ("ts-bas", None, "TSTRK1007/7"),
    ],
)
def test_type_is_found_by_any_of_its_names(
    types: IntygTypes, name: str, version: str | None, found: str
) -> None:
    assert types.lookup(name, version).key == found


def test_unknown_code_names_the_known_ones(types: IntygTypes) -> None:
    with pytest.raises(UnknownTypeError, match=r"certificate type FK7804; known: .*LISJP"):
        types.find("FK7804", "1")  # the form number is never the code in the XML


def test_what_is_not_known_is_none_to_who_asks_so(types: IntygTypes) -> None:
    assert types.known(" lisjp ", "2.0") is types.find("LISJP", "2.0")
    assert types.known("LISJP", "99") is None
    assert types.known("NOBODYS", "1.0") is None


def test_unknown_version_names_the_known_ones(types: IntygTypes) -> None:
    with pytest.raises(
        UnknownTypeError, match=r"LISJP version 3.0; known: 1, 1.0, .*2.0"
    ) as raised:
        types.find("LISJP", "3.0")
    assert raised.value.known == ("1", "1.0", "1.1", "1.2", "1.3", "2.0")
    with pytest.raises(UnknownTypeError, match="known: "):
        types.lookup("lisjp", "3.0")
    with pytest.raises(UnknownTypeError, match="AF00213"):
        types.lookup("no such")


def test_type_says_who_signs_and_where_it_goes(types: IntygTypes) -> None:
    fk7804, db = types.lookup("FK7804", "1"), types.lookup("DB")
    assert (fk7804.recipient, fk7804.sent_on_signing, fk7804.sent_on_complement) == (
        "FKASSA", False, True,
    )  # fmt: skip
    assert fk7804.signs == ("lakare", "privatlakare", "tandlakare")
    assert fk7804.messages.incoming == ("KOMPLT", "AVSTMN", "KONTKT", "OVRIGT", "PAMINN")
    assert fk7804.messages.care == ("AVSTMN", "KONTKT", "OVRIGT")
    assert (db.recipient, db.sent_on_signing) == ("SKV", True)
    assert types.lookup("AG7804", "1").recipient is None
    assert types.lookup("TSTRK1007", "6").usage.replaced_by == "TS8071"


def test_terms_and_parts_are_found_by_id(types: IntygTypes) -> None:
    fk7804 = types.lookup("FK7804", "1")
    assert fk7804.question("33").instans is Instans.ABSENT
    assert fk7804.delsvar("1.1").codes is not None
    assert fk7804.term("33") == "arbetstidsförläggning (33)"
    with pytest.raises(KeyError):
        fk7804.question("2")
    with pytest.raises(KeyError):
        fk7804.delsvar("1.9")


def test_new_type_is_a_new_file(folder: Path) -> None:
    types = IntygTypes(folder)
    assert types.refused == ()
    cykel = types.find("CYKEL", "1.1")
    assert types.lookup("YY9") is cykel
    assert types.lookup("LISJP", "1").key == "FK7804/1"
    wheels = Svar("2", [("2.1", Cv("TRE", "1.2.3"))], ["1"])
    answers = Answers("CYKEL", "1.0", [Svar("1", [("1.1", "false")]), wheels])
    found = types.check(cykel, answers.intyg(), today=TODAY)
    assert [(f.rule, f.severity) for f in found] == [
        ("XX1/1.0/R11", Severity.ERROR),
        ("XX1/1.0/R12", Severity.ERROR),
    ]
    assert found[0].message == "antal (delsvar 2.1) must be one of ETT, TVA"
    assert found[1].message == "varför inte (1.2) is required"
    long = Svar("1", [("1.1", "false"), ("1.2", "x" * 11)])
    (warning,) = types.check(cykel, Answers("CYKEL", "1.0", [long]).intyg(), today=TODAY)
    assert (warning.rule, warning.severity) == ("XX1/1.0/R6", Severity.WARNING)


def test_users_file_takes_the_place_of_ours(folder: Path) -> None:
    ours = SMALL.replace("code: XX1", "code: FK7804").replace('"1.0"\nname', '"1"\nname')
    (folder / "fk.yaml").write_text(ours, encoding="utf-8")
    assert IntygTypes(folder).lookup("FK7804", "1").name == "intyg om cykling"


def test_wrong_file_is_named_and_the_rest_works(folder: Path) -> None:
    (folder / "wrong.yaml").write_text(SMALL + "colour: red\n", encoding="utf-8")
    types = IntygTypes(folder)
    (refused,) = types.refused
    assert str(refused) == "wrong.yaml, line 38: the file: unknown key 'colour'"
    assert types.lookup("cykel").key == "XX1/1.0"


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("recipient: FKASSA", "recipient: FKASSA\nreciever: x", 13, "unknown key 'reciever'"),
        ("code: XX1\n", "", 1, "the key 'code' is missing"),
        ("engine: cs\n", "", 1, "the key 'engine' is missing; it must be one of cs, legacy"),
        ("engine: cs", "engine: webcert", 4, "engine: must be one of cs, legacy, not 'webcert'"),
        ("engine: cs", "engine:", 4, "the key 'engine' is missing"),
        ("signs: [lakare]", "signs: [doctor]", 13, "unknown role 'doctor'"),
        ("code: XX1", "unique: once\ncode: XX1", 1, "unique: must be one of everywhere"),
        ("type: boolean (R4)", "type: bool (R4)", 21, "unknown type 'bool'"),
        (
            '{id: "1.1", term: kan cykla, count: 1 (R3), type: boolean (R4)}',
            'id: "1.1"\n    term: kan cykla\n    count: 1\n    type: bool',
            24,
            "unknown type 'bool'",
        ),
        ('svar: "2"', 'svar: "1"', 23, "the id 1 is used twice"),
        ('id: "1.2"', 'id: "1.1"', 22, "the id 1.1 is used twice"),
        ('id: "2.1"', 'id: "1.3"', 28, "delsvar 1.3 does not belong to svar 2"),
        ("list: HJUL", "list: DACK", 28, "there is no code list DACK"),
        ("list: HJUL", "list: HJUL DACK", 28, "there is no code list DACK"),
        ("list: HJUL, system: (R10), codes: (R11)", "codes: ETT", 28, "without a code system"),
        ("codes: (R11)", "codes: TRE (R11)", 28, "TRE is not in code list HJUL"),
        ("must: ../delsvar(1.2)", "must: ../delsvar(1.7)", 31, "there is no question 1.7"),
        ("must: ../delsvar(1.2)", "must: ../delsvar(1.2", 31, "rule R12 is not XPath 1.0"),
        ("must: ../delsvar(1.2)", "must: 1 eq 1", 31, "rule R12 is not XPath 1.0"),
        ("must: ../delsvar(1.2)", "must: svar(1.2)", 31, "rule R12 is not XPath 1.0"),
        ('each: "1.1"', 'each: "9.1"', 31, "there is no question 9.1"),
        ("message: <1.2>", "message: <1.8>", 31, "there is no question 1.8"),
        ("R13: R1 R3", "R13: R1 R99", 34, "there is no rule R99"),
        ("count: 0..2 (R7)", "count: few (R7)", 25, "count must be N, N..M or N.."),
        ("instans: required (R8)", "instans: 1..n (R8)", 26, "instans must be required"),
        ("length: 10 (R6?)", "length: ten", 22, "length must be a number"),
        ("questions:\n", "questions:\n- 1\n", 16, "question must be a mapping"),
        ("name: intyg om cykling", "name: [a, b]", 3, "'name' must be one value"),
        ("name: intyg", "name: x\nname: intyg", 4, "stands there twice"),
        ("aliases: [cykel]", "aliases: [cykel", 6, "not YAML"),
        ("(R1)", "(R1 R2 R3)", 18, "at most two rule ids"),
        ("is: no, ", "is: no, each: 1, ", 31, "stands there twice"),
        ('each: "1.1", is: no', 'each: "1", is: no', 31, "is and is_not need a delsvar"),
        ("rules:\n", "rules:\n- {id: R12, must: svar(1), message: x}\n", 32, "used twice"),
        ("type: text (R5)", "type: text (R5), pattern: icd", 22, "unknown pattern 'icd'"),
    ],
)
def test_wrong_type_file_is_refused_with_line_and_reason(
    folder: Path, old: str, new: str, line: int, reason: str
) -> None:
    assert old in SMALL
    path = folder / "xx1-1.0.yaml"
    path.write_text(SMALL.replace(old, new, 1), encoding="utf-8")
    (refused,) = IntygTypes(folder).refused
    assert refused.path == path
    assert reason in refused.reason
    assert refused.line == line


def test_order_of_the_keys_of_a_user_s_file_is_free(folder: Path) -> None:
    head, questions, rest = SMALL.partition("questions:\n")
    path = folder / "xx1-1.0.yaml"
    path.write_text(f"rules: []\n{questions}{rest.partition('rules:')[0]}{head}", "utf-8")
    types = IntygTypes(folder)
    assert types.refused == ()
    assert types.find("CYKEL", "1.0").recipient == "FKASSA"


@pytest.mark.parametrize(
    ("written", "least", "most"),
    [("2", 2, 2), ("0..2", 0, 2), ("3..", 3, None), ("..4", 0, 4)],
)
def test_a_count_has_a_least_and_a_most(
    folder: Path, written: str, least: int, most: int | None
) -> None:
    file = folder / "xx1-1.0.yaml"
    file.write_text(SMALL.replace("count: 0..2 (R7)", f"count: {written} (R7)", 1), "utf-8")
    count = IntygTypes(folder).lookup("XX1").question("2").count
    assert (count.least, count.most) == (least, most)


@pytest.mark.parametrize(
    ("written", "aliases"), [("", ()), ("~", ()), ("cykel", ("cykel",)), ("[a, b]", ("a", "b"))]
)
def test_words_are_a_list_or_one_word_or_none(
    folder: Path, written: str, aliases: tuple[str, ...]
) -> None:
    file = folder / "xx1-1.0.yaml"
    file.write_text(SMALL.replace("aliases: [cykel]", f"aliases: {written}", 1), "utf-8")
    assert IntygTypes(folder).lookup("XX1").aliases == aliases


def test_same_type_twice_in_the_user_s_folder_is_refused(folder: Path) -> None:
    (folder / "xx1-copy.yaml").write_text(SMALL, encoding="utf-8")
    (refused,) = IntygTypes(folder).refused
    assert str(refused) == "xx1-copy.yaml, line 1: XX1/1.0 is also in xx1-1.0.yaml"


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*-*.yaml")), ids=lambda path: path.stem)
def test_header_of_our_files_is_whole_before_the_questions(path: Path, types: IntygTypes) -> None:
    header = read_header(path)
    whole = types.lookup(header.code, header.version)
    assert all(getattr(whole, f.name) == getattr(header, f.name) for f in fields(IntygHeader))


def test_code_list_without_system_is_refused(folder: Path) -> None:
    (folder / CODE_LISTS).write_text("HJUL:\n  codes: {ETT: ett}\n", encoding="utf-8")
    first, second = IntygTypes(folder).refused
    assert str(first) == "codelists.yaml, line 1: code list HJUL has no system"
    assert "there is no code list HJUL" in second.reason


def test_same_type_twice_in_the_package_is_refused(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / "again.yaml").write_text(SMALL, encoding="utf-8")
    monkeypatch.setattr("intyg.schemas.typefile.lookup.BUILT_IN", folder)
    with pytest.raises(TypeFileError, match=r"XX1/1.0 is also in again.yaml"):
        IntygTypes()
