"""N against what the profile's own transforms make of the same document, and its refusals."""

import hashlib

import pytest
from lxml import etree

from intyg.adapter.signature import Refusal, normalise
from intyg.adapter.signature.profile import S1, STYLESHEETS, stylesheet_name
from intyg.schemas import ns
from tests.adapter.signed import LISJP, find

CORE = f'xmlns="{ns.CORE}"'


def n(inner: str, declared: str = CORE) -> str:
    return normalise(etree.fromstring(f"<intyg {declared}>{inner}</intyg>")).decode()


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        pytest.param("<a/>", "<intyg><a></a></intyg>", id="empty-element-is-written-out"),
        pytest.param("<a> \t\n&#13;</a>", "<intyg><a></a></intyg>", id="whitespace-only-goes"),
        pytest.param("<a> x </a>", "<intyg><a> x </a></intyg>", id="other-whitespace-stays"),
        pytest.param("<a>\u00a0</a>", "<intyg><a>\u00a0</a></intyg>", id="nbsp-is-no-whitespace"),
        pytest.param(
            '<a z="1" b="2" aa="3"/>', '<intyg><a aa="3" b="2" z="1"></a></intyg>', id="order"
        ),
        pytest.param(
            '<a b="&amp;&lt;>&quot;&#9;&#10;&#13;\'"/>',
            '<intyg><a b="&amp;&lt;>&quot;&#x9;&#xA;&#xD;\'"></a></intyg>',
            id="value-escapes",
        ),
        pytest.param(
            "<a>&amp;&lt;&gt;&quot;&#13;x</a>",
            '<intyg><a>&amp;&lt;&gt;"&#xD;x</a></intyg>',
            id="text-escapes",
        ),
        pytest.param("<a><![CDATA[<b>&]]></a>", "<intyg><a>&lt;b&gt;&amp;</a></intyg>", id="cdata"),
        pytest.param(
            "<a> <![CDATA[x]]> </a>", "<intyg><a> x </a></intyg>", id="cdata-joins-its-neighbours"
        ),
        pytest.param("<a>\U0001fa7a</a>", "<intyg><a>\U0001fa7a</a></intyg>", id="beyond-bmp"),
        pytest.param(
            "<a>x<status>y</status> <b/></a>",
            "<intyg><a>x<b></b></a></intyg>",
            id="text-around-what-is-dropped-counts-apart",
        ),
        pytest.param("<a>x<status>y</status> z</a>", "<intyg><a>x z</a></intyg>", id="tail-stays"),
        pytest.param(
            "<relation><b/></relation><skickatTidpunkt/><underskrift/><svar/>",
            "<intyg><svar></svar></intyg>",
            id="four-names-go",
        ),
        pytest.param(
            '<q:a xmlns:q="urn:q"><status xmlns="urn:r"/></q:a>',
            "<intyg><a></a></intyg>",
            id="namespaces-are-not-seen",
        ),
        pytest.param("text<a/>more", "<intyg>text<a></a>more</intyg>", id="mixed"),
    ],
)
def test_signed_octets(inner: str, expected: str) -> None:
    assert n(inner) == expected


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("<a>x<!-- c -->y</a>", "COMMENT_OR_PI"),
        ("<a>x<?p q?>y</a>", "COMMENT_OR_PI"),
        ('<a xml:space="preserve"/>', "NAMESPACED_ATTRIBUTE"),
        ('<a xml:lang="sv" b="1"/>', "NAMESPACED_ATTRIBUTE"),
        ("<a>" * 64 + "</a>" * 64, "SIZE"),
    ],
)
def test_what_libraries_disagree_on_is_refused(inner: str, code: str) -> None:
    with pytest.raises(Refusal) as raised:
        n(inner)
    assert raised.value.code == code


def test_entities_are_refused() -> None:
    text = '<!DOCTYPE intyg [<!ENTITY e "x">]><intyg>&e;</intyg>'
    root = etree.fromstring(text, etree.XMLParser(resolve_entities=False))
    with pytest.raises(Refusal) as raised:
        normalise(root)
    assert raised.value.code == "XML"


def test_64_levels_are_not_too_deep() -> None:
    assert n("<a>" * 63 + "</a>" * 63).count("<a>") == 63


def test_the_time_can_be_left_out_but_only_the_intyg_s_own() -> None:
    text = f"<i {CORE}><signeringstidpunkt>1</signeringstidpunkt><version>1</version></i>"
    octets = normalise(etree.fromstring(text), with_time=False)
    assert octets == b"<i><version>1</version></i>"


def test_n_is_what_the_stylesheet_and_c14n_come_to() -> None:
    """The real thing, run on our own data: libxslt, then the four names taken away, then c14n."""
    intyg = find(etree.fromstring(LISJP), "intyg")
    octets = normalise(intyg)
    transform = etree.XSLT(etree.fromstring(S1))
    alone = etree.fromstring(etree.tostring(intyg, with_tail=False))
    result = transform(alone).getroot()
    for name in ("skickatTidpunkt", "relation", "status", "underskrift"):
        for element in result.findall(f".//{name}"):
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)
    assert octets == etree.tostring(result, method="c14n", exclusive=True)


def test_the_tree_is_left_alone() -> None:
    root = etree.fromstring(LISJP)
    before = etree.tostring(root)
    normalise(find(root, "intyg"))
    assert etree.tostring(root) == before


def test_stylesheet_to_sign_with_is_the_national_one() -> None:
    octets = etree.tostring(etree.fromstring(S1), method="c14n", exclusive=True)
    assert STYLESHEETS[hashlib.sha256(octets).hexdigest()] == "S1"
    assert len(octets) == 420


def test_stylesheet_is_known_again_with_comments_indentation_and_other_declarations() -> None:
    text = S1.replace("><", ">\n <!-- x --><").replace(" version", ' xmlns:soap="urn:s" version')
    assert stylesheet_name(etree.fromstring(text)) == "S1"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('indent="no"', 'indent="yes"'),
        ("node()|@*", "@*|node()"),
        ("local-name(.)", "name(.)"),
        ("<xsl:copy/>", "<xsl:copy><?p q?></xsl:copy>"),
        ("<xsl:copy/>", "<xsl:copy>\u00a0</xsl:copy>"),
        ("xsl:", "x:"),
    ],
)
def test_another_stylesheet_is_not_known(old: str, new: str) -> None:
    text = S1.replace(old, new)
    if new == "x:":
        text = text.replace("xmlns:xsl", "xmlns:x")
    assert stylesheet_name(etree.fromstring(text)) is None
