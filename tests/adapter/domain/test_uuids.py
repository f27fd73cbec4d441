import pytest

from intyg.adapter.domain.uuids import forms_of, same_id

SMALL = "9f1c2e3a-5b6d-4c7e-8f90-a1b2c3d4e5f6"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(SMALL, SMALL.upper(), True, id="case"),
        pytest.param(SMALL, SMALL.swapcase(), True, id="any case"),
        pytest.param("fraga-1", "FRAGA-1", False, id="no UUID"),
        pytest.param(SMALL, SMALL.replace("9", "8", 1), False, id="another"),
        pytest.param(SMALL, f" {SMALL}", False, id="white space"),
        pytest.param(SMALL[:-1], SMALL[:-1].upper(), False, id="one digit short"),
    ],
)
def test_equality(one: str, other: str, same: bool) -> None:
    assert same_id(one, other) is same is same_id(other, one)


def test_forms_to_look_for() -> None:
    assert set(forms_of(SMALL)) == set(forms_of(SMALL.upper())) == {SMALL, SMALL.upper()}
    assert set(forms_of("Fraga-1")) == {"Fraga-1"}
