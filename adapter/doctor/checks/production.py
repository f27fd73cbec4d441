"""Production is for real keys, a real clock and signed certificates."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography import x509

from intyg.adapter.doctor.checks.check import Facts, Remark
from intyg.adapter.doctor.key_files import certs_of
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.environment import Environment
from intyg.adapter.settings.settings import ServerTlsSettings, SignaturePolicy
from intyg.adapter.signature.demo_keys import is_test_cert


def test_keys(facts: Facts) -> Iterator[Remark]:
    if not facts.is_production:
        return
    own = () if facts.signing_key is None else (facts.signing_key.cert.parsed,)
    for setting, certs in (
        ("trust.anchors", facts.trust.anchors),
        ("trust.intermediates", facts.trust.intermediates),
        ("trust.pinned", facts.trust.pinned),
        ("signing.cert", own),
    ):
        yield from test_certs(setting, certs)
    if facts.settings.server.tls is not None:
        yield from server_tls_remarks(facts.settings.server.tls, facts.settings.environment)
    register = facts.settings.test_patients.population_register
    for setting, ca in (
        ("staff.ca", facts.settings.staff.ca),
        ("test_patients.population_register.ca", register.ca),
    ):
        yield from test_certs(setting, certs_in([ca]))


def server_tls_remarks(tls: ServerTlsSettings, environment: Environment) -> Iterator[Remark]:
    """What is wrong with the door's certificates in an environment; asked when they are read."""
    if environment is Environment.PRODUCTION:
        yield from test_certs("server.tls.cert", certs_in([tls.cert]))
        yield from test_certs("server.tls.client_ca", certs_in(tls.client_ca))


def certs_in(paths: Iterable[Path | None]) -> Iterator[x509.Certificate]:
    """The certificates in files; those that cannot be read are found where they are used."""
    for path in paths:
        yield from () if path is None else certs_of(path)


def test_certs(setting: str, certs: Iterable[x509.Certificate]) -> Iterator[Remark]:
    if any(is_test_cert(cert) for cert in certs):
        todo = f"take it out of {setting}: what it vouches for, anybody can have made"
        yield Remark(f"{setting} holds a test certificate", todo)


def clock(facts: Facts) -> Iterator[Remark]:
    if facts.clock is not system_clock and facts.settings.environment is not Environment.DEMO:
        yield Remark(
            "the clock is not the machine's own",
            "a clock that mocks or tests can set belongs in the environment demo",
        )


def signer_role(facts: Facts) -> Iterator[Remark]:
    settings = facts.settings
    directory = settings.staff.file is not None or settings.staff.url is not None
    if directory or settings.signer_role_required or settings.environment is Environment.DEMO:
        return
    text = 'signer_role is "accept": a signer without a licence or a position with a role is taken'
    yield Remark(text, 'set signer_role = "require", or name a staff directory', refuses=False)


def signature(facts: Facts) -> Iterator[Remark]:
    policy = facts.settings.signature
    if not policy.fits(facts.settings.environment):
        yield Remark(f'signature is "{policy}"', 'set signature = "require"')
    if policy is SignaturePolicy.SIGN and facts.signing_key is None:
        yield Remark('signature = "sign" needs signing.key', "set signing.key and signing.cert")
