"""What a command says that ends by an error which it did not expect, but which a user can mend."""

from typing import Final

EXTRAS: Final = {"pytest_httpserver": "mocks", "werkzeug": "mocks", "xmlsec": "mocks"}
"""Packages that the adapter itself does without, and the extra that each comes with."""


def last_words(exc: Exception) -> tuple[str, int] | None:
    """
    One line for an error, and the exit code.

    Returns:
        None: the error is a fault of the program, and its traceback is what helps.
    """
    from intyg.adapter.domain.errors import AdapterError
    from intyg.adapter.settings.settings import SettingsError

    match exc:
        case ModuleNotFoundError():
            return _missing(exc.name or "")
        case SettingsError() | AdapterError():
            return str(exc), 1
        case OSError() if exc.filename is not None:
            return f"{exc.filename}: {exc.strerror}", 2
    return None


def _missing(module: str) -> tuple[str, int] | None:
    extra = EXTRAS.get(module.partition(".")[0])
    if extra is None:
        return None
    needs = f"this needs {module.partition('.')[0]}, which is not installed"
    return f"{needs}: pip install 'intygsadapter[{extra}]'", 2
