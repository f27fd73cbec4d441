from typing import Any

import pytest

from mocks.failures import FailNext, Failure
from schemas.codes import ErrorId
from schemas.contract import Contracts


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"how": "explode"}, "how", id="unknown way"),
        pytest.param({"how": "error"}, "error_id", id="ERROR without errorId"),
        pytest.param({"how": "fault", "error_id": ErrorId.REVOKED}, "error_id", id="fault with it"),
        pytest.param({"how": "http", "http_status": 200}, "http_status", id="HTTP 200"),
        pytest.param({"how": "fault", "count": 0}, "count", id="never"),
    ],
)
def test_a_failure_that_cannot_act_is_refused_by_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field}:"):
        Failure(contract="*", **fields)


def test_a_failure_acts_as_often_as_ordered_and_only_where_meant(contracts: Contracts) -> None:
    register = contracts.get("RegisterCertificate", 3)
    revoke = contracts.get("RevokeCertificate", 2)
    failures = FailNext()
    failures.add(Failure("RegisterCertificate", "fault", count=2, intygs_id="a"))
    assert failures.take(revoke, "a") is None
    assert failures.take(register, "b") is None
    assert failures.take(register, "a") is not None
    assert [each.count for each in failures.pending()] == [1]
    assert failures.take(register, "a") is not None
    assert failures.take(register, "a") is None
