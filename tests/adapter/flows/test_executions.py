"""How often the database is asked, and how much it keeps, for a certificate with its event."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
import sqlalchemy as sa
from lxml import etree

from intyg.adapter.domain.errors import StoreError
from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.event_writer import write_status_update
from intyg.adapter.formats.intyg_bytes import cut_intyg
from intyg.adapter.formats.intyg_reader import read_register_certificate
from intyg.adapter.store import Store, tables
from tests import builders
from tests.adapter.flows.rig import Rig, new_rig

MOST: Final = 9
"""Of one RegisterCertificate with its event; the audit's row is counted, and not here."""
AUDIT: Final = 3
STATISTICS: Final = 1

_NO_WORK: Final = re.compile(r"BEGIN|SAVEPOINT|RELEASE|ROLLBACK|COMMIT|SELECT pg_notify", re.I)


@contextmanager
def executions(store: Store) -> Iterator[list[str]]:
    """The statements that are run while the block lasts; many values at once are one."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not _NO_WORK.match(statement):
            seen.append(" ".join(statement.split()))

    sa.event.listen(store._engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(store._engine, "before_cursor_execute", note)


@pytest.fixture
def rig(store: Store) -> Rig:
    return new_rig(store)


def test_a_certificate_with_its_event_takes_few_executions(rig: Rig) -> None:
    with executions(rig.services.store) as seen:
        rig.ok(builders.register_certificate())
    assert [one.new.contract for one in rig.deliveries()] == ["CertificateStatusUpdateForCare:3"]
    assert len(seen) <= MOST - AUDIT + STATISTICS, seen


def test_nothing_is_read_back_that_was_just_written(rig: Rig) -> None:
    with executions(rig.services.store) as seen:
        rig.ok(builders.register_certificate())
    written = [each.startswith("INSERT") for each in seen]
    assert written[written.index(True) :] == [True] * (len(written) - 1), seen


def test_what_was_added_is_what_is_read(rig: Rig) -> None:
    """The caller goes on with the value that it gets, so it is the same as the stored one."""
    inbound = rig.inbound(builders.register_certificate())
    intyg = read_register_certificate(inbound.element)
    with rig.services.store.begin() as rows:
        added = rows.intyg.add(intyg, inbound, body=inbound.body, is_test=True, signature="VALID")
    with rig.services.store.read() as rows:
        found = rows.intyg.get(builders.INTYGS_ID)
    assert found == added
    assert str(found) == str(added)  # in the same zone, too


# --- what is known to be blank --------------------------------------------------------------------


def test_what_is_added_in_the_transaction_is_seen_in_it(rig: Rig) -> None:
    """That nothing was there is only known until somebody adds it."""
    rig.ok(builders.register_certificate(intygs_id="another"))
    with rig.services.store.begin() as rows:
        assert rows.intyg.lock_or_none(builders.INTYGS_ID) is None
        inbound = rig.inbound(builders.register_certificate())
        intyg = read_register_certificate(inbound.element)
        assert rows.intyg.ref(intyg.intygs_id) is None
        rows.intyg.add(intyg, inbound, body=inbound.body, is_test=True, signature="VALID")
        rows.intyg.set_ref(intyg.intygs_id, "the EHR's own")
        assert rows.intyg.ref(intyg.intygs_id) == "the EHR's own"


def test_a_certificate_that_points_at_one_not_here_yet_is_seen(rig: Rig) -> None:
    late = rig.inbound(builders.register_certificate("late", relation=("ERSATT", "early")))
    with rig.services.store.begin() as rows:
        assert rows.intyg.lock_or_none("early") is None
        assert rows.intyg.related("early") == ()
        intyg = read_register_certificate(late.element)
        rows.intyg.add(intyg, late, body=late.body, is_test=True, signature="VALID")
        assert [one.intyg.intygs_id for one in rows.intyg.related("early")] == ["late"]


def test_an_id_in_large_letters_is_the_same_certificates(rig: Rig) -> None:
    small = "6f1c2b7a-0d4e-4c55-9a53-0a1b2c3d4e5f"
    with rig.services.store.begin() as rows:
        assert rows.intyg.lock_or_none(small) is None
        rows.intyg.set_ref(small.upper(), "the EHR's own")
        assert rows.intyg.ref(small) == "the EHR's own"


def test_what_stood_there_before_the_certificate_is_seen(rig: Rig) -> None:
    with rig.services.store.begin() as rows:
        rows.intyg.set_ref(builders.INTYGS_ID, "given beforehand")
    rig.ok(builders.register_certificate())
    (event,) = rig.deliveries()
    assert b"given beforehand" in event.new.body


# --- what is kept of an event ---------------------------------------------------------------------


def _event(rig: Rig) -> bytes:
    """The message, written anew from the certificate and the event."""
    with rig.services.store.read() as rows:
        stored = rows.intyg.get(builders.INTYGS_ID)
        (handelse,) = rows.events.of_intyg(builders.INTYGS_ID)
    assert stored is not None
    return write_status_update(cut_intyg(stored.body), handelse)


def test_an_event_is_sent_in_the_very_bytes_that_were_made(rig: Rig) -> None:
    rig.ok(builders.register_certificate())
    (event,) = rig.deliveries()
    assert event.new.body == _event(rig)


def test_the_certificate_is_not_kept_again_for_its_event(rig: Rig) -> None:
    request = builders.register_certificate()
    rig.ok(request)
    with rig.services.store._engine.connect() as connection:
        bodies = set(connection.scalars(sa.select(tables.body.c.data)))
        (row,) = connection.execute(sa.select(tables.delivery))
    assert bodies == {request, tables.STANDS_ELSEWHERE}
    assert len(row.around_before + row.around_after) + len(cut_intyg(request).content) == len(
        _event(rig)
    )


def test_an_event_of_a_damaged_certificate_is_not_handed_out(rig: Rig) -> None:
    rig.ok(builders.register_certificate())
    with rig.services.store._engine.begin() as connection:
        connection.execute(sa.update(tables.delivery).values(around_from=1))
    with pytest.raises(StoreError, match="damaged"):
        rig.deliveries()


def test_a_process_that_knows_no_better_cannot_read_what_stands_in_its_place() -> None:
    """The version before takes the body as it is; the guard must then be unable to tell."""
    message = safe_xml.envelope(tables.STANDS_ELSEWHERE, "SE1-UNIT")
    with pytest.raises(etree.XMLSyntaxError):
        safe_xml.parse_own(message)
