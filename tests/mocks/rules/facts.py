"""Facts about requests, made as the door makes them."""

from typing import Any

from intyg.mocks.rules import Facts
from intyg.mocks.rules.facts import intygs_id_of, typ_of
from intyg.mocks.wire import envelope
from intyg.schemas.contract.contract import Contracts
from tests.mocks import calls

_CONTRACTS = Contracts()


def facts(body: bytes, **more: Any) -> Facts:
    """What rules see of a request element; `more` are facts that are not in it."""
    element = envelope.read(calls.envelope(body)).element
    contract = _CONTRACTS.by_request(str(element.tag))
    assert contract is not None
    typ, version = typ_of(element) or (None, None)
    known: dict[str, Any] = {
        "agency": "FKASSA",
        "contract": contract,
        "element": element,
        "logical_address": "FKASSA",
        "intygs_id": intygs_id_of(element),
        "typ": typ,
        "version": version,
    }
    return Facts(**{**known, **more})
