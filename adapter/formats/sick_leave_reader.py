"""What a certificate says of diagnosis and sick leave: the same questions in every type.

Leniently, unlike `intyg_reader`: what is not there or no such value is left out, since nothing but
a number in a report comes of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from lxml import etree

from intyg.schemas import ns

_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"

_DIAGNOSIS: Final = ("6", "6.2")
_SICK_LEAVE: Final = "32"
_LEVEL, _PERIOD = "32.1", "32.2"
_LEVELS: Final = {"HELT_NEDSATT": 100, "TRE_FJARDEDEL": 75, "HALFTEN": 50, "EN_FJARDEDEL": 25}
"""KV_FKMU_0003 → how much of the working time, in per cent."""


@dataclass(frozen=True)
class SickLeave:
    """One period of `svar` 32; both days are in it."""

    level: int  # 25, 50, 75 or 100
    first: date
    last: date


def find_intyg(request: etree._Element) -> etree._Element | None:
    """The `intyg` of a RegisterCertificate request."""
    return request.find("{*}intyg")


def read_diagnosis_code(intyg: etree._Element) -> str | None:
    """The first diagnosis, as it is written; None where the type asks for none, or in words."""
    svar_id, delsvar_id = _DIAGNOSIS
    delsvar = f"{_C}svar[@id='{svar_id}']/{_C}delsvar[@id='{delsvar_id}']"
    codes = intyg.iterfind(f"{delsvar}/{_T}cv/{_T}code")
    return next(filter(None, ((code.text or "").strip() for code in codes)), None)


def read_sick_leave(intyg: etree._Element) -> Iterator[SickLeave]:
    """Each period with its level, as they stand; one that ends before it begins is none."""
    for svar in intyg.iterfind(f"{_C}svar[@id='{_SICK_LEAVE}']"):
        code = svar.findtext(f"{_C}delsvar[@id='{_LEVEL}']/{_T}cv/{_T}code") or ""
        level = _LEVELS.get(code.strip())
        period = svar.find(f"{_C}delsvar[@id='{_PERIOD}']/{_T}datePeriod")
        if level is None or period is None:
            continue
        first, last = (_day(period, name) for name in ("start", "end"))
        if first is not None and last is not None and first <= last:
            yield SickLeave(level, first, last)


def _day(period: etree._Element, name: str) -> date | None:
    try:
        return date.fromisoformat((period.findtext(f"{_T}{name}") or "").strip())
    except ValueError:
        return None
