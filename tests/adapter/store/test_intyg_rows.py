"""Certificates, their state history and events, in the database."""

import hashlib
from datetime import timedelta

import pytest

from intyg.adapter.domain.intyg import Intyg, IntygsStatus, Relation, StoredIntyg
from intyg.adapter.store import ConstraintError, DuplicateRow, Store
from intyg.schemas.codes import Handelse, Part, Status
from tests.adapter.samples import (
    NO_ARENDEN,
    NOW,
    OTHER_PERSON,
    add_delivery,
    add_intyg,
    handelse,
    inbound,
    intyg,
)


def test_a_certificate_comes_back_as_it_was_stored(store: Store) -> None:
    body = b"<r/>"
    with store.begin() as rows:
        rows.intyg.add(intyg(), inbound(body), body=b"<signed/>", is_test=True, signature="VALID")
        found = rows.intyg.get("intyg-1")
    assert found == StoredIntyg(
        intyg=intyg(),
        body=b"<signed/>",
        sha256=hashlib.sha256(b"<signed/>").hexdigest(),
        received_at=NOW,
        is_test=True,
        signature="VALID",
        revoked_at=None,
    )


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(intyg(relation=None, svar_pa=None), id="no relation"),
        pytest.param(intyg(signeringstidpunkt=None), id="unsigned"),
    ],
)
def test_what_a_certificate_lacks_stays_none(store: Store, sample: Intyg) -> None:
    with store.begin() as rows:
        rows.intyg.add(sample, inbound(), body=b"<a/>", is_test=None, signature="ABSENT")
        found = rows.intyg.get("intyg-1")
    assert found is not None
    assert found.intyg == sample
    assert found.is_test is None


def test_an_unknown_certificate_is_none(store: Store) -> None:
    with store.begin() as rows:
        assert rows.intyg.get("intyg-1") is None
        assert rows.intyg.lock("intyg-1") is None


def test_a_taken_id_is_a_duplicate_and_the_transaction_goes_on(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
    with store.begin() as rows:
        with pytest.raises(DuplicateRow) as caught:
            add_intyg(rows, patient=OTHER_PERSON)
        add_intyg(rows, "intyg-2")
    with store.read() as rows:
        first, second = rows.intyg.get("intyg-1"), rows.intyg.get("intyg-2")
    assert (caught.value.kind, caught.value.id) == ("intyg", "intyg-1")
    assert first is not None
    assert first.intyg.patient != OTHER_PERSON
    assert second is not None


def test_revoking_happens_once(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        assert rows.intyg.set_revoked("intyg-1", NOW)
        assert not rows.intyg.set_revoked("intyg-1", NOW + timedelta(days=1))
        assert not rows.intyg.set_revoked("intyg-9", NOW)
        found = rows.intyg.lock("intyg-1")
    assert found is not None
    assert found.revoked_at == NOW


def test_related_are_the_newer_ones_that_point_here(store: Store) -> None:
    with store.begin() as rows:
        add_intyg(rows, "old", relation=None)
        add_intyg(rows, "complement", relation=Relation("KOMPLT", "old"))
        add_intyg(rows, "replacement", relation=Relation("ERSATT", "old"))
        add_intyg(rows, "other", relation=Relation("ERSATT", "elsewhere"))
        every = [found.intyg.intygs_id for found in rows.intyg.related("old")]
        replacing = [found.intyg.intygs_id for found in rows.intyg.related("old", "ERSATT")]
    assert every == ["complement", "replacement"]
    assert replacing == ["replacement"]


def test_the_state_history_keeps_its_order(store: Store) -> None:
    # The second is older than the first: the order is that of storing, not of the times.
    history = (
        IntygsStatus(Status.SENTTO, Part.FKASSA, NOW),
        IntygsStatus(Status.RECEIV, Part.HSVARD, NOW - timedelta(hours=1)),
    )
    with store.begin() as rows:
        add_intyg(rows)
        for status in history:
            rows.intyg.add_status("intyg-1", status)
        assert rows.intyg.statuses("intyg-1") == history


def test_a_status_of_no_certificate_is_refused(store: Store) -> None:
    with pytest.raises(ConstraintError), store.begin() as rows:
        rows.intyg.add_status("intyg-9", IntygsStatus(Status.RECEIV, Part.HSVARD, NOW))


def test_events_come_back_with_their_counters(store: Store) -> None:
    with store.begin() as rows:
        told = add_delivery(rows, part="HSVARD")
        events = (
            handelse(),
            handelse(
                Handelse.NYFRFM,
                amne="KOMPLT",
                sista_datum_for_svar=NOW.date(),
                hanterat_av="SE1-LAK",
                delivery_id=told,
            ),
            handelse(Handelse.MAKULE, skickade_fragor=NO_ARENDEN),
        )
        for event in events:
            rows.events.add(event)
        assert rows.events.of_intyg("intyg-1") == events
        assert rows.events.of_intyg("intyg-2") == ()
