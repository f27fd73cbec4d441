"""The `intyg` that is cut out is the one that came, byte for byte, whatever it is written like."""

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from intyg.adapter.domain.intyg import IntygBytes
from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.intyg_bytes import cut_intyg, find_intyg_bytes, scope
from intyg.schemas import ns
from tests import builders
from tests.adapter.formats import expat_cutter

RC = ns.message("RegisterCertificate", 3)

_between = st.sampled_from(
    ["", "\r\n  ", "<!-- </r:intyg> <svar> -->", "<?p </c:status> ?>", " <!-- > ' \" --> ", "<?q?>"]
)
_content = st.sampled_from(
    [
        "x",
        "å&#229;&amp;&gt;>",
        "<![CDATA[</c:svar><c:status>]]>",
        "<t:a b='>' c=\"/>\" d='\"'/>",
        "<t:svar/><t:status>1</t:status>",
        "<c:status ><c:status/>\n</c:status\n>",
        "<c:intyg></c:intyg><r:intyg xmlns:r='u:other'/>",
        "<a xmlns=''><b/></a >",
        "<c:svar\n><!-- --></c:svar>",
    ]
)
_attributes = st.sampled_from(["", " id='1.1'", ' a=">"', " b='/' ", "\n", " xmlns:t='u:t2'"])


@st.composite
def _element(draw: st.DrawFn, name: str, namespace: str) -> str:
    """One element of a namespace, with its own declaration of it or with the one around it."""
    around = {ns.CORE: "c", ns.EXT32: "e"}[namespace]
    prefix, declared = draw(
        st.sampled_from(
            [
                (f"{around}:", ""),
                ("", f" xmlns='{namespace}'"),
                ("own:", f' xmlns:own="{namespace.replace("riv", "&#114;&#x69;v")}"'),
            ]
        )
    )
    attributes = draw(_attributes) + declared
    if draw(st.integers(0, 4)) == 0:
        return f"<{prefix}{name}{attributes}/>"
    inside = "".join(draw(st.lists(_content, max_size=3)))
    return f"<{prefix}{name}{attributes}>{draw(_between)}{inside}</{prefix}{name}>"


@st.composite
def _requests(draw: st.DrawFn) -> tuple[str, str]:
    """Declarations for what stands around a RegisterCertificate, and itself."""
    names = [
        *[("intygs-id", ns.CORE), ("patient", ns.CORE), ("skapadAv", ns.CORE)],
        *[("relation", ns.CORE)] * draw(st.integers(0, 2)),
        *[("status", ns.CORE)] * draw(st.integers(0, 3)),
        *[("svar", ns.CORE)] * draw(st.integers(0, 3)),
        *[("underskrift", ns.EXT32)] * draw(st.integers(0, 1)),
    ]
    inside = "".join(draw(_element(*name)) + draw(_between) for name in names)
    declarations = [
        f" xmlns:r='{RC}'",
        f' xmlns:c = "{ns.CORE}"',
        f"\n xmlns:t='{ns.TYPES}' xmlns:e=\"{ns.EXT32}\"",
        draw(st.sampled_from(["", " xmlns='u:default'", ' xmlns:q="u:q?a&amp;&#x62;"'])),
    ]
    places = ["", "", ""]  # on the envelope, on the request, on the intyg
    for declaration in declarations:
        at = draw(st.integers(0, 1 if " xmlns:r" in declaration else 2))
        places[at] += declaration
    if "xmlns='u:default'" not in "".join(places) and draw(st.booleans()):
        places[2] += " xmlns=''"
    svar_pa = draw(st.sampled_from(["", "<r:svarPa><r:intyg/></r:svarPa >", "<r:svarPa/>"]))
    behind = draw(st.sampled_from(["", "<x xmlns='u:x'/>", "<r:svarPa></r:svarPa>"]))
    between = draw(_between)
    return places[0], (
        f"<r:RegisterCertificate{places[1]}>{between}{svar_pa}{draw(_between)}"
        f"<r:intyg{places[2]}>{draw(_between)}{inside}</r:intyg >{between}{behind}{draw(_between)}"
        "</r:RegisterCertificate>"
    )


_encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])


@given(request=_requests(), around=_between, encoding=_encodings)
@example(
    (
        f" xmlns:c='{ns.CORE}'",
        f"<r:RegisterCertificate xmlns:r='{RC}'><r:intyg><c:a/>\n<c:status/> <c:status>"
        "<c:status/></c:status>\n<c:svar/></r:intyg></r:RegisterCertificate>",
    ),
    "",
    "utf-8",
)
def test_a_parser_that_reports_offsets_cuts_the_same(
    request: tuple[str, str], around: str, encoding: str
) -> None:
    declared, element = request
    text = (
        f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig").replace("latin-1", "l1")}"?>'
    ).replace("l1", "iso-8859-1") + (
        f'<s:Envelope xmlns:s="{ns.SOAP11}"{declared}><s:Body>{around}{element}{around}'
        "</s:Body></s:Envelope>"
    )
    data = text.encode(encoding)
    parsed = safe_xml.parse(data).getroot().find(f".//{{{RC}}}RegisterCertificate")
    assert parsed is not None
    body = safe_xml.body_slice(data)
    as_it_stands = expat_cutter.cut_request(safe_xml.to_utf8(data))
    assert as_it_stands == element.encode()
    name = b"<r:RegisterCertificate"
    assert body.startswith(name)
    assert body.endswith(as_it_stands.removeprefix(name))

    cut = cut_intyg(body)
    assert cut == expat_cutter.cut_intyg(body)
    assert cut.content in as_it_stands
    _assert_same_content(cut, parsed)


def _assert_same_content(cut: IntygBytes, parsed: etree._Element) -> None:
    """In another message, what was cut out says what it said in the first."""
    moved = f"<m{scope(cut.prefixes)}>".encode() + cut.content + b"</m>"
    intyg = parsed.find(f"{{{RC}}}intyg")
    assert intyg is not None
    there = etree.fromstring(moved)
    assert _elements(there) == _elements(intyg)


def _elements(parent: etree._Element) -> list[bytes]:
    """Each child, with what is in it, written the one canonical way."""
    return [
        etree.tostring(child, method="c14n", exclusive=True, with_tail=False)
        for child in parent.iterchildren(tag=etree.Element)
    ]


# --- what is not valid, and what it costs ---------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param("<a/>", id="something else"),
        pytest.param(f"<r:RegisterCertificate xmlns:r='{RC}'/>", id="nothing in it"),
        pytest.param(f"<RegisterCertificate xmlns='{RC}'><a/></RegisterCertificate>", id="another"),
        pytest.param(
            f"<RegisterCertificate xmlns='{RC}'><a><intyg>x</intyg></a></RegisterCertificate>",
            id="deeper",
        ),
        pytest.param(
            f"<r:RegisterCertificate xmlns:r='{RC}'><intyg>x</intyg></r:RegisterCertificate>",
            id="another namespace",
        ),
    ],
)
def test_a_request_without_intyg_has_none(request_: str) -> None:
    assert find_intyg_bytes(request_.encode()) is None


@pytest.mark.parametrize("inside", ["", "x", "<!-- -->", "<r:a/>"])
def test_an_intyg_that_is_not_valid_is_cut_out_whole(inside: str) -> None:
    text = (
        f"<r:RegisterCertificate xmlns:r='{RC}'><r:intyg>{inside}</r:intyg></r:RegisterCertificate>"
    )
    cut = find_intyg_bytes(text.encode())
    assert cut == IntygBytes({"r": RC}, inside.encode(), b"", b"")
    empty = find_intyg_bytes(
        f"<RegisterCertificate xmlns='{RC}'><intyg/></RegisterCertificate>".encode()
    )
    assert empty == IntygBytes({"": RC}, b"", b"", b"")


def test_a_name_that_expat_does_not_know_is_no_hindrance() -> None:
    plain = builders.register_certificate()
    odd = plain.replace(b"<r:intyg>", "<?\U00010000 x?><r:intyg>".encode())
    assert safe_xml.parse(odd).getroot().tag == f"{{{RC}}}RegisterCertificate"
    assert cut_intyg(odd) == cut_intyg(plain)


def test_no_function_is_called_for_each_tag() -> None:
    small = builders.register_certificate()
    many = b"".join(b"<t:x%d a='>'><t:y/></t:x%d>" % (n, n) for n in range(1000))
    large = small.replace(b"<fornamn/>", b"<fornamn>" + many + b"</fornamn>").replace(
        b"<delsvar", many + b"<delsvar"
    )
    assert large.count(b"<") > 9000
    assert _calls(large) == _calls(small)


def _calls(body: bytes) -> int:
    """How many functions of Python or C the interpreter calls to cut out the `intyg` of a body."""
    cut_intyg(body)  # patterns are compiled once
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        cut_intyg(body)
    finally:
        sys.setprofile(None)
    return calls
