import time

import pytest
from lxml import etree

from intyg.mocks.rules.xpath import (
    MAX_BYTES,
    MAX_MARKUP,
    ask,
    check_xpath,
    is_large,
)
from tests.processor_time import ATTEMPTS, slowness


@pytest.mark.parametrize(
    "expression",
    [
        "tns:intyg/core:typ[types:code='LISJP']",
        "/soap:Envelope/soap:Header/itr:LogicalAddress",
        "//core:svar[@id='6']/core:delsvar[@id='6.2' and contains(., 'x')]",
        "//core:svar[@id='6']//types:code",
        "//core:svar[.//types:cv[types:code='X']]",
        "//types:extension[../types:root='1.2.752.129.2.1.3.1']",
        "//core:svar[preceding-sibling::core:svar/@id=@id]",
        "not(//core:relation) or count(//core:svar) > 3",
        "//core:enhet | //core:patient",
        "//core:svar/@id = '6'",
        "//core:svar[core:delsvar[core:x[core:y]]]",
        "ancestor::soap:Envelope/soap:Header",
        "following-sibling::*/descendant::core:typ",
        "string(//core:typ/types:code)",
        "translate(.//core:typ, 'abc', 'ABC') = 'X'",
        "//*[local-name()='svar'][last()]",
    ],
)
def test_what_one_asks_of_a_certificate_is_let_pass(expression: str) -> None:
    check_xpath(expression)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("count(//*[count(//*)>0])", "begin at the root; here: //*"),
        ("count(//*[count(//*[count(//*)>0])>0])", "begin at the root"),
        ("//core:svar[//core:typ]", "begin at the root"),
        ("//core:svar[/soap:Envelope]", "begin at the root"),
        ("//*[.//*[.//*]]", "at most 2"),
        ("//*//*//*", "at most 2"),
        ("//*[../..//*]", "at most 2"),
        ("//*[ancestor::*='x']", "at most 2"),
        ("//*[../*[../*]]", "at most 2"),
        ("//*[.//* = .//@*]", "at most 2"),
        ("//*[(.//*)[.//*]]", "at most 2"),
        ("//*/following-sibling::*", "can only begin a path"),
        ("//*[following::*]", "looks everywhere"),
        ("//namespace::*", "looks everywhere"),
        ("id('x')", "looks everywhere"),
        ("contains(//core:a, //core:b)", "texts in quotes"),
        ("translate(., //core:a, 'x')", "texts in quotes"),
        ("//*[translate(.., 'a', 'b')='x']", "below its node"),
        ("-" * 900 + "1", "nested too deeply"),
        ("//core:svar or " * 100 + "true()", "at most 1000 characters"),
    ],
)
def test_what_may_take_long_is_refused_and_the_place_is_named(expression: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("*", r"\*")):
        check_xpath(expression)


def test_regular_expressions_are_not_there_even_where_a_message_brings_their_namespace() -> None:
    element = etree.Element("{http://exslt.org/regular-expressions}a")
    assert ask("tns:test('aaa', 'a+')", element) == (False, "unregistered function")


_TOWERS = "<a>" * 90 + "<a/>" * (MAX_MARKUP - 182) + "</a>" * 90
_ROW = "<a/>" * (MAX_MARKUP - 2)
_TEXT = "<a/>" * 2000 + "x" * (MAX_BYTES - 10_000)


@pytest.mark.parametrize(
    "expression",
    [
        "//*//*",
        "//*[../*='x']",
        "//*[preceding-sibling::*='x']",
        "//*[..='x']",
        "//*|//*",
        "//*=//*",
    ],
)
def test_the_dearest_of_them_end_within_a_second(expression: str) -> None:
    """Each takes the square of the message, of which that much is asked."""
    check_xpath(expression)
    for inside in (_TOWERS, _ROW, _TEXT):
        data = f"<r>{inside}</r>".encode()
        assert not is_large(data)
        element = etree.fromstring(data)
        assert ends_within_a_second(expression, element)


def ends_within_a_second(expression: str, element: etree._Element) -> bool:
    """Of a core that has nothing else to do: how slow this one is, is asked before and after."""
    for _ in range(ATTEMPTS):
        before, taken = slowness(), cost(expression, element)
        if taken < max(before, slowness()):
            return True
    return False


def cost(expression: str, element: etree._Element) -> float:
    started = time.thread_time()
    ask(expression, element)
    return time.thread_time() - started
