"""Certificates found by patient, and approved receivers, on both kinds of database."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from intyg.adapter.domain.intyg import Enhet, IntygsStatus
from intyg.adapter.store import Rows, Store
from intyg.schemas.codes import Status
from tests.adapter import samples


def ids(rows: Rows, **conditions: Any) -> list[str]:
    found = rows.intyg.search(samples.PERSON, **conditions)
    return [stored.intyg.intygs_id for stored, _ in rows.intyg.each(found)]


def issued_at(enhets_id: str, vardgivare_id: str) -> object:
    return replace(samples.LAKARE, enhet=Enhet(enhets_id, "Enhet", vardgivare_id))


def test_certificates_are_found_by_patient_unit_provider_and_type(store: Store) -> None:
    with store.begin() as rows:
        samples.add_intyg(rows, "late", skapad_av=issued_at("U1", "V1"))
        early = samples.NOW - timedelta(days=1)
        samples.add_intyg(rows, "early", signeringstidpunkt=early, skapad_av=issued_at("U2", "V1"))
        samples.add_intyg(
            rows, "unsigned", signeringstidpunkt=None, skapad_av=issued_at("U2", "V2")
        )
        samples.add_intyg(rows, "db", typ="DB", skapad_av=issued_at("U3", "V3"))
        samples.add_intyg(rows, "other", patient=samples.OTHER_PERSON)
    with store.read() as rows:
        assert ids(rows) == ["early", "late", "unsigned", "db"]  # unsigned: when it arrived
        assert ids(rows, enhets_ids=frozenset({"U1", "U3"})) == ["late", "db"]
        assert ids(rows, enhets_ids=frozenset()) == []
        assert ids(rows, enhets_ids=frozenset({"u1", "u3"})) == ["late", "db"]
        assert ids(rows, enhets_ids=frozenset({"u2"}), vardgivare_id="v1") == ["early"]
        assert ids(rows, vardgivare_id="V1") == ["early", "late"]
        assert ids(rows, enhets_ids=frozenset({"U2"}), vardgivare_id="V1") == ["early"]
        assert ids(rows, typer=frozenset({"LISJP", "DB"}), not_typer=frozenset({"DB"})) == [
            "early",
            "late",
            "unsigned",
        ]


def test_certificates_are_found_by_when_they_were_signed(store: Store) -> None:
    days = [samples.NOW + timedelta(days=n) for n in range(3)]
    with store.begin() as rows:
        for n in (2, 0, 1):
            samples.add_intyg(rows, f"day {n}", signeringstidpunkt=days[n])
        arrived = rows.intyg.get("day 0")
        samples.add_intyg(rows, "unsigned", signeringstidpunkt=None)
    assert arrived is not None
    with store.read() as rows:
        assert ids(rows, signed=(days[1], None)) == ["day 1", "day 2"]
        assert ids(rows, signed=(arrived.received_at, days[1])) == ["day 0", "unsigned"]
        assert ids(rows, most=3) == ["day 0", "unsigned", "day 1"]


def test_states_of_many_are_those_of_each(store: Store) -> None:
    with store.begin() as rows:
        for intygs_id in ("one", "two", "none"):
            samples.add_intyg(rows, intygs_id)
        for intygs_id, part in (("one", "FKASSA"), ("two", "TRANSP"), ("one", "AF")):
            rows.intyg.add_status(intygs_id, IntygsStatus(Status.SENTTO, part, samples.NOW))
    with store.read() as rows:
        found = rows.intyg.search(samples.PERSON)
        for seqs in (found, found[::-1]):
            many = {stored.intyg.intygs_id: states for stored, states in rows.intyg.each(seqs)}
            assert many == {one: rows.intyg.statuses(one) for one in ("one", "two", "none")}
            assert list(many) == ["one", "two", "none"][:: 1 if seqs is found else -1]
        assert [state.part for state in many["one"]][-2:] == ["FKASSA", "AF"]


def test_many_are_read_a_few_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intyg.adapter.store.intyg_rows._AT_ONCE", 2)
    with store.begin() as rows:
        for n in range(5):
            samples.add_intyg(rows, str(n))
    with store.read() as rows:
        assert ids(rows) == list("01234")
        assert [one.body for one, _ in rows.intyg.each(rows.intyg.search(samples.PERSON)[3:])]


def test_approvals_are_replaced_as_a_whole(store: Store) -> None:
    with store.begin() as rows:
        assert rows.approvals.of_intyg("intyg-1") == {}
        rows.approvals.put("intyg-1", {"FKASSA": "YES", "AF": "NO"})
        rows.approvals.put("intyg-2", {"SKV": "YES"})
        rows.approvals.put("intyg-1", {"AF": "UNDEFINED"})
    with store.read() as rows:
        assert rows.approvals.of_intyg("intyg-1") == {"AF": "UNDEFINED"}
        assert rows.approvals.of_intyg("intyg-2") == {"SKV": "YES"}


def test_of_two_approvals_at_once_one_stands_whole(store: Store) -> None:
    lists = [{"FKASSA": "YES", "AF": "NO"}, {"FKASSA": "NO", "SKV": "YES"}]

    def approve(mine: dict[str, str]) -> None:
        for _ in range(5):
            with store.begin() as rows:
                rows.approvals.put("intyg-1", mine)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(approve, mine) for mine in lists]:
            done.result()
    with store.read() as rows:
        assert rows.approvals.of_intyg("intyg-1") in lists
