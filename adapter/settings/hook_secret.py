"""The secret that a hook and the adapter share."""

import base64
import binascii
from pathlib import Path
from typing import Final

PREFIX: Final = "whsec_"
"""May stand before the secret in its file, as many tools write it."""

_LENGTHS: Final = range(24, 65)


class HookSecretError(Exception):
    """The secret of a hook cannot be used; the text names its file."""


def read_secret(path: Path) -> bytes:
    """
    A hook's secret, read each time, so that it can be changed while the adapter runs.

    Raises:
        HookSecretError: The file cannot be read, or holds no base64 of 24 to 64 octets.
    """
    try:
        secret = base64.b64decode(
            path.read_text("ascii").strip().removeprefix(PREFIX), validate=True
        )
    except OSError as exc:
        raise HookSecretError(f"{path.name}: {exc.strerror}") from exc
    except (UnicodeDecodeError, binascii.Error) as exc:
        raise HookSecretError(f"{path.name}: not base64") from exc
    if len(secret) not in _LENGTHS:
        raise HookSecretError(f"{path.name}: 24 to 64 octets in base64 are needed")
    return secret
