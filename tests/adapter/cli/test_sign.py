"""`intyg sign`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from intyg.adapter.cli.main import cli
from tests import builders
from tests.adapter.cli.calls import run


def test_test_key_of_the_data_folder_is_the_default(good: Path) -> None:
    assert run("sign", good).exit_code == 2  # no keys here yet
    assert run("test-keys").exit_code == 0
    result = CliRunner().invoke(cli, ["sign", str(good)])
    assert result.exit_code == 0
    good.write_bytes(result.stdout_bytes)
    assert run("verify", good).stdout.strip() == "VALID"


def test_signing_again_replaces_the_signature(good: Path, keys: Path) -> None:
    for _ in range(2):
        run("sign", good, "--key", keys / "signer.p12", "--password", "test", "-o", good)
    assert good.read_bytes().count(b":SignatureValue>") == 2  # start and end tag of one
    assert run("verify", good, "--trust", keys / "ca.pem").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<r:RegisterCertificate ", b'<r:RegisterCertificate xmlns:zz="relative" ', "C14N"),
        (b"<version>", b"<!-- --><version>", "COMMENT_OR_PI"),
    ],
)
def test_an_odd_document_is_not_signed(
    good: Path, keys: Path, old: bytes, new: bytes, code: str
) -> None:
    good.write_bytes(good.read_bytes().replace(old, new))
    result = run("sign", good, "--key", keys / "signer.p12", "--password", "test")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{code}: " in result.stderr


def test_names_of_the_fifth_edition_of_xml_are_signed_as_others_are(good: Path, keys: Path) -> None:
    odd = good.read_bytes().replace(b"<r:Reg", "<?\U00010000 ?><r:Reg".encode(), 1)
    good.write_bytes(odd)
    run("sign", good, "--key", keys / "signer.p12", "--password", "test", "-o", good)
    assert run("verify", good, "--trust", keys / "ca.pem").exit_code == 0
    before, _, after = good.read_bytes().partition(b"<e32:underskrift")
    assert before + after.partition(b"</e32:underskrift>")[2] == odd


def test_key_that_cannot_be_read_is_said_in_one_line(good: Path) -> None:
    result = run("sign", good, "--key", good)
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "no key can be read" in result.output


def test_signing_for_another_author_is_noted(here: Path, keys: Path) -> None:
    path = here / "other.xml"
    path.write_bytes(builders.register_certificate(doctor="SE0000000000-SOMEBODY"))
    result = run("sign", path, "--key", keys / "signer.p12", "--password", "test", "-o", path)
    assert result.exit_code == 0
    assert "SIGNER_NOT_AUTHOR" in result.stderr
