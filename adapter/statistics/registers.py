"""The registers that reports look things up in, as the settings name them."""

from intyg.adapter.clients.diagnoses import read_diagnoses
from intyg.adapter.clients.staff_directory import StaffDirectory
from intyg.adapter.clients.watched_file import DamagedFileError
from intyg.adapter.settings.settings import Settings, SettingsError
from intyg.adapter.statistics.diagnoses import Icd10
from intyg.adapter.statistics.sjukfall_reports import Registers


def registers_from_settings(settings: Settings, staff: StaffDirectory | None) -> Registers:
    """
    Read the list of codes, if there is one.

    Raises:
        SettingsError: It cannot be read.
    """
    return Registers(_icd10(settings), staff, settings.cutoff)


def _icd10(settings: Settings) -> Icd10:
    path = settings.codes.icd10_file
    try:
        return Icd10(read_diagnoses(path)) if path else Icd10()
    except DamagedFileError as exc:
        raise SettingsError(f"codes.icd10_file: {exc}") from exc
