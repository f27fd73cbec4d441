"""`intyg test-keys`."""

import stat
from pathlib import Path

from tests.adapter.cli.calls import run


def test_private_keys_are_for_their_owner_only(here: Path) -> None:
    run("test-keys", "keys")
    assert stat.S_IMODE((here / "keys" / "signer.key.pem").stat().st_mode) == 0o600


def test_test_keys_are_kept_when_asked(here: Path) -> None:
    run("test-keys", "keys")
    before = (here / "keys" / "ca.pem").read_bytes()
    run("test-keys", "keys", "--keep")
    assert (here / "keys" / "ca.pem").read_bytes() == before
    run("test-keys", "keys")
    assert (here / "keys" / "ca.pem").read_bytes() != before
