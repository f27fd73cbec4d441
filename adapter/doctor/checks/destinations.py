"""Where messages go: real places from production, and safely."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from intyg.adapter.clients.tls import PUBLIC, TlsFilesError, client_context
from intyg.adapter.doctor.checks.check import Facts, Remark
from intyg.adapter.doctor.checks.production import certs_in, test_certs
from intyg.adapter.domain.destination import DestinationKind, DestinationRole, receiver_of
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.settings.hook_secret import HookSecretError, read_secret
from intyg.adapter.settings.routing import ANY, RouteSettings, RoutingSettings
from intyg.adapter.settings.settings import DestinationSettings, RecipientSettings
from intyg.adapter.settings.web_address import is_this_machine


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
    if production and is_real and is_clear(destination.url):
        yield Remark(
            f"destination {name} is real and its url is not https",
            "use https, or http to a proxy on this machine that does",
        )
    if production and is_real:
        files = {"ca": destination.ca, "client_cert": destination.client_cert}
        for setting, path in files.items():
            yield from test_certs(f"destinations.{name}.{setting}", certs_in([path]))


def tls_remarks(name: str, destination: DestinationSettings) -> Iterator[Remark]:
    """What is wrong with the files that a destination names for TLS."""
    if destination.tls == PUBLIC:
        return  # it names none, and reading the public authorities takes long
    try:
        client_context(destination.tls)
    except TlsFilesError as exc:
        yield Remark(f"destination {name}: {exc}", "PEM files; a key must be its certificate's")


def secret_remarks(name: str, destination: DestinationSettings) -> Iterator[Remark]:
    """What is wrong with the secret that a hook is signed to with."""
    if destination.secret_file is None:
        return
    try:
        read_secret(destination.secret_file)
    except HookSecretError as exc:
        yield Remark(
            f"destination {name}: {exc}", "openssl rand -base64 32 makes one; the hook has it, too"
        )


def recipient_remarks(
    recipients: Mapping[str, RecipientSettings], routing: RoutingSettings
) -> Iterator[Remark]:
    """
    Authorities whose address leads to an EHR.

    Refused, as a rule: nothing could be sent to them, and a destination that is one, and is said to
    be an EHR, would get what care is told, also about test patients.
    """
    for part, recipient in recipients.items():
        rows = [row for row in routing.routes if _is_for_authorities(row)]
        address = recipient.logical_address
        exact = [row for row in rows if same_hsa_id(row.logical_address, address)]
        for row in exact or [row for row in rows if row.logical_address == ANY]:
            destination = routing.destinations.get(row.destination)
            if destination is not None and destination.role is DestinationRole.CARE:
                yield Remark(
                    f"recipient {part}: the route {row} leads to an EHR (role care), so nothing "
                    "can be sent to it",
                    "give it a route to a destination with role authority",
                    refuses=bool(exact),
                )


def _is_for_authorities(row: RouteSettings) -> bool:
    return row.contract == ANY or receiver_of(row.contract) is DestinationRole.AUTHORITY


def destinations(facts: Facts) -> Iterator[Remark]:
    for name, destination in facts.settings.destinations.items():
        yield from destination_remarks(name, destination, facts.settings.environment)
        yield from tls_remarks(name, destination)
        yield from secret_remarks(name, destination)
    yield from recipient_remarks(facts.settings.recipients, facts.settings.routing)


def is_clear(url: str) -> bool:
    """Whether what is sent there can be read on its way."""
    parts = urlsplit(url)
    return parts.scheme != "https" and not is_this_machine(parts.hostname or "")
