"""What is wrong with a file of scripts is told by file and line."""

from pathlib import Path

import pytest

from intyg.mocks.conversations.files import read_scripts
from intyg.mocks.rules.type_codes import TypeCodes
from intyg.mocks.yaml_file import FilesError
from intyg.schemas.typefile.lookup import IntygTypes

GOOD = """\
- persona: forsakringskassan
  when: intyg
  steps:
    - after: 5m
      ask_komplt: {as: komplt, komplettering: [{frage_id: "35", text: Hur långt}]}
    - after: 7d
      if: {unanswered: komplt}
      remind: {of: komplt}
"""


def faults(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "talk.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(FilesError) as raised:
        read_scripts([tmp_path], TypeCodes(IntygTypes().headers()))
    return [str(each).removeprefix(f"{file}:") for each in raised.value.faults]


def test_scripts_of_a_folder_are_called_after_file_and_place(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(GOOD + GOOD, "utf-8")
    (tmp_path / "a.yml").write_text("persona: journalsystem\nwhen: question\n", "utf-8")
    (tmp_path / "notes.txt").write_text("no script", "utf-8")
    assert [each.id for each in read_scripts([tmp_path])] == ["a-1", "b-1", "b-2"]


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        pytest.param("when", "wehn", "2: wehn: unknown; nearest: when", id="key"),
        pytest.param("intyg", "intig", "2: when: ", id="event"),
        pytest.param("intyg", "handelse", "2: when: handelse does not happen", id="other's event"),
        pytest.param("5m", "5 minutes", "4: steps.0.after: '5 minutes' is no", id="delay"),
        pytest.param(
            ": komplt}\n      r", ": kplt}\n      r", "7: steps.1.if.unans", id="condition"
        ),
        pytest.param(
            "of: komplt", "of: kmp", "8: steps.1.remind.of: no step before", id="reminder"
        ),
        pytest.param(
            "remind: {of: komplt}", "answer: {text: Ja}", "8: steps.1.answer: o", id="answer"
        ),
        pytest.param("forsakringskassan", "skatteverket", "1: persona: skatteverket", id="mute"),
        pytest.param("intyg\n", "intyg\n  match: {amne: KOMPL}\n", "3: match.amne.0: K", id="amne"),
        pytest.param("intyg\n", "intyg\n  match: {typ: LIJSP}\n", "3: match.typ: L", id="type"),
        pytest.param('"35"', "35", "5: steps.0.ask_komplt.komplettering.0.frage_id", id="number"),
    ],
)
def test_a_fault_is_told_by_line_and_field(
    tmp_path: Path, right: str, wrong: str, says: str
) -> None:
    assert right in GOOD
    found = faults(tmp_path, GOOD.replace(right, wrong, 1))
    assert any(each.startswith(says) for each in found), found


def test_every_fault_of_every_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("- persona: [", "utf-8")
    found = faults(tmp_path, GOOD.replace("intyg", "intig").replace("7d", "7"))
    assert [each.split(": ")[0] for each in found[1:]] == ["2", "6"]
    assert "other.yaml:1: is not YAML" in found[0]


def test_two_scripts_of_one_id_are_a_fault(tmp_path: Path) -> None:
    [found] = faults(tmp_path, GOOD.replace("- ", "- id: same\n  ", 1) * 2)
    assert found == "10: id: same stands twice"
