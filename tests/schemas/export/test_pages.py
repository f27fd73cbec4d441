"""The pages about certificate types, as `make docs` writes them."""

import sys
from pathlib import Path

import pytest

from intyg.schemas.export.pages import INDEX, main, pages
from intyg.schemas.typefile.lookup import BUILT_IN
from tests.strategies import TYPES


def test_pages_are_written_and_those_of_types_that_are_gone_are_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "docs" / "certificates"
    folder.mkdir(parents=True)
    (folder / "gone.md").write_text("of a type that was", "utf-8")
    (folder / "picture.svg").write_text("of somebody", "utf-8")
    monkeypatch.setattr(sys, "argv", ["pages", str(folder)])
    main()
    written = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    assert written == pages(TYPES)
    assert INDEX in written
    assert (folder / "picture.svg").exists()


def test_types_of_ones_own_get_pages_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "types"
    own.mkdir()
    ours = (BUILT_IN / "db-1.0.yaml").read_text("utf-8")
    (own / "xdb-1.0.yaml").write_text(ours.replace("code: DB\n", "code: XDB\n", 1), "utf-8")
    monkeypatch.setattr(sys, "argv", ["pages", str(tmp_path / "out"), "--types-dir", str(own)])
    main()
    assert "XDB" in (tmp_path / "out" / "xdb.md").read_text("utf-8")
