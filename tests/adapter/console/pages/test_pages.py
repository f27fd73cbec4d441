"""Who sees what on the pages, and what a page never says; the browser's part is beside this."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from intyg.adapter.console.app import build_console
from intyg.adapter.console.pages.texts import TEXTS
from intyg.adapter.doctor import connectivity
from intyg.adapter.doctor.checks import CHECKS
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.person import PatientKind
from intyg.adapter.domain.way import Way
from intyg.adapter.flows.services import Services
from intyg.adapter.routing import explain
from intyg.adapter.settings.settings import ConsoleSettings, Settings, load_settings
from intyg.adapter.store import Rows
from tests import builders
from tests.adapter.console.pages import lively
from tests.adapter.console.pages.entering import KEYS, PeopleClock, enter, site_of
from tests.adapter.flows.rig import make_settings

INTYG: Final = f"/console/intyg/{lively.SENT}"
CONTENT: Final = "Påhittad åkomma"
ROWS_OF_TABS: Final = ("readable", "xml", "questions")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with lively.lively_services(tmp_path_factory.mktemp("lively")) as services:
        yield services


@pytest.fixture
def log_in(lived: Services, settings: Settings) -> Callable[..., FlaskClient]:
    def log_in_as(name: str, changed: Settings = settings) -> FlaskClient:
        return enter(lived, changed, name)

    return log_in_as


def production(settings: Settings) -> Settings:
    return settings.model_copy(update={"environment": Environment.PRODUCTION})


def csrf(client: FlaskClient) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', client.get(INTYG).text)
    assert found
    return found[1]


def actions(services: Services) -> list[str]:
    def read(rows: Rows) -> list[str]:
        return [row.entry.action for row in rows.audit.find(lively.SENT, 1000)]

    with services.store.read() as rows:
        return read(rows)


# --- logging in ---


@pytest.mark.parametrize("path", ["/console", INTYG, "/console/unit", "/console/nothing"])
def test_nobody_sees_a_page_before_logging_in(
    lived: Services, settings: Settings, path: str
) -> None:
    answer = site_of(lived, settings).app.test_client().get(path)
    assert (answer.status_code, answer.location) == (303, "/console/login")


def test_the_root_leads_to_the_console(lived: Services, settings: Settings) -> None:
    answer = site_of(lived, settings).app.test_client().get("/")
    assert (answer.status_code, answer.location) == (303, "/console")


def test_a_wrong_key_opens_nothing(lived: Services, settings: Settings) -> None:
    client = site_of(lived, settings).app.test_client()
    answer = client.post("/console/login", data={"token": "viewer-key-012345678"})
    assert answer.status_code == 401
    assert "Nyckeln stämmer inte" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_a_link_works_once(lived: Services, settings: Settings) -> None:
    site = site_of(lived, settings)
    link = site.login_path()
    first, second = site.app.test_client(), site.app.test_client()
    assert first.get(link).location == "/console"
    assert first.get("/console").status_code == 200
    again = second.get(link)
    assert again.status_code == 401
    assert "redan använd" in again.text


def test_a_session_ends_after_a_day_and_with_its_key(
    lived: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = site_of(lived, settings).app.test_client()
    client.post("/console/login", data={"token": KEYS["viewer"][0]})
    cookie = client.get_cookie("intyg_session", path="/console")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Strict"
    fewer = ConsoleSettings(tokens=settings.console.tokens[:1])
    other = site_of(lived, settings.model_copy(update={"console": fewer})).app.test_client()
    other.set_cookie("intyg_session", cookie.value, path="/console")
    assert other.get("/console").location == "/console/login"
    monkeypatch.setattr(PeopleClock, "now", PeopleClock.now + timedelta(hours=13))
    assert client.get("/console").location == "/console/login"


@pytest.mark.parametrize("cookie", ["", "x", "WzEsIngiXQ.x", "å"])
def test_a_cookie_that_is_not_ours_is_nobodys(
    lived: Services, settings: Settings, cookie: str
) -> None:
    client = site_of(lived, settings).app.test_client()
    answer = client.get("/console", headers={"Cookie": f"intyg_session={cookie}"})
    assert answer.location == "/console/login"


def test_logging_out_ends_it(log_in: Callable[..., FlaskClient]) -> None:
    client = log_in("viewer")
    client.post("/console/logout", data={"csrf": csrf(client)})
    assert client.get("/console").location == "/console/login"


# --- other sites ---


def test_a_form_without_its_token_changes_nothing(log_in: Callable[..., FlaskClient]) -> None:
    client = log_in("operator")
    for given in ("", "0" * 32, csrf(log_in("operator"))):
        answer = client.post(INTYG, data={"csrf": given, "tab": "xml"})
        assert answer.status_code == 403
        assert builders.PATIENT not in answer.text


def test_a_form_of_another_site_is_refused(log_in: Callable[..., FlaskClient]) -> None:
    client = log_in("operator")
    data = {"csrf": csrf(client), "q": "x"}
    other = client.post("/console/search", data=data, headers={"Origin": "https://other.example"})
    assert other.status_code == 403
    own = client.post("/console/search", data=data, headers={"Origin": "http://localhost"})
    assert own.status_code == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8080", 200), ("[::1]:8080", 200), ("localhost", 200), ("other.example", 400)],
)
def test_only_our_own_names_are_answered(
    lived: Services, settings: Settings, host: str, status: int
) -> None:
    client = site_of(lived, settings).app.test_client()
    assert client.get("/console/login", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("path", ["/console", INTYG, "/console/login", "/console/nothing"])
def test_every_page_is_strict(log_in: Callable[..., FlaskClient], path: str) -> None:
    answer = log_in("operator").get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<style|style=|<script(?! src=)| on[a-z]+=", answer.text)
    assert not re.search(r'(?:src|action)="(?:https?:)?//', answer.text)
    elsewhere = re.findall(r'<([a-z]+)[^>]* href="(?:https?:)?//([^"]*)"', answer.text)
    mocks = path == "/console" and all(each[1].endswith("/mock") for each in elsewhere)
    assert {each[0] for each in elsewhere} <= ({"a"} if mocks else set())


def test_looks_lead_to_our_own_pages_alone(log_in: Callable[..., FlaskClient]) -> None:
    client = log_in("viewer")
    for to in ("https://other.example", "//other.example", "/console\\..", "/other"):
        answer = client.get("/console/look", query_string={"lang": "en", "to": to})
        assert answer.location == "/console"
    client.get("/console/look?lang=en")
    assert "How things are" in client.get("/console").text


# --- roles and contents ---


@pytest.mark.parametrize(
    ("who", "place", "open_tabs"),
    [
        pytest.param("operator", "test", True, id="an operator in test"),
        pytest.param("operator", "production", True, id="of a test patient, everywhere"),
        pytest.param("care", "production", True, id="care of its own unit"),
        pytest.param("viewer", "test", False, id="a viewer"),
        pytest.param("auditor", "test", False, id="an auditor"),
    ],
)
@pytest.mark.parametrize("tab", ROWS_OF_TABS)
def test_contents_are_shown_to_some_and_each_look_recorded(
    log_in: Callable[..., FlaskClient], lived: Services, settings: Settings,
    who: str, place: str, open_tabs: bool, tab: str,
) -> None:  # fmt: skip
    client = log_in(who, production(settings) if place == "production" else settings)
    before = len(actions(lived))
    answer = client.get(f"{INTYG}?tab={tab}")
    assert answer.status_code == 200
    assert ("Innehållet visas inte" in answer.text) != open_tabs
    assert actions(lived)[before:] == ([f"console show {tab}"] if open_tabs else [])
    if open_tabs:
        assert ("Påhittad fråga" if tab == "questions" else CONTENT) in answer.text
    else:
        assert CONTENT not in answer.text
    assert builders.PATIENT not in answer.text


def test_no_operator_reads_a_real_patients_certificate_in_production(
    log_in: Callable[..., FlaskClient], lived: Services, settings: Settings
) -> None:
    rig_id = "11111111-0000-4000-8000-000000000001"
    with lived.store.read() as rows:
        stored = rows.intyg.get(lively.SENT)
    assert stored is not None
    from intyg.adapter.console.pages.visit import sees_contents
    from intyg.pages.session import Visitor

    real = replace(stored, is_test=False)
    unsure = replace(stored, is_test=None)
    operator, care = Visitor("o", "operator"), Visitor("c", "care", builders.UNIT)
    for each in (real, unsure):
        assert not sees_contents(operator, each, Environment.PRODUCTION)
        assert sees_contents(operator, each, Environment.TEST)
        assert sees_contents(care, each, Environment.PRODUCTION)
    assert log_in("operator").get(f"/console/intyg/{rig_id}").status_code == 404


def test_a_number_is_shown_by_a_form_alone_and_recorded(
    log_in: Callable[..., FlaskClient], lived: Services
) -> None:
    client = log_in("operator")
    assert "18900101-••••" in client.get(INTYG).text
    answer = client.post(INTYG, data={"csrf": csrf(client), "tab": "readable"})
    assert builders.PATIENT in answer.text
    assert actions(lived)[-1] == "console show number"
    client.post(INTYG, data={"csrf": csrf(client), "tab": "timeline"})
    assert actions(lived)[-2:] == ["console show number"] * 2
    for who in ("viewer", "auditor", "other"):
        refused = log_in(who)
        page = refused.get("/console/unit").text + refused.get("/console").text
        token = re.search(r'name="csrf" value="(\w+)"', page)
        assert token
        for tab in ("timeline", "readable"):
            answer = refused.post(INTYG, data={"csrf": token[1], "tab": tab})
            assert builders.PATIENT not in answer.text
    assert actions(lived)[-2:] == ["console show number"] * 2


@pytest.mark.parametrize(
    ("intygs_id", "stands", "has_it"),
    [
        (lively.SENT, "Skickat", "Försäkringskassan</dd><dd>levererat 23 nov 10:06"),
        (lively.WAITING, "Ej skickat", "Försäkringskassan</dd><dd>inte framme än"),
    ],
)
def test_a_page_says_where_the_certificate_stands_and_who_has_it(
    log_in: Callable[..., FlaskClient], intygs_id: str, stands: str, has_it: str
) -> None:
    text = log_in("viewer").get(f"/console/intyg/{intygs_id}").text
    chips = text.partition('<p class="chips">')[2].partition("</p>")[0]
    assert re.findall(r"</svg>([^<]+)", chips)[0] == stands
    assert has_it in text


def test_the_menu_says_how_many_deliveries_are_not_there(
    log_in: Callable[..., FlaskClient],
) -> None:
    text = log_in("operator").get("/console").text
    assert 'Leveranser <span class="count">4</span></a>' in text


def test_the_file_is_the_bytes_that_came(
    log_in: Callable[..., FlaskClient], lived: Services
) -> None:
    client = log_in("operator")
    answer = client.post(INTYG, data={"csrf": csrf(client), "do": "download"})
    assert answer.data == builders.register_certificate()
    assert actions(lived)[-1] == "console download"
    refused = log_in("viewer")
    answer = refused.post(INTYG, data={"csrf": csrf(refused), "do": "download"})
    assert answer.status_code == 403


def same_but_for_the_time(answer: TestResponse) -> str:
    return re.sub(r'value="\w+"|to=\S+"', "", answer.text)


def test_what_is_anothers_is_answered_as_what_is_not_there(
    log_in: Callable[..., FlaskClient],
) -> None:
    other = log_in("other")
    theirs, nobodys = other.get(INTYG), other.get("/console/intyg/never")
    assert theirs.status_code == nobodys.status_code == 404
    assert same_but_for_the_time(theirs) == same_but_for_the_time(nobodys)
    assert "Intyget finns inte här" in theirs.text


def test_care_has_pages_of_its_own(log_in: Callable[..., FlaskClient]) -> None:
    care = log_in("care")
    assert care.get("/console").location == "/console/arenden"
    assert lively.NEWER in care.get("/console/unit").text
    other = log_in("other").get(f"/console/unit?id={builders.UNIT}")
    assert lively.SENT not in other.text


@pytest.mark.parametrize(
    ("asked", "there"),
    [("", True), ("&signer=se0000000000-doc1", True), ("&signer=SE-NOBODY", False)],
)
def test_a_units_signed_certificates_are_those_of_a_signer(
    log_in: Callable[..., FlaskClient], asked: str, there: bool
) -> None:
    page = log_in("care").get(f"/console/unit?id={builders.UNIT}{asked}").text
    assert (lively.NEWER in page) is there
    assert "Intyg från" in page  # also of a list that is empty


def test_a_units_signed_certificates_are_those_of_three_months(
    lived: Services, settings: Settings
) -> None:
    now = lived.clock()
    client = enter(replace(lived, clock=lambda: now + timedelta(days=93)), settings, "operator")
    assert lively.NEWER not in client.get(f"/console/unit?id={builders.UNIT}").text
    assert lively.NEWER in client.get(f"/console/unit?id={builders.UNIT}&ever=1").text


# --- searching ---


@pytest.mark.parametrize(
    "wanted",
    [lively.SENT, lively.SENT.upper(), "q-1", f"  {lively.SENT} "],
    ids=["id", "capitals", "message", "blanks"],
)
def test_an_id_leads_to_its_certificate(log_in: Callable[..., FlaskClient], wanted: str) -> None:
    client = log_in("viewer")
    answer = client.post("/console/search", data={"csrf": csrf(client), "q": wanted})
    assert (answer.status_code, answer.location) == (303, INTYG)


def test_a_calls_correlation_id_leads_to_its_certificate(
    log_in: Callable[..., FlaskClient], lived: Services
) -> None:
    assert lived.audit is not None
    with lived.store.begin() as rows:
        lived.audit.record_console(rows, "show readable", lively.SENT, "trace-1", None)
    client = log_in("viewer")
    answer = client.post("/console/search", data={"csrf": csrf(client), "q": "trace-1"})
    assert (answer.status_code, answer.location) == (303, INTYG)


def test_a_person_number_is_searched_by_a_form_and_stands_nowhere(
    log_in: Callable[..., FlaskClient],
) -> None:
    client = log_in("viewer")
    number = f"{builders.PATIENT[:8]}-{builders.PATIENT[8:]}"
    answer = client.post("/console/search", data={"csrf": csrf(client), "q": number})
    assert answer.status_code == 200
    assert lively.SENT in answer.text
    assert builders.PATIENT not in answer.text
    assert number not in answer.text
    unknown = client.post("/console/search", data={"csrf": csrf(client), "q": "19121212-1212"})
    assert "Inget hittades" in unknown.text
    assert client.get(f"/console/search?q={number}").status_code == 405


# --- what pages say ---


def test_the_overview_leads_to_the_mocks_but_in_production(
    log_in: Callable[..., FlaskClient], lived: Services, settings: Settings
) -> None:
    page = log_in("viewer").get("/console").text
    assert (
        '<a href="http://ehr.invalid/mock">ehr</a> <a href="http://fk.invalid/mock">fk</a>' in page
    )
    real = settings.model_copy(update={"environment": Environment.PRODUCTION})
    served = replace(lived, settings=real)
    assert "/mock" not in enter(served, real, "viewer").get("/console").text


def test_the_overview_says_what_was_stopped_and_why(log_in: Callable[..., FlaskClient]) -> None:
    text = log_in("viewer").get("/console").text
    assert "1 leverans till Försäkringskassan väntar sedan" in text
    assert "Mottagaren är överlastad eller nere (HTTP 503)" in text
    assert "Försöker igen" in text
    assert "reserved numbers" in text
    assert "Testmiljö" in text


def test_a_way_that_was_paused_is_told(log_in: Callable[..., FlaskClient], lived: Services) -> None:
    with lived.store.begin() as rows:
        rows.ways.pause(Way("fk"), "they asked for it", "somebody")
    try:
        text = log_in("viewer").get("/console").text
        assert "Inget går till fk sedan" in text
        assert "En väg är stoppad" in text
        assert "they asked for it" in text
        (row,) = re.findall(r"<strong>Försäkringskassan</strong>.*?</tr>", text, re.DOTALL)
        assert "Pausad" in row
    finally:
        with lived.store.begin() as rows:
            rows.ways.resume("fk")
    assert "Pausad" not in log_in("viewer").get("/console").text


def test_what_was_blocked_stands_with_its_signal_and_destination(
    log_in: Callable[..., FlaskClient], lived: Services
) -> None:
    text = log_in("viewer").get("/console/blocked").text
    rows = re.findall(r'<tr role="row"><td.*?</tr>', text, re.DOTALL)
    assert len(rows) == 3
    assert all(f"/console/intyg/{lively.WAITING}" in row for row in rows)
    assert "list of the EHR" in rows[0]  # the newest
    assert "real" in rows[0]
    assert "RegisterCertificate:3" in rows[0]
    assert log_in("care").get("/console/blocked").status_code == 403


def test_a_receivers_own_words_stand_nowhere(log_in: Callable[..., FlaskClient]) -> None:
    client = log_in("operator")
    for path in ("/console", f"/console/intyg/{lively.REFUSED}"):
        text = client.get(path).text
        assert "gnidael" not in text
        assert "Mottagaren godtog inte innehållet" in text or path == "/console"


def test_what_others_wrote_stays_text(log_in: Callable[..., FlaskClient]) -> None:
    text = log_in("operator").get(f"{INTYG}?tab=questions").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_certificate_has_its_whole_way_in_order(log_in: Callable[..., FlaskClient]) -> None:
    text = log_in("viewer").get(INTYG).text
    rows = re.findall(r'<tr role="row" id="h(\d+)">.*?<strong>([^<]+)</strong>', text, re.DOTALL)
    assert [int(number) for number, _ in rows] == list(range(1, len(rows) + 1))
    labels = [label for _, label in rows]
    assert labels[:2] == ["RegisterCertificate", "Ingen signatur"]
    assert labels.count("RegisterCertificate") == 4  # it came, and was tried three times
    for label in ("SIGNAT", "SKICKA", "NYFRFM", "SendMessageToCare · komplettering"):
        assert label in labels
    for word in ("Kom inte fram, VP008", "Osäker", "Levererad", "15 h 58 min", "svara senast"):
        assert word.replace(" h ", "\u00a0h ").replace("58 min", "58\u00a0min") in text
    for number, _ in rows:
        assert f'href="#h{number}"' in text


def test_a_replacement_is_compared_with_what_it_replaces(
    log_in: Callable[..., FlaskClient],
) -> None:
    text = log_in("operator").get(f"/console/intyg/{lively.NEWER}?tab=compare").text
    assert re.search(r"diff-less[^<]*Påhittad åkomma", text)
    assert re.search(r"diff-more[^<]*En annan påhittad åkomma", text)
    assert builders.PATIENT not in text


@pytest.mark.parametrize("tab", ["headers", "findings", "signature", "audit", "nothing"])
def test_every_tab_opens(log_in: Callable[..., FlaskClient], tab: str) -> None:
    status = log_in("operator").get(f"{INTYG}?tab={tab}").status_code
    assert status == (404 if tab == "nothing" else 200)


def test_only_who_may_sees_the_audit_log(log_in: Callable[..., FlaskClient]) -> None:
    log_in("operator").get(f"{INTYG}?tab=xml")
    assert "console show xml" in log_in("auditor").get(f"{INTYG}?tab=audit").text
    assert "console show xml" not in log_in("viewer").get(f"{INTYG}?tab=audit").text


# --- /api obeys the same roles ---


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        ("viewer", "GET", f"/api/intyg/{lively.SENT}", 200),
        ("viewer", "GET", "/metrics", 200),
        ("viewer", "POST", "/api/meddelanden/q-2/hanterad", 403),
        ("viewer", "PUT", f"/api/intyg/{lively.SENT}/ref?ref=x", 403),
        ("viewer", "GET", "/api/utkast?enhet=SE0000000000-UNIT1", 403),
        ("auditor", "GET", "/api/utkast/any", 403),
        ("care", "GET", "/api/utkast/any", 403),
        ("operator", "GET", "/api/utkast?enhet=SE0000000000-UNIT1", 200),
        ("auditor", "GET", "/api/blocked", 200),
        ("auditor", "DELETE", "/api/meddelanden/q-2/hanterad", 403),
        ("care", "GET", f"/api/intyg/{lively.SENT}", 200),
        ("care", "PUT", f"/api/intyg/{lively.SENT}/ref?ref=x", 200),
        ("care", "GET", "/api/blocked", 403),
        ("care", "GET", "/metrics", 403),
        ("other", "GET", f"/api/intyg/{lively.SENT}", 403),
        ("other", "GET", "/api/intyg/never", 403),
        ("other", "POST", "/api/meddelanden/q-2/hanterad", 403),
        ("operator", "PUT", f"/api/intyg/{lively.SENT}/ref?ref=x", 200),
        ("viewer", "POST", "/api/arenden?unit=SE0000000000-UNIT1", 400),
        ("care", "GET", "/api/arenden?unit=SE0000000000-UNIT1", 200),
        ("care", "POST", "/api/arenden", 403),
        ("care", "GET", "/api/arenden?unit=SE0000000000-OTHER", 403),
        ("auditor", "GET", "/api/statistics/sjukfall", 200),
        ("viewer", "POST", "/api/statistics/rebuild", 403),
        ("care", "GET", "/api/statistics", 200),
        ("care", "GET", "/api/statistics/sjukfall?unit=se0000000000-unit1", 200),
        ("care", "GET", "/api/statistics/sjukfall?unit=SE0000000000-UNIT2", 403),
        ("care", "GET", "/api/statistics/sjukfall?level=nation", 403),
        ("care", "GET", "/api/statistics/blocked", 403),
        ("care", "POST", "/api/statistics/rebuild", 403),
    ],
)
def test_rest_obeys_the_same_roles(
    lived: Services, settings: Settings, who: str, method: str, path: str, status: int
) -> None:
    client = build_console(replace(lived, settings=settings)).test_client()
    header = {"Authorization": f"Bearer {KEYS[who][0]}"}
    assert client.open(path, method=method, headers=header).status_code == status


def test_rest_counts_a_care_units_own_alone(lived: Services, settings: Settings) -> None:
    def filters(who: str) -> Any:
        client = build_console(replace(lived, settings=settings)).test_client()
        header = {"Authorization": f"Bearer {KEYS[who][0]}"}
        return client.get("/api/statistics/intyg-type", headers=header).get_json()["filters"]

    assert filters("care") == {"unit": [builders.UNIT]}
    assert filters("viewer") == {}


def test_an_open_demonstration_lets_everybody_in_by_a_button(
    lived: Services, tmp_path: Path
) -> None:
    client = site_of(lived, make_settings()).app.test_client()
    assert "Här behövs ingen nyckel" in client.get("/console/login").text
    assert client.post("/console/login").location == "/console"
    assert client.get("/console").status_code == 200


# --- the audit log ---


def test_the_log_is_shown_to_who_may_and_filtered(log_in: Callable[..., FlaskClient]) -> None:
    auditor = log_in("auditor")
    assert auditor.post("/console/audit", data={"csrf": csrf(auditor)}).status_code == 200
    log_in("operator").get(f"{INTYG}?tab=xml")
    page = auditor.get("/console/audit?action=console+show&who=operator").text
    told = re.findall(r'data-th="Handling">([^<]+)<', page)
    assert told[0] == "console show xml"
    assert {action.partition(" ")[0] for action in told} == {"console"}
    assert "Inget stämmer med filtret" in auditor.get("/console/audit?who=nobody").text
    assert builders.PATIENT not in auditor.get("/console/audit").text


@pytest.mark.parametrize("name", ["viewer", "care"])
def test_others_do_not_see_the_log(log_in: Callable[..., FlaskClient], name: str) -> None:
    client = log_in(name)
    assert client.get("/console/audit").status_code == 403
    assert "Granskningslogg" not in client.get("/console/unit").text


def test_a_changed_row_is_found(lived: Services, log_in: Callable[..., FlaskClient]) -> None:
    auditor = log_in("auditor")
    form = {"csrf": csrf(auditor)}
    log_in("operator").get(f"{INTYG}?tab=xml")
    page = auditor.post("/console/audit", data=form).text
    assert re.search(r"1 rad, hel:|rader, alla hela:", page)
    with lived.store.begin() as rows:
        connection = rows.transaction.connection
        (row,) = connection.execute(sa.text("SELECT seq, detail FROM audit LIMIT 1"))
        change = sa.text("UPDATE audit SET detail = :detail WHERE seq = :seq")
        connection.execute(change, {"detail": "another", "seq": row.seq})
    page = auditor.post("/console/audit", data=form).text
    with lived.store.begin() as rows:
        rows.transaction.connection.execute(change, {"detail": row.detail, "seq": row.seq})
    assert "1 fel i loggen" in page
    assert "changed (or the seq before it)" in page


# --- explaining ---


def test_a_way_is_explained_and_no_number_is_shown(log_in: Callable[..., FlaskClient]) -> None:
    client = log_in("viewer")
    form = {
        "csrf": csrf(client), "what": "way", "contract": "RegisterCertificate",
        "address": "FK-ADDRESS", "patient": builders.PATIENT,
    }  # fmt: skip
    page = client.post("/console/explain", data=form).text
    assert "<strong>Spärren släpper igenom patienten dit.</strong>" in page
    assert builders.PATIENT not in page
    assert 'value="FK-ADDRESS"' in page


def test_a_person_is_asked_about_every_signal(log_in: Callable[..., FlaskClient]) -> None:
    client = log_in("operator")
    form = {"csrf": csrf(client), "what": "patient", "patient": builders.PATIENT}
    page = client.post("/console/explain", data=form).text
    assert re.search(r'<h2 id="verdict">(Testpatient|Ingen testpatient)</h2>', page)
    assert "Till en skarp myndighet" in page
    assert builders.PATIENT not in page


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"what": "way", "contract": "RegisterCertificat"}, "did you mean RegisterCertificate"),
        ({"what": "patient", "patient": "189001019803"}, "whose last digit fits"),
    ],
)
def test_what_cannot_be_explained_is_told(
    log_in: Callable[..., FlaskClient], form: dict[str, str], says: str
) -> None:
    client = log_in("viewer")
    page = client.post("/console/explain", data={"csrf": csrf(client), **form}).text
    assert says in page
    assert form.get("patient", "-none-") not in page


def test_every_step_of_a_way_has_a_sentence_of_ours() -> None:
    """By the names that `routing/explain.py` gives its steps."""
    code = Path(explain.__file__).read_text("utf-8")
    named = {
        (name, state.lower())
        for name, state in re.findall(r'Step\("(\w+)", StepState\.(\w+)', code)
    }
    assert len(named) > 9
    assert {f"explain.step.{name}.{state}" for name, state in named} <= TEXTS.keys()
    kinds = {f"explain.{what}.{kind.value}" for what in ("kind", "said") for kind in PatientKind}
    assert kinds <= TEXTS.keys()


def test_the_doctor_looks_for_operators_step_by_step(log_in: Callable[..., FlaskClient]) -> None:
    client = log_in("operator")
    assert "Hälsokontroll" in client.get("/console").text
    asked = {"csrf": csrf(client)}
    answer = client.post("/console/doctor", data=asked, buffered=False)
    pieces = list(answer.iter_encoded())
    assert len(pieces) > len(CHECKS)
    whole = b"".join(pieces).decode()
    assert "Ingen testnyckel och inget testcertifikat" in whole
    assert whole.count('<li><span><span class="chip') >= len(CHECKS)
    assert client.post("/console/doctor", data={**asked, "destination": "x"}).status_code == 404
    for who in ("viewer", "auditor", "care"):
        assert log_in(who).get("/console/doctor").status_code == 403


def test_the_way_to_a_destination_is_walked_as_far_as_it_goes(
    log_in: Callable[..., FlaskClient], settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "adapter.toml").write_text(
        f'data_dir = "{tmp_path}"\nenvironment = "test"\n[destinations.fk]\n'
        'url = "http://127.0.0.1:1"\nkind = "mock"\n', "utf-8",
    )  # fmt: skip
    client = log_in("operator", with_file(settings, tmp_path / "adapter.toml"))
    way = client.post("/console/doctor", data={"csrf": csrf(client), "destination": "fk"}).text
    assert re.search(r"Håller</span></span><div><p><strong>Namnet leder till en adress.", way)
    assert re.search(r"Fel</span></span><div><p><strong>Porten svarar.</strong>", way)
    assert "1 fel att rätta." in way


def with_file(settings: Settings, file: Path) -> Settings:
    """Settings that say that they were read from a file."""
    read = load_settings(file)
    return read.model_copy(update={"console": settings.console, "caller": settings.caller})


def test_every_check_has_a_sentence_of_ours() -> None:
    names = [check.name.replace(" ", "_") for check in CHECKS]
    assert [name for name in names if f"doctor.check.{name}" not in TEXTS] == []
    folder = Path(connectivity.__file__).parent
    steps = {name for file in folder.glob("*.py")
             for name in re.findall(r'Step\("([\w ]+)"', file.read_text("utf-8"))}  # fmt: skip
    assert len(steps) > 8
    assert [name for name in steps if f"doctor.way.{name.replace(' ', '_')}" not in TEXTS] == []
