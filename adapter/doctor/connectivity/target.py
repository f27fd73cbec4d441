"""From a name in the settings, or a URL, to what is looked at."""

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from intyg.adapter.doctor.connectivity.probe import Target
from intyg.adapter.domain.destination import ClientTls
from intyg.adapter.routing.table import NATIONAL_PATH, destination
from intyg.adapter.settings.routing import ANY
from intyg.adapter.settings.settings import Settings
from intyg.adapter.settings.web_address import check_web_address

PING: Final = "PingForConfiguration"
PING_MAJOR: Final = 1
_PING_PATH: Final = "/itintegration/monitoring/PingForConfiguration/1/rivtabp21"
_CALLED: Final = "RegisterCertificate"
_CALLED_MAJOR: Final = 3


def target_of_url(url: str, tls: ClientTls, logical_address: str) -> Target:
    """
    A base address, or the whole address of one contract.

    Raises:
        ValueError: It has no host, or is none that messages could be sent to.
    """
    if not urlsplit(url).hostname:
        raise ValueError(f"{url} names no host")
    check_web_address(url)
    if url.rstrip("/").endswith("/rivtabp21"):
        return Target(url, url, logical_address, tls)
    base = url.rstrip("/")
    call = base + NATIONAL_PATH.format(contract=_CALLED, major=_CALLED_MAJOR)
    return Target(base + _PING_PATH, call, logical_address, tls)


def target_of_name(name: str, settings: Settings, logical_address: str | None) -> Target:
    """
    A destination of the settings.

    Raises:
        ValueError: There is none with this name, or its address is not known.
    """
    found = settings.destinations.get(name)
    if found is None:
        known = ", ".join(sorted(settings.destinations)) or "none"
        raise ValueError(f"no destination is named {name}; there is: {known}")
    routed = [row.logical_address for row in settings.routes if row.destination == name]
    asked = logical_address or next((one for one in routed if one != ANY), settings.logical_address)
    call = destination(name, found, _CALLED, _CALLED_MAJOR).url
    if "{contract}" in found.url or "{major}" in found.url:
        ping = destination(name, found, PING, PING_MAJOR).url
        return Target(ping, call, asked, found.tls, found.timeout_seconds)
    target = target_of_url(found.url, found.tls, asked)
    return replace(target, call_url=call, timeout_seconds=found.timeout_seconds)
