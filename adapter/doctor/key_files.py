"""Files with secrets that others may read, and certificates whose time is soon up."""

import contextlib
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from intyg.adapter.settings.settings import Settings
from intyg.schemas.pem import certs_in, load_cert

SOON: Final = timedelta(days=30)


def secret_files(settings: Settings) -> dict[str, Path]:
    """Setting to file, of every secret in a file: one of its own, or one with settings."""
    tls = settings.server.tls
    named = {
        "signing.key": settings.signing.key,
        "audit.key_file": settings.audit.key_file or settings.data_dir / "audit.key",
        "console.token_file": settings.console.token_file,
        "server.tls.key": (tls.key or tls.cert) if tls else None,
    }
    for name, destination in settings.destinations.items():
        key = destination.client_key or destination.client_cert
        named[f"destinations.{name}.client_key"] = key
    for number, token in enumerate(settings.console.tokens):
        named[f"console.tokens.{number}.token_file"] = token.token_file
    named |= settings.secrets_in_files
    return {setting: path for setting, path in named.items() if path is not None}


def cert_files(settings: Settings) -> dict[str, tuple[Path, ...]]:
    """Setting to files, of every certificate that somebody judges by its dates."""
    tls = settings.server.tls
    found = {
        "signing.cert": _one(settings.signing.cert),
        "trust.anchors": settings.trust.anchors,
        "trust.intermediates": settings.trust.intermediates,
        "trust.pinned": settings.trust.pinned,
        "server.tls.cert": _one(tls.cert if tls else None),
        "server.tls.client_ca": tls.client_ca if tls else (),
    }
    for name, destination in settings.destinations.items():
        found[f"destinations.{name}.client_cert"] = _one(destination.client_cert)
        found[f"destinations.{name}.ca"] = _one(destination.ca)
    return found


def _one(path: Path | None) -> tuple[Path, ...]:
    return () if path is None else (path,)


def readable_by_others(files: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    """Setting and file, where others than the owner and the group may read or write."""
    for setting, path in files.items():
        try:
            mode = path.stat().st_mode
        except OSError:
            continue  # whoever needs it says that it is missing
        if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
            yield setting, path


def ending_soon(
    files: Mapping[str, tuple[Path, ...]], now: datetime
) -> Iterator[tuple[str, Path, datetime]]:
    """Setting, file and end of each certificate that ends within `SOON`, or has ended."""
    for setting, paths in files.items():
        for path in paths:
            ends = min((cert.not_valid_after_utc for cert in certs_of(path)), default=None)
            if ends is not None and ends < now + SOON:
                yield setting, path, ends


def certs_of(path: Path) -> list[x509.Certificate]:
    """
    The certificates in a file; none where it cannot be read, which is said elsewhere.

    One by one: what OpenSSL uses although it is odd, and cannot be read here, hides no other.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return []
    found = []
    for one in certs_in(data):
        with contextlib.suppress(ValueError):
            found.append(load_cert(one))
    return found
