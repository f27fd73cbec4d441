"""Ids that are equal without regard to case are compared by their one function, not beside it.

Found are `==`, `!=`, `in` and changes of case on whatever has the name of such an id.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]

HSA_IDS: Final = frozenset(
    {"hsa_id", "hsaId", "enhets_id", "enhets_ids", "vardgivare_id", "vardgivar_id"}
    | {"logical_address", "personal_id", "care_unit"}
)
"""What code calls an HSA-id."""

UUIDS: Final = frozenset(
    {"intygs_id", "relation_intygs_id", "replaces", "meddelande_id", "paminnelse_meddelande_id"}
    | {"svar_pa_meddelande_id", "answered_by"}
)
"""What code calls an id of a certificate or a message."""

CASES: Final = frozenset({"upper", "lower", "casefold", "swapcase"})

ALLOWED: Final = {
    "adapter/cli/example_request.py": "names of contracts",
    "mocks/journal/filters.py": "nobody who looks for something is held to its case",
    "mocks/rules/trouble.py": "addresses of our own, in large letters",
    "adapter/console/pages/overview.py": "the way that is stopped, as it was queued",
    "adapter/flows/shared/withdraw.py": "the queue that a message stands in, as it was queued",
    "adapter/statistics/sjukfall_reports.py": "a fact holds the key of an HSA-id",
    "adapter/statistics/wanted.py": "a fact holds the key of an HSA-id",
    "adapter/store/arende_rows.py": "as `intyg_rows`; reminders within a certificate",
    "adapter/store/course_rows.py": "a fact holds the key of an HSA-id",
    "adapter/store/sjukfall_rows.py": "a fact holds the key of an HSA-id",
    "adapter/store/statistics_rows.py": "a fact holds the key of an HSA-id",
    "adapter/store/claim.py": "the same, and the way that is stopped",
    "adapter/store/delivery_rows.py": "the way that a message goes, as it was queued",
    "adapter/store/delivery_search.py": "the way that is stopped, as it was queued",
    "adapter/store/intyg_rows.py": "a unit's page is found by an index: as written, in either case",
    "adapter/store/way_rows.py": "the same",
}


STORED: Final = "an id as it was stored, which somebody has found by its function"
UUIDS_ALLOWED: Final = {
    "adapter/flows/contracts/list_relations_for_certificate.py": STORED,
    "adapter/flows/contracts/revoke_certificate.py": STORED,
    "mocks/forsakringskassan/persona.py": "looked up in what knows both cases",
}
"""Where ids are compared as they stand, and why; of rows in the store see `FOUND`."""

FOUND: Final = "adapter/store/"
"""Rows are joined by ids as they were stored: what comes from outside has been found before."""


def goes_round(code: str) -> list[int]:
    """Lines on which such an id is compared, or its case is changed."""
    return _lines(code, HSA_IDS)


def _lines(code: str, names: frozenset[str]) -> list[int]:
    walked = ast.walk(ast.parse(code))
    return sorted(
        {each.lineno for each in walked if isinstance(each, ast.expr) and _goes_round(each, names)}
    )


def _goes_round(node: ast.expr, names: frozenset[str]) -> bool:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            compares = any(isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for op in ops)
            sides = (left, *others)
            by_case = names is HSA_IDS and all(map(_changes_case, sides))  # whatever its name
            named = any(_is_id(each, names) for each in sides) and not _fixed(node)
            return compares and (by_case or named)
        case ast.Call(func=ast.Attribute(value=of, attr=attr)):
            return (attr in CASES and _is_id(of, names)) or (attr == "in_" and _is_id(of, names))
    return False


def _changes_case(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr in CASES
    return False


def _is_id(node: ast.expr, names: frozenset[str]) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in names
    return False


def _fixed(node: ast.Compare) -> bool:
    """Compared with a word of ours, `ANY`, or with itself without its white space."""
    sides = (node.left, *node.comparators)
    return any(
        isinstance(each, ast.Constant)
        or (isinstance(each, ast.Name) and each.id.isupper())
        or (isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
            and each.func.attr == "strip")
        for each in sides
    )  # fmt: skip


def sources() -> Iterator[str]:
    for room in ("adapter", "mocks"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", list(sources()))
def test_ids_are_compared_by_their_function(name: str) -> None:
    code = (ROOT / name).read_text("utf-8")
    hsa_ids, uuids = goes_round(code), _lines(code, UUIDS)
    assert bool(hsa_ids) is (name in ALLOWED), hsa_ids
    if not name.startswith(FOUND):
        assert bool(uuids) is (name in UUIDS_ALLOWED), uuids


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("enhet.enhets_id == other", True),
        ("other != row.logical_address", True),
        ("hsa_id in known", True),
        ("person.hsaId.upper()", True),
        ("table.c.vardgivare_id.in_(ids)", True),
        ("row.logical_address == ANY", False),
        ("row.logical_address != row.logical_address.strip()", False),
        ("same_hsa_id(enhet.enhets_id, other)", False),
        ("hsa_id is None", False),
        ("address.lower() == own.lower()", True),
        ("intyg.intygs_id == wanted", False),
    ],
)
def test_what_goes_round_is_found(code: str, found: bool) -> None:
    assert bool(goes_round(code)) is found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("one.intygs_id == wanted", True),
        ("relation.intygs_id not in known", True),
        ("m.meddelande_id.lower()", True),
        ("same_id(one.intygs_id, wanted)", False),
        ("hsa_id == other", False),
    ],
)
def test_what_goes_round_the_function_of_uuids_is_found(code: str, found: bool) -> None:
    assert bool(_lines(code, UUIDS)) is found
