"""Revocation lists (CRL) in PEM files: which certificates their issuer has withdrawn.

Source: RFC 5280 section 5.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from intyg.schemas.pem import blocks_in

PART_LEFT: Final = 0.25
"""Of the time from a list to its next update: with less of it left, somebody should be told."""


def read_crls(path: Path) -> tuple[x509.CertificateRevocationList, ...]:
    """
    The lists in a file, which holds nothing else.

    Raises:
        OSError: It cannot be read.
        ValueError: There is none in it, or something else, or one that has no next update.
    """
    found = blocks_in(path.read_bytes())
    if not found or any(block.label != "X509 CRL" for block in found):
        raise ValueError("not revocation lists alone")
    crls = tuple(x509.load_pem_x509_crl(block.text) for block in found)
    if any(crl.next_update_utc is None for crl in crls):
        raise ValueError("a revocation list without a next update")
    return crls


def due_soon(paths: Iterable[Path], now: datetime) -> Iterator[tuple[Path, datetime]]:
    """File and next update of each list that should have been replaced by now, or soon."""
    for path in paths:
        try:
            crls = read_crls(path)
        except (OSError, ValueError):
            continue  # that is told where it is used
        for crl in crls:
            due = crl.next_update_utc
            assert due is not None  # `read_crls` lets none without pass
            if due - now < PART_LEFT * (due - crl.last_update_utc):
                yield path, due
