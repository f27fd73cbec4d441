from datetime import UTC, date, datetime

import pytest
from lxml import etree

from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.errors import RuleError
from intyg.adapter.domain.intyg import MeddelandeReferens, Relation
from intyg.adapter.domain.meddelande import Direction, Komplettering
from intyg.adapter.formats.intyg_reader import (
    read_register_certificate,
    read_revoke_certificate,
    read_send_certificate_to_recipient,
    read_send_message_to_care,
    read_send_message_to_recipient,
    read_tidpunkt,
)
from tests import builders


def element(data: bytes) -> etree._Element:
    return etree.fromstring(data)


def test_a_certificate_is_read_with_what_stands_beside_it() -> None:
    intyg = read_register_certificate(
        element(builders.register_certificate(relation=("KOMPLT", "older"), svar_pa="m-1"))
    )
    assert intyg.intygs_id == builders.INTYGS_ID
    assert (intyg.typ, intyg.version) == ("LISJP", "1.3")
    assert intyg.signeringstidpunkt == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)  # 09:30 in winter
    assert intyg.patient.extension == builders.PATIENT
    assert intyg.skapad_av.personal_id == builders.DOCTOR
    assert intyg.skapad_av.enhet.enhets_id == builders.UNIT
    assert intyg.skapad_av.enhet.vardgivare_id == builders.CARE_PROVIDER
    assert intyg.relation == Relation("KOMPLT", "older")
    assert intyg.svar_pa == MeddelandeReferens("m-1")


def test_what_may_be_absent_is_none() -> None:
    intyg = read_register_certificate(element(builders.register_certificate(signed_at=None)))
    assert (intyg.signeringstidpunkt, intyg.relation, intyg.svar_pa) == (None, None, None)


def test_the_type_code_is_trimmed_and_in_upper_case() -> None:
    assert (
        read_register_certificate(element(builders.register_certificate(typ=" lisjp\n"))).typ
        == "LISJP"
    )


def test_the_citizen_sends_without_staff() -> None:
    by_citizen = builders.send_certificate_to_recipient(citizen=True)
    assert read_send_certificate_to_recipient(element(by_citizen)).skickat_av is None
    request = read_send_certificate_to_recipient(element(builders.send_certificate_to_recipient()))
    assert request.mottagare == "FKASSA"
    assert request.skickat_av is not None
    assert request.skickat_av.personal_id == builders.DOCTOR


def test_a_revocation_may_lack_a_reason() -> None:
    with_reason = read_revoke_certificate(element(builders.revoke_certificate()))
    assert with_reason.meddelande == "Fel patient"
    assert with_reason.skickat_tidpunkt == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    without = read_revoke_certificate(element(builders.revoke_certificate(meddelande=None)))
    assert without.meddelande is None


def test_a_completion_request_is_read_row_by_row() -> None:
    m = read_send_message_to_care(
        element(
            builders.send_message_to_care(
                amne="KOMPLT",
                komplettering=[("35", "Beskriv mer"), ("17", "Och här")],
                sista_datum="2026-12-01",
            )
        )
    )
    assert m.direction is Direction.TO_CARE
    assert (m.part, m.skickat_av) == ("FKASSA", None)
    assert m.komplettering == (
        Komplettering("35", None, "Beskriv mer"),
        Komplettering("17", None, "Och här"),
    )
    assert m.sista_datum_for_svar == date(2026, 12, 1)
    assert m.is_question


def test_an_answer_from_care_is_read() -> None:
    m = read_send_message_to_recipient(
        element(builders.send_message_to_recipient(amne="OVRIGT", svar_pa="m-care-1"))
    )
    assert m.direction is Direction.TO_RECIPIENT
    assert m.svar_pa == MeddelandeReferens("m-care-1")
    assert m.part is None
    assert m.skickat_av is not None
    assert m.logisk_adress_mottagare == "FK-ADDRESS"
    assert not m.is_question


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        pytest.param("2026-11-23T10:00:00", (2026, 11, 23, 9, 0), id="winter, one hour ahead"),
        pytest.param("2026-07-01T10:00:00", (2026, 7, 1, 8, 0), id="summer, two hours ahead"),
        pytest.param("2026-10-25T02:30:00", (2026, 10, 25, 0, 30), id="comes twice: the first"),
        pytest.param("2026-03-29T02:30:00", (2026, 3, 29, 1, 30), id="skipped: clock not moved"),
        pytest.param("2027-10-31T02:30:00", (2027, 10, 31, 0, 30), id="twice, a year later"),
        pytest.param("2027-03-28T02:30:00", (2027, 3, 28, 1, 30), id="skipped, a year later"),
        pytest.param("2028-02-29T10:00:00", (2028, 2, 29, 9, 0), id="leap day"),
        pytest.param("2026-11-23T24:00:00", (2026, 11, 23, 23, 0), id="midnight's other name"),
    ],
)
def test_times_are_swedish(local: str, utc: tuple[int, int, int, int, int]) -> None:
    assert read_tidpunkt(local) == datetime(*utc, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        pytest.param("2026-11-23T22:59:59Z", "2026-11-23", id="winter, before midnight"),
        pytest.param("2026-11-23T23:00:00Z", "2026-11-24", id="winter, midnight"),
        pytest.param("2026-07-01T22:00:00Z", "2026-07-02", id="summer, midnight"),
        pytest.param("2026-12-31T23:00:00Z", "2027-01-01", id="new year"),
        pytest.param("2028-02-28T23:00:00Z", "2028-02-29", id="leap day"),
        pytest.param("2027-03-28T21:59:59Z", "2027-03-28", id="a day of 23 hours ends"),
        pytest.param("2027-10-31T22:59:59Z", "2027-10-31", id="a day of 25 hours ends"),
        pytest.param("2026-11-23T18:30:00-05:00", "2026-11-24", id="told in another zone"),
    ],
)
def test_days_are_swedish(moment: str, day: str) -> None:
    assert str(swedish_day(datetime.fromisoformat(moment))) == day


def test_a_time_outside_the_calendar_is_refused_without_naming_it() -> None:
    with pytest.raises(RuleError) as caught:
        read_register_certificate(
            element(builders.register_certificate(signed_at="9999-12-31T24:00:00"))
        )
    assert caught.value.findings[0].rule == "TIDPUNKT"
    assert "9999-12" not in caught.value.findings[0].message
