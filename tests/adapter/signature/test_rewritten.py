"""What is told of a signature that a toolkit wrote in other words."""

import re

import pytest

from intyg.adapter.signature import SignatureCode, SignatureOutcome
from intyg.schemas import ns
from tests.adapter.signed import check, signed


def _sent(prefix: bytes, kind: str = "rsa") -> bytes:
    """A signed message with another prefix for `ds`, as data binding chooses it."""
    data = signed(kind=kind)
    assert data.count(b"<ds:SignedInfo ") == 1
    data = data.replace(b"xmlns:ds=", b"xmlns:" + prefix + b"=")
    return re.sub(rb"(</?)ds:", rb"\1" + prefix + rb":", data)


@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_other_prefixes_are_told(kind: str) -> None:
    result = check(_sent(b"ns5", kind))
    assert (result.outcome, result.code) == (
        SignatureOutcome.INVALID,
        SignatureCode.SIGNATURE_INVALID,
    )
    assert result.told == (
        "SignedInfo was written anew (prefix `ns5` for `ds`); send the signed bytes as they are"
    )


def test_indentation_is_told() -> None:
    data = signed()
    indented = re.sub(rb"(<(?:\w+:)?(?:CanonicalizationMethod|Reference))", rb"\n  \1", data)
    assert indented != data
    result = check(indented)
    assert result.code is SignatureCode.SIGNATURE_INVALID
    assert result.told == "SignedInfo was written anew; send the signed bytes as they are"


def test_no_long_or_odd_prefix_is_repeated() -> None:
    told = check(_sent(b"tolvan-tolvansson")).told
    assert told.startswith("SignedInfo was written anew (another prefix for ")
    assert "tolvan" not in told


def test_a_wrong_value_is_only_wrong() -> None:
    data = re.sub(rb"(SignatureValue>)(....)", rb"\1AAAA", signed(), count=1)
    result = check(data)
    assert (result.code, result.told) == (SignatureCode.SIGNATURE_INVALID, "")


def test_a_changed_and_rewritten_intyg_is_not_accepted() -> None:
    data = _sent(b"ns5").replace(b"2026-", b"2025-", 1)
    assert not check(data).accepted


@pytest.mark.parametrize("name", ["Filter", "xpath"])
def test_a_filter_of_another_name_says_which_is_expected(name: str) -> None:
    data = re.sub(rb"(</?(?:\w+:)?)XPath\b", rb"\g<1>" + name.encode(), signed())
    result = check(data)
    assert result.code is SignatureCode.XPATH_INTERSECT
    assert result.told == f"it must hold one `XPath` of the namespace {ns.DSF}"


def test_a_filter_in_the_namespace_of_signatures_says_which_is_expected() -> None:
    data = signed()
    result = check(data.replace(f'dsf="{ns.DSF}"'.encode(), f'dsf="{ns.DS}"'.encode()))
    assert ns.DSF in result.told
