"""Whether an id is unknown or another patient's cannot be told, also not by how long it takes.

Times are not measured: what takes time is counted. The database is asked the same, another
patient's certificate is not read, and nobody is asked about its patient.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.domain.person import PatientKind, PersonId
from intyg.adapter.flows.contracts import HANDLERS, READERS
from intyg.adapter.formats.result_writer import error_result
from intyg.adapter.guard import Guard, TestPatients
from tests import builders, queries
from tests.adapter.flows.rig import Rig

UNKNOWN, DEATH, ME = "unknown", "death", builders.OTHER_PATIENT
INTYGS_ID = builders.INTYGS_ID

READS_A_BODY = "body.data"


class _Asked:
    """A signal that notes whom it is asked about."""

    name, clears, damage, remark = "noting", True, None, None

    def __init__(self) -> None:
        self.people: list[str] = []

    def kind(self, person: PersonId) -> PatientKind:
        self.people.append(person.extension)
        return PatientKind.TEST

    def explain(self, _: PersonId) -> str:
        return ""


@contextmanager
def _statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(" ".join(statement.split()))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def _done(rig: Rig, body: bytes) -> tuple[list[str], list[str], str]:
    """What the database is asked, whom the guard is asked about, and what the caller is told."""
    asked = _Asked()
    guard = Guard(TestPatients([asked]), Environment.PRODUCTION)
    inbound = rig.inbound(body)
    handle = {**HANDLERS, **READERS}[inbound.contract.key]
    with _statements() as statements, pytest.raises(AdapterError) as refused:
        handle(inbound, replace(rig.services, guard=guard), rig.unit())
    return statements, asked.people, str(error_result(refused.value))


@pytest.mark.parametrize(
    "request_about",
    [
        pytest.param(lambda i: builders.send_certificate_to_recipient(i, ME), id="send"),
        pytest.param(lambda i: builders.revoke_certificate(i, ME), id="revoke"),
    ],
)
def test_both_are_one(registered: Rig, request_about: Callable[[str], bytes]) -> None:
    unknown, other = (_done(registered, request_about(i)) for i in (UNKNOWN, INTYGS_ID))
    assert unknown == other
    assert unknown[0]
    assert not [one for one in unknown[0] if READS_A_BODY in one]


def test_a_citizen_learns_nothing_of_a_certificate_of_death(registered: Rig) -> None:
    registered.ok(builders.register_certificate(DEATH))
    with registered.services.store.begin() as rows:  # a real one has many rules of its own
        set_typ = sa.text("UPDATE intyg SET typ = 'DB' WHERE intygs_id = :id")
        rows.transaction.connection.execute(set_typ, {"id": DEATH})
    unknown, other = (
        _done(registered, queries.get_certificate(i, "INVANA")) for i in (UNKNOWN, DEATH)
    )
    assert unknown == other
    (select,) = [one for one in unknown[0] if READS_A_BODY in one]
    assert "NOT IN" in select  # the database leaves it out: its row is never read


@pytest.mark.parametrize(
    "request_about",
    [
        pytest.param(
            lambda i: builders.send_message_to_care("m", intygs_id=i, person=ME), id="care"
        ),
        pytest.param(
            lambda i: builders.send_message_to_recipient("m", intygs_id=i, person=ME),
            id="recipient",
        ),
    ],
)
def test_a_message_learns_nothing_more_of_anothers(
    registered: Rig, request_about: Callable[[str], bytes]
) -> None:
    """It is told that it is another's, as nationally; nothing of it is read for that."""
    statements, people, told = _done(registered, request_about(INTYGS_ID))
    assert "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR" in told
    assert builders.PATIENT not in people
    assert not [one for one in statements if READS_A_BODY in one or "INSERT" in one]
