"""From a name in the settings, or a URL, to what is looked at."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from intyg.adapter.doctor.connectivity.probe import Called, Target
from intyg.adapter.domain.destination import ClientTls, DestinationRole, receiver_of
from intyg.adapter.routing.table import NATIONAL_PATH, destination
from intyg.adapter.settings.routing import ANY, DestinationSettings
from intyg.adapter.settings.settings import Settings
from intyg.adapter.settings.web_address import check_web_address

PING: Final = "PingForConfiguration"
PING_MAJOR: Final = 1
_PING_PATH: Final = "/itintegration/monitoring/PingForConfiguration/1/rivtabp21"

_SENT: Final = {
    "RegisterCertificate": 3,
    "RevokeCertificate": 2,
    "SendMessageToRecipient": 2,
    "CertificateStatusUpdateForCare": 3,
    "SendMessageToCare": 2,
}
"""Contracts that the adapter calls others by, with their major versions."""

_USUAL: Final = {
    DestinationRole.AUTHORITY: "RegisterCertificate",
    DestinationRole.CARE: "CertificateStatusUpdateForCare",
}
"""By what each side is asked, where no route says by what else."""

_WHOLE: Final = re.compile(r"/([A-Za-z]+)/(\d+)/rivtabp21/?$")


def target_of_url(url: str, tls: ClientTls, logical_address: str) -> Target:
    """
    A base address, or the whole address of one contract.

    Raises:
        ValueError: It has no host, or is none that messages could be sent to.
    """
    if not urlsplit(url).hostname:
        raise ValueError(f"{url} names no host")
    check_web_address(url)
    base = url.rstrip("/")
    if not base.endswith("/rivtabp21"):
        calls = tuple(Called(base + _path(name), _shown(name)) for name in _USUAL.values())
        return Target(base + _PING_PATH, calls, logical_address, tls, one_is_enough=True)
    whole = _WHOLE.search(url)
    if whole is None:
        return Target(None, (Called(url, None),), logical_address, tls)
    path = NATIONAL_PATH.format(contract=whole[1], major=whole[2])
    ping = base.removesuffix(path) + _PING_PATH if base.endswith(path) else None
    return Target(ping, (Called(url, f"{whole[1]} {whole[2]}"),), logical_address, tls)


def target_of_name(name: str, settings: Settings, logical_address: str | None) -> Target:
    """
    A destination of the settings, by the contracts for which routes lead there.

    Raises:
        ValueError: There is none with this name, or its address is not known.
    """
    found = settings.destinations.get(name)
    if found is None:
        known = ", ".join(sorted(settings.destinations)) or "none"
        raise ValueError(f"no destination is named {name}; there is: {known}")
    if not found.url:
        raise ValueError(f"destination {name} has no url")
    if found.role is DestinationRole.HOOK:
        raise ValueError(f"destination {name} is a hook, which is told and not asked")
    rows = [row for row in settings.routes if row.destination == name]
    routed = (row.logical_address for row in rows if row.logical_address != ANY)
    asked = logical_address or next(routed, settings.logical_address)
    contracts = _contracts(found.role, {row.contract for row in rows})
    calls = tuple(
        Called(destination(name, found, each, _SENT[each]).url, _shown(each)) for each in contracts
    )
    target = Target(_ping_url(name, found), calls, asked, found.tls)
    return replace(target, timeout_seconds=found.timeout_seconds)


def _contracts(role: DestinationRole, routed: Iterable[str]) -> list[str]:
    """Those of the routes where they name them, otherwise the one that the role is for."""
    named = [each for each in _SENT if each in routed and receiver_of(each) is role]
    return named if named and ANY not in routed else [_USUAL[role]]


def _ping_url(name: str, found: DestinationSettings) -> str:
    if "{contract}" in found.url or "{major}" in found.url:
        return destination(name, found, PING, PING_MAJOR).url
    return found.url.rstrip("/") + _PING_PATH


def _path(contract: str) -> str:
    return NATIONAL_PATH.format(contract=contract, major=_SENT[contract])


def _shown(contract: str) -> str:
    return f"{contract} {_SENT[contract]}"
