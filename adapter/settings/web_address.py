"""Addresses of services, as an operator writes them: one way of writing for each machine.

What two readers could take for two machines is refused, so that none is known under two names: the
rules that compare destinations compare what is written.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = "127.0.0.1"

_PORTS: Final = {"http": 80, "https": 443}
_UNUSUAL: Final = re.compile(r"[^\x21-\x7e]|\\")
_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.IGNORECASE)
_LIKE_A_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+", re.IGNORECASE)


def check_web_address(url: str) -> None:
    """
    Refuse what is no plain address of a service.

    Raises:
        ValueError: Neither http nor https; no host, or an odd one; a user or password; white space
            or other than ASCII. The text does not hold the address.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    if _UNUSUAL.search(url):
        raise ValueError("must be ASCII without white space and backslashes")
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or password")
    _ = parts.port  # raises where it is none
    if parts.netloc.startswith("["):
        ip_address(parts.hostname or "")
        odd = "%" in parts.netloc
    else:
        host = parts.hostname or ""
        last = host.rstrip(".").rpartition(".")[2]
        # Resolvers take 0x7f.1 and 2130706433 for addresses, too.
        odd = not _NAME.fullmatch(host) or bool(_LIKE_A_NUMBER.fullmatch(last) and not _as_ip(host))
    if odd:
        raise ValueError("the host must be a name, or an IP address in its usual form")


def machine_of(url: str) -> str:
    """
    Host and port, the same for each way of writing them; every address of this machine is one.

    Args:
        url: One that `check_web_address` lets pass.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    address = _as_ip(host)
    if address is not None:
        host = LOOPBACK if address.is_loopback or address.is_unspecified else str(address)
    elif host == "localhost":
        host = LOOPBACK
    return f"{host}:{parts.port or _PORTS[parts.scheme]}"


def is_this_machine(host: str) -> bool:
    """Whether a host's name or address can be nobody else's: loopback."""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


def _as_ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
