"""What holds for messages both ways: from an authority to care, and from care to an authority."""

from collections.abc import Callable

import pytest

from intyg.schemas.codes import ResultCode
from tests import builders
from tests.adapter.flows.rig import FK, Rig

both_ways = pytest.mark.parametrize(
    ("write", "to", "part"),
    [
        pytest.param(builders.send_message_to_care, builders.UNIT, "HSVARD", id="to care"),
        pytest.param(builders.send_message_to_recipient, FK, "FKASSA", id="to an authority"),
    ],
)


@both_ways
def test_it_is_forwarded_with_the_bytes_that_came(
    sent: Rig, write: Callable[..., bytes], to: str, part: str
) -> None:
    sent.ok(write("q-1"))
    (forwarded,) = [d.new for d in sent.deliveries() if d.new.body == write("q-1")]
    assert forwarded.contract in ("SendMessageToCare:2", "SendMessageToRecipient:2")
    assert (forwarded.logical_address, forwarded.part) == (to, part)
    assert (forwarded.intygs_id, forwarded.meddelande_id) == (builders.INTYGS_ID, "q-1")


@both_ways
def test_the_same_message_again_is_told_and_changes_nothing(
    sent: Rig, write: Callable[..., bytes], to: str, part: str
) -> None:
    del to, part
    sent.ok(write("q-1"))
    before = sent.row_count()
    assert sent.call(write("q-1")).code == ResultCode.INFO
    assert sent.row_count() == before


@both_ways
def test_another_message_of_the_same_id_is_no_repeat(
    sent: Rig, write: Callable[..., bytes], to: str, part: str
) -> None:
    del to, part
    sent.ok(write("q-1"))
    result = sent.call(write("q-1", text="another"))
    assert result.code == ResultCode.ERROR
