from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from intyg.adapter.bootstrap.app import build_services
from intyg.adapter.bootstrap.startup import notes, read_facts, refuse_unfit
from intyg.adapter.doctor.checks import destination_remarks
from intyg.adapter.doctor.checks.own import key_files
from intyg.adapter.doctor.checks.patients import PUBLISHED
from intyg.adapter.domain.clock import Clock, system_clock
from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.environment import Environment
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import (
    DestinationSettings,
    SettingsError,
    SignaturePolicy,
    load_settings,
)
from intyg.adapter.signature.demo_keys import TestKeys, is_test_cert, make_test_keys
from intyg.adapter.store import WrongEnvironmentError

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

LIST = "189001019802\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> TestKeys:
    return make_test_keys(tmp_path_factory.mktemp("keys"), system_clock())


def build(folder: Path, **values: Any) -> Services:
    (folder / "list.csv").write_text(LIST)
    values = {
        "environment": "demo",
        "data_dir": folder,
        "test_patients": {"list_files": [folder / "list.csv"]},
        **values,
    }
    return build_services(load_settings(None, **values))


def test_production_refuses_test_certificates_and_mocks_naming_each(
    tmp_path: Path, keys: TestKeys
) -> None:
    with pytest.raises(SettingsError) as refused:
        build(
            tmp_path,
            environment="production",
            trust={"anchors": [keys.ca], "pinned": [keys.signer.cert]},
            signing={"key": keys.signer.key, "cert": keys.signer.cert},
            destinations={"fk": {"url": "http://127.0.0.1:9", "kind": "mock"}},
        )
    for named in ("trust.anchors", "trust.pinned", "signing.cert", "destination fk is a mock"):
        assert named in str(refused.value)
    assert "intermediates" not in str(refused.value)


def test_production_refuses_test_certificates_in_whatever_speaks_tls(
    tmp_path: Path, keys: TestKeys
) -> None:
    with pytest.raises(SettingsError) as refused:
        build(
            tmp_path,
            environment="production",
            server={"tls": {"cert": keys.server.cert, "client_ca": [keys.ca]}},
            staff={"url": "https://staff.example", "ca": keys.ca},
            test_patients={
                "population_register": {"url": "https://register.example", "ca": keys.ca}
            },
            destinations={
                "fk": {
                    "url": "https://fk.example",
                    "kind": "real",
                    "ca": keys.ca,
                    "client_cert": keys.client.cert,
                    "client_key": keys.client.key,
                },
                "its-test-system": {"url": "https://test.example", "kind": "test", "ca": keys.ca},
            },
        )
    for named in (
        "server.tls.cert",
        "server.tls.client_ca",
        "staff.ca",
        "test_patients.population_register.ca",
        "destinations.fk.ca",
        "destinations.fk.client_cert",
    ):
        assert f"{named} holds a test certificate" in str(refused.value)
    assert "its-test-system" not in str(refused.value)


@pytest.mark.parametrize(
    ("common_name", "is_test"),
    [
        ("TEST SITHS e-id Root CA v2", True),
        ("TEST SITHS e-id Person HSA-id 3 CA v1", True),
        ("SITHS Root CA v1 PP", True),
        ("SITHS e-id Root CA v2", False),
        ("SITHS e-id Function CA v1", False),
    ],
)
def test_the_national_test_ca_is_a_test_one(common_name: str, *, is_test: bool) -> None:
    assert is_test_cert(ca_named(common_name)) == is_test


def ca_named(common_name: str) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW.replace(year=2027))
        .sign(key, SHA256())
    )


def test_refusal_gives_the_database_back(tmp_path: Path, keys: TestKeys) -> None:
    with pytest.raises(SettingsError):
        build(tmp_path, environment="production", trust={"anchors": [keys.ca]})
    assert not (tmp_path / "adapter.sqlite").exists()
    build(tmp_path).store.close()  # would be locked otherwise


@pytest.mark.parametrize(
    ("environment", "clock"),
    [
        pytest.param("production", lambda: NOW, id="production"),
        pytest.param("test", lambda: NOW, id="test"),
    ],
)
def test_a_clock_that_can_be_set_is_for_demo_alone(
    tmp_path: Path, environment: str, clock: Clock
) -> None:
    with pytest.raises(SettingsError, match="clock"):
        build_services(load_settings(None, environment=environment, data_dir=tmp_path), clock)
    build_services(load_settings(None, environment="demo", data_dir=tmp_path), clock).store.close()


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://authority.example/", True),
        ("http://authority.example/", False),
        ("http://10.0.0.1/", False),
        ("http://localhost.example/", False),
        ("http://127.0.0.1:8443/", True),  # a proxy that adds TLS
        ("http://[::1]:8443/", True),
        ("http://localhost:8443/", True),
    ],
)
def test_what_leaves_the_machine_for_a_real_destination_is_encrypted(
    url: str, *, fits: bool
) -> None:
    destination = DestinationSettings(url=url, kind=DestinationKind.REAL)
    remarks = list(destination_remarks("fk", destination, Environment.PRODUCTION))
    assert (remarks == []) == fits


def test_settings_that_went_past_their_own_checks_are_refused_all_the_same(tmp_path: Path) -> None:
    real = DestinationSettings(url="https://authority.example/", kind=DestinationKind.REAL)
    settings = load_settings(None, environment="test", data_dir=tmp_path)
    with pytest.raises(SettingsError, match="destination fk is real"):
        build_services(settings.model_copy(update={"destinations": {"fk": real}}))
    accepting = {"environment": Environment.PRODUCTION, "signature": SignaturePolicy.ACCEPT}
    with pytest.raises(SettingsError, match='signature is "accept"'):
        build_services(settings.model_copy(update=accepting))


@pytest.mark.parametrize("made_in", Environment)
@pytest.mark.parametrize("opened_in", Environment)
def test_a_database_is_opened_where_it_was_made(
    tmp_path: Path, made_in: Environment, opened_in: Environment
) -> None:
    build(tmp_path, environment=made_in.value).store.close()
    before = (tmp_path / "adapter.sqlite").read_bytes()
    if opened_in is made_in:
        build(tmp_path, environment=opened_in.value).store.close()
        return
    with pytest.raises(WrongEnvironmentError) as refused:
        build(tmp_path, environment=opened_in.value)
    text = f"belongs to the environment {made_in} and is not opened in {opened_in}"
    assert text in str(refused.value)
    assert (tmp_path / "adapter.sqlite").read_bytes() == before
    build(tmp_path, environment=made_in.value).store.close()  # would be locked otherwise


def test_demo_may_use_test_keys(tmp_path: Path, keys: TestKeys) -> None:
    services = build(tmp_path, trust={"anchors": [keys.ca]})
    assert notes(services) == []
    services.store.close()


def test_signing_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"signing\.key"):
        build(tmp_path, signature="sign")


def test_list_that_cannot_be_used_is_noted_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("189001019802\n189001019803\n")
    services = build(
        tmp_path,
        test_patients={"list_files": [tmp_path / "bad.csv", tmp_path / "missing.csv"]},
    )
    found = notes(services)
    services.store.close()
    assert any("bad.csv, line 2" in note for note in found)
    assert any("missing.csv" in note for note in found)
    assert "1890" not in str(found)


def test_no_list_at_all_is_noted(tmp_path: Path) -> None:
    services = build(tmp_path, test_patients={})
    assert any("no list" in note for note in notes(services))
    services.store.close()


@pytest.mark.parametrize("name", ["contracts_dir", "types_dir"])
def test_missing_folder_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        build(tmp_path, **{name: tmp_path / "nowhere"})


def test_folder_without_contracts_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="no contract"):
        build(tmp_path, contracts_dir=tmp_path / "empty")


# --- callers ----------------------------------------------------------------------------------


def test_production_lets_nobody_in_unnamed(tmp_path: Path) -> None:
    anybody = {"sender": "*", "contract": "PingForConfiguration", "logical_address": "*"}
    with pytest.raises(SettingsError, match="lets any sender in"):
        build(tmp_path, environment="production", permissions=[anybody])
    build(tmp_path, environment="test", permissions=[anybody]).store.close()


def test_that_nobody_may_call_is_told(tmp_path: Path) -> None:
    services = build(tmp_path, environment="test")
    services.store.close()
    assert "no caller is permitted anything" in notes(services)


# --- what leads astray ----------------------------------------------------------------------------

FK = {"name": "FK", "logical_address": "FK", "callers": ["SE0000000000-FK"]}
REAL_EHR = {"url": "https://fk.example", "kind": "real", "role": "care"}


def test_an_authority_said_to_be_an_ehr_is_refused(tmp_path: Path) -> None:
    """It would get what care is told, also about test patients."""
    route = {"contract": "*", "logical_address": "FK", "destination": "fk"}
    with pytest.raises(SettingsError, match=r"recipient FKASSA: .* leads to an EHR"):
        build(
            tmp_path,
            environment="production",
            recipients={"FKASSA": FK},
            destinations={"fk": REAL_EHR},
            routes=[route],
        )


def test_an_authority_that_shares_the_route_of_the_ehrs_is_told(tmp_path: Path) -> None:
    services = build(
        tmp_path,
        environment="production",
        recipients={"FKASSA": FK},
        destinations={"fk": REAL_EHR},
        routes=[{"contract": "*", "logical_address": "*", "destination": "fk"}],
    )
    services.store.close()
    assert any(note.startswith("recipient FKASSA: the route * ") for note in notes(services))


def test_what_care_alone_is_told_may_go_to_an_ehr_at_any_address(tmp_path: Path) -> None:
    rows = [
        {"contract": contract, "logical_address": address, "destination": "fk"}
        for contract in ("CertificateStatusUpdateForCare", "SendMessageToCare")
        for address in ("*", "FK")
    ]
    services = build(
        tmp_path,
        environment="production",
        recipients={"FKASSA": FK},
        destinations={"fk": REAL_EHR},
        routes=rows,
    )
    services.store.close()
    assert not any("recipient" in note for note in notes(services))


def test_a_list_that_is_not_the_whole_one_is_told_in_production_alone(tmp_path: Path) -> None:
    def told(environment: str, folder: Path, **test_patients: Any) -> list[str]:
        services = build(
            folder,
            environment=environment,
            **({"test_patients": test_patients} if test_patients else {}),
        )
        services.store.close()
        return [note for note in notes(services) if "published test numbers" in note]

    for name in ("part", "test", "whole"):
        (tmp_path / name).mkdir()
    (note,) = told("production", tmp_path / "part")
    assert f"{len(PUBLISHED)} of {len(PUBLISHED)}" in note
    assert not any(number in note for number in PUBLISHED)
    assert told("test", tmp_path / "test") == []
    (tmp_path / "all.csv").write_text("\n".join(PUBLISHED))
    assert told("production", tmp_path / "whole", list_files=[tmp_path / "all.csv"]) == []


@pytest.mark.parametrize("environment", ["production", "test"])
def test_a_secret_that_everybody_can_read_stops_production(
    tmp_path: Path, environment: str
) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef-secret\n", "utf-8")
    token.chmod(0o644)
    values = {"environment": environment, "console": {"token_file": token}}
    if environment == "production":
        with pytest.raises(SettingsError, match=r"token_file.*can be read by everybody"):
            build(tmp_path, **values)
        token.chmod(0o600)
    build(tmp_path, **values).store.close()


SECRET = "0123456789abcdef-secret"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("console.token", f'[console]\ntoken = "{SECRET}"'),
        ("signing.password", f'[signing]\npassword = "{SECRET}"'),
        ("staff.token", f'[staff]\ntoken = "{SECRET}"'),
        ("audit.key", f'[audit]\nkey = "{SECRET}{SECRET}"'),
        (
            "test_patients.population_register.token",
            f'[test_patients.population_register]\ntoken = "{SECRET}"',
        ),
        ("database_url", 'database_url = "postgresql+psycopg://u:hush@127.0.0.1:9/db"'),
        ("database_url", 'database_url = "postgresql+psycopg://h/db?password=hush"'),
        (
            "destinations.fk.client_key_password",
            f'[destinations.fk]\nurl = ""\nkind = "test"\nclient_key_password = "{SECRET}"',
        ),
        (None, 'logical_address = "X"'),
        (None, 'database_url = "postgresql+psycopg://127.0.0.1:9/db"'),
    ],
)
def test_settings_with_a_secret_that_everybody_can_read_stop_production(
    tmp_path: Path, setting: str | None, said: str
) -> None:
    (tmp_path / "list.csv").write_text(LIST)
    file = tmp_path / "adapter.toml"
    file.write_text(f'environment = "production"\ndata_dir = "."\n{said}\n', "utf-8")
    file.chmod(0o644)
    facts = read_facts(load_settings(file), system_clock)
    told = [one for one in key_files(facts) if one.refuses]
    assert [one.text.partition(":")[0] for one in told] == ([setting] if setting else [])
    assert all(f"{file} can be read by everybody" in one.text for one in told)
    assert all(one.todo == f"chmod 600 {file}" for one in told)
    if setting:
        with pytest.raises(
            SettingsError, match=r"adapter\.toml can be read by everybody"
        ) as caught:
            refuse_unfit(facts)
        assert SECRET[:6] not in str(caught.value)
        assert "hush" not in str(caught.value)
    file.chmod(0o600)
    assert not list(key_files(facts))


def test_a_secret_in_the_file_of_routes_counts_too_and_one_of_the_environment_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTYG_CONSOLE__TOKEN", SECRET)
    routes, file = tmp_path / "routes.toml", tmp_path / "adapter.toml"
    file.write_text('environment = "test"\nroutes_file = "routes.toml"\n', "utf-8")
    routes.write_text(
        f'[destinations.fk]\nurl = ""\nkind = "test"\nclient_key_password = "{SECRET}"\n', "utf-8"
    )
    settings = load_settings(file)
    assert settings.secrets_in_files == {"destinations.fk.client_key_password": routes}
    file.write_text(f'environment = "test"\n[console]\ntoken = "{SECRET}-old"\n', "utf-8")
    assert load_settings(file).secrets_in_files == {"console.token": file}  # it stands there


@pytest.mark.parametrize(
    ("environment", "callers", "told"),
    [("test", [], True), ("test", ["SE1"], False), ("demo", [], False)],
)
def test_that_nobody_may_speak_for_a_recipient_is_told(
    tmp_path: Path, environment: str, callers: list[str], told: bool
) -> None:
    services = build(
        tmp_path, environment=environment, recipients={"FKASSA": {**FK, "callers": callers}}
    )
    services.store.close()
    found = [note for note in notes(services) if "recipients.FKASSA: no caller" in note]
    assert bool(found) is told


@pytest.mark.parametrize(("policy", "told"), [("accept", True), ("require", False), (None, False)])
def test_that_signers_without_a_role_are_taken_is_told(
    tmp_path: Path, policy: str | None, told: bool
) -> None:
    services = build(tmp_path, environment="production", signer_role=policy)
    services.store.close()
    assert any("signer_role" in note for note in notes(services)) is told
