"""What keeps others on the same machine out of a mock's control interface."""

import hmac
import secrets


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def brings(authorization: str, token: str) -> bool:
    """Whether an `Authorization` header brings a token; takes as long whatever it brings."""
    scheme, _, given = authorization.partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return same and scheme.lower() == "bearer"
