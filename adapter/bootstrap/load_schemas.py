"""The contracts and certificate types that a command or the adapter works with."""

from pathlib import Path
from typing import TypeAlias

from intyg.adapter.settings.settings import SettingsError
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.contract.files import ContractError
from intyg.schemas.typefile.lookup import IntygTypes
from intyg.schemas.typefile.reader import TypeFileError

Schemas: TypeAlias = tuple[Contracts, IntygTypes]


def load_schemas(contracts_dir: Path | None = None, types_dir: Path | None = None) -> Schemas:
    """
    Our own, or those of the given folders.

    Raises:
        SettingsError: A folder is not there, or holds no contract that we know;
            or a certificate type of the package is wrong. (A wrong one in
            `types_dir` is left out, see `IntygTypes.refused`.)
    """
    for folder in (contracts_dir, types_dir):
        if folder is not None and not folder.is_dir():
            raise SettingsError(f"{folder}: no such folder")
    try:
        return Contracts(contracts_dir), IntygTypes(types_dir)
    except ContractError as exc:
        raise SettingsError(str(exc)) from exc
    except TypeFileError as exc:
        raise SettingsError(f"certificate type {exc}") from exc
