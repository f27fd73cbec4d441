from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from intyg.adapter.console.app import build_console
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.httpd.mount import Mount
from intyg.adapter.store import Store
from tests import builders
from tests.adapter.flows.rig import Rig, VirtualClock, copied_rig


@pytest.fixture(scope="module")
def talk_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sent certificate with a question, its answer and a completion request."""
    empty, folder = tmp_path_factory.mktemp("empty"), tmp_path_factory.mktemp("talk")
    store = Store(f"sqlite:///{empty / 'adapter.sqlite'}", VirtualClock())
    store.migrate()
    store.close()
    with copied_rig(empty, folder) as rig:
        rig.ok(builders.register_certificate(), builders.send_certificate_to_recipient())
        rig.deliver()
        rig.ok(
            builders.send_message_to_care("q-1", "KONTKT", sista_datum="2026-12-01"),
            builders.send_message_to_recipient("a-1", "KONTKT", svar_pa="q-1"),
            builders.send_message_to_care("k-1", "KOMPLT"),
        )
    return folder


@pytest.fixture
def rig(talk_folder: Path, tmp_path: Path) -> Iterator[Rig]:
    with copied_rig(talk_folder, tmp_path) as rig:
        yield rig


@pytest.fixture
def console(rig: Rig) -> FlaskClient:
    return build_console(rig.services).test_client()


def test_a_certificate_is_shown_with_everything_that_happened(console: FlaskClient) -> None:
    view = console.get(f"/api/intyg/{builders.INTYGS_ID}").get_json()
    assert (view["typ"], view["isTest"], view["signature"]) == ("LISJP", True, "ABSENT")
    assert [s["status"] for s in view["statuses"]] == ["RECEIV", "SENTTO"]
    assert [h["handelsekod"] for h in view["handelser"]] == [
        "SIGNAT",
        "SKICKA",
        "NYFRFM",
        "HANFRFM",
        "NYFRFM",
    ]
    assert view["handelser"][2]["sistaDatumForSvar"] == "2026-12-01"
    assert [(m["meddelandeId"], m["state"], m["answeredBy"]) for m in view["meddelanden"]] == [
        ("q-1", "handled", "a-1"),
        ("a-1", None, None),
        ("k-1", "open_care", None),
    ]
    assert view["mottagnaFragor"] == {
        "totalt": 2,
        "ejBesvarade": 1,
        "besvarade": 0,
        "hanterade": 1,
    }
    assert {d["state"] for d in view["deliveries"]} == {"delivered", "queued"}


def test_nothing_of_a_person_is_shown(console: FlaskClient) -> None:
    shown = console.get(f"/api/intyg/{builders.INTYGS_ID}").get_data(as_text=True)
    for secret in (builders.PATIENT, builders.PATIENT[2:], "Påhittad", "P\\u00e5hittad"):
        assert secret not in shown


@pytest.mark.parametrize(
    "odd",
    ["a/b", "/a", "a/", "a//b", "b/hanterad", "..", "a/../b", "a b", "å?;", "a%2Fb", "hanterad"],
)
def test_a_question_is_found_whatever_is_in_its_id(
    console: FlaskClient, rig: Rig, odd: str
) -> None:
    rig.ok(builders.send_message_to_care(odd, "OVRIGT"))
    path = f"/api/meddelanden/{quote(odd, safe='')}/hanterad"
    marked = Client(Mount({"/api": build_console(rig.services)})).post(path)
    assert (marked.status_code, rig.fraga(odd).state) == (200, FragaState.HANDLED)
    assert console.delete(path).status_code == 200
    assert rig.fraga(odd).state is FragaState.OPEN_CARE


def test_a_question_is_marked_and_unmarked(console: FlaskClient, rig: Rig) -> None:
    marked = console.post("/api/meddelanden/k-1/hanterad?hanteratAv=SE-DOC")
    assert (marked.status_code, marked.get_json()["state"]) == (200, "handled")
    assert rig.handelser()[-1].hanterat_av == "SE-DOC"
    unmarked = console.delete("/api/meddelanden/k-1/hanterad")
    assert (unmarked.status_code, unmarked.get_json()["state"]) == (200, "open_care")
    assert rig.events()[-2:] == ["HANFRFM", "HANFRFM"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/api/intyg/never", 404, id="unknown certificate"),
        pytest.param("POST", "/api/meddelanden/never/hanterad", 404, id="unknown message"),
        pytest.param("POST", "/api/meddelanden/a-1/hanterad", 409, id="an answer"),
        pytest.param("DELETE", "/api/meddelanden/q-1/hanterad", 409, id="answered by care"),
        pytest.param("PUT", "/api/meddelanden/q-1/hanterad", 405, id="wrong method"),
        pytest.param("GET", "/nothing", 404, id="unknown path"),
    ],
)
def test_what_cannot_be_done_is_a_problem(
    console: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = console.open(path, method=method)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["status"] == status
    assert problem["detail"]


def test_a_refusal_names_its_rule(console: FlaskClient) -> None:
    problem = console.delete("/api/meddelanden/q-1/hanterad").get_json()
    assert problem["rules"] == ["MESSAGE_ALREADY_ANSWERED_ERROR"]


def test_health_asks_the_database(console: FlaskClient) -> None:
    answer = console.get("/health")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ok")


def test_health_says_when_the_database_is_gone(console: FlaskClient, rig: Rig) -> None:
    rig.services.store.close()
    (rig.services.settings.data_dir / "adapter.sqlite").unlink()
    (rig.services.settings.data_dir / "adapter.sqlite").mkdir()  # nothing can be opened there
    answer = console.get("/health")
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"


def test_health_says_which_threads_have_ended(rig: Rig) -> None:
    console = build_console(rig.services, lambda: ["worker-1", "routes"]).test_client()
    answer = console.get("/health")
    assert answer.status_code == 503
    assert answer.get_json()["detail"] == "Threads have ended: worker-1, routes."


def test_metrics_count_what_the_process_went_through(console: FlaskClient) -> None:
    text = console.get("/metrics").get_data(as_text=True)
    assert "\nintyg_log_lines_lost_total " in text
    assert "\n# TYPE intyg_thread_failures_total counter" in text


def test_paths_are_whole_wherever_it_is_mounted(rig: Rig) -> None:
    console = build_console(rig.services)
    client = Client(Mount({"/api": console, "/health": console}))
    assert client.get("/health").status_code == 200
    assert client.get(f"/api/intyg/{builders.INTYGS_ID}").status_code == 200


def test_it_says_what_there_is(console: FlaskClient) -> None:
    there = {(each["method"], each["path"]) for each in console.get("/api").get_json()}
    assert {
        ("GET", "/health"),
        ("GET", "/api/blocked"),
        ("PUT", "/api/intyg/<intygs_id>/ref"),
        ("DELETE", "/api/meddelanden/<meddelande_id>/hanterad"),
        ("POST", "/api/route"),
    } <= there


def test_metrics_count_deliveries_by_state(console: FlaskClient) -> None:
    text = console.get("/metrics").get_data(as_text=True)
    assert 'intyg_deliveries{state="queued"}' in text
    assert 'intyg_deliveries{state="failed"} 0.0' in text


def test_the_ehrs_own_reference_is_kept_shown_and_sent_along(
    console: FlaskClient, rig: Rig
) -> None:
    url = f"/api/intyg/{builders.INTYGS_ID}"
    assert console.put(f"{url}/ref?ref=first").status_code == 200
    kept = console.put(f"{url}/ref", data={"ref": " EHR-1 & 2 "})
    assert (kept.status_code, kept.get_json()["ref"]) == (200, "EHR-1 & 2")
    assert console.get(url).get_json()["ref"] == "EHR-1 & 2"
    console.post("/api/meddelanden/k-1/hanterad")
    assert b"EHR-1 &amp; 2</" in rig.deliveries()[-1].new.body


def test_a_reference_may_come_before_its_certificate(console: FlaskClient, rig: Rig) -> None:
    console.put("/api/intyg/later/ref?ref=EHR-3")
    assert console.get("/api/intyg/later").status_code == 404
    rig.ok(builders.register_certificate("later"))
    assert b"EHR-3" in rig.deliveries("later")[0].new.body


@pytest.mark.parametrize("ref", ["", " ", "x" * 256])
def test_no_reference_is_refused(console: FlaskClient, ref: str) -> None:
    refused = console.put(f"/api/intyg/{builders.INTYGS_ID}/ref", data={"ref": ref})
    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")


def test_an_event_that_nobody_was_told_says_so(console: FlaskClient, rig: Rig) -> None:
    rig.ok(builders.register_certificate("free", unit="SE0000000000-ELSEWHERE"))
    (alone,) = console.get("/api/intyg/free").get_json()["handelser"]
    assert "no route to an EHR" in alone["notTold"]
    view = console.get(f"/api/intyg/{builders.INTYGS_ID}").get_json()
    assert {told["notTold"] for told in view["handelser"]} == {None}


def test_what_the_guard_stopped_is_listed(rig: Rig, console: FlaskClient) -> None:
    with rig.services.store.begin() as rows:
        for number in range(3):
            rows.blocks.add(f"b-{number}", "RegisterCertificate:3", "fk", "list", rig.clock())
    shown = console.get("/api/blocked").get_json()
    assert [block["intygsId"] for block in shown["blocks"]] == ["b-2", "b-1", "b-0"]
    assert shown["held"] == []
    assert len(console.get("/api/blocked?limit=1").get_json()["blocks"]) == 1
    for odd in ("0", "-1", "many", "99999999999"):
        assert console.get(f"/api/blocked?limit={odd}").status_code == 200
