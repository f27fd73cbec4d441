"""Who signs and calls in tests; imports as little of the adapter as it can."""

import tomllib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature.demo_keys import (
    CLIENT_HSA_ID,
    SIGNER_HSA_ID,
    TestKeys,
    make_stand_in_keys,
)
from intyg.mocks.wire.tls import AdapterTls

if TYPE_CHECKING:  # imported when something is signed
    from intyg.adapter.signature import SigningKey


class SigningKeys:
    """
    A signer, and what calls are made with over TLS, issued by one CA.

    Args:
        keys: Their files.

    Attributes:
        hsa_id: Of who signs.
        caller: HSA-id of the system that calls.
    """

    hsa_id = SIGNER_HSA_ID
    caller = CLIENT_HSA_ID

    def __init__(self, keys: TestKeys) -> None:
        self.files = keys

    @classmethod
    def make(cls, folder: Path) -> Self:
        """New ones, which an adapter in production takes, too: the folder is thrown away."""
        return cls(make_stand_in_keys(folder, system_clock()))

    @classmethod
    def of_up(cls, folder: Path) -> Self:
        """The keys of `make up`, whose settings are in the folder."""
        return cls(TestKeys.of(Path(settings_of_up(folder)["trust"]["anchors"][0]).parent))

    @property
    def ca(self) -> Path:
        """Certificate of the CA, PEM."""
        return self.files.ca

    @property
    def tls(self) -> AdapterTls:
        """What a caller shows, and whom it believes."""
        client = self.files.client
        return AdapterTls(self.ca, client.cert, client.key)

    def sign(self, body: bytes) -> bytes:
        """The same RegisterCertificate element with a signature in its intyg."""
        from intyg.adapter.signature import sign_document

        return sign_document(body, self._key)

    @cached_property
    def _key(self) -> "SigningKey":
        from intyg.adapter.signature import load_signing_key

        return load_signing_key(self.files.signer.key, self.files.signer.cert)


def settings_of_up(folder: Path) -> Any:
    """
    The settings that `make up` wrote.

    Raises:
        OSError, ValueError: The folder has none.
    """
    return tomllib.loads((folder / "adapter.toml").read_text("utf-8"))
