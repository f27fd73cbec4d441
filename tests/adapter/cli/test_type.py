"""`intyg type`."""

import pytest

from tests.adapter.cli.calls import run


@pytest.mark.parametrize("name", ["FK7472", "itfp", "7443"])
def test_type_is_found_by_any_of_its_names(name: str) -> None:
    result = run("type", name)
    assert result.exit_code == 0
    assert result.stdout.startswith("FK7472 intyg tillfällig föräldrapenning, version 1.0\n")
    assert "EN_ATTONDEL: En åttondel av den ordinarie tiden" in result.stdout


def test_superseded_type_says_what_replaced_it_and_what_may_still_be_done() -> None:
    shown = " ".join(run("type", "TSTRK1007", "--version", "6").stdout.split())
    assert "May be: only read; replaced by TS8071" in shown
    assert "Sent: no longer" in shown
    shown = " ".join(run("type", "TSTRK1007", "--version", "7").stdout.split())
    assert "May be: registered, sent; replaced by TS8071" in shown


def test_type_shows_rules_when_asked() -> None:
    assert "  R21  " not in run("type", "FK7804", "--version", "1").stdout
    assert "  R21  " in run("type", "FK7804", "--version", "1", "--rules").stdout


def test_unknown_type_names_the_known_ones() -> None:
    result = run("type", "FK9999")
    assert result.exit_code == 2
    assert "FK7804" in result.stderr
