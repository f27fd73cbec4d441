"""What must hold in an environment: one table, asked when the adapter starts and by `intyg doctor`.

A check looks at what the settings name and finds nothing, or remarks: some refuse the start, some
are only told. A new check is a function and a row in `CHECKS`; the documentation shows the table.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from adapter.console.token import Token
from adapter.deliver.tls import PUBLIC, TlsFilesError, client_context
from adapter.errors import StoreError
from adapter.guard import Guard, RegisterSignal
from adapter.key_files import cert_files, ending_soon, readable_by_others, secret_files
from adapter.make_keys import is_test_cert
from adapter.model import Clock, DestinationKind, Environment, PersonId, system_clock
from adapter.route_settings import ANY, PermissionSettings
from adapter.server_tls import context_from_settings
from adapter.settings import DestinationSettings, Settings, SettingsError, SignaturePolicy
from adapter.signature import SigningKey, TrustStore
from adapter.store import Store, WrongEnvironmentError
from schemas.codes import PERSONNUMMER_ROOT
from schemas.contract import Contracts
from schemas.intyg_type import IntygTypes

MANY_ADDRESSES: Final = 65536
"""So many are a network and not the proxies in it."""


@dataclass(frozen=True)
class Facts:
    """What the settings name, read; what checks look at."""

    settings: Settings
    contracts: Contracts
    types: IntygTypes
    guard: Guard
    trust: TrustStore
    signing_key: SigningKey | None
    clock: Clock

    @property
    def is_production(self) -> bool:
        return self.settings.environment is Environment.PRODUCTION


@dataclass(frozen=True)
class Remark:
    """
    What a check found.

    Attributes:
        text: What is so; names settings and files, never a person.
        todo: What to do about it.
        refuses: The adapter does not start with it.
    """

    text: str
    todo: str
    refuses: bool = True


@dataclass(frozen=True)
class Check:
    """
    One thing that must hold.

    Attributes:
        name: For `intyg doctor` and the documentation.
        holds: What is so when nothing is found.
        look: Finds what is not so.
        at_start: False: it takes time or a network, so `intyg doctor` alone asks.
    """

    name: str
    holds: str
    look: Callable[[Facts], Iterable[Remark]]
    at_start: bool = True


# --- production is for real keys, real clocks, real receivers ------------------------------------


def _test_keys(facts: Facts) -> Iterator[Remark]:
    if not facts.is_production:
        return
    own = () if facts.signing_key is None else (facts.signing_key.cert.parsed,)
    for setting, certs in (
        ("trust.anchors", facts.trust.anchors),
        ("trust.intermediates", facts.trust.intermediates),
        ("trust.pinned", facts.trust.pinned),
        ("signing.cert", own),
    ):
        yield from _test_certs(setting, certs)
    for setting, paths in _cert_files(facts.settings):
        yield from _test_certs(setting, certs_in(paths))


def _cert_files(settings: Settings) -> Iterator[tuple[str, tuple[Path, ...]]]:
    """The certificates in files that only TLS looks at, by setting."""
    tls = settings.server.tls
    if tls is not None:
        yield "server.tls.cert", (tls.cert,)
        yield "server.tls.client_ca", tls.client_ca
    for setting, ca in (
        ("staff.ca", settings.staff.ca),
        ("test_patients.population_register.ca", settings.test_patients.population_register.ca),
    ):
        yield setting, () if ca is None else (ca,)


def certs_in(paths: Iterable[Path | None]) -> Iterator[x509.Certificate]:
    """The certificates in PEM files; those that cannot be read are found where they are used."""
    for path in paths:
        with contextlib.suppress(OSError, ValueError):
            yield from () if path is None else x509.load_pem_x509_certificates(path.read_bytes())


def _test_certs(setting: str, certs: Iterable[x509.Certificate]) -> Iterator[Remark]:
    if any(is_test_cert(cert) for cert in certs):
        todo = f"take it out of {setting}: what it vouches for, anybody can have made"
        yield Remark(f"{setting} holds a test certificate", todo)


def _clock(facts: Facts) -> Iterator[Remark]:
    if facts.clock is not system_clock and facts.settings.environment is not Environment.DEMO:
        yield Remark(
            "the clock is not the machine's own",
            "a clock that mocks or tests can set belongs in the environment demo",
        )


def _signature(facts: Facts) -> Iterator[Remark]:
    policy = facts.settings.signature
    if not policy.fits(facts.settings.environment):
        yield Remark(f'signature is "{policy}"', 'set signature = "require"')
    if policy is SignaturePolicy.SIGN and facts.signing_key is None:
        yield Remark('signature = "sign" needs signing.key', "set signing.key and signing.cert")


# --- destinations ---------------------------------------------------------------------------------


def destination_remarks(
    name: str, destination: DestinationSettings, environment: Environment
) -> Iterator[Remark]:
    """What is wrong with knowing of a destination in an environment; asked whenever one is read."""
    production = environment is Environment.PRODUCTION
    if not destination.fits(environment):
        yield Remark(
            f"destination {name} is real",
            f"take it out, or set destinations.{name}.allow = true if that is meant",
        )
    if production and destination.kind is DestinationKind.MOCK:
        yield Remark(
            f"destination {name} is a mock", "take it and its routes out: mocks are for tests"
        )
    is_real = destination.kind is DestinationKind.REAL
    if production and is_real and _is_clear(destination.url):
        yield Remark(
            f"destination {name} is real and its url is not https",
            "use https, or http to a proxy on this machine that does",
        )
    if production and is_real:
        files = {"ca": destination.ca, "client_cert": destination.client_cert}
        for setting, path in files.items():
            yield from _test_certs(f"destinations.{name}.{setting}", certs_in([path]))


def _is_clear(url: str) -> bool:
    """Whether what is sent there can be read on its way."""
    parts = urlsplit(url)
    return parts.scheme != "https" and not _is_this_machine(parts.hostname or "")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


def tls_remarks(name: str, destination: DestinationSettings) -> Iterator[Remark]:
    """What is wrong with the files that a destination names for TLS."""
    if destination.tls == PUBLIC:
        return  # it names none, and reading the public authorities takes long
    try:
        client_context(destination.tls)
    except TlsFilesError as exc:
        yield Remark(f"destination {name}: {exc}", "PEM files; a key must be its certificate's")


def _destinations(facts: Facts) -> Iterator[Remark]:
    for name, destination in facts.settings.destinations.items():
        yield from destination_remarks(name, destination, facts.settings.environment)
        yield from tls_remarks(name, destination)


# --- callers --------------------------------------------------------------------------------------


def permission_remarks(
    permissions: Iterable[PermissionSettings], environment: Environment
) -> Iterator[Remark]:
    """What is wrong with who may call in an environment; asked whenever permissions are read."""
    for row in permissions:
        if row.sender == ANY and environment is Environment.PRODUCTION:
            todo = "name each sender by its HSA-id"
            yield Remark(f"permission {row}: lets any sender in", todo)


def _callers(facts: Facts) -> Iterator[Remark]:
    try:
        context_from_settings(facts.settings)
    except SettingsError as exc:
        yield Remark(str(exc), "give server.tls PEM files: cert, key and client_ca")
    for proxies in facts.settings.caller.proxies:
        if facts.is_production and ip_network(proxies).num_addresses >= MANY_ADDRESSES:
            todo = "list the proxies alone: everybody at these addresses can be anybody"
            yield Remark(f"caller.proxies {proxies} is not a few proxies", todo)


def _permissions(facts: Facts) -> Iterator[Remark]:
    settings = facts.settings
    yield from permission_remarks(settings.permissions, settings.environment)
    if not settings.permissions and settings.environment is not Environment.DEMO:
        todo = "write rows of permissions: without one, nobody is"
        yield Remark("no caller is permitted anything", todo, refuses=False)


# --- what the adapter works with ------------------------------------------------------------------


def _database(facts: Facts) -> Iterator[Remark]:
    url = facts.settings.effective_database_url
    try:
        store = Store(url, facts.clock, read_only=True)
    except StoreError as exc:
        yield Remark(exc.text, "nothing, if the adapter has not run yet", refuses=False)
        return
    try:
        store.must_belong_to(facts.settings.environment)
    except WrongEnvironmentError as exc:
        yield Remark(exc.text, "give each environment a data_dir or database_url of its own")
    except StoreError as exc:
        yield Remark(exc.text, "see that the database runs, and what its log says")
    finally:
        store.close()


def _test_patients(facts: Facts) -> Iterator[Remark]:
    for damage in facts.guard.patients.damage():
        yield Remark(
            f"test_patients: {damage}; whether a patient is a test patient cannot be told",
            "put a whole list in its place; it is read within seconds",
            refuses=False,
        )
    for remark in facts.guard.patients.remarks():
        yield Remark(f"test_patients: {remark}", "put a whole file in its place", refuses=False)
    if not facts.guard.patients.can_clear():
        yield Remark(
            "test_patients: no list or register, so whether a patient is one cannot be told",
            "set test_patients.list_files: without it nothing is sent",
            refuses=False,
        )
    url = facts.settings.test_patients.population_register.url
    if facts.is_production and url is not None and _is_clear(url):
        yield Remark(
            "test_patients.population_register.url is not https",
            "use https, or http to a proxy on this machine that does",
        )


def _register(facts: Facts) -> Iterator[Remark]:
    for signal in facts.guard.patients.signals:
        if isinstance(signal, RegisterSignal):
            signal.kind(SOMEBODY)
            if signal.damage is not None:
                todo = "see that it runs and may be asked from here; meanwhile messages are held"
                yield Remark(f"{signal.name}: {signal.damage}", todo)


# --- keys, certificates, the console --------------------------------------------------------------


def _key_files(facts: Facts) -> Iterator[Remark]:
    for setting, path in readable_by_others(secret_files(facts.settings)):
        text = f"{setting}: {path} can be read by everybody, or written by its group"
        yield Remark(text, f"chmod 600 {path}", refuses=False)


def _cert_dates(facts: Facts) -> Iterator[Remark]:
    now = facts.clock()
    for setting, path, ends in ending_soon(cert_files(facts.settings), now):
        verb = "ended" if ends < now else "ends"
        text = f"{setting}: a certificate in {path} {verb} on {ends:%Y-%m-%d}"
        yield Remark(text, "get the next one, and put it in its place", refuses=False)


def _console(facts: Facts) -> Iterator[Remark]:
    token = Token.from_settings(facts.settings)
    if token.closed:
        todo = "set console.token_file, or INTYG_CONSOLE__TOKEN; /health needs none"
        yield Remark("console: no token, so /api and /metrics are closed", todo, refuses=False)


def _schemas(facts: Facts) -> Iterator[Remark]:
    for reason in facts.contracts.left_out:
        yield Remark(f"contracts_dir: {reason}", "our own file is used instead", refuses=False)
    for fault in facts.types.refused:
        yield Remark(f"types_dir: {fault}", "mend the file; it is left out", refuses=False)


SOMEBODY: Final = PersonId(PERSONNUMMER_ROOT, "189001019802")
"""Whom a register is asked for to see whether it answers: one of the published test numbers."""

CHECKS: Final = (
    Check(
        "test keys",
        "in production no key or certificate is a test one: none that `intyg test-keys` made, none "
        "of SITHS's test CA",
        _test_keys,
    ),
    Check("clock", "outside demo the clock is the machine's own, which no mock can set", _clock),
    Check(
        "signature",
        'in production `signature` is `"require"`; anywhere, `"sign"` has a key',
        _signature,
    ),
    Check(
        "destinations",
        "in production none is a mock, and real ones are reached by https or through a proxy on "
        "this machine; elsewhere each real one has `allow = true`",
        _destinations,
    ),
    Check(
        "callers",
        "outside demo it can be told who calls: by client certificate, or by the header of a few "
        "proxies; the server's own certificate can be used",
        _callers,
        at_start=False,
    ),
    Check(
        "permissions",
        "in production each sender is named; outside demo somebody may call",
        _permissions,
    ),
    Check("database", "it was made in this environment", _database, at_start=False),
    Check(
        "test patients",
        "something says who is a test patient, and can be read",
        _test_patients,
    ),
    Check(
        "register", "the population register answers, if there is one", _register, at_start=False
    ),
    Check(
        "key files",
        "nobody else can read the files that hold keys and tokens",
        _key_files,
    ),
    Check("cert dates", "no certificate ends within 30 days", _cert_dates),
    Check("console", "`/api` and `/metrics` have a token, or it is demo on loopback", _console),
    Check(
        "schemas",
        "every file in `contracts_dir` and `types_dir` can be used",
        _schemas,
    ),
)
"""Everything that is looked at. What is not looked at here at the start is when it is opened: the
database by `Store`, the server's certificate and how callers are known by `App`."""


def look(facts: Facts, checks: Iterable[Check] = CHECKS) -> list[tuple[Check, list[Remark]]]:
    """Each check with what it found."""
    return [(check, list(check.look(facts))) for check in checks]
