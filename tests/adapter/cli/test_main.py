"""The command as its users call it, in process; servers are tried in tests/flows."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from typer.testing import CliRunner, Result

from intyg.adapter.cli.main import cli
from intyg.adapter.cli.options import swedish_now
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.formats import safe_xml
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, make_test_keys
from intyg.mocks.journalsystem.sample import fk7804
from tests import builders


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def validate(*arguments: str | Path) -> Result:
    """On the day for which the certificates of `builders` are."""
    return run("validate", "--today", f"{builders.NOW:%Y-%m-%d}", *arguments)


def lines(result: Result) -> list[Any]:
    return [json.loads(line) for line in result.stdout.splitlines()]


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


# --- validate -------------------------------------------------------------------------------------


def test_valid_file_exits_0(good: Path) -> None:
    result = validate("--json", good)
    assert result.exit_code == 0
    assert lines(result) == [{"file": str(good), "valid": True, "errors": []}]


def test_today_is_the_day_that_rules_ask_for(here: Path) -> None:
    """FK7804/1/R181: a period that starts more than seven days back wants a reason."""
    late, now = here / "late.xml", here / "now.xml"
    late.write_bytes(builders.register_certificate())  # its period starts on 2026-11-20
    now.write_bytes(fk7804("intyg-1", builders.PATIENT, builders.DOCTOR, swedish_now()))

    def found(*arguments: str | Path) -> list[str]:
        [answer] = lines(run("validate", "--json", *arguments))
        return [error["rule"] for error in answer["errors"]]

    assert found(late, "--today", "2026-11-27") == []
    assert found(late, "--today", "2026-11-28") == ["FK7804/1/R181"]
    assert found(now) == []  # the Swedish date
    assert found(now, "--today", "2020-01-01") == ["FK7804/1/R156"]  # examined after it
    assert run("validate", late, "--today", "tomorrow").exit_code == 2


def test_broken_rule_is_named_with_its_place_and_exits_1(bad: Path) -> None:
    result = validate("--json", bad)
    assert result.exit_code == 1
    [answer] = lines(result)
    assert answer["valid"] is False
    [error] = [e for e in answer["errors"] if e["severity"] == "error"]
    assert error["rule"] == "FK7804/1/R83"
    assert error["xpath"].startswith("/RegisterCertificate/intyg/svar[")
    tree = etree.parse(bad)
    position = error["xpath"].removeprefix("/RegisterCertificate/intyg/svar[").split("]")[0]
    svar = tree.findall(f".//{{{builders.CORE}}}svar")[int(position) - 1]
    assert svar.get("id") == "35"
    assert error["line"] == svar[0].sourceline


def test_warnings_leave_a_file_valid(here: Path) -> None:
    """Two periods that share a day: only the national editor minds (FK7804/1/R168)."""
    periods = (
        ("HELT_NEDSATT", "2026-11-01", "2026-11-10"),
        ("HALFTEN", "2026-11-10", "2026-11-20"),
    )
    tree = etree.fromstring(builders.register_certificate())
    first = next(e for e in tree.iter(f"{{{builders.CORE}}}svar") if e.get("id") == "32")
    parent = first.getparent()
    assert parent is not None
    at = parent.index(first)
    for svar in [e for e in parent if e.get("id") in ("32", "33")]:
        parent.remove(svar)
    for number, (code, start, end) in enumerate(periods, start=1):
        parent.insert(
            at + number - 1,
            etree.fromstring(
                f"<svar id='32' xmlns='{builders.CORE}' xmlns:t='{builders.TYPES}'>"
                f"<instans>{number}</instans><delsvar id='32.1'><t:cv><t:code>{code}</t:code>"
                "<t:codeSystem>KV_FKMU_0003</t:codeSystem></t:cv></delsvar><delsvar id='32.2'>"
                f"<t:datePeriod><t:start>{start}</t:start><t:end>{end}</t:end></t:datePeriod>"
                "</delsvar></svar>"
            ),
        )
    parent.insert(
        at + 2,
        etree.fromstring(
            f"<svar id='33' xmlns='{builders.CORE}'><delsvar id='33.1'>false</delsvar></svar>"
        ),
    )
    path = here / "shared-day.xml"
    path.write_bytes(etree.tostring(tree))
    result = validate("--json", path)
    [answer] = lines(result)
    assert (result.exit_code, answer["valid"]) == (0, True)
    assert ("FK7804/1/R168", "warning") in {(e["rule"], e["severity"]) for e in answer["errors"]}


def test_envelope_and_bare_intyg_are_taken_too(good: Path, bad: Path) -> None:
    envelope = good.with_name("envelope.xml")
    envelope.write_bytes(safe_xml.envelope(good.read_bytes(), "X"))
    bare = bad.with_name("bare.xml")
    [intyg] = etree.parse(bad).getroot()
    bare.write_bytes(etree.tostring(intyg))
    result = validate("--json", envelope, bare)
    first, second = lines(result)
    assert first["valid"]
    assert [e["rule"] for e in second["errors"]] == ["FK7804/1/R83"]
    assert second["errors"][0]["xpath"].startswith("/intyg/svar[")


def test_every_fault_is_reported_at_once(bad: Path) -> None:
    """Schema and rules are both asked."""
    bad.write_bytes(bad.read_bytes().replace(b"<svar id=", b"<svar nr='1' id=", 1))
    [answer] = lines(validate("--json", bad))
    assert {e["rule"] for e in answer["errors"]} == {"XSD", "FK7804/1/R83"}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        pytest.param(b"not xml", "XML", id="not XML"),
        pytest.param(b"<!DOCTYPE a><a/>", "XML", id="DTD"),
        pytest.param(b"<a/>", "CONTRACT", id="no contract"),
        pytest.param(
            safe_xml.envelope(b"<a/>", "X").replace(b"<a/>", b"<a/><b/>"), "XML", id="two elements"
        ),
    ],
)
def test_what_is_no_message_is_not_valid(here: Path, content: bytes, rule: str) -> None:
    path = here / "file.xml"
    path.write_bytes(content)
    result = validate("--json", path)
    assert result.exit_code == 1
    assert [e["rule"] for e in lines(result)[0]["errors"]] == [rule]


def test_unknown_type_names_the_known_ones(here: Path) -> None:
    path = here / "file.xml"
    path.write_bytes(builders.register_certificate(version="9.9"))
    [answer] = lines(validate("--json", path))
    [error] = answer["errors"]
    assert error["rule"] == "TYPE"
    assert "1.3" in error["message"]


def test_unreadable_file_exits_2_and_the_others_are_still_checked(good: Path) -> None:
    result = validate("--json", "missing.xml", good)
    assert result.exit_code == 2
    assert [(a["file"], a["valid"]) for a in lines(result)] == [
        ("missing.xml", False),
        (str(good), True),
    ]


def test_readable_form_names_rule_line_and_message(bad: Path) -> None:
    result = validate(bad)
    assert "not valid" in result.stdout
    assert "FK7804/1/R83" in result.stdout
    assert "line " in result.stdout


# --- sign and verify ------------------------------------------------------------------------------


def test_signed_file_verifies_and_changed_one_does_not(good: Path, keys: Path, here: Path) -> None:
    signed = here / "signed.xml"
    result = run(
        "sign", good, "--key", keys / "signer.key.pem", "--cert", keys / "signer.pem", "-o", signed
    )
    assert result.exit_code == 0, result.output
    verified = run("verify", "--json", signed, "--trust", keys / "ca.pem")
    [answer] = lines(verified)
    assert (verified.exit_code, answer["outcome"], answer["code"]) == (0, "VALID", None)
    assert answer["signer"] == SIGNER_HSA_ID

    signed.write_bytes(signed.read_bytes().replace("Påhittad".encode(), b"Annan"))
    changed = run("verify", signed, "--trust", keys / "ca.pem")
    assert (changed.exit_code, changed.stdout.strip()) == (1, "INVALID DIGEST_MISMATCH")


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


def test_untrusted_signer_is_named_and_pinning_trusts_it(
    good: Path, keys: Path, here: Path
) -> None:
    run("sign", good, "--key", keys / "signer.key.pem", "--cert", keys / "signer.pem", "-o", good)
    other = make_test_keys(here / "other", system_clock())
    result = run("verify", good, "--trust", other.ca)
    assert (result.exit_code, result.stdout.strip()) == (1, "UNTRUSTED CERT_PATH")
    assert run("verify", good, "--pin", keys / "signer.pem").stdout.strip() == "VALID"


def test_certificate_is_judged_at_the_time_given(good: Path, keys: Path) -> None:
    run("sign", good, "--key", keys / "signer.key.pem", "--cert", keys / "signer.pem", "-o", good)
    result = run("verify", good, "--trust", keys / "ca.pem", "--at", "2001-01-01T00:00:00")
    assert result.stdout.strip() == "UNTRUSTED CERT_PATH"


def test_unsigned_file_is_absent(good: Path) -> None:
    assert run("verify", good).stdout.strip() == "ABSENT"


@pytest.mark.parametrize(
    ("local", "text", "verdict"),
    [
        ("SignatureValue", "", "INVALID SIGNATURE_INVALID"),
        ("DigestValue", " ", "INVALID SIGNATURE_INVALID"),
        ("X509Certificate", "", "REFUSED KEYINFO"),
        ("X509Certificate", "AAAA", "REFUSED KEYINFO"),
        ("stylesheet", "x", "REFUSED STYLESHEET"),
    ],
)
def test_a_damaged_signature_is_a_verdict(
    good: Path, keys: Path, local: str, text: str, verdict: str
) -> None:
    run("sign", good, "--key", keys / "signer.p12", "--password", "test", "-o", good)
    root = etree.fromstring(good.read_bytes())
    element = root.find(f".//{{*}}{local}")
    assert element is not None
    element.text = text
    good.write_bytes(etree.tostring(root))

    result = run("verify", good, "--trust", keys / "ca.pem")
    assert (result.exit_code, result.stdout.strip()) == (1, verdict)
    assert len(result.stderr.splitlines()) <= 2, "a sentence, and no traceback"
    answered = run("verify", "--json", good, "--trust", keys / "ca.pem")
    [answer] = lines(answered)
    assert (answered.exit_code, f"{answer['outcome']} {answer['code']}") == (1, verdict)


def test_the_signer_in_a_strangers_certificate_is_a_word_like_others(
    good: Path, keys: Path
) -> None:
    """Not a command to the terminal, nor to what writes there."""
    run("sign", good, "--key", keys / "signer.p12", "--password", "test", "-o", good)
    root = etree.fromstring(good.read_bytes())
    element = root.find(".//{*}X509Certificate")
    assert element is not None
    cert = base64.b64decode(element.text or "")
    assert cert.count(SIGNER_HSA_ID.encode()) == 1
    odd = b"[/red]\x1b[31m".ljust(len(SIGNER_HSA_ID), b"x")
    at = cert.index(SIGNER_HSA_ID.encode())
    cert = (
        cert[: at - 2] + b"\x0c" + cert[at - 1 :]
    )  # UTF8String: a PrintableString has no brackets
    element.text = base64.b64encode(cert.replace(SIGNER_HSA_ID.encode(), odd)).decode()
    good.write_bytes(etree.tostring(root))

    result = run("verify", good, "--trust", keys / "ca.pem")
    assert (result.exit_code, result.stdout.strip()) == (1, "UNTRUSTED CERT_PATH")
    assert "signer (not shown)" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<r:RegisterCertificate ", b'<r:RegisterCertificate xmlns:zz="relative" ', "C14N"),
        # a name of XML 1.0's fifth edition, which one of the two parsers does not know
        (b"<r:RegisterCertificate ", "<?\U00010000 ?><r:RegisterCertificate ".encode(), "XML"),
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


# --- other ----------------------------------------------------------------------------------------


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


def test_wrong_settings_are_refused_with_every_field(here: Path) -> None:
    (here / "a.toml").write_text('environment = "demo"\ncolour = "red"\n[server]\nport = 99999\n')
    result = run("serve", "--config", "a.toml")
    assert result.exit_code == 2
    assert "colour" in result.output
    assert "server.port" in result.output


def test_version_is_printed() -> None:
    assert run("version").stdout.strip().count(".") == 2


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
