"""Files that commands read."""

from pathlib import Path

import pytest
from lxml import etree

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, make_test_keys
from tests import builders


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_test_keys(folder, system_clock())
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def good(here: Path) -> Path:
    path = here / "good.xml"
    path.write_bytes(builders.register_certificate(doctor=SIGNER_HSA_ID))
    return path


@pytest.fixture
def bad(here: Path) -> Path:
    """Question 35 is blank: FK7804/1/R83."""
    body = builders.register_certificate()
    tree = etree.fromstring(body)
    delsvar = next(e for e in tree.iter(f"{{{builders.CORE}}}delsvar") if e.get("id") == "35.1")
    delsvar.text = "  "
    path = here / "bad.xml"
    path.write_bytes(etree.tostring(tree))
    return path
