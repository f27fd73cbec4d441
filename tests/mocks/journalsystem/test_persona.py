import threading

import pytest
import requests

from intyg.mocks.journalsystem import Arenden
from intyg.mocks.server.serving import MockServer
from tests import builders
from tests.mocks.calls import post, result
from tests.mocks.kinds import Ehr

HANDELSE_SYSTEM = "dfd7bbad-dbe5-4a2f-ba25-f7b9b2cc6b14"


def status_update(
    kod: str = "SIGNAT",
    tidpunkt: str = "2026-11-23T10:00:00.123",
    intygs_id: str = builders.INTYGS_ID,
    amne: str | None = None,
    last: str = "",
) -> bytes:
    """CertificateStatusUpdateForCare 3; `last` is what comes after the counters."""
    text = builders.register_certificate(intygs_id).decode()
    intyg = text[text.index("<r:intyg>") : text.index("</r:intyg>")]
    subject = (
        f"<amne><t:code>{amne}</t:code><t:codeSystem>{builders.AMNE_SYSTEM}</t:codeSystem></amne>"
        "<sistaDatumForSvar>2026-12-01</sistaDatumForSvar>"
        if amne
        else ""
    )
    namespace = builders.namespace("CertificateStatusUpdateForCare", 3)
    return (
        f'<r:CertificateStatusUpdateForCare xmlns:r="{namespace}" xmlns="{builders.CORE}"'
        f' xmlns:t="{builders.TYPES}">{intyg}</r:intyg>'
        f"<r:handelse><handelsekod><t:code>{kod}</t:code><t:codeSystem>{HANDELSE_SYSTEM}"
        f"</t:codeSystem></handelsekod><tidpunkt>{tidpunkt}</tidpunkt>{subject}</r:handelse>"
        f"{_arenden('skickadeFragor', 1, 0, 1, 0)}{_arenden('mottagnaFragor', 4, 2, 1, 1)}"
        f"{last}</r:CertificateStatusUpdateForCare>"
    ).encode()


def _arenden(name: str, *counts: int) -> str:
    names = ("totalt", "ejBesvarade", "besvarade", "hanterade")
    inner = "".join(f"<{n}>{c}</{n}>" for n, c in zip(names, counts, strict=True))
    return f"<r:{name}>{inner}</r:{name}>"


def send(server: MockServer, body: bytes) -> list[str | None]:
    return list(result(post(server, body, logical_address=builders.UNIT)))


def test_a_status_update_is_kept_with_what_it_says(ehr_server: MockServer, ehr: Ehr) -> None:
    hanterat_av = (
        '<h:hanteratAv xmlns:h="urn:riv:clinicalprocess:healthcond:certificate:'
        'CertificateStatusUpdateForCareResponder:3.2">'
        f"<t:root>{builders.HSA}</t:root><t:extension>{builders.DOCTOR}</t:extension>"
        "</h:hanteratAv>"
    )
    body = status_update("NYFRFM", amne="KOMPLT", last=f"<r:ref>ref-1</r:ref>{hanterat_av}")
    assert send(ehr_server, body) == ["OK", None, None]
    (handelse,) = ehr.persona.handelser(builders.INTYGS_ID)
    assert (handelse.kod, handelse.tidpunkt) == ("NYFRFM", "2026-11-23T10:00:00.123")
    assert (handelse.amne, handelse.sista_datum_for_svar) == ("KOMPLT", "2026-12-01")
    assert handelse.unit == builders.UNIT
    assert handelse.skickade_fragor == Arenden(1, 0, 1, 0)
    assert handelse.mottagna_fragor == Arenden(4, 2, 1, 1)
    assert (handelse.hanterat_av, handelse.ref) == (builders.DOCTOR, "ref-1")


def test_the_same_event_again_is_info_and_kept_once(ehr_server: MockServer, ehr: Ehr) -> None:
    assert send(ehr_server, status_update())[0] == "OK"
    assert send(ehr_server, status_update())[0] == "INFO"
    assert send(ehr_server, status_update(tidpunkt="2026-11-23T10:00:00.124"))[0] == "OK"
    assert send(ehr_server, status_update("SKICKA"))[0] == "OK"
    assert [each.kod for each in ehr.persona.handelser()] == ["SIGNAT", "SIGNAT", "SKICKA"]
    assert len(ehr.journal.entries()) == 4


def test_an_invalid_status_update_is_refused(ehr_server: MockServer, ehr: Ehr) -> None:
    """Milliseconds are part of this one time stamp, and of no other."""
    answer = send(ehr_server, status_update(tidpunkt="2026-11-23T10:00:00"))
    assert answer[:2] == ["ERROR", "VALIDATION_ERROR"]
    assert ehr.persona.handelser() == ()


def test_a_message_is_kept_once(ehr_server: MockServer, ehr: Ehr) -> None:
    body = builders.send_message_to_care("m-1", "KOMPLT", komplettering=[("35", "Mer")])
    assert send(ehr_server, body)[0] == "OK"
    assert send(ehr_server, body)[0] == "INFO"
    (meddelande,) = ehr.persona.meddelanden(builders.INTYGS_ID)
    assert (meddelande.meddelande_id, meddelande.amne) == ("m-1", "KOMPLT")
    assert meddelande.frage_ids == ("35",)
    assert ehr.persona.meddelanden("other") == ()


def test_an_awaited_event_is_returned_when_it_comes(ehr_server: MockServer, ehr: Ehr) -> None:
    found: list[str] = []
    waiter = threading.Thread(
        target=lambda: found.append(
            ehr.persona.await_handelse("SKICKA", builders.INTYGS_ID, timeout_seconds=5).kod
        )
    )
    waiter.start()
    send(ehr_server, status_update("SIGNAT"))
    send(ehr_server, status_update("SKICKA"))
    waiter.join(5)
    assert found == ["SKICKA"]


def test_an_event_that_does_not_come_is_told_with_those_that_did(
    ehr_server: MockServer, ehr: Ehr
) -> None:
    send(ehr_server, status_update("SIGNAT"))
    with pytest.raises(TimeoutError, match=r"no MAKULE within 0\.01 s; what came: SIGNAT"):
        ehr.persona.await_handelse("MAKULE", timeout_seconds=0.01)


def test_events_and_messages_are_listed_over_http(ehr_server: MockServer) -> None:
    send(ehr_server, status_update("SIGNAT"))
    send(ehr_server, status_update("SKICKA"))
    send(ehr_server, builders.send_message_to_care("m-1"))
    control = f"{ehr_server.url}/control"
    listed = requests.get(f"{control}/handelser?kod=SKICKA", timeout=5).json()["handelser"]
    assert [each["kod"] for each in listed] == ["SKICKA"]
    assert listed[0]["mottagna_fragor"] == {
        "totalt": 4,
        "ej_besvarade": 2,
        "besvarade": 1,
        "hanterade": 1,
    }
    waited = requests.get(f"{control}/handelser/wait?count=2&timeout=5", timeout=10).json()
    assert len(waited["handelser"]) == 2
    in_vain = requests.get(f"{control}/handelser/wait?kod=MAKULE&timeout=0.01", timeout=5)
    assert in_vain.json()["handelser"] == []
    messages = requests.get(f"{control}/meddelanden", timeout=5).json()["meddelanden"]
    assert [each["meddelande_id"] for each in messages] == ["m-1"]


def test_reset_forgets_events_and_messages(ehr_server: MockServer, ehr: Ehr) -> None:
    send(ehr_server, status_update())
    send(ehr_server, builders.send_message_to_care("m-1"))
    assert requests.post(f"{ehr_server.url}/control/reset", timeout=5).status_code == 200
    assert (ehr.persona.handelser(), ehr.persona.meddelanden(), ehr.journal.entries()) == (
        (),
        (),
        (),
    )


def test_an_empty_list_says_what_may_be_meant(ehr_server: MockServer) -> None:
    send(ehr_server, status_update())
    url = f"{ehr_server.url}/control"

    def nearest(path: str) -> str | None:
        told: str | None = requests.get(url + path, timeout=5).json()["nearest"]
        return told

    meant = f"nearest: {builders.INTYGS_ID}"
    for path in ("/handelser", "/meddelanden", "/conversations"):
        assert nearest(f"{path}?intygs_id={builders.INTYGS_ID[:-1]}") == meant
        assert nearest(f"{path}?intygs_id={builders.INTYGS_ID}") is None
    assert nearest(f"/handelser/wait?timeout=0.01&intygs_id={builders.INTYGS_ID}x") == meant
    assert (nearest("/handelser?kod=SKIKA") or "").startswith("nearest: SKICKA")
    assert nearest("/handelser?kod=SKICKA") is None
