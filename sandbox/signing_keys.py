"""Who signs in tests; apart from `testing`, so that tests of mocks alone import no adapter."""

import tomllib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, make_test_keys

if TYPE_CHECKING:  # imported when something is signed
    from intyg.adapter.signature import SigningKey


class SigningKeys:
    """
    A test signer, and the CA that issued it.

    Args:
        folder: Of the keys; made, if they are not there.

    Attributes:
        ca: PEM file of the CA.
        hsa_id: Of who signs.
    """

    def __init__(self, folder: Path) -> None:
        keys = make_test_keys(folder, system_clock(), keep=True)
        self.folder = folder
        self.ca = keys.ca
        self.hsa_id = SIGNER_HSA_ID
        self._files = keys.signer

    @classmethod
    def of_up(cls, folder: Path) -> Self:
        """The keys of `make up`, whose settings are in the folder."""
        return cls(Path(settings_of_up(folder)["trust"]["anchors"][0]).parent)

    def sign(self, body: bytes) -> bytes:
        """The same RegisterCertificate element with a signature in its intyg."""
        from intyg.adapter.signature import sign_document

        return sign_document(body, self._key)

    @cached_property
    def _key(self) -> "SigningKey":
        from intyg.adapter.signature import load_signing_key

        return load_signing_key(self._files.key, self._files.cert)


def settings_of_up(folder: Path) -> Any:
    """
    The settings that `make up` wrote.

    Raises:
        OSError, ValueError: The folder has none.
    """
    return tomllib.loads((folder / "adapter.toml").read_text("utf-8"))
