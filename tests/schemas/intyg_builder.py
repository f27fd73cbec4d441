"""Certificates for tests of the types, built from a few words a svar. All invented."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from xml.sax.saxutils import escape

from lxml import etree

from intyg.schemas.ns import CORE, TYPES, message

PATIENT: Final = "189001019802"

Content: TypeAlias = "str | Cv | Period | PartialDate | Raw"


@dataclass
class Cv:
    """A `cv`; a system that is None stands for the same text as the list's name."""

    code: str
    system: str


@dataclass
class Period:
    start: str
    end: str


@dataclass
class PartialDate:
    value: str


@dataclass
class Raw:
    """XML as it is, with the prefixes c and t."""

    xml: str


@dataclass
class Svar:
    """One svar: its delsvar in order, as pairs, so that an id may stand there twice."""

    id: str
    parts: list[tuple[str, Content]]
    instans: list[str] = field(default_factory=list)


@dataclass
class Answers:
    """The svar of one certificate, with the changes that tests make to them."""

    typ: str
    version: str
    svar: list[Svar]
    person: str = PATIENT
    unit: Mapping[str, str] = field(default_factory=dict)

    def intyg(self) -> etree._Element:
        """The `intyg` element, inside RegisterCertificate."""
        return etree.fromstring(self.text().encode())[0]

    def text(self) -> str:
        namespace = message("RegisterCertificate", 3)
        unit = {
            "postadress": "Vägen 1",
            "postnummer": "123 45",
            "postort": "Staden",
            "telefonnummer": "000-000 00 00",
            **self.unit,
        }
        address = "".join(f"<c:{name}>{value}</c:{name}>" for name, value in unit.items())
        return (
            f'<m:RegisterCertificate xmlns:m="{namespace}" xmlns:c="{CORE}" xmlns:t="{TYPES}">'
            f"<m:intyg><c:typ><t:code>{self.typ}</t:code></c:typ><c:version>{self.version}"
            f"</c:version><c:patient><c:person-id><t:extension>{self.person}</t:extension>"
            "</c:person-id><c:postadress>Gatan 2</c:postadress><c:postnummer>12345</c:postnummer>"
            f"<c:postort>Staden</c:postort></c:patient><c:skapadAv><c:enhet>{address}</c:enhet>"
            f"</c:skapadAv>{''.join(_svar(svar) for svar in self.svar)}</m:intyg>"
            "</m:RegisterCertificate>"
        )

    # --- changes: each returns the changed certificate, the original stays ------------------------

    def without(self, node_id: str) -> "Answers":
        """Without a svar, or without a delsvar."""
        changed = deepcopy(self)
        if "." not in node_id:
            changed.svar = [svar for svar in changed.svar if svar.id != node_id]
        for svar in changed.svar:
            svar.parts = [part for part in svar.parts if part[0] != node_id]
        return changed

    def with_svar(self, *more: Svar) -> "Answers":
        changed = deepcopy(self)
        changed.svar.extend(deepcopy(more))
        return changed

    def repeated(self, node_id: str, times: int = 2) -> "Answers":
        """With the first such svar or delsvar standing there so many times in all."""
        changed = deepcopy(self)
        for index, svar in enumerate(changed.svar):
            if svar.id == node_id:
                changed.svar[index:index] = [deepcopy(svar) for _ in range(times - 1)]
                break
            for place, part in enumerate(svar.parts):
                if part[0] == node_id:
                    svar.parts[place:place] = [deepcopy(part) for _ in range(times - 1)]
                    return changed
        return changed

    def put(self, node_id: str, content: Content) -> "Answers":
        """With this content in the first such delsvar, added to its svar when it is not there."""
        changed = deepcopy(self)
        for svar in changed.svar:
            for place, part in enumerate(svar.parts):
                if part[0] == node_id:
                    svar.parts[place] = (node_id, content)
                    return changed
        for svar in changed.svar:
            if svar.id == node_id.partition(".")[0]:
                svar.parts.append((node_id, content))
                return changed
        raise AssertionError(f"no svar for {node_id}")

    def extra(self, svar_id: str, delsvar_id: str) -> "Answers":
        """With a delsvar that does not belong there."""
        changed = deepcopy(self)
        next(svar for svar in changed.svar if svar.id == svar_id).parts.append((delsvar_id, "x"))
        return changed

    def instans(self, svar_id: str, values: Iterable[str]) -> "Answers":
        changed = deepcopy(self)
        next(svar for svar in changed.svar if svar.id == svar_id).instans = list(values)
        return changed


def _svar(svar: Svar) -> str:
    instans = "".join(f"<c:instans>{value}</c:instans>" for value in svar.instans)
    parts = "".join(
        f'<c:delsvar id="{part_id}">{_content(content)}</c:delsvar>'
        for part_id, content in svar.parts
    )
    return f'<c:svar id="{svar.id}">{instans}{parts}</c:svar>'


def _content(content: Content) -> str:
    match content:
        case str():
            return escape(content)
        case Cv(code, system):
            return f"<t:cv><t:code>{code}</t:code><t:codeSystem>{system}</t:codeSystem></t:cv>"
        case Period(start, end):
            return f"<t:datePeriod><t:start>{start}</t:start><t:end>{end}</t:end></t:datePeriod>"
        case PartialDate(value):
            inner = f"<t:format>YYYY</t:format><t:value>{value}</t:value>"
            return f"<t:partialDate>{inner}</t:partialDate>"
        case Raw(xml):
            return xml


def fk7804() -> Answers:
    """A full FK7804 version 1: every question answered, no rule broken."""
    icd = "1.2.752.116.1.1.1.1.3"
    return Answers(
        "LISJP",
        "1.3",
        [
            Svar("27", [("27.1", "false")]),
            Svar("1", [("1.1", Cv("UNDERSOKNING", "KV_FKMU_0001")), ("1.2", "2026-11-02")], ["1"]),
            Svar(
                "1",
                [
                    ("1.1", Cv("ANNAT", "KV_FKMU_0001")),
                    ("1.2", "2026-11-03"),
                    ("1.3", "Samtal med arbetsledare"),
                ],
                ["2"],
            ),
            Svar("28", [("28.1", Cv("NUVARANDE_ARBETE", "KV_FKMU_0002"))], ["1"]),
            Svar("28", [("28.1", Cv("STUDIER", "KV_FKMU_0002"))], ["2"]),
            Svar("29", [("29.1", "Snickare, bygger trappor")]),
            Svar(
                "6",
                [
                    ("6.2", Cv("S47", icd)),
                    ("6.1", "Klämskada"),
                    ("6.4", Cv("F321", icd)),
                    ("6.3", "Depressiv episod"),
                    ("6.6", Cv("M54", icd)),
                    ("6.5", "Ryggvärk"),
                ],
            ),
            Svar("35", [("35.1", "Kan inte lyfta armen")]),
            Svar("17", [("17.1", "Kan inte hantera verktyg")]),
            Svar("19", [("19.1", "Sjukgymnastik")]),
            Svar("20", [("20.1", "Operation")]),
            Svar(
                "32",
                [
                    ("32.1", Cv("HELT_NEDSATT", "KV_FKMU_0003")),
                    ("32.2", Period("2026-11-20", "2026-11-30")),
                ],
                ["1"],
            ),
            Svar(
                "32",
                [
                    ("32.1", Cv("HALFTEN", "KV_FKMU_0003")),
                    ("32.2", Period("2026-12-01", "2026-12-31")),
                ],
                ["2"],
            ),
            Svar("37", [("37.1", "Läker långsamt")]),
            Svar("33", [("33.1", "true"), ("33.2", "Reser långt")]),
            Svar("34", [("34.1", "false")]),
            Svar(
                "39",
                [
                    ("39.1", Cv("ATER_X_ANTAL_DGR", "KV_FKMU_0006")),
                    ("39.3", Cv("TRETTIO_DGR", "KV_FKMU_0007")),
                ],
            ),
            Svar("40", [("40.1", Cv("ARBETSTRANING", "KV_FKMU_0004"))], ["1"]),
            Svar("40", [("40.1", Cv("HJALPMEDEL", "KV_FKMU_0004"))], ["2"]),
            Svar("44", [("44.1", "Börja med korta pass")]),
            Svar("25", [("25.1", "Inget mer")]),
            Svar("26", [("26.1", "true"), ("26.2", "Vill samordna")]),
            Svar("9001", [("9001.1", "Svar på en tilläggsfråga")]),
        ],
    )
