"""An expression written as XPath 2.0 says what libxml2 says of the XPath 1.0."""

from typing import Final

import pytest
from elementpath import XPath2Parser, XPathContext
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from intyg.schemas.rules.xpath2 import to_xpath2

VARIABLES: Final = {"today": "20261123e0"}

EXPRESSIONS: Final = (
    # nodes where one text is wanted: the first counts
    "normalize-space(b) = 'x'", "contains(b, '1')", "starts-with(b, '2')", "string(b) = '1'",
    "string-length(b) = 2", "substring(b, 2) = '026'", "substring(b, 1, 2) = '20'",
    "translate(b, '1', 'x') = 'x'", "concat('x', b, 1) = 'x11'", "local-name(*) = 'b'",
    "substring-before(b, '-') = '2026'", "substring-after(b, '-') = '1'",
    # the context node itself
    "normalize-space() = ''", "normalize-space(.) != ''", "string-length() > 3", "number() >= 1",
    "normalize-space(text()[1]) != ''", "not(*) and normalize-space() = '1'", "string() = '1'",
    # numbers of texts: no plus sign, no INF, nothing but ASCII
    "number(b) = 1", "number(b) >= 1", "number(b) != number(b)", "not(number(b) <= 2)",
    "sum(b) > 3", "number(translate(b, ',', '.')) < 0.8", "floor(b) = 1", "round(b) = 2",
    "-b = -1", "--b = 1", "b mod 2 = 0", "b div 0 > 5", "count(b) div 2 = 1.5",
    "count(b) mod 2 = 1", "count(b) * 2 = 2", "string-length(b) - 1 > count(b)",
    "number(true()) = 1", "number(b = 1) + 1 = 2", "7 div 2 = 3.5",
    # comparing nodes: some of them
    "b = '1'", "b != '1'", "b = 1", "b != 1", "b > 1", "1 < b", "b = c", "b != c", "b < c",
    "b >= c", "b = true()", "c = false()", "boolean(b) != boolean(c)", "true() > b",
    "b = 1 = true()", "1 < 2 = true()", "2 > 1 > 0", "'1' = 1", "'a' < 'b'", "'2' < '10'",
    "b = string-length(c)",
    # paths
    "b[2]", "b[last()] = '1'", "b[position() = 2] = c", "(b | c)[2] = '1'", "b | c",
    "(b|c)/@id = '1'", ".//b", "b/@id", "b[@id]", "b[@id = '1'][1]", "*[@id='1'] and *[@id='2']",
    "b/following-sibling::c", "c/preceding-sibling::*/@id = c/@id", "c/../b", "self::a[b]",
    "self::b", "child::b = 1", "node()", "text()", "comment()", "processing-instruction('p')",
    "*[2]/text()[1] = '1'", "b[. = ../c]", "b[not(. = ../c)]", "b[number()]",
    "b[string-length()]", "*/text() = '1'", "attribute::id", "@*",
    # logic, precedence, variables
    "not(b) or c and b", "(not(b) or c) and b", "boolean(b) or not(boolean(c))",
    "number(b) > $today", "floor($today div 10000) = 2026", "1 + 2 * 3 = 7", "(1 + 2) * 3 = 9",
    "b + c > 2", "7 - 2 - 1 = 4", "true() and false()", "count(b) <= 1", "div = 1 or mod",
    "count(b | c) = 3", "\"it's\" != b",
)  # fmt: skip

TEXTS: Final = (
    "", " ", "x", "1", " 1 ", "2", "-1", "+1", "1.5", "1.", ".5", "1,5", "1e1", "INF", "NaN",
    "-INF", "1_0", "１", "2026-11", "20261123", "10", "\N{NO-BREAK SPACE}1", "1 2", "0",
)  # fmt: skip

texts = st.sampled_from(TEXTS)
children = st.lists(
    st.tuples(st.sampled_from("bbbcd"), texts, st.sampled_from((None, "1", "2"))), max_size=4
)


@st.composite
def documents(draw: st.DrawFn) -> etree._Element:
    root = etree.Element("a")
    root.text = draw(texts)
    for name, text, node_id in draw(children):
        child = etree.SubElement(root, name)
        child.text = text
        if node_id:
            child.set("id", node_id)
    if draw(st.booleans()):
        root.append(etree.ProcessingInstruction("p"))
    return root


def by_libxml2(expression: str, root: etree._Element) -> object:
    return etree.XPath(f"boolean({expression})")(root, today=20261123)


def by_xpath2(expression: str, root: etree._Element) -> object:
    token = XPath2Parser().parse(f"boolean({to_xpath2(expression, VARIABLES)})")
    return token.evaluate(XPathContext(root))


@pytest.mark.parametrize("expression", EXPRESSIONS)
@settings(max_examples=15, deadline=None)
@given(root=documents())
def test_means_the_same(expression: str, root: etree._Element) -> None:
    assert by_xpath2(expression, root) == by_libxml2(expression, root), to_xpath2(
        expression, VARIABLES
    )


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        pytest.param("count(c:svar[@id = '1']) >= 1", None, id="as it is"),
        pytest.param("contains(., '1')", None, id="context node is one node"),
        pytest.param("a or b and not(c)", None, id="logic"),
        pytest.param("a/b = 'x'", None, id="text of some node"),
        pytest.param("starts-with(a/b, 'x')", "starts-with((a/b)[1], 'x')", id="first node"),
        pytest.param("$today > 1", "20261123e0 > 1", id="variable"),
    ],
)
def test_changes_only_what_means_another_thing(expression: str, written: str | None) -> None:
    assert to_xpath2(expression, VARIABLES) == (written or expression)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        pytest.param("/a/b", "absolute path", id="no root above an assert"),
        pytest.param("//b", "absolute path", id="anywhere"),
        pytest.param("id('x')", "id()", id="function that needs a document"),
        pytest.param("unknown(1)", "unknown function: unknown()", id="no such function"),
        pytest.param("$tomorrow = 1", "tomorrow", id="no such variable"),
        pytest.param("contains('a')", "contains() takes another number", id="too few arguments"),
        pytest.param("not(1, 2)", "not() takes another number", id="too many arguments"),
        pytest.param("'a' | b", "nodes only", id="union of text"),
        pytest.param("a b", "unexpected b in", id="two expressions"),
        pytest.param("a[1", "unexpected end", id="not closed"),
        pytest.param("a = ", "unexpected end", id="nothing to compare with"),
        pytest.param("a # b", "unexpected #", id="no such character"),
        pytest.param("a/1", "unexpected 1", id="number as step"),
        pytest.param("a/count(b)", "no step of a path: count()", id="function as step"),
        pytest.param("1e3 = b", "unexpected", id="number with an exponent"),
        pytest.param("(" * 999 + "a" + ")" * 999, "nested too deeply", id="too deep"),
    ],
)
def test_refuses_what_an_assert_cannot_ask(expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("(", r"\(").replace(")", r"\)")):
        to_xpath2(expression, VARIABLES)
