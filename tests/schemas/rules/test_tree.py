"""Expressions are read as XPath 1.0 has them, and abbreviations as functions."""

import subprocess
import sys

import pytest
from elementpath import ElementPathError, XPath1Parser

from intyg.schemas.rules.tree import read, source


@pytest.mark.parametrize(
    ("expression", "tree"),
    [
        ("a or b and c = d", "(or (a) (and (b) (= (c) (d))))"),
        ("1 = 2 < 3 = 4", "(= (= (1) (< (2) (3))) (4))"),
        ("3 - 2 - 1", "(- (- (3) (2)) (1))"),
        ("a - b * -c", "(- (a) (* (b) (- (c))))"),
        ("(a | b)[1]/c", "(/ ([ (| (a) (b)) (1)) (c))"),
        ("../svar(1)[yes()]/text()", "(/ (/ (..) ([ (svar (1)) (yes))) (text))"),
        ("preceding-sibling::svar(1)[yes()]", "([ (preceding-sibling (svar (1))) (yes))"),
        ("text(..) = ''", "(= (text (..)) (''))"),
    ],
)
def test_operators_bind_as_in_xpath_1(expression: str, tree: str) -> None:
    assert read(expression).tree == tree


@pytest.mark.parametrize("written", ["1.10", "'a''b'", '"it\'s"', "0.50", "F32.1"])
def test_what_is_written_is_kept(written: str) -> None:
    assert source(read(f" coded(1.1, {written} )")[1]) == written


@pytest.mark.parametrize("wrong", ["", "a b", "a[1", "'x", "svar(1", "b:c", "unknown(1)", "a # b"])
def test_what_cannot_be_read_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="in "):
        read(wrong)


def test_reading_evaluates_nothing() -> None:
    assert read("1 div 0 + number('x') > $tomorrow").symbol == ">"


@pytest.mark.parametrize("ours", ["text(.)", "svar(1)", "1 < 2 = true()"])
def test_elementpath_s_own_parser_stays_as_it_is(ours: str) -> None:
    read(ours)
    with pytest.raises(ElementPathError):
        XPath1Parser().parse(ours)


def test_types_are_loaded_without_the_reader() -> None:
    """It is dear to import, and who only looks at types does not need it."""
    code = (
        "import sys\n"
        "from intyg.schemas.typefile.lookup import IntygTypes\n"
        "IntygTypes().all()\n"
        "sys.exit('elementpath' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
