import re
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from intyg.adapter.domain.errors import FaultCode, FaultError
from intyg.adapter.formats.safe_xml import (
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_LIST_MARKUP,
    MAX_MARKUP,
    MAX_NAMESPACES,
    MAX_VALUE,
    body_slice,
    envelope,
    parse,
    to_utf8,
)
from intyg.schemas import ns

SECRET = "Hemlig Person"


def soap(body: str, head: str = "", envelope_attributes: str = "") -> str:
    return (
        f'<s:Envelope xmlns:s="{ns.SOAP11}"{envelope_attributes}>{head}'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )


def refused(data: bytes, charset: str | None = None, **kwargs: int) -> FaultError:
    with pytest.raises(FaultError) as caught:
        parse(data, charset=charset, **kwargs)
    error = caught.value
    assert error.fault_code is FaultCode.CLIENT
    assert SECRET not in str(error)
    assert error.__context__ is None, "the parser's own error would keep the message alive"
    return error


# --- encodings -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        pytest.param("<a>å</a>".encode(), None, id="UTF-8 by default"),
        pytest.param("<a>å</a>".encode("utf-8-sig"), None, id="UTF-8 mark"),
        pytest.param("<a>å</a>".encode("utf-8-sig"), "iso-8859-1", id="mark before charset"),
        pytest.param("<a>å</a>".encode("utf-16"), None, id="UTF-16 mark"),
        pytest.param("\ufeff<a>å</a>".encode("utf-16-be"), None, id="UTF-16 big-endian mark"),
        pytest.param("<a>å</a>".encode("utf-16-le"), None, id="UTF-16 by its first character"),
        pytest.param("<a>å</a>".encode("utf-16-be"), "UTF-16", id="UTF-16 charset, no mark"),
        pytest.param("<a>å</a>".encode("latin-1"), "ISO-8859-1", id="charset"),
        pytest.param(
            '<?xml version="1.0" encoding="ISO-8859-1"?><a>å</a>'.encode("latin-1"),
            None,
            id="declaration",
        ),
        pytest.param(
            "<?xml version='1.0' encoding='ISO-8859-1'?><a>å</a>".encode(),
            "utf-8",
            id="charset before declaration",
        ),
        pytest.param(
            '<?xml version="1.0" encoding="utf-16"?><a>å</a>'.encode("utf-16"),
            None,
            id="UTF-16 declared too",
        ),
    ],
)
def test_encoding_is_the_mark_then_the_charset_then_the_declaration(
    data: bytes, charset: str | None
) -> None:
    assert parse(data, charset=charset).getroot().text == "å"
    assert to_utf8(data, charset).endswith("<a>å</a>".encode())


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        pytest.param(f"<a>{SECRET} å</a>".encode("latin-1"), None, id="ISO-8859-1 unsaid"),
        pytest.param(f"<a>{SECRET} å</a>".encode("latin-1"), "utf-8", id="ISO-8859-1 as UTF-8"),
        pytest.param(f"<a>{SECRET} å</a>".encode(), "us-ascii", id="UTF-8 as ASCII"),
        pytest.param(f"<a>{SECRET}</a>".encode(), "utf-16", id="UTF-8 as UTF-16"),
        pytest.param(
            f'<?xml version="1.0" encoding="utf-16"?><a>{SECRET}</a>'.encode(),
            None,
            id="UTF-8 declared UTF-16",
        ),
        pytest.param(f"<a>{SECRET}</a>".encode("utf-32"), None, id="UTF-32"),
        pytest.param(f"<a>{SECRET}</a>".encode(), "windows-1252", id="unknown charset"),
        pytest.param(
            f'<?xml version="1.0" encoding="koi8-r"?><a>{SECRET}</a>'.encode(),
            None,
            id="unknown declaration",
        ),
        pytest.param(b"\xff\xfe<\x00a\x00>", None, id="UTF-16 cut"),
    ],
)
def test_wrong_encoding_is_refused(data: bytes, charset: str | None) -> None:
    refused(data, charset)


# --- what is refused -----------------------------------------------------------------------

_BOMB = "<!DOCTYPE a [<!ENTITY x0 'x'>" + "".join(
    f"<!ENTITY x{n + 1} '{f'&x{n};' * 10}'>" for n in range(9)
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(SECRET, id="no XML"),
        pytest.param('{"json": true}', id="JSON"),
        pytest.param(f"<a>{SECRET}</b>", id="tags do not match"),
        pytest.param(f"<a><b>{SECRET}", id="cut"),
        pytest.param(f"<a>{SECRET}&nbsp;</a>", id="unknown entity"),
        pytest.param(f"<a>{SECRET}\x01</a>", id="control character"),
        pytest.param(f"<x:a>{SECRET}</x:a>", id="prefix without namespace"),
        pytest.param(f'<a b="{SECRET}" b=""/>', id="attribute twice"),
        pytest.param(f"<a/><b>{SECRET}</b>", id="two roots"),
        pytest.param("<!-- x", id="open comment"),
        pytest.param("<?x", id="open instruction"),
    ],
)
def test_what_is_not_well_formed_is_refused_with_the_place(text: str) -> None:
    assert "not well-formed XML, at line 1, column" in refused(text.encode()).text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<!DOCTYPE a><a/>", id="name only"),
        pytest.param('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>', id="external"),
        pytest.param('<!DOCTYPE a [<!ENTITY x SYSTEM "/etc/passwd">]><a>&x;</a>', id="entity"),
        pytest.param(_BOMB + "]><a>&x9;</a>", id="entity bomb"),
        pytest.param(_BOMB + ']><a b="&x9;"/>', id="entity bomb in an attribute"),
        pytest.param("<?xml version='1.0'?>\n<!-- <a> --> <?p a?>\r\n<!DOCTYPE a><a/>", id="late"),
    ],
)
def test_any_document_type_declaration_is_refused_unread(text: str) -> None:
    started = time.perf_counter()
    assert "DTD" in refused(text.encode()).text
    assert time.perf_counter() - started < 0.1


def test_doctype_in_a_comment_or_text_is_only_text() -> None:
    parse(b"<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE a>]]></a>")


def test_xinclude_is_not_followed() -> None:
    tree = parse(
        b'<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/etc/passwd"/></a>'
    )
    assert tree.getroot()[0].get("href") == "/etc/passwd"


def test_size_is_bounded_with_http_413() -> None:
    assert parse(b"<a/>", max_bytes=4) is not None
    assert refused(b"<a />", max_bytes=4).http_status == 413


def test_depth_is_bounded() -> None:
    parse(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 10_000):
        refused(b"<a>" * depth + b"</a>" * depth)


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param("<b/>", id="elements"),
        pytest.param("<?b?>", id="instructions"),
        pytest.param("&#65;", id="character references"),
        pytest.param("x", id="text"),
        pytest.param("<!--", id="comment"),
    ],
)
def test_large_nonsense_costs_less_than_a_second(piece: str) -> None:
    # Never closed, so refused whatever the piece.
    costs_less_than_a_second(b"<a>" + piece.encode() * (15_000_000 // len(piece)))


def test_a_million_attributes_cost_less_than_a_second() -> None:
    attributes = b" ".join(b'a%d=""' % n for n in range(1_000_000))
    costs_less_than_a_second(b"<a " + attributes + b"/>")


@pytest.mark.parametrize("start", ["", "<!--", '<?xml version="1.0"', "<", "<a", "<a b='"])
def test_nothing_but_blanks_costs_less_than_a_second(start: str) -> None:
    costs_less_than_a_second(start.encode() + b" " * 15_000_000)


def costs_less_than_a_second(data: bytes) -> None:
    started = time.process_time()
    refused(data)
    assert time.process_time() - started < 1


def test_many_tags_are_allowed_up_to_the_limit() -> None:
    parse(b"<a>" + b"<b/>" * (MAX_MARKUP - 2) + b"</a>")
    refused(b"<a>" + b"<b/>" * (MAX_MARKUP - 1) + b"</a>")
    parse(b"<a>" + b"<b/>" * MAX_MARKUP + b"</a>", max_markup=MAX_LIST_MARKUP)


def test_attributes_are_allowed_up_to_the_limit() -> None:
    def message(count: int) -> bytes:
        attributes = b" ".join(b"a%d=''" % n for n in range(count))
        return b"<a>\n<b " + attributes + b"><c d='e'/></b></a>"

    parse(message(MAX_ATTRIBUTES))
    error = refused(message(MAX_ATTRIBUTES + 1))
    assert error.text == "An element of the message has more than 32 attributes, at line 2."


@pytest.mark.parametrize("levels", [1, 4])
def test_declarations_in_force_are_allowed_up_to_the_limit(levels: int) -> None:
    def message(count: int) -> bytes:
        text = b"<z/>"
        for level in range(levels):
            some = range(count * level // levels, count * (level + 1) // levels)
            declared = b" ".join(b"xmlns:a%d='u'" % n for n in some)
            text = b"<b " + declared + b">" + text + b"</b>\n"
        return b"<a>\n" + text + b"</a>"

    parse(message(MAX_NAMESPACES))
    error = refused(message(MAX_NAMESPACES + 1))
    assert "more than 128 namespace declarations in force, at line 2." in error.text


@pytest.mark.parametrize(
    "message", ["<a>\n<b>%s</b></a>", "<a>\n<b c='%s'/></a>", "<a>\n<b>x<![CDATA[%s]]></b></a>"]
)
def test_a_value_is_allowed_up_to_the_limit(message: str) -> None:
    parse((message % ("x" * (MAX_VALUE - 1))).encode())
    error = refused((message % ("x" * (MAX_VALUE + 1))).encode())
    assert "more than 1000000 characters in one value, at line 2. No field" in error.text


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        # what libxml2 refuses by bounds of its own: 10 MB in a text, 256 levels, 50 kB in a name
        ("<a>\n<b>%s</b></a>" % ("x" * 10_000_001), "more than 1000000 characters in one value"),
        ("<a>\n<b c='%s'/></a>" % ("x" * 10_000_001), "more than 1000000 characters in one value"),
        ("<a>\n<!--%s--></a>" % ("x" * 10_000_001), "more than 1000000 characters in one value"),
        ("<a>" * 300 + "</a>" * 300, "nested deeper than 100 elements"),
    ],
    ids=["text", "attribute", "comment", "depth"],
)
def test_a_limit_of_the_library_is_told_as_the_limit_that_it_is(message: str, limit: str) -> None:
    error = refused(message.encode())
    assert limit in error.text
    assert "well-formed" not in error.text


def test_an_element_after_another_may_declare_anew() -> None:
    parse(b"<a>" + b"<b xmlns:c='u'/>" * (MAX_NAMESPACES * 2) + b"</a>")


def test_threads_parse_side_by_side() -> None:
    roots: list[str] = []

    def work(name: str) -> None:
        for _ in range(50):
            roots.append(parse(f"<{name}/>".encode()).getroot().tag)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(roots)) == ["t0", "t1", "t2", "t3"]
    assert len(roots) == 200


# --- bytes are sacred ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "child",
    [
        "<a/>",
        "<a></a>",
        "<a />",
        "<a  >\n</a >",
        "<a b='1' c=\"2\"/>",
        "<a b='\"' c=\"'\" d='&gt;>'><b/></a>",
        "<a><![CDATA[</a><a>]]></a>",
        "<a><!-- </a> --><?x </a> ?></a>",
        "<a>&#229;&#xE5;å&amp;&lt;&gt;</a>",
        "<a>\r\n\t<b/>\r</a>",
        "<a><a><a/></a><ab></ab><a.b/><a-b></a-b></a>",
        "<a b='/'></a>",
        "<a b='/'/>",
    ],
)
def test_body_slice_is_the_literal_child(child: str) -> None:
    namespaces = f'xmlns:s="{ns.SOAP11}"'
    expected = child.replace("<a", f"<a {namespaces}", 1).encode()
    for around in ("{}", "\n {}\r\n", "<!-- <x> -->{}<!-- </x> -->", "<?p <x> ?>{}"):
        data = soap(around.format(child)).encode()
        parse(data)
        assert body_slice(data) == expected


@pytest.mark.parametrize(
    ("on_envelope", "on_body", "child", "expected"),
    [
        pytest.param(' xmlns:p="u"', "", "<p:a/>", '<p:a {s} xmlns:p="u"/>', id="prefix"),
        pytest.param(" xmlns='u'", "", "<a/>", "<a {s} xmlns='u'/>", id="default, quotes kept"),
        pytest.param(' xmlns="u"', "", '<a xmlns=""/>', '<a {s} xmlns=""/>', id="child undeclares"),
        pytest.param(' xmlns="u"', ' xmlns=""', "<a/>", "<a {s}/>", id="Body undeclares"),
        pytest.param(
            ' xmlns:p="u:1"', ' xmlns:p="u:2"', "<p:a/>", '<p:a {s} xmlns:p="u:2"/>', id="Body wins"
        ),
        pytest.param(
            ' xmlns:p="u:1"', "", "<p:a xmlns:p='u:2'/>", "<p:a {s} xmlns:p='u:2'/>", id="own wins"
        ),
        pytest.param(
            ' xmlns:p = "u&amp;p"', "", "<p:a\n/>", '<p:a {s} xmlns:p="u&amp;p"\n/>', id="escaped"
        ),
        pytest.param(" x=\" xmlns:q='u' \"", "", "<a/>", "<a {s}/>", id="only a value"),
    ],
)
def test_body_slice_declares_what_was_in_scope(
    on_envelope: str, on_body: str, child: str, expected: str
) -> None:
    data = soap(child, envelope_attributes=on_envelope).replace("<s:Body", f"<s:Body{on_body}")
    sliced = body_slice(data.encode())
    assert sliced.decode() == expected.format(s=f'xmlns:s="{ns.SOAP11}"')
    in_envelope = parse(data.encode()).getroot()[0][0]
    assert {k: v for k, v in in_envelope.nsmap.items() if v} == {
        k: v for k, v in parse(sliced).getroot().nsmap.items() if v
    }


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_body_slice_is_utf8_whatever_came(codec: str) -> None:
    declared = "iso-8859-1" if codec == "latin-1" else codec.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?>\r\n' + soap("<a>å\r\n</a>")
    assert body_slice(text.encode(codec)).endswith("å\r\n</a>".encode())


def test_body_in_the_default_namespace_and_a_header_before_it() -> None:
    data = (
        f'<Envelope xmlns="{ns.SOAP11}"><!-- <Body> --><Header><Body xmlns=""><x/></Body></Header>'
        '<Body id="1"><a xmlns="u:a"/></Body></Envelope>'
    )
    assert body_slice(data.encode()) == b'<a xmlns="u:a"/>'


@pytest.mark.parametrize(
    "text",
    [
        soap(""),
        soap(" <!-- --> "),
        soap("<a/><b/>"),
        soap("<a></a> <!-- --> <b></b>"),
        f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body/></s:Envelope>',
        f'<s:Envelope xmlns:s="{ns.SOAP11}"/>',
        f'<s:Envelope xmlns:s="{ns.SOAP11}"></s:Envelope>',
        '<s:Envelope xmlns:s="u:other"><s:Body><a/></s:Body></s:Envelope>',
        "<a/>",
        "",
    ],
)
def test_body_slice_wants_exactly_one_element_in_the_body(text: str) -> None:
    with pytest.raises(FaultError):
        body_slice(text.encode())


_names = st.sampled_from(["a", "b", "a.b", "p:a", "p:b"])
_texts = st.sampled_from(
    ["", "x", "\r\n ", "å", "&#65;", "]]&gt;", "<!-- </a> -->", "<![CDATA[<a>]]>", "<?x </b>?>"]
)
_attributes = st.sampled_from(["", " c='>'", ' c="/"', " xmlns:p='u:2'", ' d = "\'"', " \n"])


@st.composite
def _element(draw: st.DrawFn, depth: int = 3) -> str:
    name, attributes = draw(_names), draw(_attributes)
    if draw(st.booleans()):
        return f"<{name}{attributes}/>"
    children = draw(st.lists(_element(depth - 1), max_size=3)) if depth else []
    inside = "".join(draw(_texts) + child for child in children) + draw(_texts)
    return f"<{name}{attributes}>{inside}</{name} >"


@given(child=_element(), before=_texts, after=_texts)
def test_body_slice_says_what_the_parser_says(child: str, before: str, after: str) -> None:
    data = soap(before + child + after, envelope_attributes=" xmlns:p='u:1'").encode()
    expected = next(parse(data).getroot()[0].iterchildren(tag=etree.Element))
    expected.tail = None  # c14n would print it
    sliced = body_slice(data)
    assert c14n(parse(sliced).getroot()) == c14n(expected)
    behind_the_name = re.sub(r"^<[a-z.:]+", "", child).encode()
    assert sliced.endswith(behind_the_name)


def c14n(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


# --- envelopes -----------------------------------------------------------------------------


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b'<?xml version="1.0"?>\r\n'])
def test_envelope_leaves_the_element_alone(before: bytes) -> None:
    element = b"<a xmlns=\"u:a\"  b='1' ><![CDATA[x]]>&#229;<c/></a>"
    made = envelope(before + element, "SE2321000016-1003")
    assert made.count(b"<?xml") == 1
    assert b"<soapenv:Body>" + element + b"</soapenv:Body>" in made
    assert body_slice(made).replace(f' xmlns:soapenv="{ns.SOAP11}"'.encode(), b"") == element


def test_envelope_escapes_the_logical_address_and_keeps_its_white_space() -> None:
    header = parse(envelope(b"<a/>", " <&> ")).getroot()[0][0]
    assert (header.tag, header.text) == (f"{{{ns.REGISTRY}}}LogicalAddress", " <&> ")


def test_answers_have_no_header() -> None:
    assert [child.tag for child in parse(envelope(b"<a/>", None)).getroot()] == [
        f"{{{ns.SOAP11}}}Body"
    ]
