from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from intyg.mocks import forsakringskassan, journalsystem
from intyg.mocks.server.serving import MockServer, serve
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests.mocks.kinds import Ehr, Kassan
from tests.mocks.signing import Signer, make_ca, make_signer


@pytest.fixture(scope="session")
def contracts() -> Contracts:
    return Contracts()


@pytest.fixture(scope="session")
def types() -> IntygTypes:
    return IntygTypes()


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return make_signer(make_ca(tmp_path_factory.mktemp("ca")))


@pytest.fixture
def kassan(contracts: Contracts, types: IntygTypes, signer: Signer) -> Kassan:
    """Trusts the CA of `signer`."""
    settings = replace(forsakringskassan.SETTINGS, ca_files=(signer.ca_file,))
    return forsakringskassan.PERSONA.make(contracts, types, settings)


@pytest.fixture
def server(kassan: Kassan) -> Iterator[MockServer]:
    with serve(kassan) as running:
        yield running


@pytest.fixture
def ehr(contracts: Contracts, types: IntygTypes) -> Ehr:
    return journalsystem.PERSONA.make(contracts, types)


@pytest.fixture
def ehr_server(ehr: Ehr) -> Iterator[MockServer]:
    with serve(ehr) as running:
        yield running


@pytest.fixture
def ca_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ca"
    folder.mkdir()
    return folder
