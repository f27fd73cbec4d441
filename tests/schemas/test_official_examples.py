"""Verdicts on the official examples, where they are at hand.

Set INTYG_NATIONAL_EXAMPLES to the folder with `index.csv` to run them; they are not part of the
project.
"""

import csv
import os
from pathlib import Path
from typing import Final

import pytest
from lxml import etree

from intyg.schemas.finding import Severity
from intyg.schemas.typefile.lookup import IntygTypes
from tests.strategies import TODAY

FOLDER: Final = os.environ.get("INTYG_NATIONAL_EXAMPLES")

pytestmark = pytest.mark.skipif(
    not FOLDER, reason="INTYG_NATIONAL_EXAMPLES names no folder: official verdicts NOT compared"
)


def rows() -> list[dict[str, str]]:
    if not FOLDER:
        return []
    with (Path(FOLDER) / "index.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


DEPENDS_ON_THE_ENGINE: Final = {("FK7800", "R90"), ("FK7801", "R91")}
"""Rules that some engines never ask, since their context is relative; ours is the stricter."""


def refused(row: dict[str, str]) -> bool:
    """The national verdict; where engines differ, that of those that refuse."""
    return row["rules"] == "fails" or (row["type"], row["hint"]) in DEPENDS_ON_THE_ENGINE


@pytest.fixture(scope="module")
def types() -> IntygTypes:
    return IntygTypes()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_verdict_is_the_national_one(types: IntygTypes, row: dict[str, str]) -> None:
    assert FOLDER is not None
    intyg = next(etree.parse(str(Path(FOLDER) / row["file"])).iter("{*}intyg"))
    header = next(
        header
        for header in types.headers()
        if header.code == row["type"] and header.version.partition(".")[0] == row["version"]
    )
    intyg_type = types.lookup(header.code, header.version)
    errors = {
        finding.rule.rpartition("/")[2]
        for finding in types.check(intyg_type, intyg, today=TODAY)
        if finding.severity is Severity.ERROR
    }
    assert bool(errors) is refused(row), errors
    hints = row["hint"].replace(";", " ").split()
    if refused(row) and hints[0] != "cardinality":
        assert set(hints) == errors


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_type_is_found_from_what_the_certificate_says(
    types: IntygTypes, row: dict[str, str]
) -> None:
    assert FOLDER is not None
    intyg = next(etree.parse(str(Path(FOLDER) / row["file"])).iter("{*}intyg"))
    code, version = intyg.findtext("{*}typ/{*}code"), intyg.findtext("{*}version")
    assert types.find(code or "", version or "").code == row["type"]
