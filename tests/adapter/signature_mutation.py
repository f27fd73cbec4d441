"""Signed messages with damage of every sort, always well-formed, for adapter and mocks alike."""

import base64
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from random import Random
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import strategies as st
from lxml import etree

from intyg.adapter.signature import SigningKey
from intyg.schemas import ns
from tests.adapter import der
from tests.adapter.signed import ec_key, make_value

_START_TAG: Final = re.compile(rb"<[A-Za-z][^\s/>]*")

Change: TypeAlias = Callable[[etree._Element, Random], None]

VALUES: Final = ("SignatureValue", "DigestValue", "X509Certificate")
TEXTS: Final = (
    None, "", " \n", "\xa0", "*", "A", "AA==", "AB==", "A" * 4001, "å\u2028\U0001f600", "]]>&<",
    "true", "-1", "0000-01-01T00:00:00", "9999-12-31T23:59:59", "//extension", "#x", "..",
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2001/04/xmlenc#sha512",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "status", "underskrift",
)  # fmt: skip
ATTRIBUTES: Final = (
    "Algorithm", "URI", "Filter", "Id", "Type", "Encoding", "id", "version", "x",
    "{http://www.w3.org/XML/1998/namespace}id", "{http://www.w3.org/XML/1998/namespace}base",
    "{http://www.w3.org/XML/1998/namespace}space",
    "{http://www.w3.org/2001/XMLSchema-instance}type", "{relative}x",
)  # fmt: skip
NAMESPACES: Final = (
    ns.DS, ns.DSF, ns.XSL, ns.CORE, ns.TYPES, ns.EXT32, ns.SOAP11, "urn:x", "x:", "relative",
    "../x", "#x", "//x", "x" * 500,
)  # fmt: skip
NAMES: Final = (
    "Signature", "SignedInfo", "SignatureValue", "KeyInfo", "Object", "Reference", "Transform",
    "X509Data", "X509Certificate", "KeyValue", "XPath", "stylesheet", "intyg", "underskrift",
    "status", "relation", "extension", "svar", "Body", "x",
)  # fmt: skip
TAGS: Final = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1C, 0x1E,
    0x30, 0x31, 0x80, 0x82, 0x86, 0xA0, 0xA3)  # fmt: skip
CONTENTS: Final = (
    b"", b"\0", b"\1", b"\xff", b"\x80", b"a\0b", b"\xff" * 40, b"x" * 5000, b"\x2a\x03", b"[/x]",
    b"00000101000000Z", b"10000101000000Z", b"99991231235959Z", b"99999999999999Z",
    b"491231235959Z", b"500101000000Z", "å".encode("latin-1"), b"\xd8\x00",
)  # fmt: skip


# --- the tree -------------------------------------------------------------------------------------


def _any(root: etree._Element, rng: Random) -> etree._Element:
    """An element, mostly of the signature; every name as often. Never the root."""
    signature = root.find(".//{*}underskrift")
    below = signature if signature is not None and rng.random() < 0.7 else root
    found = [e for e in below.iter("*") if e is not root] or root.findall("*")
    name = rng.choice(sorted({e.tag for e in found}))
    return rng.choice([e for e in found if e.tag == name])


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent


def _node(rng: Random) -> etree._Element:
    """Something that is no element of the profile."""
    odd = "\U00010000"  # a name in XML 1.0's fifth edition, none in the fourth
    made = etree.Comment("x"), etree.PI("x", "y"), etree.PI(odd, ""), etree.Element(_tag(rng))
    return rng.choice((*made, etree.Element("x"), etree.Element(odd)))


def _tag(rng: Random) -> str:
    return f"{{{rng.choice(NAMESPACES)}}}{rng.choice(NAMES)}"


def drop(root: etree._Element, rng: Random) -> None:
    element = _any(root, rng)
    _parent(element).remove(element)


def double(root: etree._Element, rng: Random) -> None:
    element = _any(root, rng)
    element.addnext(deepcopy(element))


def empty(root: etree._Element, rng: Random) -> None:
    element = _any(root, rng)
    element[:] = []
    element.text = rng.choice(TEXTS)


def replace(root: etree._Element, rng: Random) -> None:
    element = _any(root, rng)
    _parent(element).replace(element, _node(rng))


def rename(root: etree._Element, rng: Random) -> None:
    element = _any(root, rng)
    local = etree.QName(element).localname
    element.tag = rng.choice((_tag(rng), f"{{{rng.choice(NAMESPACES)}}}{local}", local))


def move(root: etree._Element, rng: Random) -> None:
    element, to = _any(root, rng), _any(root, rng)
    if element not in (to, *to.iterancestors()):
        to.insert(rng.randrange(len(to) + 1), element)


def swap(root: etree._Element, rng: Random) -> None:
    parent = _parent(_any(root, rng))
    children = list(parent)
    rng.shuffle(children)
    parent[:] = children


def write(root: etree._Element, rng: Random) -> None:
    element = _any(root, rng)
    if rng.random() < 0.7:
        element.text = rng.choice(TEXTS)
    else:
        element.tail = rng.choice(TEXTS)


def split(root: etree._Element, rng: Random) -> None:
    """Put a node into a text."""
    element, node = _any(root, rng), _node(rng)
    text = element.text or ""
    at = rng.randrange(len(text) + 1)
    element.text, node.tail = text[:at], text[at:]
    element.insert(0, node)


def attribute(root: etree._Element, rng: Random) -> None:
    element = _any(root, rng)
    value = rng.choice(TEXTS) or ""
    names = element.keys()
    if names and rng.random() < 0.3:
        del element.attrib[rng.choice(names)]
    elif names and rng.random() < 0.5:
        element.set(rng.choice(names), value)
    else:
        element.set(rng.choice(ATTRIBUTES), value)


# --- octets ---------------------------------------------------------------------------------------


def octets(root: etree._Element, rng: Random) -> None:
    """The octets of a value, in right base64."""
    found = [e for name in VALUES for e in root.iter(f"{{{ns.DS}}}{name}")]
    if found:
        element = rng.choice(found)
        _set(element, _damaged(_octets(element), rng))


def certificate(root: etree._Element, rng: Random) -> None:
    """A certificate whose DER is right, and what it says is not; mostly signed by the CA."""
    element = root.find(f".//{{{ns.DS}}}X509Certificate")
    if element is not None:
        _set(element, damaged_cert(_octets(element), rng))


def _octets(element: etree._Element) -> bytes:
    try:
        return base64.b64decode(element.text or "")
    except ValueError:
        return b""


def _set(element: etree._Element, value: bytes) -> None:
    element[:] = []
    element.text = base64.b64encode(value).decode()


def _damaged(value: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(value) + 1)
    half = len(value) // 2
    number = int.from_bytes(value)
    return rng.choice(
        (
            b"",
            bytes(len(value)),
            b"\xff" * len(value),
            value[:at] + bytes([rng.randrange(256)]) + value[at + 1 :],
            value[:at],
            value[at:],
            value[:at] + b"\0" + value[at:],
            b"\0" + value,
            value + value,
            (value * 1000)[:100_000],
            value[half:] + value[:half],
            bytes(half) + value[half:],
            value[:half] + bytes(half),
            utils.encode_dss_signature(number, number),
        )
    )


def damaged_cert(cert: bytes, rng: Random) -> bytes:
    """
    Change a few items of a certificate.

    Args:
        cert: DER; what is none comes back with one octet changed.
    """
    try:
        whole = der.decode(cert)
    except (ValueError, IndexError):
        return _damaged(cert, rng)
    for _ in range(rng.choice((1, 1, 2, 4))):
        _change_item(rng.choice(list(whole.walk())), rng.choice(list(whole.walk())), rng)
    if len(whole.items) == 3 and rng.random() < 0.8:
        value = ec_key(which=1).sign(whole.items[0].encode(), ec.ECDSA(SHA256()))
        whole.items[2] = der.Item(0x03, b"\0" + value)
    return whole.encode()


def _change_item(item: der.Item, other: der.Item, rng: Random) -> None:
    match rng.randrange(7):
        case 0:
            item.tag = rng.choice(TAGS)
        case 1:
            item.content, item.items = rng.choice(CONTENTS), []
        case 2:
            item.content = item.content[: rng.randrange(len(item.content) + 1)]
        case 3:
            item.content += rng.choice(CONTENTS)
        case 4:
            rng.shuffle(item.items)
        case 5:
            item.items = [deepcopy(each) for each in item.items for _ in range(rng.randrange(3))]
        case 6:
            item.tag, item.content, item.items = other.tag, other.content, deepcopy(other.items)


# --- all of it ------------------------------------------------------------------------------------

CHANGES: Final[Sequence[Change]] = (
    drop, double, empty, replace, rename, move, swap, write, split, attribute, octets, certificate,
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, message: bytes, key: SigningKey, most: int = 3) -> bytes:
    """
    A signed message after some changes; now and then with a SignatureValue made anew.

    Args:
        message: With one signature.
        key: The signer's own: a forger may be a doctor.
        most: Changes.
    """
    root = etree.fromstring(message)
    plan = st.tuples(st.sampled_from(CHANGES), st.integers(0, 2**32))
    for change, luck in draw(st.lists(plan, min_size=1, max_size=most)):
        if root.find("*") is not None:
            change(root, Random(luck))
    if draw(st.booleans()):
        _sign_again(root, key)
    data = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return _declare(data, Random(draw(st.integers(0, 2**32)))) if draw(st.booleans()) else data


def _sign_again(root: etree._Element, key: SigningKey) -> None:
    names = {etree.QName(e).localname for e in root.iter("*")}
    if names.issuperset({"SignedInfo", "SignatureValue"}):
        with suppress(etree.C14NError):  # a relative namespace name: nobody can sign that
            make_value(root, key)


def _declare(data: bytes, rng: Random) -> bytes:
    """One more namespace declaration in some start tag, used by nothing."""
    tag = rng.choice(list(_START_TAG.finditer(data)))
    name = rng.choice(NAMESPACES).encode()
    return data[: tag.end()] + b' xmlns:zz="' + name + b'"' + data[tag.end() :]
