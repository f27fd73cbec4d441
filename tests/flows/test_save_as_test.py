"""What was clicked on the mocks' pages is said in sentences of pytest, which do the same again."""

from typing import Any

import pytest

from intyg.mocks.pages.gate import Pages
from intyg.mocks.testing import Forsakringskassan, Journalsystem
from intyg.mocks.testing.link import InProcess
from intyg.sandbox.adapter_under_test import Adapter
from tests.mocks.pages.looking import Looker

FK, EHR = "/mock/forsakringskassan", "/mock/journalsystem"


@pytest.fixture
def looker(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> Looker:
    """Looks at both mocks at one address, as at those of `make up`."""
    services: list[Any] = []
    for each in (forsakringskassan, journalsystem):
        assert isinstance(each.link, InProcess)
        services.append(each.link.mock)
    pages = Pages()
    for service in services:
        service.fellows, service.pages = tuple(services), pages
    return Looker(services[0])


def click_through(looker: Looker, ehr: Journalsystem, fk: Forsakringskassan) -> None:
    """A certificate that fails at first, is asked about, reminded of, completed and sent."""
    looker.post(f"{FK}/rules", do="misbehave", contract="RegisterCertificate", name="HTTP503",
                error_id="TECHNICAL_ERROR", count="1")  # fmt: skip
    issued = looker.post(EHR, typ="FK7804")
    [first] = {each.intygs_id for each in ehr.events()}
    assert first in looker.text(issued.location)
    looker.post(f"{EHR}/intyg?id={first}", do="send", to="FKASSA")
    fk.await_calls("RegisterCertificate", intygs_id=first)
    looker.post("/mock/clock", step="1h")
    fk.await_intyg(first)
    looker.post(f"{FK}/intyg?id={first}", do="ask_komplt", frage_id="35", text="Mer, tack")
    [asked] = fk.messages(first)
    looker.post(f"{FK}/intyg?id={first}", do="remind", meddelande_id=asked.meddelande_id)
    ehr.await_event("NYFRFM", first, count=2)
    looker.post(f"{EHR}/intyg?id={first}", do="complement")


def care_asks(looker: Looker, ehr: Journalsystem, fk: Forsakringskassan) -> None:
    """A certificate and a question that come from elsewhere, and a button that answers."""
    intyg = ehr.register()
    ehr.send(intyg)
    fk.await_intyg(intyg)
    question = ehr.ask("KONTKT", intyg, text="Vem handlägger?")
    fk.await_message(intyg, meddelande_id=question.meddelande_id)
    looker.post(f"{FK}/intyg?id={intyg.intygs_id}", do="answer", text="Det gör vi.",
                meddelande_id=question.meddelande_id)  # fmt: skip


def something_is_wrong(looker: Looker, ehr: Journalsystem, fk: Forsakringskassan) -> None:
    """Examples that the adapter refuses, by a rule of the type and for want of a signature."""
    del ehr, fk
    looker.post(f"{EHR}/damaged?typ=FK7804/2.0", damage="R35")
    told = looker.post(f"{EHR}/damaged?typ=DB/1.0", damage="unsigned")
    assert "ABSENT: the intyg has no underskrift" in looker.text(told.location)


SAID = """
    forsakringskassan.expect("RegisterCertificate").answers("HTTP503").times(1)
    intyg = journalsystem.draft("FK7804").fill().ready().sign()
    journalsystem.await_event("SIGNAT", intyg)
    journalsystem.citizen().send(intyg)
    forsakringskassan.await_calls("RegisterCertificate", intygs_id=intyg.intygs_id)
    intyg_clock.advance("1h")
    asked = forsakringskassan.ask("KOMPLT", intyg, frage="35", text="Mer, tack")
    journalsystem.await_event("NYFRFM", intyg)
    forsakringskassan.remind(asked)
    journalsystem.await_event("NYFRFM", intyg, count=2)
    intyg_2 = journalsystem.complement(intyg).fill().ready().sign()
    journalsystem.await_event("SIGNAT", intyg_2)
"""

REFUSED = """
    damaged = journalsystem.damaged("FK7804/2.0", "R35")
    answer = journalsystem.register(damaged, check=False).answer
    assert answer is not None and answer.error_id == "VALIDATION_ERROR"
    damaged_2 = journalsystem.damaged("DB/1.0", "unsigned")
    answer = journalsystem.register(damaged_2, check=False).answer
    assert answer is not None and answer.error_id == "VALIDATION_ERROR"
"""

ANSWERED = """
    intyg = journalsystem.register("LISJP")
    journalsystem.send(intyg)
    forsakringskassan.await_intyg(intyg)
    question = journalsystem.ask("KONTKT", intyg, text="Vem handlägger?")
    forsakringskassan.await_message(intyg, meddelande_id=question.meddelande_id)
    forsakringskassan.answer(question, "Det gör vi.")
    journalsystem.await_event("NYSVFM", intyg)
"""


@pytest.mark.parametrize(
    ("clicks", "said"),
    [
        pytest.param(click_through, SAID, id="all from the pages"),
        pytest.param(care_asks, ANSWERED, id="care asks"),
        pytest.param(something_is_wrong, REFUSED, id="damaged examples"),
    ],
)
def test_what_was_clicked_is_a_test_that_passes(
    looker: Looker,
    journalsystem: Journalsystem,
    forsakringskassan: Forsakringskassan,
    request: pytest.FixtureRequest,
    clicks: Any,
    said: str,
) -> None:
    clicks(looker, journalsystem, forsakringskassan)
    given = looker.get("/mock/test/file").text
    assert given.partition(" -> None:")[2] == said
    names: dict[str, Any] = {}
    exec(compile(given, "test_what_was_clicked.py", "exec"), names)
    test = names["test_what_was_clicked"]
    before = {each.intygs_id for each in journalsystem.events()}
    test(
        **{name: request.getfixturevalue(name) for name in test.__annotations__ if name != "return"}
    )
    again = {each.intygs_id for each in journalsystem.events()} - before
    assert len(again) == len(before)
    journalsystem.verify()
    forsakringskassan.verify()


def test_nothing_clicked_is_no_test_and_what_was_can_be_forgotten(looker: Looker) -> None:
    assert "Inget är klickat än" in looker.text("/mock/test")
    looker.post("/mock/clock", do="freeze")
    assert "intyg_clock.freeze()" in looker.text("/mock/test")
    looker.post("/mock/test")
    assert "intyg_clock" not in looker.client.get("/mock/test/file").text
