"""XML → JSON → XML: the octets that a signature covers are the same, display names included."""

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from lxml import etree

from intyg.adapter.formats.intyg_json import (
    JsonFormError,
    intyg_from_json,
    intyg_to_json,
)
from intyg.adapter.signature import normalise
from intyg.schemas import ns
from intyg.schemas.examples.draft import request_element
from intyg.schemas.examples.example import Size, Workshop, example, frame_of
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.typefile.lookup import IntygTypes

TYPES: Final = IntygTypes()
LISJP: Final = TYPES.lookup("LISJP", "1.3")
SIGNED_AT: Final = datetime(2026, 11, 23, 9, 30)  # noqa: DTZ001  contract times carry no zone
REGISTER: Final = ns.message("RegisterCertificate", 3)
FOLDER: Final = os.environ.get("INTYG_NATIONAL_EXAMPLES")
STRAY_TEXT: Final = "tstrk1009/1/invalid/tstrk1009-1-1.xml"
"""Holds a sign between two elements, which its schema forbids: the one that has no JSON."""

EACH: Final = 18
"""Seeds of each type and size: with 29 types, more than 500 certificates."""


def back(data: dict[str, Any], intyg_type: IntygType) -> etree._Element:
    """The certificate of a JSON text."""
    parent = etree.Element("m", nsmap={"r": REGISTER, "c": ns.CORE, "t": ns.TYPES})
    intyg_from_json(json.loads(json.dumps(data)), intyg_type, parent, f"{{{REGISTER}}}intyg")
    return parent[0]


def digest(intyg: etree._Element) -> str:
    return hashlib.sha256(normalise(intyg)).hexdigest()


def is_same(intyg: etree._Element, intyg_type: IntygType) -> bool:
    return digest(back(intyg_to_json(intyg, intyg_type), intyg_type)) == digest(intyg)


@pytest.mark.parametrize("intyg_type", TYPES.all(), ids=lambda one: one.key)
def test_made_certificates_come_back_as_they_were(intyg_type: IntygType) -> None:
    workshop = Workshop(intyg_type, SIGNED_AT.date())
    for seed in range(EACH):
        size = {0: Size.FULL, 1: Size.MINIMAL}.get(seed, Size.SOME)
        draft = workshop.draft(frame_of(intyg_type, SIGNED_AT), size, seed)
        intyg = request_element(intyg_type, draft)[-1]
        assert is_same(intyg, intyg_type), (size, seed)


def test_there_are_five_hundred() -> None:
    assert EACH * len(TYPES.all()) >= 500


def official() -> Iterator[Path]:
    yield from sorted(Path(FOLDER or "-").rglob("*.xml"))


@pytest.mark.skipif(not FOLDER, reason="INTYG_NATIONAL_EXAMPLES names no folder")
def test_official_examples_come_back_as_they_were() -> None:
    files = [path for path in official() if not path.as_posix().endswith(STRAY_TEXT)]
    assert len(files) >= 270
    for path in files:
        root = etree.parse(path).getroot()
        for comment in list(root.iter(etree.Comment)):  # with those nothing can be signed
            parent = comment.getparent()
            if parent is not None:
                parent.remove(comment)
        intyg = root if root.tag.endswith("}intyg") else root.find(".//{*}intyg")
        assert intyg is not None, path
        code = intyg.findtext("{*}typ/{*}code") or ""
        intyg_type = TYPES.find(code, intyg.findtext("{*}version") or "")
        assert is_same(intyg, intyg_type), path


def lisjp(*svar: str) -> etree._Element:
    """A certificate with these svar and nothing else that matters."""
    request = example(LISJP, signed_at=SIGNED_AT, size=Size.MINIMAL)
    intyg = request[-1]
    for row in intyg.findall(f"{{{ns.CORE}}}svar"):
        intyg.remove(row)
    for text in svar:
        declared = f'xmlns="{ns.CORE}" xmlns:t="{ns.TYPES}"'
        intyg.append(etree.fromstring(text.replace("<svar", f"<svar {declared}", 1)))
    return intyg


@pytest.mark.parametrize(
    ("svar", "said"),
    [
        pytest.param(
            ('<svar id="27"><delsvar id="27.1">false</delsvar></svar>',),
            {"27": {"27.1": False}},
            id="boolean",
        ),
        pytest.param(
            ('<svar id="27"><delsvar id="27.1">0</delsvar></svar>',),
            {"27": {"27.1": "0"}},
            id="boolean written otherwise",
        ),
        pytest.param(
            ('<svar id="1"><instans>1</instans><delsvar id="1.2">2026-01-12</delsvar></svar>',),
            {"1": [{"instans": 1, "1.2": "2026-01-12"}]},
            id="one row of a question that may have several",
        ),
        pytest.param(
            ('<svar id="32"><delsvar id="32.2"><t:datePeriod><t:start>2026-01-01</t:start>'
             "</t:datePeriod></delsvar></svar>",),
            {"32": [{"32.2": {"start": "2026-01-01"}}]},
            id="half a period",
        ),
        pytest.param(
            (
                '<svar id="35"><delsvar id="35.1">b</delsvar></svar>',
                '<svar id="27"><delsvar id="27.1">true</delsvar></svar>',
            ),
            {"27": {"27.1": True}, "35": {"35.1": "b"}, "ordning": ["35", "27"]},
            id="another order than the form",
        ),
        pytest.param(
            (
                '<svar id="39"><delsvar id="39.2">x</delsvar><delsvar id="39.1">y</delsvar></svar>',
            ),
            {"39": {"39.1": "y", "39.2": "x", "ordning": ["39.2", "39.1"]}},
            id="delsvar in another order",
        ),
        pytest.param(
            ('<svar id="35"><delsvar id="35.1">a</delsvar><delsvar id="35.1">b</delsvar></svar>',),
            {"35": {"35.1": ["a", "b"]}},
            id="a delsvar twice",
        ),
        pytest.param(
            ('<svar id="35"><delsvar id="35.1"><t:timePeriod><t:start>2026-01-01T00:00:00'
             "</t:start></t:timePeriod></delsvar></svar>",),
            {"35": {"35.1": {"timePeriod": {"start": "2026-01-01T00:00:00"}}}},
            id="a kind that no type uses",
        ),
        pytest.param(
            ('<svar id="35"><delsvar id="35.1"><t:cv><t:code>A</t:code></t:cv><t:cv/></delsvar>'
             "</svar>",),
            {"35": {"35.1": {"delar": [{"cv": {"code": "A"}}, {"cv": {}}]}}},
            id="two values in one delsvar",
        ),
    ],
)  # fmt: skip
def test_what_the_json_says(svar: tuple[str, ...], said: dict[str, Any]) -> None:
    intyg = lisjp(*svar)
    data = intyg_to_json(intyg, LISJP)
    assert data["svar"] == said
    assert digest(back(data, LISJP)) == digest(intyg)


def test_relation_and_status() -> None:
    """What is not signed: the relation is carried, the store's own states are not."""
    intyg = lisjp()
    relation = etree.fromstring(
        f'<relation xmlns="{ns.CORE}" xmlns:t="{ns.TYPES}"><typ><t:code>ERSATT</t:code>'
        "<t:codeSystem>x</t:codeSystem></typ><intygs-id><t:root>r</t:root>"
        "<t:extension>e</t:extension></intygs-id></relation>"
    )
    intyg.append(relation)
    intyg.append(etree.fromstring(f'<status xmlns="{ns.CORE}"/>'))
    data = intyg_to_json(intyg, LISJP)
    assert data["relation"][0]["intygs-id"] == {"root": "r", "extension": "e"}
    assert "status" not in data
    made = back(data, LISJP)
    assert made.findtext(f"{{{ns.CORE}}}relation//{{{ns.TYPES}}}code") == "ERSATT"


@pytest.mark.parametrize(
    ("svar", "path"),
    [
        ('<svar id="35"><delsvar id="35.1">a<!-- c -->b</delsvar></svar>', "svar.35.35.1"),
        ('<svar id="35"><delsvar id="35.1"><t:cv/>x</delsvar></svar>', "svar.35.35.1"),
        ('<svar id="35"><delsvar id="35.1"><t:mine/></delsvar></svar>', "svar.35.35.1"),
        ('<svar id="35"><t:mine/></svar>', "svar.35"),
    ],
)
def test_what_has_no_json(svar: str, path: str) -> None:
    with pytest.raises(JsonFormError) as raised:
        intyg_to_json(lisjp(svar), LISJP)
    assert raised.value.path == path


@pytest.mark.parametrize(
    ("svar", "path"),
    [
        ([], "svar"),
        ({"35": "text"}, "svar.35"),
        ({"35": {"35.1": 1.5}}, "svar.35.35.1"),
        ({"35": {"35.1": None}}, "svar.35.35.1"),
        ({"35": {"35.1": {"kod": "A"}}}, "svar.35.35.1"),
        ({"35": {"35.1": {"cv": "A"}}}, "svar.35.35.1.cv"),
        ({"35": {"35.1": {"code": {"x": 1}}}}, "svar.35.35.1.code"),
        ({"35": {"35.1": {"delar": 1}}}, "svar.35.35.1"),
        ({"35": {"35.1": "x"}, "ordning": ["27"]}, "svar.ordning"),
        ({"35": {"35.1": "x"}, "ordning": "35"}, "svar.ordning"),
    ],
)
def test_what_is_no_certificate(svar: Any, path: str) -> None:
    with pytest.raises(JsonFormError) as raised:
        back({"svar": svar}, LISJP)
    assert raised.value.path == path


def test_unknown_member_of_the_frame_names_those_known() -> None:
    with pytest.raises(JsonFormError, match="efternamn"):
        back({"patient": {"lastName": "x"}}, LISJP)
