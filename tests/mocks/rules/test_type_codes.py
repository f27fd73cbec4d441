import pytest

from intyg.mocks.rules.type_codes import ANY_TYPE, TypeCodes
from intyg.schemas.typefile.lookup import IntygTypes


@pytest.mark.parametrize(
    ("typ", "says"),
    [
        pytest.param("LISJP", None, id="a code"),
        pytest.param("AG7804", None, id="a form that is called like its code"),
        pytest.param("LIS*", None, id="a pattern"),
        pytest.param("XYZ", None, id="nothing like a code: it may be meant"),
        pytest.param("LIJSP", "LIJSP is unknown; the nearest is LISJP", id="letters changed"),
        pytest.param("lisjp", "lisjp is unknown; the nearest is LISJP", id="lower case"),
        pytest.param("FK7804", "FK7804 is LISJP in a certificate", id="a form's number"),
        pytest.param("FK3225", "FK3225 is LUNSP in a certificate", id="a former number"),
    ],
)
def test_a_code_that_is_hardly_meant_is_told(typ: str, says: str | None) -> None:
    codes = TypeCodes(IntygTypes().headers())
    assert next(codes.faults(["LUSE", typ]), None) == says
    assert next(codes.faults(None), None) is None
    assert next(ANY_TYPE.faults([typ]), None) is None
