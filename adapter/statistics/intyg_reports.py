"""Reports that count certificates, and messages and completion requests about them.

Codes of types are those in messages, `LUSE` and not FK7800; FK7804 is LISJP, and so counts as one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from intyg.adapter.rules.birth import Sex
from intyg.adapter.statistics.case_count import TOTAL
from intyg.adapter.statistics.facts import LISJP
from intyg.adapter.statistics.groups import FRAGA_GROUP, FRAGOR
from intyg.adapter.statistics.period import Period
from intyg.adapter.statistics.report import (
    BY_SEX,
    PART_OF,
    Cells,
    Level,
    Month,
    Shape,
    Summed,
    Table,
    by_sex,
    fold,
    found_groups,
    hide_small,
    months_of,
    parts,
)
from intyg.adapter.statistics.sjukfall_reports import Registers, name_groups
from intyg.adapter.statistics.wanted import Wanted
from intyg.adapter.store import Rows
from intyg.adapter.store.sjukfall_rows import Span
from intyg.schemas.codes import Amne

SICK_PAY: Final = frozenset({LISJP, "FK7263"})
MEDICAL: Final = SICK_PAY | {"LUSE", "LUAE_NA", "LUAE_FS"}
"""What the number of certificates counts."""

_OLD: Final = {"FK7263": LISJP}
"""An older form of the same certificate counts with the newer one."""

ASKED_ABOUT: Final = frozenset(
    {
        LISJP,
        "LUSE",  # FK7800
        "LUAE_NA",  # FK7801
        "LUAE_FS",  # FK7802
        "ITFP",  # FK7472
        "LUNSP",  # FK3226
        "LUMEK",  # FK7809
        "LU_TFP_B12_16",  # FK7427
        "LU_TFP_ASB18",  # FK7426
        "LU_OMV_MEK",  # FK3221
    }
)
"""Types of which it counts how many are asked to be completed."""

AMNEN: Final = {
    Amne.AVSTMN.value: "Avstämningsmöte",
    Amne.KOMPLT.value: "Komplettering",
    Amne.KONTKT.value: "Kontakt",
    Amne.PAMINN.value: "Påminnelse",
    Amne.OVRIGT.value: "Övrigt",
}
_UNKNOWN_AMNE: Final = "unknown"
_MEDDELANDEN: Final = "meddelanden"


def issued(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """Medical certificates by when they were signed."""
    found = _count_intyg(rows, wanted, registers, MEDICAL)
    cells = _cells(wanted.shape, ((vg, month, "", sex, n) for vg, month, _, sex, n in found))
    return _table(cells, wanted, registers, TOTAL, "intyg")


def by_type(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """All certificates by type and by when they were signed; types never seen are not shown."""
    found = _count_intyg(rows, wanted, registers, None)
    cells = _cells(
        wanted.shape, ((vg, month, _OLD.get(typ, typ), sex, n) for vg, month, typ, sex, n in found)
    )
    return _table(cells, wanted, registers, None, "intyg")


def _count_intyg(
    rows: Rows, wanted: Wanted, registers: Registers, typer: frozenset[str] | None
) -> list[tuple[Any, ...]]:
    chosen = wanted.chosen(rows, registers.icd10)
    by = (_vardgivare(wanted), "signed_month", "typ", "sex")
    found = rows.statistics.count_intyg(by, _months(wanted.period), chosen)
    return [row for row in found if typer is None or row[2] in typer]


# --- messages -------------------------------------------------------------------------------------


def meddelanden(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """
    Messages by when they were sent.

    The cross-section also takes those of the first day after the period, as nationally.
    """
    first, last = wanted.period.days
    sent = (first, last + (wanted.shape is Shape.PERIOD))
    found = rows.statistics.count_meddelanden(
        (_vardgivare(wanted), "sent_month", "sex"), wanted.chosen(rows, registers.icd10), sent=sent
    )
    cells = _cells(wanted.shape, ((vg, month, "", sex, n) for vg, month, sex, n, _ in found))
    return _table(cells, wanted, registers, TOTAL, _MEDDELANDEN)


def by_amne(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """Messages by subject, and by when their certificate was signed."""
    found = _count_meddelanden(rows, wanted, registers, "amne")
    cells = _cells(
        wanted.shape,
        (
            (vg, month, amne if amne in AMNEN else _UNKNOWN_AMNE, sex, n)
            for vg, month, amne, sex, n, _ in found
        ),
    )
    labels = dict(AMNEN)
    if any(key[2] == _UNKNOWN_AMNE for key in cells):
        labels[_UNKNOWN_AMNE] = "Okänt ämne"
    return _table(cells, wanted, registers, labels, _MEDDELANDEN)


def by_amne_and_unit(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """Messages by unit and subject."""
    return _by_amne_and(rows, wanted, registers, "enhets_id", "enhetsnamn")


def by_amne_and_doctor(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """Messages by doctor and subject."""
    return _by_amne_and(rows, wanted, registers, "personal_id", "fullstandigt_namn")


def _by_amne_and(rows: Rows, wanted: Wanted, registers: Registers, by: str, column: str) -> Table:
    found = _count_meddelanden(rows, wanted, registers, by, "amne")
    cells = _cells(
        wanted.shape,
        ((vg, month, f"{one} {amne}", sex, n) for vg, month, one, amne, sex, n, _ in found),
    )
    names = name_groups(rows, {row[2]: row[-1] for row in found}, column)
    subjects, groups = sorted({row[3] for row in found}), {key[2] for key in cells}
    labels = {
        f"{one} {amne}": f"{name}, {AMNEN.get(amne, amne).lower()}"
        for one, name in names.items()
        for amne in subjects
        if f"{one} {amne}" in groups
    }
    return _table(cells, wanted, registers, labels, _MEDDELANDEN)


def _count_meddelanden(
    rows: Rows, wanted: Wanted, registers: Registers, *by: str, fragor: bool = False
) -> list[tuple[Any, ...]]:
    return rows.statistics.count_meddelanden(
        (_vardgivare(wanted), "signed_month", *by, "sex"),
        wanted.chosen(rows, registers.icd10),
        signed=_months(wanted.period),
        fragor=fragor,
    )


# --- completion requests --------------------------------------------------------------------------


def completion_share(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """
    How many of the certificates that were sent to Försäkringskassan it has asked to complete.

    Revoked ones are among them, as nationally; several requests about one count once.
    """
    [table] = completion_shares(rows, wanted, registers, [wanted.period])
    return table


def completion_shares(
    rows: Rows, wanted: Wanted, registers: Registers, periods: Sequence[Period]
) -> list[Table]:
    """The same of periods that follow each other, counted once."""
    found = rows.statistics.count_intyg(
        ("vardgivare_id", "signed_month", "typ", "sex"),
        (periods[0].first, periods[-1].last),
        wanted.chosen(rows, registers.icd10),
        sent_to_fk=True,
    )
    found = [row for row in found if row[2] in ASKED_ABOUT]
    return [
        _share_in(
            replace(wanted, period=period),
            registers,
            [row for row in found if row[1] in period.months],
        )
        for period in periods
    ]


def _share_in(wanted: Wanted, registers: Registers, found: Sequence[tuple[Any, ...]]) -> Table:
    whole = _cells(wanted.shape, ((vg, m, typ, sex, n) for vg, m, typ, sex, n, _ in found))
    part = _cells(wanted.shape, ((vg, m, typ, sex, n) for vg, m, typ, sex, _, n in found))
    some, of_all = _hide_shares(part, whole, wanted.level, registers.cutoff)
    labels = {typ: typ for typ in found_groups(of_all)}
    months = months_of(wanted.period, wanted.shape)
    shown = ("female_percent", "male_percent")
    return Table(PART_OF, parts(some, of_all, months, labels), "procent", shown=shown)


def _hide_shares(part: Cells, whole: Cells, level: Level, cutoff: int) -> tuple[Summed, Summed]:
    """On the level of a region a small part hides its whole, too."""
    some, _ = hide_small(part, level, cutoff)
    of_all, _ = hide_small(whole, level, cutoff if level is Level.NATION else 0)
    if level is Level.REGION:
        of_all = Counter({key: n for key, n in of_all.items() if some[key] >= cutoff})
    return some, of_all


def by_fraga(rows: Rows, wanted: Wanted, registers: Registers) -> Table:
    """Questions that completion requests about sick-pay certificates list, each time they do."""
    found = _count_meddelanden(rows, wanted, registers, "typ", "frage_id", fragor=True)
    cells = _cells(
        wanted.shape,
        (
            (vg, month, FRAGA_GROUP[frage_id], sex, n)
            for vg, month, typ, frage_id, sex, n, _ in found
            if typ in SICK_PAY and frage_id in FRAGA_GROUP
        ),
    )
    labels = {name: label for name, _, label in FRAGOR}
    return _table(cells, wanted, registers, labels, "kompletteringar")


# --- counted in the database ----------------------------------------------------------------------


def _vardgivare(wanted: Wanted) -> str:
    """The column of care providers, where small numbers are hidden at each; otherwise none."""
    return "vardgivare_id" if wanted.level is Level.NATION else ""


def _months(period: Period) -> Span:
    return period.first, period.last


def _cells(shape: Shape, found: Any) -> Cells:
    """Cells of what was counted: care provider, month, group, sex, and how many."""
    cells: Cells = Counter()
    for vardgivare_id, month, group, sex, count in found:
        in_month: Month = month if shape is Shape.MONTHS else None
        cell = (vardgivare_id, in_month, group, fold(sex, Sex.MALE))
        cells[cell] = cells.get(cell, 0) + count  # a counter that misses one is slow
    return cells


def _table(
    cells: Cells,
    wanted: Wanted,
    registers: Registers,
    labels: Mapping[str, str] | None,
    unit: str,
) -> Table:
    summed, hidden = hide_small(cells, wanted.level, registers.cutoff)
    if labels is None:
        labels = {group: group for group in found_groups([*summed, *hidden])}
    months: Sequence[Month] = months_of(wanted.period, wanted.shape)
    return Table(BY_SEX, by_sex(summed, hidden, months, labels), unit)
