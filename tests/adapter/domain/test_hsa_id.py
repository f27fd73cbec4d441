import pytest

from intyg.adapter.domain.hsa_id import hsa_key, same_hsa_id


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("SE2321000016-A1B2", "se2321000016-a1b2", True, id="case"),
        pytest.param("SE2321000016-A1B2", "SE2321000016-A1B2", True, id="as it stands"),
        pytest.param("SE2321000016-A1B2", "SE2321000016-A1B3", False, id="another"),
        pytest.param("SE1 ", "SE1", False, id="white space"),
        pytest.param("SE1-Å", "SE1-å", False, id="no letter of an HSA-id"),
        pytest.param("ı", "I", False, id="a letter whose capital is another's"),
        pytest.param(None, None, False, id="none is nobody's"),
        pytest.param("SE1", None, False, id="none"),
    ],
)
def test_equality(one: str | None, other: str | None, same: bool) -> None:
    assert same_hsa_id(one, other) is same
    assert same_hsa_id(other, one) is same


def test_what_is_equal_is_looked_up_alike() -> None:
    assert hsa_key("se2321000016-a1b2") == hsa_key("SE2321000016-A1B2") == "SE2321000016-A1B2"
    assert len(hsa_key("ßå")) == 2
