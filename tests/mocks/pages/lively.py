"""Mocks that have been through something: what their pages may have to show."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from intyg.mocks.personas import make_personas
from intyg.mocks.rules.parse import parse_rule
from intyg.mocks.server.serving import MockServer, run_mocks
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import post, post_raw
from tests.mocks.journalsystem.test_persona import status_update
from tests.mocks.pages.looking import Looker

FK, EHR = "forsakringskassan", "journalsystem"
RUN: Final = "nightly"
HOSTILE: Final = "<script>alert(1)</script> \u202egnidael \"' &amp; " + "lång " * 500

RULES: Final = (
    {
        "id": "flaky",
        "text": "fails twice for each certificate",
        "match": {"contract": "RegisterCertificate", "typ": "DB", "person": builders.PATIENT},
        "answers": [{"kind": "error", "error_id": "TECHNICAL_ERROR"}],
        "count": 2,
    },
    {"id": "slow", "enabled": False, "answers": [{"kind": "http", "status": 503}]},
)

DAMAGED: Final = f"/mock/{EHR}/damaged?typ=DOI/1.0&did=2"
"""What Försäkringskassan answered in the adapter's place."""

PLACES: Final = (
    "/mock",
    "/mock/clock",
    "/mock/runs",
    "/mock/test",
    "/mock/nowhere/at/all",
    f"/mock/run/{RUN}",
    f"/mock/{FK}",
    f"/mock/{FK}/intyg?id={builders.INTYGS_ID}",
    f"/mock/{FK}/journal",
    f"/mock/{FK}/journal?where=typ%3DDB",
    f"/mock/{FK}/journal?where=tpy%3DDB",
    *(f"/mock/{FK}/journal/1?tab={tab}" for tab in ("why", "readable", "request", "reply")),
    f"/mock/{FK}/journal/2",
    f"/mock/{FK}/journal/1?tab=headers",
    f"/mock/{FK}/rules",
    f"/mock/{EHR}",
    f"/mock/{EHR}/intyg?id={builders.INTYGS_ID}",
    f"/mock/{EHR}/journal/2?tab=readable",
    DAMAGED,
    f"/mock/{EHR}/damaged?typ=coffee",
    "/mock/skatteverket",
)


@dataclass(frozen=True)
class Lively:
    """Running mocks; the EHR takes the adapter's place for what Försäkringskassan says."""

    servers: dict[str, MockServer]

    @property
    def url(self) -> str:
        """Of Försäkringskassan, which shows the pages of all."""
        return self.servers[FK].url


@contextmanager
def lively_mocks() -> Iterator[Lively]:
    """Certificates, a question, a broken call, rules, a run."""
    made: dict[str, Any] = make_personas(Contracts(), IntygTypes())
    with run_mocks(made) as servers:
        fk = made[FK]
        fk.send_to(servers[EHR].url)
        for rule in RULES:
            fk.rules.add(parse_rule(rule))
        post(servers[FK], builders.register_certificate())
        post_raw(servers[FK], b"<broken")
        fk.runs.get(RUN)
        about = f"/mock/{FK}/intyg?id={builders.INTYGS_ID}"
        Looker(fk).post(about, do="ask", amne="KONTKT", text=HOSTILE)
        ehr = made[EHR].persona.place
        ehr.settings = replace(
            ehr.settings, adapter_url=servers[FK].url, adapter_logical_address="FKASSA"
        )
        Looker(fk).post(f"/mock/{EHR}/damaged?typ=DOI/1.0", damage="schema")
        asked = status_update("NYFRFM", "2026-11-23T10:05:00.000", amne="KONTKT")
        for each in (status_update("SKICKA"), asked):
            post(servers[EHR], each, logical_address=builders.UNIT)
        yield Lively(servers)
