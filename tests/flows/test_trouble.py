"""
The adapter against every trouble address of a mock authority.

One certificate a trouble, each to a recipient of its own; three attempts a round. Afterwards
every delivery stands where it should, and once the authority is well again all of them arrive.
"""

import re
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import requests

from intyg.adapter.bootstrap.app import App, build_app
from intyg.adapter.domain.delivery import Delivery, DeliveryState, OutcomeKind
from intyg.adapter.settings.settings import load_settings
from intyg.mocks import forsakringskassan
from intyg.mocks.journal import Entry
from intyg.mocks.rules import parse_rule
from intyg.mocks.rules.presets import VpCode
from intyg.mocks.rules.trouble import TROUBLES
from intyg.mocks.server.serving import MockServer, serve
from intyg.sandbox.demo.stage import PATIENT
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import envelope
from tests.mocks.kinds import Kassan

ATTEMPTS: Final = 3
TIMEOUT_SECONDS: Final = 2.0

DELIVERED, REFUSED = DeliveryState.DELIVERED, DeliveryState.REFUSED
FAILED, UNKNOWN = DeliveryState.FAILED, DeliveryState.UNKNOWN


@dataclass(frozen=True)
class Expected:
    """
    How a delivery ends.

    Attributes:
        attempts: How often it was tried; 3 are all.
        held: The authority has the certificate although this is no success.
        calls: How often the authority was asked; None: as often as it was tried.
    """

    state: DeliveryState
    attempts: int = 1
    held: bool = False
    calls: int | None = None


_RETRIED: Final = Expected(FAILED, ATTEMPTS)
_UNKNOWN: Final = Expected(UNKNOWN, ATTEMPTS)
_TAKEN_UNKNOWN: Final = Expected(UNKNOWN, ATTEMPTS, held=True)
_PARKED: Final = Expected(DeliveryState.QUEUED, 0, calls=1)
_VP: Final = {
    VpCode.VP008: _RETRIED,
    VpCode.VP012: _RETRIED,
    VpCode.VP009: _UNKNOWN,
    **dict.fromkeys((VpCode.VP001, VpCode.VP003, VpCode.VP015), Expected(REFUSED)),
}

EXPECTED: Final = {
    "OK": Expected(DELIVERED),
    "INFO": Expected(DELIVERED),
    "VALIDATION-ERROR": Expected(REFUSED),
    "APPLICATION-ERROR": Expected(REFUSED),
    "TECHNICAL-ERROR": _RETRIED,
    "REVOKED": Expected(REFUSED),
    "ERROR-WITHOUT-ID": _RETRIED,
    "ERROR-ID-FIRST": Expected(REFUSED),
    "NO-RESULT": _UNKNOWN,
    "UNKNOWN-CODE": _UNKNOWN,
    "FAULT": _RETRIED,
    **{code.value: _VP.get(code, _PARKED) for code in VpCode},
    "HTTP200": _UNKNOWN,
    "HTTP302": _PARKED,
    "HTTP404": _PARKED,
    "HTTP413": Expected(REFUSED),
    "HTTP503": _RETRIED,
    "HTTP504": _UNKNOWN,
    "HTML502": _UNKNOWN,
    "HTML503": _RETRIED,
    "WRONG-TYPE": Expected(DELIVERED),
    "EMPTY": _UNKNOWN,
    "RESET": _UNKNOWN,
    "HALF-BODY": _UNKNOWN,
    "GARBAGE": _UNKNOWN,
    "TLS": _UNKNOWN,
    "TIMEOUT": _UNKNOWN,
    "SLOW-1S": Expected(DELIVERED),
    "SLOW-5S": _TAKEN_UNKNOWN,  # after each attempt was given up
    "LATE-1S": Expected(DELIVERED),
    "LATE-5S": _TAKEN_UNKNOWN,
    "DRIP-1S": Expected(DELIVERED),
    "DRIP-5S": _TAKEN_UNKNOWN,
    "FAIL-2": Expected(DELIVERED, 3),
    "FAIL-3": _RETRIED,
    "FLAKY-100": _RETRIED,
    "FLAKY-1": Expected(DELIVERED),
    "STORED-THEN-FAULT": Expected(FAILED, ATTEMPTS, held=True),
    "STORED-THEN-RESET": _TAKEN_UNKNOWN,
    "STORED-THEN-HANG": _TAKEN_UNKNOWN,
}
"""By name, for RegisterCertificate."""

IDS: Final = {name: str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in EXPECTED}


@dataclass(frozen=True)
class Played:
    """What there is after the first round."""

    adapter: App
    fk: MockServer
    kassan: Kassan


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    kassan = forsakringskassan.PERSONA.make(Contracts(), IntygTypes())
    with serve(kassan) as fk, _adapter(tmp_path_factory.mktemp("adapter"), fk.url) as adapter:
        with ThreadPoolExecutor(4) as callers:
            list(callers.map(lambda name: _register_and_send(adapter, name), EXPECTED))
        _settle(adapter)
        yield Played(adapter, fk, kassan)


def _adapter(folder: Path, fk: str) -> App:
    patients = folder / "patients.csv"
    patients.write_text(f"{PATIENT}\n")
    destination = {"url": fk, "kind": "mock", "timeout_seconds": TIMEOUT_SECONDS}
    return build_app(
        load_settings(
            environment="demo",
            data_dir=folder,
            signature="accept",
            server={"port": 0},
            test_patients={"list_files": [patients]},
            # One each, since some of them stop a whole destination.
            destinations={_part(name): destination for name in EXPECTED},
            recipients={
                _part(name): {"name": name, "logical_address": f"FK-{name}", "types": ["LISJP"]}
                for name in EXPECTED
            },
            routes=[
                {"contract": "*", "logical_address": f"FK-{name}", "destination": _part(name)}
                for name in EXPECTED
            ],
            delivery={
                "waits_seconds": [0.05],
                "max_attempts": ATTEMPTS,
                "workers": 16,
                "poll_seconds": 0.05,
            },
        )
    )


def _part(name: str) -> str:
    return f"T{list(EXPECTED).index(name)}"


def _register_and_send(adapter: App, name: str) -> None:
    intygs_id = IDS[name]
    send = builders.send_certificate_to_recipient(intygs_id, PATIENT, _part(name))
    for body in (builders.register_certificate(intygs_id, PATIENT), send):
        answer = _post(adapter, body)
        assert ">OK<" in answer or ">INFO<" in answer, answer  # remarks, on a later day


def _post(adapter: App, body: bytes) -> str:
    contract = next(
        each for each in adapter.services.contracts.all() if f":{each.name} ".encode() in body[:200]
    )
    response = requests.post(
        f"{adapter.url}/services{contract.path}",
        envelope(body, "INTYGSADAPTER"),
        headers={"Content-Type": "text/xml; charset=UTF-8"},
        timeout=20,
    )
    return response.text


def _settle(adapter: App) -> None:
    """Until no delivery is under way, and none waits but for somebody to repair its way."""
    deadline = time.monotonic() + 60
    while True:
        with adapter.services.store.begin() as rows:
            counted, parked = rows.deliveries.count(), len(rows.ways.stopped())
        if counted[DeliveryState.QUEUED] == parked and not counted[DeliveryState.SENDING]:
            return
        assert time.monotonic() < deadline, counted
        time.sleep(0.1)


def _delivery(played: Played, name: str) -> Delivery:
    with played.adapter.services.store.begin() as rows:
        (delivery,) = rows.deliveries.find(IDS[name])
    return delivery


@pytest.mark.parametrize("name", EXPECTED)
def test_a_delivery_ends_as_it_should(played: Played, name: str) -> None:
    expected, delivery = EXPECTED[name], _delivery(played, name)
    with played.adapter.services.store.begin() as rows:
        outcomes = [each.outcome.kind for each in rows.deliveries.attempts(delivery.id)]
    last = {DELIVERED: OutcomeKind.DELIVERED, REFUSED: OutcomeKind.REFUSED}
    last |= {FAILED: OutcomeKind.RETRY, UNKNOWN: OutcomeKind.UNKNOWN}
    assert delivery.state is expected.state, delivery
    assert len(outcomes) == expected.attempts
    if expected is _PARKED:
        assert delivery.last_outcome is not None
        assert delivery.last_outcome.kind is OutcomeKind.RETRY
    else:
        assert outcomes[-1] is last[expected.state]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_authority_has_what_it_took_and_was_asked_as_often_as_tried(
    played: Played, name: str
) -> None:
    expected = EXPECTED[name]
    calls = [each for each in played.kassan.journal.entries() if each.intygs_id == IDS[name]]
    if name == "SLOW-5S":  # calls that were given up are taken all the same, later
        calls = _wait_for_calls(played, IDS[name], expected.attempts)
    assert len(calls) == (expected.attempts if expected.calls is None else expected.calls)
    held = [each for each in played.kassan.persona.all_intyg() if each.intygs_id == IDS[name]]
    assert len(held) == (expected.state is DELIVERED or expected.held)
    assert len({_intyg_bytes(each.request) for each in calls}) == 1


def _wait_for_calls(played: Played, intygs_id: str, count: int) -> list[Entry]:
    deadline = time.monotonic() + 10
    while True:
        calls = [each for each in played.kassan.journal.entries() if each.intygs_id == intygs_id]
        if len(calls) >= count:
            return calls
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _intyg_bytes(message: bytes) -> bytes:
    found = re.search(rb"<(\w+:)?intyg[ >].*</(\w+:)?intyg>", message, re.S)
    assert found is not None
    return found[0]


def test_once_the_authority_is_well_again_everything_is_there_and_once(played: Played) -> None:
    """Nothing was lost: what failed or is not known to have arrived is sent again, and arrives."""
    well = {"answers": {"kind": "normal"}, "match": {"logical_address": "FK-*"}}
    played.kassan.rules.add(parse_rule(well))
    store = played.adapter.services.store
    with store.begin() as rows:
        for each in (*rows.deliveries.find(state=FAILED), *rows.deliveries.find(state=UNKNOWN)):
            rows.deliveries.send_again(each.id, played.adapter.services.clock())
        for name in EXPECTED:
            rows.ways.resume(_part(name))
    _settle(played.adapter)
    with store.begin() as rows:
        states = Counter(each.state for each in rows.deliveries.find())
    refused = [name for name, each in EXPECTED.items() if each.state is REFUSED]
    assert states == {DELIVERED: len(EXPECTED) - len(refused), REFUSED: len(refused)}
    held = Counter(each.intygs_id for each in played.kassan.persona.all_intyg())
    assert held == {IDS[name]: 1 for name in EXPECTED if name not in refused}


def test_every_trouble_is_tried() -> None:
    tried = {
        trouble.name
        for trouble in TROUBLES
        if any(re.fullmatch(trouble.pattern, name) for name in EXPECTED)
    }
    assert tried == {trouble.name for trouble in TROUBLES}
