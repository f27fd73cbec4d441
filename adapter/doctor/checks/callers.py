"""Who may call, and how it is told who does."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Final

from intyg.adapter.doctor.checks.check import Facts, Remark
from intyg.adapter.domain.environment import Environment
from intyg.adapter.httpd.tls import context_from_settings
from intyg.adapter.routing.recipients import NEVER_SENT_TO
from intyg.adapter.settings.routing import ANY, PermissionSettings
from intyg.adapter.settings.settings import SettingsError

MANY_ADDRESSES: Final = 65536
"""So many are a network and not the proxies in it."""


def permission_remarks(
    permissions: Iterable[PermissionSettings], environment: Environment
) -> Iterator[Remark]:
    """What is wrong with who may call in an environment; asked whenever permissions are read."""
    for row in permissions:
        if row.sender == ANY and environment is Environment.PRODUCTION:
            todo = "name each sender by its HSA-id"
            yield Remark(f"permission {row}: lets any sender in", todo)


def callers(facts: Facts) -> Iterator[Remark]:
    try:
        context_from_settings(facts.settings)
    except SettingsError as exc:
        yield Remark(str(exc), "give server.tls PEM files: cert, key and client_ca")
    for proxies in facts.settings.caller.proxies:
        if facts.is_production and ip_network(proxies).num_addresses >= MANY_ADDRESSES:
            todo = "list the proxies alone: everybody at these addresses can be anybody"
            yield Remark(f"caller.proxies {proxies} is not a few proxies", todo)


def permissions(facts: Facts) -> Iterator[Remark]:
    settings = facts.settings
    yield from permission_remarks(settings.permissions, settings.environment)
    if not settings.permissions and settings.environment is not Environment.DEMO:
        todo = "write rows of permissions: without one, nobody is"
        yield Remark("no caller is permitted anything", todo, refuses=False)


def recipient_callers(facts: Facts) -> Iterator[Remark]:
    """Outside demo, who may speak for a recipient is said, or nobody may."""
    if facts.settings.environment is Environment.DEMO:
        return
    for part, recipient in facts.settings.recipients.items():
        if not recipient.callers and part not in NEVER_SENT_TO:
            todo = (
                f"set recipients.{part}.callers to the HSA-ids of its systems: until then none of "
                "its questions and answers is taken"
            )
            text = f"recipients.{part}: no caller may speak for it"
            yield Remark(text, todo, refuses=False)
