"""Hypothesis strategies: valid certificates of every type, made from the types' data files.

A strategy draws an example, changes answers in it as long as the validator finds nothing, and
writes other texts. What comes out is right on `TODAY`: check it with `today=TODAY`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from random import Random
from typing import Final

from hypothesis import strategies as st
from lxml import etree

from intyg.schemas.examples.draft import (
    Draft,
    Text,
    request_bytes,
    request_element,
)
from intyg.schemas.examples.example import Size, Workshop, frame_of
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.typefile.lookup import IntygTypes

SIGNED_AT: Final = datetime(2026, 11, 23, 9, 30)  # noqa: DTZ001  contract times carry no zone
TODAY: Final[date] = SIGNED_AT.date()

PERSONS: Final = ("189001019802", "189001029819", "191401682396")
"""From Skatteverket's published test numbers; the last is a samordningsnummer."""

TYPES: Final = IntygTypes()

_SEEDS = 4  # examples of a size that walks start from; the walks make them many
_STEPS = 6  # at most so many changed answers
_TEXTS = 3  # at most so many changed texts

_words = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\ufffe"
    ),
    min_size=1,
    max_size=40,
).filter(lambda text: bool(text.strip()))


@cache
def all_types() -> Sequence[IntygType]:
    """Every type and version."""
    return TYPES.all()


@cache
def workshop(code: str, version: str) -> Workshop:
    """The workshop of a type; kept, since compiling a type takes longer than a draft."""
    return Workshop(TYPES.lookup(code, version), TODAY)


@cache
def example_draft(code: str, version: str, size: Size, seed: int, person: str) -> Draft:
    """An example of a type; kept, since many drafts begin as the same one."""
    shop = workshop(code, version)
    frame = frame_of(shop.intyg_type, SIGNED_AT, seed=f"{size}/{seed}", person_id=person)
    return shop.draft(frame, size, seed)


@st.composite
def drafts(draw: st.DrawFn, intyg_type: IntygType | None = None) -> tuple[IntygType, Draft]:
    """A valid certificate of a type, or of any, as a draft."""
    intyg_type = intyg_type or draw(st.sampled_from(all_types()))
    shop = workshop(intyg_type.code, intyg_type.version)
    size, seed = draw(st.sampled_from(Size)), draw(st.integers(0, _SEEDS - 1))
    person = draw(st.sampled_from(PERSONS))
    draft = example_draft(intyg_type.code, intyg_type.version, size, seed, person)
    nodes = st.sampled_from([part.id for q in intyg_type.questions for part in q.delsvar])
    for node, luck in draw(st.lists(st.tuples(nodes, st.integers(0, 99)), max_size=_STEPS)):
        if "*" not in node:
            draft = _changed(shop, draft, node, luck)
    draft = _with_texts(draft, intyg_type, draw(st.lists(_words, max_size=_TEXTS)))
    version = draw(st.sampled_from(intyg_type.xml_versions))
    return intyg_type, replace(draft, frame=replace(draft.frame, version=version))


def requests(intyg_type: IntygType | None = None) -> st.SearchStrategy[bytes]:
    """A valid RegisterCertificate request of a type, or of any, as a document."""
    return drafts(intyg_type).map(lambda made: request_bytes(request_element(*made)))


def intyg_elements(
    intyg_type: IntygType | None = None,
) -> st.SearchStrategy[tuple[IntygType, etree._Element]]:
    """A valid `intyg` element, in its request, with its type."""
    return drafts(intyg_type).map(lambda made: (made[0], request_element(*made)[-1]))


def _changed(shop: Workshop, draft: Draft, node: str, luck: int) -> Draft:
    """One answer changed, with what else that takes; as it was where nothing valid is near."""
    rng = Random(luck)
    for changed in shop.changes(draft, [node], rng)[:2]:
        settled = shop.settled(changed, rng, repairs=3)
        if settled is not None:
            return settled
    return draft


def _with_texts(draft: Draft, intyg_type: IntygType, texts: list[str]) -> Draft:
    """Texts in place of the first ones that are long enough to hold them."""
    rows = list(draft.svar)
    for at, row in enumerate(rows):
        parts = list(row.delsvar)
        for place, part in enumerate(parts):
            node = part.id if not row.id.startswith("9") or len(row.id) < 4 else "*.1"
            about = intyg_type.delsvar(node)
            most = about.length.most if about.length else 4000
            fits = about.type == "text" and texts and len(texts[-1]) <= most
            if fits and isinstance(part.value, Text):
                parts[place] = replace(part, value=Text(texts.pop()))
        rows[at] = replace(row, delsvar=tuple(parts))
    return replace(draft, svar=tuple(rows))
