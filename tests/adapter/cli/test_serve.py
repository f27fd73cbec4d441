"""`intyg serve` where it does not start; where it does, it is tried in tests/flows."""

from pathlib import Path

from tests.adapter.cli.calls import run


def test_wrong_settings_are_refused_with_every_field(here: Path) -> None:
    (here / "a.toml").write_text('environment = "demo"\ncolour = "red"\n[server]\nport = 99999\n')
    result = run("serve", "--config", "a.toml")
    assert result.exit_code == 2
    assert "colour" in result.output
    assert "server.port" in result.output
