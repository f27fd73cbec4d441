"""Where the pages are."""

from typing import Final

PREFIX: Final = "/mock"
LOGIN: Final = f"{PREFIX}/login"


def is_page(path: str) -> bool:
    """Whether a path is one of the pages'."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")
