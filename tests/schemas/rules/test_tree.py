"""Expressions are read as XPath 1.0 has them, and abbreviations as functions."""

import contextlib
import random
import subprocess
import sys
from functools import cache
from typing import Final

import pytest
from elementpath import ElementPathError, XPath1Parser
from lxml import etree

from intyg.schemas.rules.tree import AXES, Token, read
from intyg.schemas.rules.xpath import PREFIXES, write_out
from intyg.schemas.typefile.lookup import IntygTypes
from tests.schemas.rules.elementpath_reader import read_by_elementpath, tree_of


def shown(token: Token) -> str:
    """The tree in brackets: what a token is, or how it is written, and its operands."""
    is_value = token.symbol in ("(string)", "(number)", "(name)", ":", "$")
    inner = " ".join([token.source if is_value else token.symbol, *map(shown, token)])
    return f"({inner})"


@pytest.mark.parametrize(
    ("expression", "tree"),
    [
        ("a or b and c = d", "(or (a) (and (b) (= (c) (d))))"),
        ("1 = 2 < 3 = 4", "(= (= (1) (< (2) (3))) (4))"),
        ("3 - 2 - 1", "(- (- (3) (2)) (1))"),
        ("a - b * -c", "(- (a) (* (b) (- (c))))"),
        ("a-b - -c", "(- (a-b) (- (c)))"),
        ("-a|b", "(- (| (a) (b)))"),
        ("- -$x*.5", "(* (- (- ($x))) (.5))"),
        ("(a | b)[1]/c", "(/ ([ (( (| (a) (b))) (1)) (c))"),
        ("a[1][2]/@id[3]", "(/ ([ ([ (a) (1)) (2)) ([ (@ (id)) (3)))"),
        ("/", "(/)"),
        ("/ = //a//.", "(= (/) (// (// (a)) (.)))"),
        ("/*/..", "(/ (/ (*)) (..))"),
        ("* * * mod div", "(mod (* (*) (*)) (div))"),
        ("or or or and and", "(or (or) (and (or) (and)))"),
        ("text/node div comment", "(div (/ (text) (node)) (comment))"),
        ("child :: c:* | ancestor::node()", "(| (child (c:*)) (ancestor (node)))"),
        ("id('x')/a", "(/ (id ('x')) (a))"),
        ("../svar(1)[yes()]/text()", "(/ (/ (..) ([ (svar (1)) (yes))) (text))"),
        ("preceding-sibling::svar(1)[yes()]", "([ (preceding-sibling (svar (1))) (yes))"),
        ("text(..) = ''", "(= (text (..)) (''))"),
    ],
)
def test_operators_bind_as_in_xpath_1(expression: str, tree: str) -> None:
    assert shown(read(expression)) == tree


@pytest.mark.parametrize("written", ["1.10", "'a'", '"it\'s"', "0.50", "F32.1", "7.", "$day", "''"])
def test_what_is_written_is_kept(written: str) -> None:
    assert read(f" coded(1.1, {written} )")[1].source == written


def test_what_a_text_says_stands_without_its_quotes() -> None:
    assert [each.value for each in read("""concat('', 'a "b"', "it's")""")] == ["", 'a "b"', "it's"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("", "unexpected end in "),
        ("a b", "unexpected b in a b"),
        ("a[1", "unexpected end in "),
        ("a]", "unexpected ] in "),
        ("'x", "unexpected ' in "),
        ("'a''b'", "unexpected 'b' in "),
        ("svar(1", "unexpected end in "),
        ("svar(,1)", "unexpected , in "),
        ("svar(1,)", "unexpected \\) in "),
        ("svar(1 2)", "unexpected 2 in "),
        ("()", "unexpected \\) in "),
        ("a/", "unexpected end in "),
        ("//", "unexpected end in "),
        ("/ or /", "unexpected end in "),  # the name `or` below the root
        (".[1]", r"unexpected \[ in "),
        ("a/1", "unexpected 1 in "),
        ("a/count(b)", r"no step of a path: count\(\) in "),
        ("$", "unexpected end in "),
        ("1e5", "unexpected e5 in "),
        ("b:c", "unknown prefix: b in "),
        ("b:*", "unknown prefix: b in "),
        ("beside::c", "no such axis: beside in "),
        ("unknown(1)", r"unknown function: unknown\(\) in "),
        ("c:count(1)", r"unknown function: c:count\(\) in "),
        ("count()", r"count\(\) takes another number of arguments than 0 in "),
        ("node(1)", r"node\(\) takes another number of arguments than 1 in "),
        ("a # b", "unexpected # in a # b"),
        ("(" * 2000 + "a" + ")" * 2000, "nested too deeply: "),
    ],
)
def test_what_cannot_be_read_is_refused(wrong: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(wrong)


def test_who_reads_without_abbreviations_and_with_other_prefixes_says_so() -> None:
    assert shown(read("x:a", ["x"], ())) == "(x:a)"
    for ours in ("svar(1)", "text(.)", "c:a"):
        read(ours)
        with pytest.raises(ValueError, match=r"unknown function|another number|unknown prefix"):
            read(ours, ["x"], ())


# --- as elementpath reads it ----------------------------------------------------------------------


@cache
def every_expression() -> frozenset[str]:
    """What the type files say, as they say it and written out."""
    found = {
        text
        for each in IntygTypes().all()
        for rule in each.rules
        for text in (rule.must, rule.where)
        if text
    }
    return frozenset(found | set(map(write_out, found)))


def test_every_expression_of_our_types_is_read_as_elementpath_reads_it() -> None:
    every = every_expression()
    assert len(every) > 500
    other = [text for text in every if tree_of(read(text)) != read_by_elementpath(text)]
    assert other == []


_NAMES: Final = ("a", "c:svar", "t:code", "c:*", "*", "or", "div", "text", "x-1.é")
_BLANKS: Final = (" ", "", "\n\t")
_SIGNS: Final = ("or", "and", "+", "-", "*", "div", "mod", "=", "!=", "<", ">", "<=", ">=")
_FUNCTIONS: Final = {"count": 1, "not": 1, "contains": 2, "translate": 3, "true": 0, "string": 1}
_KINDS: Final = ("node()", "text()", "comment()", "processing-instruction('p')")
_VALUES: Final = ("1", "0.50", ".5", "7.", "'x or y'", '"it\'s"', "''", "$today")
_STARTS: Final = ("", "", "", "/", "//", "$day/", "(a)/", "id('x')[1]/")


class Scribe:
    """
    Writes XPath 1.0 of any shape.

    Args:
        dice: Says of which.
    """

    def __init__(self, dice: random.Random) -> None:
        self._any = dice.choice
        self._dice = dice

    def expression(self, depth: int = 3) -> str:
        return self._any((self._operation, self._union, self._value))(depth)

    def _operation(self, depth: int) -> str:
        if not depth:
            return self._union(0)
        left, right = self.expression(depth - 1), self.expression(depth - 1)
        return f"{left} {self._any(_SIGNS)} {self._any(_BLANKS)}{right}"

    def _union(self, depth: int) -> str:
        return " | ".join(self._path(depth) for _ in range(self._any((1, 1, 1, 2, 3))))

    def _path(self, depth: int) -> str:
        path = self._any(_STARTS) + self._step(depth)
        for _ in range(self._dice.randrange(3)):
            path += self._any(("/", "//", " / ")) + self._step(depth)
        return path

    def _step(self, depth: int) -> str:
        before = self._any(("", "", "", "@", *(f"{axis}::" for axis in sorted(AXES))))
        if not before and self._any((True, False)):
            return self._any((".", ".."))
        test = self._any(_NAMES if before == "@" else (*_NAMES, *_KINDS))
        if not depth or self._any((True, False)):
            return before + test
        return f"{before}{test}[{self._any(_BLANKS)}{self.expression(depth - 1)}]"

    def _value(self, depth: int) -> str:
        if not depth or self._any((True, False)):
            return self._any(_VALUES)
        if self._any((True, False)):
            return f"({self.expression(depth - 1)})"
        name, count = self._any(sorted(_FUNCTIONS.items()))
        return f"{name}({', '.join(self.expression(depth - 1) for _ in range(count))})"


def test_any_expression_is_read_as_elementpath_and_libxml2_read_it() -> None:
    scribe, stumbled = Scribe(random.Random(1)), 0
    for _ in range(1000):
        text = scribe.expression()
        etree.XPath(text, namespaces=dict(PREFIXES))
        found = tree_of(read(text))
        try:
            assert found == read_by_elementpath(text), text
        except ValueError:  # at `parent::node() + 1`, for one, which libxml2 reads
            stumbled += 1
    assert stumbled < 20


_PIECES: Final = (
    """a c:b or - * div / // .. . @ [ ] ( ) | = < $x 1 .5 'y' , child:: text() count("""
)


def test_what_is_read_of_any_heap_of_signs_is_xpath_to_libxml2() -> None:
    dice, read_ones = random.Random(1), 0
    for _ in range(10_000):
        text = " ".join(dice.choices(_PIECES.split(), k=dice.randint(1, 7)))
        with contextlib.suppress(ValueError):
            read(text, abbreviations=())
            read_ones += 1
            etree.XPath(text, namespaces=dict(PREFIXES))
    assert read_ones > 500


@pytest.mark.parametrize("ours", ["text(.)", "svar(1)", "1 < 2 = true()"])
def test_elementpath_s_own_parser_reads_less(ours: str) -> None:
    read(ours)
    read_by_elementpath(ours)
    with pytest.raises(ElementPathError):
        XPath1Parser().parse(ours)


# --- what it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["elementpath", "xmlschema", "requests"])
def test_rules_are_asked_without_what_is_dear_to_import(name: str) -> None:
    code = (
        "import sys\n"
        "from intyg.schemas.rules.quick import quick_test\n"
        "from intyg.schemas.typefile.lookup import IntygTypes\n"
        "assert quick_test('yes(27.1)', 1)\n"
        "IntygTypes().all()\n"
        f"sys.exit({name!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
