"""`intyg version`."""

from tests.adapter.cli.calls import run


def test_version_is_printed() -> None:
    assert run("version").stdout.strip().count(".") == 2
