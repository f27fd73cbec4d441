"""What a certificate counts for: facts, made when it arrives and again by a rebuild.

A certificate has one fact for each period of sick leave, or one without a period. Whom it is about
is a keyed hash: the same person has the same one, and nobody without the key can tell who.

Test patients' certificates count in `demo` and `test` alone; elsewhere, neither do those of which
it could not be told. A period is left out that begins before 2010, or reaches more than five years
beyond the day the certificate arrived, as nationally.

Source: conversions of the national statistics service.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from lxml import etree

from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.hsa_id import hsa_key
from intyg.adapter.domain.intyg import Intyg
from intyg.adapter.formats.sick_leave_reader import (
    SickLeave,
    find_intyg,
    read_diagnosis_code,
    read_sick_leave,
)
from intyg.adapter.rules.birth import age_on, birth_date, sex_of
from intyg.adapter.store import IntygFact

LISJP: Final = "LISJP"
_SAME_TYPE: Final = {"FK7804": LISJP}
SICK_LEAVE_TYPES: Final = frozenset({LISJP, "FK7263"})
"""Types whose periods are sick leave."""

_EARLIEST: Final = date(2010, 1, 1)
_YEARS_AHEAD: Final = 5
_NOT_IN_CODES: Final = re.compile(r"[^A-Z0-9ÅÄÖ]")


class FactMaker:
    """
    Makes facts.

    Args:
        person_hash: Of a person number; the same number gives the same hash.
        environment: Decides whether test patients count.
    """

    def __init__(self, person_hash: Callable[[str], str], environment: Environment) -> None:
        self._person_hash = person_hash
        self._tests_count = environment is not Environment.PRODUCTION

    def facts_of(
        self, intyg: Intyg, request: etree._Element, received_at: datetime, is_test: bool | None
    ) -> list[IntygFact]:
        """
        What a certificate counts for.

        Args:
            intyg: Its facts for flows.
            request: The RegisterCertificate element that brought it.
            received_at: When it arrived, aware.
            is_test: Whether its patient is a test patient; None: it could not be told.

        Returns:
            One for each period, or one; none where it does not count.
        """
        born = birth_date(intyg.patient.extension)
        element = find_intyg(request)
        if born is None or element is None or not (self._tests_count or is_test is False):
            return []
        typ = _SAME_TYPE.get(intyg.typ, intyg.typ)
        periods = _periods(element, typ, swedish_day(received_at))
        signed = swedish_day(intyg.signeringstidpunkt or received_at)
        aged = max((period.last for period in periods), default=signed)
        whole = IntygFact(
            line=0,
            person=self._person_hash(intyg.patient.extension),
            vardgivare_id=hsa_key(intyg.skapad_av.enhet.vardgivare_id),
            enhets_id=hsa_key(intyg.skapad_av.enhet.enhets_id),
            personal_id=hsa_key(intyg.skapad_av.personal_id),
            typ=typ,
            sex=sex_of(intyg.patient.extension).value,
            age=age_on(born, aged),
            age_signed=age_on(born, signed),
            age_month=age_on(born, signed.replace(day=1)),
            diagnosis=plain_code(read_diagnosis_code(element)),
            signed_day=signed.toordinal(),
            signed_month=month_number(signed),
        )
        return [_with_period(whole, line, one) for line, one in enumerate(periods)] or [whole]


def _periods(element: etree._Element, typ: str, arrived: date) -> Sequence[SickLeave]:
    if typ not in SICK_LEAVE_TYPES:
        return ()
    ahead = date(arrived.year + _YEARS_AHEAD, arrived.month, min(arrived.day, 28))
    return [one for one in read_sick_leave(element) if one.first >= _EARLIEST and one.last <= ahead]


def _with_period(whole: IntygFact, line: int, period: SickLeave) -> IntygFact:
    return replace(
        whole,
        line=line,
        level=period.level,
        first_day=period.first.toordinal(),
        last_day=period.last.toordinal(),
    )


def plain_code(written: str | None) -> str | None:
    """A code in upper-case letters and digits, and nothing else; None where none are left."""
    return _NOT_IN_CODES.sub("", (written or "").upper()) or None


def month_number(day: date) -> int:
    """Months from year 0, as facts have them."""
    return 12 * day.year + day.month - 1
