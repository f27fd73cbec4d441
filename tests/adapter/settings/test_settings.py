from pathlib import Path

import pytest

from intyg.adapter.domain.environment import Environment
from intyg.adapter.settings.settings import SettingsError, load_settings


def write(folder: Path, text: str) -> Path:
    path = folder / "adapter.toml"
    path.write_text(text)
    return path


def test_paths_are_read_from_the_folder_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, 'environment = "demo"\n[trust]\nanchors = ["ca.pem", "/etc/ca.pem"]\n')
    settings = load_settings(path)
    assert settings.data_dir == tmp_path / "data/demo"
    assert settings.trust.anchors == (tmp_path / "ca.pem", Path("/etc/ca.pem"))


@pytest.mark.parametrize("environment", Environment)
def test_each_environment_has_a_data_folder_of_its_own(
    tmp_path: Path, environment: Environment
) -> None:
    settings = load_settings(write(tmp_path, f'environment = "{environment}"'))
    assert settings.data_dir == tmp_path / "data" / environment.value


def test_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTYG_SERVER__PORT", "8443")
    path = write(tmp_path, 'environment = "demo"\n[server]\nport = 1\nthreads = 3\n')
    server = load_settings(path).server
    assert (server.port, server.threads) == (8443, 3)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("", "environment", id="no environment"),
        pytest.param('environment = "live"', "environment", id="unknown environment"),
        pytest.param('environment = "demo"\nport = 1', "port", id="unknown key"),
        pytest.param('environment = "demo"\n[server]\nport = 70000', "server.port", id="too large"),
        pytest.param('environment = "demo"\ndatabase_url = "mysql://a"', "database_url", id="url"),
        pytest.param('environment = "production"\nsignature = "sign"', "signature", id="policy"),
        pytest.param(
            'environment = "test"\n[destinations.fk]\nurl = "http://a"\nkind = "real"',
            "allow",
            id="real outside production",
        ),
        pytest.param(
            'environment = "demo"\n[[routes]]\ncontract = "*"\nlogical_address = "*"\n'
            'destination = "nowhere"',
            "nowhere",
            id="route to nothing",
        ),
        pytest.param("environment =", "adapter.toml", id="no TOML"),
    ],
)
def test_wrong_settings_name_the_field(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named.replace(".", r"\.")):
        load_settings(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        pytest.param(
            "[server]\nprot = 1",
            3,
            "server.prot is no setting here; did you mean server.port?",
            id="key",
        ),
        pytest.param(
            "[delivrey]\nworkers = 1",
            2,
            "delivrey is no setting here; did you mean delivery?",
            id="table",
        ),
        pytest.param(
            "threads = 4",
            2,
            "threads is no setting here; did you mean server.threads?",
            id="other part",
        ),
        pytest.param(
            '[server.tls]\ncert = "a"\nkey_pasword = "x"',
            4,
            "server.tls.key_pasword is no setting here; did you mean server.tls.key_password?",
            id="deep",
        ),
        pytest.param(
            '[destinations.fk]\nurl = "http://a"\nkind = "moc"',
            4,
            "destinations.fk.kind: Input should be 'real', 'test' or 'mock'; did you mean mock?",
            id="value",
        ),
        pytest.param(
            '[[routes]]\ncontract = "*"\ndestination = "fk"',
            2,
            "routes.0.logical_address is missing",
            id="missing",
        ),
        pytest.param("[server\nport = 1", 2, "not TOML: Expected ']'", id="no TOML"),
        pytest.param("[server]\nport =", 3, "not TOML: Invalid value", id="ends early"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_is_nearest(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    path = write(tmp_path, f'environment = "demo"\n{text}')
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    [told] = str(refused.value).splitlines()
    assert told.startswith(f"{path}:{line}: {says}")


def test_every_fault_has_a_line_of_its_own_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, 'environment = "dmeo"\nprot = 1\n[server]\nport = "x"')
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    told = [line.removeprefix(f"{path}:")[:2] for line in str(refused.value).splitlines()]
    assert told == ["1:", "2:", "4:"]
    assert "did you mean demo?" in str(refused.value)


def test_without_any_setting_the_option_is_named() -> None:
    with pytest.raises(SettingsError, match="--config") as refused:
        load_settings()
    assert "\n" not in str(refused.value)


def test_a_variable_that_is_wrong_is_named_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTYG_SERVER__PRT", "1")
    with pytest.raises(SettingsError, match=r"^INTYG_SERVER__PRT: server\.prt .* server\.port"):
        load_settings(write(tmp_path, 'environment = "demo"'))


def test_misspelt_variable_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTYG_ENVIRONMENT", "demo")
    monkeypatch.setenv("INTYG_DATABSE_URL", "sqlite://")
    with pytest.raises(SettingsError, match="did you mean INTYG_DATABASE_URL"):
        load_settings()


@pytest.mark.parametrize("name", ["intyg_environment", "INTYG_Server__Port"])
def test_a_variable_counts_in_capitals_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Or there could be two of them that say two things."""
    monkeypatch.setenv("INTYG_ENVIRONMENT", "demo")
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsError, match=f"write {name} in capitals"):
        load_settings()


def test_a_misspelt_list_of_test_patients_is_no_variable_of_the_tests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INTYG_ENVIRONMENT", "demo")
    monkeypatch.setenv("INTYG_TEST_SOMETHING", "1")
    monkeypatch.setenv("INTYG_MOCKS_TOKEN", "a mock's, which may run beside the adapter")
    load_settings()
    monkeypatch.setenv("INTYG_TEST_PATIENT__LIST_FILES", "[]")
    with pytest.raises(SettingsError, match="did you mean INTYG_TEST_PATIENTS"):
        load_settings()


def test_variable_that_is_no_json_is_refused_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTYG_ENVIRONMENT", "demo")
    monkeypatch.setenv("INTYG_ROUTES", "all")
    with pytest.raises(SettingsError, match="routes"):
        load_settings()


def test_a_register_is_a_file_or_a_service(tmp_path: Path) -> None:
    both = {"file": tmp_path / "r.json", "url": "https://register.example/"}
    with pytest.raises(SettingsError, match="give file or url, not both"):
        load_settings(
            None,
            environment="demo",
            data_dir=tmp_path,
            test_patients={"population_register": both},
        )
