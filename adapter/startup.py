"""What is looked at before the adapter starts: what it refuses to start with, and what it notes."""

from collections.abc import Iterator

from cryptography import x509

from adapter.make_keys import is_test_cert
from adapter.model import DestinationKind, Environment
from adapter.parts import Parts
from adapter.settings import SettingsError, SignaturePolicy


def refuse_unfit(parts: Parts) -> None:
    """
    Refuse settings that would let the wrong thing happen.

    Raises:
        SettingsError: Names everything that stands in the way.
    """
    reasons = [*_production(parts), *_any_environment(parts)]
    if reasons:
        environment = parts.settings.environment
        raise SettingsError(f"not started, environment {environment}: " + "; ".join(reasons))


def notes(parts: Parts) -> list[str]:
    """What an operator should know, though it stops nothing; no person data."""
    found = [f"contracts_dir: {reason}" for reason in parts.contracts.left_out]
    found += [f"types_dir: {fault}" for fault in parts.types.refused]
    found += [
        f"test_patients: {damage}; whether a patient is a test patient cannot be told"
        for damage in parts.guard.damaged_signals()
    ]
    if not parts.guard.has_signals():
        found.append("test_patients: no list, so whether a patient is one cannot be told")
    return found


def _production(parts: Parts) -> Iterator[str]:
    settings = parts.settings
    if settings.environment is not Environment.PRODUCTION:
        return
    for name, certs in (
        ("trust.anchors", parts.trust.anchors),
        ("trust.intermediates", parts.trust.intermediates),
        ("trust.pinned", parts.trust.pinned),
        ("signing.cert", _own(parts)),
    ):
        if any(is_test_cert(cert) for cert in certs):
            yield f"{name} holds a test certificate"
    for name, destination in settings.destinations.items():
        if destination.kind is DestinationKind.MOCK:
            yield f"destination {name} is a mock"


def _any_environment(parts: Parts) -> Iterator[str]:
    if parts.settings.signature is SignaturePolicy.SIGN and parts.signing_key is None:
        yield 'signature = "sign" needs signing.key'


def _own(parts: Parts) -> tuple[x509.Certificate, ...]:
    return () if parts.signing_key is None else (parts.signing_key.cert.parsed,)
