"""Fails when a library's next release brings an error that nobody has thought about."""

from types import ModuleType

import pytest
from cryptography import exceptions as crypto
from cryptography import x509
from cryptography.x509 import verification
from lxml import etree
from signxml import exceptions as signxml

from intyg.adapter.signature import Refusal, SignatureCode
from intyg.adapter.signature.library_errors import CERT_ERRORS, refusing

OF_OUR_OWN_DOING = {
    crypto.AlreadyFinalized,
    crypto.AlreadyUpdated,
    crypto.NotYetFinalized,
    crypto.InvalidKey,  # of key derivation
    crypto.InvalidTag,  # of encryption
    crypto.InternalError,  # OpenSSL is broken: sending again may help
}
"""What no document brings about, and therefore goes up to the door."""


def errors_of(module: ModuleType) -> set[type[Exception]]:
    return {
        each
        for name, each in vars(module).items()
        if isinstance(each, type) and issubclass(each, Exception) and not name.startswith("_")
    }


@pytest.mark.parametrize("module", [signxml, crypto, x509, verification, etree])
def test_every_error_of_the_libraries_becomes_a_verdict(module: ModuleType) -> None:
    errors = errors_of(module) - OF_OUR_OWN_DOING
    assert errors
    for error in errors:
        with (
            pytest.raises(Refusal),
            refusing(SignatureCode.SIGNATURE_INVALID, *CERT_ERRORS),
        ):
            raise error.__new__(error)  # some want arguments


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (signxml.InvalidDigest(), SignatureCode.DIGEST_MISMATCH),
        (signxml.InvalidSignature(), SignatureCode.SIGNATURE_INVALID),
        (crypto.InvalidSignature(), SignatureCode.SIGNATURE_INVALID),
        (UnicodeDecodeError("ascii", b"", 0, 1, "x"), SignatureCode.SIGNATURE_INVALID),
    ],
)
def test_an_error_that_says_more_than_the_step_decides_the_code(
    error: Exception, code: SignatureCode
) -> None:
    with pytest.raises(Refusal) as raised, refusing(SignatureCode.SIGNATURE_INVALID):
        raise error
    assert raised.value.code is code


def test_the_words_of_an_error_stay_where_they_are() -> None:
    with pytest.raises(Refusal) as raised, refusing(SignatureCode.KEYINFO):
        raise ValueError("Hemligt Personnamn")
    assert (raised.value.detail, raised.value.__cause__) == ("ValueError", None)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("fault", [TypeError, AttributeError, KeyError, AssertionError])
def test_a_fault_of_ours_shows(fault: type[Exception]) -> None:
    with pytest.raises(fault), refusing(SignatureCode.SIGNATURE_INVALID):
        raise fault("ours")
