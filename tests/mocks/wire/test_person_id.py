import pytest

from intyg.mocks.wire.person_id import person_id_fault
from intyg.schemas.codes import PERSONNUMMER_ROOT, SAMORDNINGSNUMMER_ROOT


@pytest.mark.parametrize(
    ("root", "extension"),
    [
        pytest.param(PERSONNUMMER_ROOT, "189001019802", id="personnummer"),
        pytest.param(SAMORDNINGSNUMMER_ROOT, "191401682396", id="samordningsnummer"),
        pytest.param(SAMORDNINGSNUMMER_ROOT, "191500722390", id="month not known"),
        pytest.param(SAMORDNINGSNUMMER_ROOT, "191711602399", id="day not known"),
    ],
)
def test_published_test_numbers_pass(root: str, extension: str) -> None:
    assert person_id_fault(root, extension) is None


@pytest.mark.parametrize(
    ("root", "extension", "words"),
    [
        pytest.param(PERSONNUMMER_ROOT, "189001019803", "check digit", id="Luhn: 2, not 3"),
        pytest.param(PERSONNUMMER_ROOT, "189002309802", "no date", id="30 February"),
        pytest.param(PERSONNUMMER_ROOT, "189000019802", "no date", id="month 0, personnummer"),
        pytest.param(PERSONNUMMER_ROOT, "183912319802", "1840", id="born before 1840"),
        pytest.param(PERSONNUMMER_ROOT, "191401682396", "samordningsnummer has root", id="root 1"),
        pytest.param(SAMORDNINGSNUMMER_ROOT, "189001019802", "personnummer has root", id="root 2"),
    ],
)
def test_a_number_that_cannot_be_is_told_without_showing_it(
    root: str, extension: str, words: str
) -> None:
    fault = person_id_fault(root, extension)
    assert fault is not None
    assert words in fault
    assert extension not in fault
