"""CreateDraftCertificate → what is ordered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from intyg.adapter.domain.person import PersonId
from intyg.adapter.formats.intyg_reader import read_person_id
from intyg.schemas import ns

_C, _T, _X = f"{{{ns.CORE}}}", f"{{{ns.TYPES}}}", f"{{{ns.EXT33}}}"
_M: Final = f"{{{ns.message('CreateDraftCertificate', 3)}}}"


@dataclass(frozen=True)
class DraftOrder:
    """
    `CreateDraftCertificateType`, every text trimmed.

    Attributes:
        typ: Code of the type, as written.
        fornamn, efternamn: Of the patient; asked for, and not used.
        ref: The caller's own reference; None without one, or a blank one.
        svar: The answers sent along, as elements; None without `forifyllnad`.
    """

    typ: str
    patient: PersonId
    fornamn: str = field(repr=False)
    efternamn: str = field(repr=False)
    personal_id: str
    fullstandigt_namn: str = field(repr=False)
    enhets_id: str
    enhetsnamn: str
    ref: str | None
    svar: Sequence[etree._Element] | None = field(repr=False)


def read_create_draft(request: etree._Element) -> DraftOrder:
    """The order in a request that is valid by its schema."""
    intyg = request.find(f"{_M}intyg")
    assert intyg is not None  # the schema requires it
    person = intyg.find(f"{_M}patient/{_C}person-id")
    assert person is not None
    given = intyg.find(f"{_X}forifyllnad")
    return DraftOrder(
        typ=_text(intyg, f"{_M}typAvIntyg/{_T}code"),
        patient=read_person_id(person),
        fornamn=_text(intyg, f"{_M}patient/{_C}fornamn"),
        efternamn=_text(intyg, f"{_M}patient/{_C}efternamn"),
        personal_id=_text(intyg, f"{_M}skapadAv/{_M}personal-id/{_T}extension"),
        fullstandigt_namn=_text(intyg, f"{_M}skapadAv/{_M}fullstandigtNamn"),
        enhets_id=_text(intyg, f"{_M}skapadAv/{_M}enhet/{_M}enhets-id/{_T}extension"),
        enhetsnamn=_text(intyg, f"{_M}skapadAv/{_M}enhet/{_M}enhetsnamn"),
        ref=_text(intyg, f"{_M}ref") or None,
        svar=None if given is None else given.findall(f"{_X}svar"),
    )


def _text(parent: etree._Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()
