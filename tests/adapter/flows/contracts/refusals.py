"""How a message that breaks rules is refused, whoever sends it."""

import pytest

from intyg.adapter.domain.errors import RuleError
from intyg.schemas.codes import ErrorId
from tests import builders
from tests.adapter.flows.rig import Rig


def assert_refused(rig: Rig, body: bytes, rules: list[str]) -> None:
    """All rules are told, none more, nothing is kept, and no number is in the text."""
    before = rig.row_count()
    with pytest.raises(RuleError) as caught:
        rig.call_raising(body)
    assert [finding.rule for finding in caught.value.findings] == rules
    assert rig.row_count() == before
    result = rig.call(body)
    assert result.error_id == ErrorId.VALIDATION_ERROR
    assert builders.OTHER_PATIENT not in (result.text or "")
