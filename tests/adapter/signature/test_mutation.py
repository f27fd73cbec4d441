"""
No signed document, whatever was done to it, brings more out of the verifier than a verdict.

A few hundred of each sort in the ordinary run, always the same. For a big one, with others:

    INTYG_MUTATION_EXAMPLES=100000 pytest tests/adapter/test_signature_mutation.py --timeout=7200
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from intyg.adapter.cli.verify import verify_file
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.formats import safe_xml
from intyg.adapter.signature import (
    SignatureOutcome,
    TrustStore,
    find_one_intyg,
    normalise,
    sign_document,
    verify_message,
)
from intyg.adapter.signature.trust import read_cert
from intyg.schemas.contract.contract import Contracts
from tests.adapter.signature_mutation import damaged
from tests.adapter.signed import (
    AT,
    ca,
    check,
    signed,
    signing_key,
)

EXAMPLES: Final = int(os.environ.get("INTYG_MUTATION_EXAMPLES", "0"))

Record = Callable[[str, object], None]


def tried(ordinarily: int) -> settings:
    return settings(
        max_examples=EXAMPLES or ordinarily,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate] if EXAMPLES else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(params=["rsa", "p256"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def test_a_damaged_document_gets_a_verdict_and_is_valid_only_as_it_was_signed(
    kind: str, record_property: Record
) -> None:
    true, trusted, seen = check(signed(kind=kind)), TrustStore([ca()]), Counter[str]()

    @tried(200)
    @given(data=damaged(signed(kind=kind), signing_key(kind)))
    def verify(data: bytes) -> None:
        root = safe_xml.parse(data).getroot()
        for at in (AT, None):
            result = verify_message(root, trusted, at, size=len(data))
            seen[str(result.code or "VALID")] += 1
            if result.outcome in (SignatureOutcome.VALID, SignatureOutcome.TIME_UNSIGNED):
                assert normalise(find_one_intyg(root)) == true.octets
                assert result.octets == true.octets

    verify()
    read_cert.cache_clear()
    record_property("table", f"damaged signatures, {kind}: {dict(seen.most_common())}")
    assert seen["VALID"] > 5, "damage beside what is signed is none"
    assert len(seen) > 15, "damage is of many sorts"


def test_the_command_verifies_any_damaged_document(contracts: Contracts) -> None:
    """It looks at the schema first, which refuses most of them; the true one it lets pass."""
    trusted, seen = TrustStore([ca()]), Counter[str]()

    @tried(40)
    @given(data=damaged(signed(), signing_key(), most=1))
    def verify(data: bytes) -> None:
        seen[verify_file(data, contracts, trusted, AT).outcome] += 1

    verify()
    assert verify_file(signed(), contracts, trusted, AT).outcome == "VALID"
    assert len(seen) > 2


def test_a_damaged_document_is_signed_or_refused() -> None:
    seen = Counter[str]()

    @tried(60)
    @given(data=damaged(signed(kind="p256"), signing_key("p256")))
    def sign(data: bytes) -> None:
        try:
            again = sign_document(data, signing_key("p256"))
        except AdapterError as refused:
            seen[type(refused).__name__] += 1
        else:
            seen["signed"] += 1
            assert check(again).outcome in (SignatureOutcome.VALID, SignatureOutcome.UNTRUSTED)

    sign()
    assert set(seen) == {"signed", "SignatureError"}


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return Contracts()
