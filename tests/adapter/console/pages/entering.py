"""Who comes to the pages, with which key."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from flask.testing import FlaskClient

from intyg.adapter.bootstrap.doctor_steps import doctor_of
from intyg.adapter.console.pages import ConsoleSite, build_console_site
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import Settings
from tests import builders

KEYS: Final = {
    "viewer": ("viewer-key-0123456789", None),
    "operator": ("operator-key-0123456789", None),
    "auditor": ("auditor-key-0123456789", None),
    "care": ("care-key-0123456789", builders.UNIT.lower()),
    "other": ("other-unit-key-0123456789", "SE0000000000-OTHER"),
}


class PeopleClock:
    now = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def site_of(services: Services, settings: Settings) -> ConsoleSite:
    now = replace(services, settings=settings)
    return build_console_site(now, PeopleClock(), doctor_of(now))


def enter(services: Services, settings: Settings, name: str) -> FlaskClient:
    """Somebody who has logged in."""
    client = site_of(services, settings).app.test_client()
    answer = client.post("/console/login", data={"token": KEYS[name][0]})
    assert (answer.status_code, answer.location) == (303, "/console")
    return client
