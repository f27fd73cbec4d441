from pathlib import Path

import pytest

from intyg.mocks.rules import RuleError, parse_rule
from intyg.mocks.rules.files import give_rules, read_rules
from intyg.mocks.rules.type_codes import TypeCodes
from intyg.mocks.yaml_file import FilesError
from intyg.schemas.typefile.lookup import IntygTypes
from tests.mocks.kinds import Ehr, Kassan


def faults(*paths: Path) -> list[str]:
    with pytest.raises(FilesError) as raised:
        read_rules(paths, codes=TypeCodes(IntygTypes().headers()))
    assert str(raised.value) == "\n".join(map(str, raised.value.faults))
    return [f"{each.file.name}:{each.line}: {each.text}" for each in raised.value.faults]


def test_rules_are_read_in_order_and_called_after_file_and_place(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text("answers: {kind: reset}\n")
    (tmp_path / "a.yaml").write_text("- answers: {kind: ok}\n- {id: mine, answers: {kind: ok}}\n")
    (tmp_path / "c.yaml").write_text("# nothing yet\n")
    (tmp_path / "README.md").write_text("- no: rule\n")
    assert [rule.id for rule in read_rules([tmp_path])] == ["a-1", "mine", "b-1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "- answers: {kind: ok}\n- match:\n    typ: LISJP\n    contract: Nope\n  answers:\n"
            "    - kind: vp\n      code: VP07\n",
            [
                "f.yaml:4: match.contract: Nope is unknown; there is ",
                "f.yaml:7: answers.0.code: VP07 is unknown; the nearest is VP007",
            ],
            id="fields, on their lines",
        ),
        pytest.param(
            "- answers: {kind: error}\n", ["f.yaml:1: answers.error_id: missing"], id="gap"
        ),
        pytest.param(
            "- match:\n    typ: [LUSE, LIJSP]\n  answers: {kind: ok}\n",
            ["f.yaml:2: match.typ: LIJSP is unknown; the nearest is LISJP"],
            id="a type misspelt",
        ),
        pytest.param("- 1\n- two\n", ["f.yaml:1: a rule is", "f.yaml:2: a rule is"], id="no rules"),
        pytest.param("a: [\n", ["f.yaml:2: is not YAML: "], id="no YAML"),
        pytest.param("- answers: !!python/name:os.system\n", ["f.yaml:1: is not YAML"], id="tag"),
        pytest.param(
            "- answers: {kind: ok}\n  count: 1\n  count: 2\n",
            ["f.yaml:3: the key 'count' stands there twice"],
            id="a key twice",
        ),
        pytest.param(
            "- {id: x, answers: {kind: ok}}\n- {id: x, answers: {kind: ok}}\n",
            ["f.yaml:2: id: x is in "],
            id="an id twice",
        ),
        pytest.param(
            "- match:\n    xpath:\n      - true()\n      - '//cor:typ'\n  answers: {kind: ok}\n",
            ["f.yaml:4: match.xpath.1: a prefix is unknown"],
            id="an expression of several",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(
    tmp_path: Path, text: str, said: list[str]
) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(text)
    found = faults(file)
    assert len(found) == len(said)
    for fault, expected in zip(found, said, strict=True):
        assert fault.startswith(expected)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"text: \xe5\n")
    assert faults(tmp_path / "none.yaml", tmp_path / "latin.yaml") == [
        "none.yaml:0: cannot be read: No such file or directory",
        "latin.yaml:1: is not UTF-8",
    ]


def test_each_rule_goes_to_the_mocks_that_it_is_about(kassan: Kassan, ehr: Ehr) -> None:
    answer = {"answers": {"kind": "ok"}}
    rules = [
        parse_rule({"id": "all", **answer}),
        parse_rule({"id": "fk", "match": {"agency": "FKASSA"}, **answer}),
        parse_rule({"id": "taken", "match": {"contract": "SendMessageToCare"}, **answer}),
    ]
    give_rules(rules, [kassan.rules, ehr.rules])
    assert {rule.id for rule in kassan.rules.book.all()} == {"all", "fk"}
    assert {rule.id for rule in ehr.rules.book.all()} == {"all", "taken"}
    nobody = {"agency": "HSVARD", "contract": "RevokeCertificate"}
    with pytest.raises(RuleError, match=r"^match: no mock takes what rule x asks for"):
        give_rules([parse_rule({"id": "x", "match": nobody, **answer})], [kassan.rules, ehr.rules])
