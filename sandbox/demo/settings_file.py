"""The settings of the demonstration's adapter, as a file that its user can read and change."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from intyg.mocks.journalsystem.sample import UNIT
from intyg.mocks.personas import PERSONAS

_HEAD: Final = """\
# Written by `intyg demo`: an adapter and its mocks on loopback.
environment = "demo"
data_dir = "."
logical_address = "INTYGSADAPTER"
signature = "require"

[server]
port = {adapter_port}

[trust]
anchors = ["{keys}/ca.pem"]

[signing]
key = "{keys}/signer.key.pem"
cert = "{keys}/signer.pem"

[test_patients]
list_files = ["test-patients.csv"]

[codes]
icd10_file = "diagnoses.csv"

[delivery]
jitter = 0     # the same each time that it is played
"""

_AUTHORITY: Final = """
[recipients.{part}]
name = "{name}"
logical_address = "{address}"

[destinations.{key}]
url = "{url}"
kind = "mock"

[[routes]]
contract = "*"
logical_address = "{address}"
destination = "{key}"
"""

CARE: Final = "ehr"
"""Name of the destination that is the EHR."""

_CARE: Final = """
[destinations.{care}]
url = "{url}"
kind = "mock"
role = "care"

[[routes]]
contract = "*"
logical_address = "{unit}"
destination = "{care}"
"""

_REAL: Final = """
[recipients.FBA]
name = "An authority that is marked real"
logical_address = "REAL-AUTHORITY"
types = ["LISJP"]

[destinations.real]
url = "{url}"
kind = "real"
allow = true     # to show that the guard stops what is on its way there

[[routes]]
contract = "*"
logical_address = "REAL-AUTHORITY"
destination = "real"
"""


def settings_text(adapter_port: int, keys: Path, mocks: Mapping[str, str], real: str | None) -> str:
    """
    What stands in the file.

    Args:
        keys: Folder of the test keys.
        mocks: Base addresses of the mocks, by the persona's key.
        real: Address that stands for a real authority; None: there is none.
    """
    parts = [_HEAD.format(adapter_port=adapter_port, keys=keys.resolve())]
    parts += [_mock(key, url) for key, url in mocks.items()]
    if real is not None:
        parts.append(_REAL.format(url=real))
    return "".join(parts)


def write_lists(folder: Path, test_persons: Sequence[str]) -> None:
    """The lists that the settings name: who is a test patient, and twenty diagnoses."""
    rows = ("testpersonnummer", *test_persons)
    (folder / "test-patients.csv").write_text("\n".join(rows) + "\n", "utf-8")
    diagnoses = resources.files(__package__).joinpath("diagnoses.csv")
    (folder / "diagnoses.csv").write_bytes(diagnoses.read_bytes())


def _mock(key: str, url: str) -> str:
    persona = PERSONAS[key]
    settings = persona.settings
    if not persona.is_authority:
        return _CARE.format(care=CARE, url=url, unit=UNIT)
    return _AUTHORITY.format(
        key=key,
        url=url,
        part=settings.part,
        name=settings.name,
        address=settings.logical_address,
    )
