"""Ten things that happen between an EHR and an authority, each with an adapter of its own.

Your EHR takes the place of the fixture `journalsystem` by calling `adapter.services_url`; your
adapter takes the place of `adapter` by `journalsystem.connect(url)`.
"""

import pytest

from intyg.mocks.testing import Authority, Forsakringskassan, Journalsystem, NotAcceptedError
from intyg.sandbox.adapter_under_test import Adapter


def test_a_certificate_arrives_with_its_signature(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    intyg = journalsystem.register("FK7804")
    journalsystem.send(intyg)
    assert forsakringskassan.await_intyg(intyg).signature == "valid"
    journalsystem.await_event("SKICKA", intyg)


def test_what_fails_is_tried_again(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    failing = forsakringskassan.expect("RegisterCertificate", typ="LISJP")
    failing.answers("ERROR", "TECHNICAL_ERROR").times(2)
    intyg = journalsystem.register("LISJP", version="1")
    journalsystem.send(intyg)
    adapter.clock.advance("1h")
    assert adapter.await_delivery(intyg).attempts == 3


def test_what_is_refused_stays_refused(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    forsakringskassan.expect("RegisterCertificate").answers("ERROR", "VALIDATION_ERROR").times(1)
    intyg = journalsystem.register()
    journalsystem.send(intyg)
    assert adapter.await_delivery(intyg, "refused").error_id == "VALIDATION_ERROR"


def test_an_authority_that_never_answers(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    forsakringskassan.expect("RegisterCertificate").hangs().times(1)
    intyg = journalsystem.register()
    journalsystem.send(intyg)
    adapter.clock.advance("1h")
    assert adapter.await_delivery(intyg).attempts == 2


@pytest.mark.intyg(environment="production")
def test_production_lets_no_test_patient_out(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    intyg = journalsystem.register()
    journalsystem.send(intyg, check=False)
    somebody = journalsystem.register(journalsystem.issue(person="195801082743"))
    journalsystem.send(somebody)
    assert forsakringskassan.await_intyg(somebody)
    assert [each.intygs_id for each in forsakringskassan.all_intyg()] == [somebody.intygs_id]


def test_a_completion_is_asked_for_and_given(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    first = journalsystem.register()
    journalsystem.send(first)
    asked = forsakringskassan.ask("KOMPLT", first, frage="35", text="Hur långt kan patienten gå?")
    assert journalsystem.await_event("NYFRFM", first).mottagna_fragor.ej_besvarade == 1
    second = journalsystem.register(
        relation=("KOMPLT", first.intygs_id), svar_pa=asked.meddelande_id
    )
    journalsystem.send(second)
    forsakringskassan.await_message(first, state="answered")


def test_an_authority_reminds(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    intyg = journalsystem.register()
    journalsystem.send(intyg)
    asked = forsakringskassan.ask("OVRIGT", intyg)
    adapter.clock.advance("7d")
    forsakringskassan.remind(asked)
    journalsystem.await_message(intyg, amne="PAMINN")


def test_care_asks_and_is_answered(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    intyg = journalsystem.register()
    journalsystem.send(intyg)
    forsakringskassan.await_intyg(intyg)
    question = journalsystem.ask("KONTKT", intyg, text="Vem handlägger?")
    forsakringskassan.await_message(intyg, meddelande_id=question.meddelande_id)
    forsakringskassan.answer(question, "Det gör vi.")
    journalsystem.await_event("NYSVFM", intyg)


def test_nothing_is_asked_about_a_revoked_certificate(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    intyg = journalsystem.register()
    journalsystem.send(intyg)
    forsakringskassan.await_intyg(intyg)
    journalsystem.revoke(intyg)
    with pytest.raises(NotAcceptedError, match="ERROR"):
        forsakringskassan.ask("OVRIGT", intyg)


def test_a_certificate_for_another_authority(
    adapter: Adapter, journalsystem: Journalsystem, skatteverket: Authority
) -> None:
    intyg = journalsystem.register("DB")
    journalsystem.send(intyg, to="SKV")
    skatteverket.await_intyg(intyg)
