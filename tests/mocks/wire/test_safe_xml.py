import pytest

from intyg.mocks.wire import safe_xml
from intyg.mocks.wire.safe_xml import XmlError


def attributes(count: int) -> bytes:
    return b"<a " + b" ".join(b'a%d=""' % n for n in range(count)) + b"/>"


def declarations(count: int) -> bytes:
    return b" ".join(b'xmlns:n%d="u"' % n for n in range(count))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<r>" + b"<a/>" * 9_998 + b"</r>", id="tags"),
        pytest.param(b"<a>" * 100 + b"</a>" * 100, id="depth"),
        pytest.param(attributes(32), id="attributes"),
        pytest.param(b"<a %b/>" % declarations(128), id="declarations"),
        pytest.param(
            b"<r>" + b"<a %b/>" % declarations(64) * 3 + b"</r>", id="declarations side by side"
        ),
        pytest.param(b"<a>%b</a>" % (b"xmlns " * 1000), id="a text about declarations"),
        pytest.param(b"<a>%b</a>" % (b"x" * 1_000_000), id="a long value"),
        pytest.param(b"<a><![CDATA[<!DOCTYPE a>]]></a>", id="a text about a document type"),
    ],
)
def test_what_is_within_the_bounds_is_taken(data: bytes) -> None:
    safe_xml.parse(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"<r>" + b"<a/>" * 9_999 + b"</r>", "10000 tags", id="tags"),
        pytest.param(b"<a>" * 101 + b"</a>" * 101, "100 elements", id="depth"),
        pytest.param(attributes(33), "32 attributes", id="attributes"),
        pytest.param(b"<r>%b</r>" % attributes(33), "32 attributes", id="attributes further in"),
        pytest.param(b"<a %b/>" % declarations(129), "128 namespace", id="declarations"),
        pytest.param(
            b"<r %b>" % declarations(65) + b"<a %b/></r>" % declarations(64),
            "128 namespace",
            id="declarations on and around an element",
        ),
        pytest.param(b"<a>%b</a>" % (b"x" * 1_000_001), "1000000 characters", id="text"),
        pytest.param(b"<a b='%b'/>" % (b"x" * 1_000_001), "1000000 characters", id="value"),
        pytest.param(b"<!DOCTYPE a><a/>", "document type", id="document type"),
        pytest.param(b"<?x?> <!-- --> <!doctype a><a/>", "document type", id="after other things"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_what_is_beyond_them_is_refused_in_any_encoding(
    data: bytes, words: str, encoding: str
) -> None:
    with pytest.raises(XmlError, match=words):
        safe_xml.parse(data.decode().encode(encoding))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param('<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"), id="EBCDIC"),
        pytest.param(b'<?xml version="1.0" encoding="punycode"?><a/>', id="a codec of Python's"),
        pytest.param("\ufeff<a/>".encode("utf-32"), id="UTF-32"),
        pytest.param(
            b'<?xml version="1.0" encoding="us-ascii"?><a>\xe5</a>', id="not what it says"
        ),
    ],
)
def test_other_encodings_are_not_read(data: bytes) -> None:
    with pytest.raises(XmlError, match="not well-formed"):
        safe_xml.parse(data)


def test_a_byte_order_mark_wins_over_what_http_says() -> None:
    assert safe_xml.parse("\ufeff<a>å</a>".encode(), "iso-8859-1").text == "å"
