"""Who is let into the control interface."""

import hmac
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydantic
import pytest
import requests

from intyg.adapter.bootstrap.app import build_app
from intyg.adapter.console.app import build_console
from intyg.adapter.console.token import CLOSED, WRONG, Token
from intyg.adapter.domain.environment import Environment
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import ConsoleSettings, ServerSettings, Settings, SettingsError
from intyg.adapter.store import Store
from tests.adapter.flows.rig import VirtualClock, make_services, make_settings


@pytest.fixture(scope="module")
def plain() -> Iterator[Services]:
    """The parts of an adapter with nothing in it."""
    clock = VirtualClock()
    store = Store("sqlite://", clock)
    store.migrate()
    yield make_services(make_settings(), store, clock)
    store.close()


SECRET = "0123456789abcdef-token"
PROTECTED = ("/metrics", "/api/intyg/x", "/api/nothing", "/nothing")


def settings(environment: str = "test", host: str = "127.0.0.1", **console: Any) -> Settings:
    return make_settings(
        environment=Environment(environment),
        server=ServerSettings(host=host),
        console=ConsoleSettings(**console),
        caller={"identity": "proxy", "proxies": ["127.0.0.1/32"]},
    )


def status(services: Services, path: str, authorization: str | None = None) -> int:
    headers = {"Authorization": authorization} if authorization else {}
    return build_console(services).test_client().get(path, headers=headers).status_code


@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(None, id="none"),
        pytest.param("Bearer", id="empty"),
        pytest.param(f"Bearer {SECRET[:-1]}", id="shorter"),
        pytest.param(f"Bearer {SECRET}x", id="longer"),
        pytest.param(f"Bearer {SECRET[:-1]}å", id="not ASCII"),
        pytest.param(f"Basic {SECRET}", id="another scheme"),
        pytest.param(SECRET, id="no scheme"),
    ],
)
def test_nobody_without_the_token_is_let_in(
    plain: Services, path: str, authorization: str | None
) -> None:
    token = pydantic.SecretStr(SECRET)
    services = replace(plain, settings=settings("demo", token=token))
    assert status(services, path, authorization) == 401
    assert status(services, "/health", authorization) == 200


def test_who_is_not_let_in_is_told_what_is_asked_for(plain: Services) -> None:
    services = replace(plain, settings=settings("demo", token=pydantic.SecretStr(SECRET)))
    answer = build_console(services).test_client().get("/api/intyg/x")
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"  # RFC 6750 section 3


def test_with_the_token_everything_is_as_ever(plain: Services) -> None:
    services = replace(plain, settings=settings(token=pydantic.SecretStr(SECRET)))
    assert [status(services, path, f"Bearer {SECRET}") for path in PROTECTED] == [
        200,
        404,
        404,
        404,
    ]
    assert status(services, "/metrics", f"bearer  {SECRET}") == 200


@pytest.mark.parametrize(
    ("environment", "host", "refusal"),
    [
        ("demo", "127.0.0.1", None),
        ("demo", "::1", None),
        ("demo", "localhost", None),
        ("demo", "0.0.0.0", CLOSED),
        ("test", "127.0.0.1", CLOSED),
    ],
)
def test_without_a_token_only_a_demonstration_on_loopback_is_open(
    environment: str, host: str, refusal: str | None
) -> None:
    token = Token.from_settings(settings(environment, host))
    assert token.refuses("/metrics", None) == refusal
    assert token.refuses("/metrics", f"Bearer {SECRET}") == refusal
    assert token.closed == (refusal is not None)


HERE = [
    pytest.param("127.0.0.1:8080", None, id="an address"),
    pytest.param("localhost", None, id="a name"),
    pytest.param("[::1]:8080", None, id="IPv6"),
    pytest.param("127.0.0.1:8080", "http://127.0.0.1:8080", id="a page from here"),
]
ELSEWHERE = [
    pytest.param("evil.example:8080", None, id="a name that was made to lead here"),
    pytest.param("127.0.0.1.evil.example", None, id="that begins like an address"),
    pytest.param("localhost@evil.example", None, id="with a user"),
    pytest.param("", None, id="none"),
    pytest.param("127.0.0.1:8080", "https://evil.example", id="a page of somebody's"),
    pytest.param("127.0.0.1:8080", "null", id="a page without a place"),
    pytest.param("127.0.0.1:8080", "http://127.0.0.1:9000", id="a page from another port"),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/metrics", "/api/blocked", "/api/meddelanden/m/hanterad"])
@pytest.mark.parametrize(("host", "origin"), ELSEWHERE)
def test_pages_of_other_places_are_not_answered(
    plain: Services, method: str, path: str, host: str, origin: str | None
) -> None:
    """Nobody needs a token here, but it is for programs on this machine."""
    assert answered(plain, method, path, host, origin) == 403


@pytest.mark.parametrize(("host", "origin"), HERE)
def test_this_machines_own_programs_are_answered(
    plain: Services, host: str, origin: str | None
) -> None:
    assert answered(plain, "GET", "/api/blocked", host, origin) == 200


def test_health_is_open_to_all(plain: Services) -> None:
    assert answered(plain, "GET", "/health", "evil.example", "https://evil.example") == 200


def answered(services: Services, method: str, path: str, host: str, origin: str | None) -> int:
    headers = {"Origin": origin} if origin else {}
    client = build_console(services).test_client()
    environ = {"HTTP_HOST": host}
    return client.open(path, method=method, headers=headers, environ_overrides=environ).status_code


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[object, object]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    token = Token(SECRET.encode(), open_without=False)
    assert token.refuses("/metrics", "Bearer x") == WRONG
    assert token.refuses("/metrics", None) == WRONG
    assert compared == [(b"x", SECRET.encode()), (b"", SECRET.encode())]


def test_the_token_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET + "\n", "utf-8")
    token = Token.from_settings(settings(token_file=tmp_path / "token"))
    assert token.refuses("/metrics", f"Bearer {SECRET}") is None


def test_a_token_that_is_short_or_missing_stops_the_start(tmp_path: Path) -> None:
    for console in (
        {"token": pydantic.SecretStr("short")},
        {"token_file": tmp_path / "none"},
    ):
        with pytest.raises(SettingsError, match="console"):
            Token.from_settings(settings(**console))


def test_a_port_of_its_own_takes_it_off_the_other(tmp_path: Path) -> None:
    values = settings("demo", port=0, token=pydantic.SecretStr(SECRET)).model_copy(
        update={"data_dir": tmp_path, "server": ServerSettings(port=0)}
    )
    with build_app(values) as app:
        headers = {"Authorization": f"Bearer {SECRET}"}

        def get(base: str, path: str) -> int:
            return requests.get(base + path, headers=headers, timeout=5).status_code

        assert app.url != app.console_url
        assert get(app.console_url, "/metrics") == 200
        assert get(app.console_url, "/services") == 404
        assert get(app.url, "/metrics") == 404
        assert get(app.url, "/services") == 200
        assert get(app.url, "/health") == get(app.console_url, "/health") == 200
