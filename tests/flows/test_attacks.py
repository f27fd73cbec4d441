"""
Each attack is mounted against a running adapter, which answers others meanwhile as if nothing was.

What is refused, and how, is tried in detail in tests/adapter; here that it is refused, that nothing
is left behind, and that nobody else has to wait.
"""

import gzip
import re
import threading
import time
import tomllib
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from intyg.adapter.bootstrap.app import build_app
from intyg.adapter.domain.person import PersonId
from intyg.adapter.formats import safe_xml
from intyg.adapter.httpd.server import MAX_HEADER_BYTES
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.store.delivery_rows import DeliveryRows
from intyg.adapter.store.intyg_rows import IntygRows
from intyg.sandbox.demo.stage import (
    PATIENT,
    TEST_PERSONS,
    Stage,
    set_stage,
)
from intyg.sandbox.demo.story import issue
from tests import builders
from tests.flows.attackers import (
    Bystander,
    caller_of,
    connect,
    dribbling,
    meanwhile,
    posting,
    talk,
)
from tests.hostile_shapes import SHAPES
from tests.processor_time import ATTEMPTS

REGISTER = "/clinicalprocess/healthcond/certificate/RegisterCertificate/3/rivtabp21"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Stage]:
    with set_stage(tmp_path_factory.mktemp("stage"), keys_folder) as running:
        running.adapter.warm_up()
        yield running


@pytest.fixture(scope="module")
def door(stage: Stage) -> str:
    """The address of RegisterCertificate."""
    return f"{stage.adapter.url}/services{REGISTER}"


@pytest.fixture
def bystander(door: str) -> Iterator[Bystander]:
    """Called during the test by `probe`; must not have noticed anything."""
    other = caller_of(door)
    yield other
    other.must_not_have_noticed()


# --- XML ------------------------------------------------------------------------------------------


def enveloped(body: bytes) -> bytes:
    return safe_xml.envelope(body, "INTYGSADAPTER")


def dtd(declarations: bytes, body: bytes = b"<a>&x;</a>") -> bytes:
    return b"<!DOCTYPE a [" + declarations + b"]>" + enveloped(body)


LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"lol") for n in range(10)
)
QUADRATIC = b'<!ENTITY x "' + b"x" * 100_000 + b'">'
NAMESPACES = b"<a " + b" ".join(b'xmlns:n%d="urn:n:%d"' % (n, n) for n in range(50_000)) + b"/>"
CHAINED = b"".join(b'<n%d:a xmlns:n%d="urn:%d">' % (n, n, n) for n in range(90))

XML_ATTACKS = [
    pytest.param(dtd(b'<!ENTITY x "y">'), id="entity"),
    pytest.param(dtd(b'<!ENTITY x SYSTEM "file:///etc/passwd">'), id="external entity"),
    pytest.param(dtd(b'<!ENTITY x SYSTEM "http://127.0.0.1:9/">'), id="external entity, HTTP"),
    pytest.param(dtd(b'<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;'), id="parameter entity"),
    pytest.param(dtd(LAUGHS, b"<a>&l9;</a>"), id="billion laughs"),
    pytest.param(dtd(QUADRATIC, b"<a>" + b"&x;" * 10_000 + b"</a>"), id="quadratic blow-up"),
    pytest.param(b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">' + enveloped(b"<a/>"), id="DTD"),
    pytest.param(enveloped(b"<a>" * 100_000 + b"</a>" * 100_000), id="deep"),
    pytest.param(enveloped(b"<a>" + b"<b/>" * 1_000_000 + b"</a>"), id="wide"),
    pytest.param(enveloped(NAMESPACES), id="namespaces by the thousand"),
    pytest.param(enveloped(CHAINED), id="a namespace a level, not closed"),
    pytest.param(enveloped(b'<a b="' + b"x" * 14_000_000 + b'"/>'), id="huge attribute"),
    pytest.param(enveloped(b"<a>" + b"x" * 14_000_000 + b"</a>"), id="huge text"),
    pytest.param(
        enveloped(b"<a " + b" ".join(b'a%d=""' % n for n in range(150_000)) + b"/>"),
        id="attributes by the thousand",
    ),
    pytest.param(enveloped(b"<" + b"a" * 1_000_000 + b"/>"), id="huge name"),
    pytest.param(enveloped(b"<!--" + b"-" * 1_000_000), id="comment without end"),
    pytest.param(
        enveloped(
            b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
        ),
        id="XInclude",
    ),
    pytest.param(
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a' + enveloped(b"<a/>"), id="UTF-7"
    ),
    pytest.param(
        ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>').encode("utf-16"),
        id="DTD in UTF-16",
    ),
    pytest.param(
        b'<?xml version="1.0" encoding="UTF-16"?>' + dtd(b'<!ENTITY x "y">'), id="not UTF-16"
    ),
    pytest.param("<a/>".encode("utf-32"), id="UTF-32"),
    pytest.param(b"\x00" * 1_000_000, id="zeros"),
    # The largest that come past the first look, and are then wrong in thousands of places.
    pytest.param(SHAPES["empty svar"](65_000), id="empty svar"),
    pytest.param(SHAPES["invalid dates"](90_000), id="invalid dates"),
    pytest.param(SHAPES["thirty unknown attributes a svar"](60_000), id="unknown attributes"),
    pytest.param(SHAPES["svar of one id"](75_000), id="svar that break a rule"),
    pytest.param(SHAPES["long texts of blanks"](14_000_000), id="long texts of blanks"),
]


@pytest.mark.parametrize("data", XML_ATTACKS)
def test_xml_is_refused_and_nobody_waits(door: str, bystander: Bystander, data: bytes) -> None:
    answer = requests.post(door, data, headers={"Content-Type": "text/xml"}, timeout=20)
    assert answer.status_code in (200, 500)
    assert b":Fault>" in answer.content or b"VALIDATION_ERROR" in answer.content
    assert b"root:" not in answer.content  # of /etc/passwd
    assert len(answer.content) < 50_000
    with meanwhile(posting(door, data)):
        bystander.probe()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gzip", gzip.compress(b"\x00" * 20_000_000)),
        ("deflate", zlib.compress(b"\x00" * 20_000_000)),
        ("br", b"\x00"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"\x00" * 20_000_000))),
    ],
)
def test_nothing_is_unpacked(door: str, bystander: Bystander, name: str, data: bytes) -> None:
    headers = {"Content-Type": "text/xml", "Content-Encoding": name}
    answer = requests.post(door, data, headers=headers, timeout=10)
    assert answer.status_code == 415
    with meanwhile(posting(door, data, **{"Content-Encoding": name})):
        bystander.probe()


# --- HTTP -----------------------------------------------------------------------------------------

HOLD = b"Host: x\r\nContent-Type: text/xml\r\n"


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"POST /services HTTP/1.1\r\nX: ", id="headers"),
        pytest.param(b"POST /x HTTP/1.1\r\n" + HOLD + b"Content-Length: 9000\r\n\r\n<", id="body"),
        pytest.param(
            b"POST /x HTTP/1.1\r\n" + HOLD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n", id="chunks"
        ),
        pytest.param(
            b"POST /services HTTP/1.1\r\n" + HOLD + b"Expect: 100-continue\r\n", id="wait"
        ),
    ],
)
def test_slow_callers_hold_up_nobody(door: str, bystander: Bystander, beginning: bytes) -> None:
    """Many more of them than there are threads."""
    with dribbling(door, 100, beginning):
        time.sleep(0.5)  # longer than anybody's patience with them
        bystander.probe()


def test_connections_without_number_hold_up_nobody(door: str, bystander: Bystander) -> None:
    with ExitStack() as stack:
        for _ in range(450):  # more than may wait
            stack.enter_context(connect(door)).sendall(b"POST / HTTP/1.1\r\n")
        bystander.probe()


def test_callers_that_do_not_read_hold_up_nobody(door: str, bystander: Bystander) -> None:
    with ExitStack() as stack:
        for _ in range(40):
            sock = stack.enter_context(connect(door))
            sock.sendall(f"GET {REGISTER}?wsdl HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 20)
        bystander.probe()


HTTP_ATTACKS = [
    pytest.param(
        b"GET / HTTP/1.1\r\nX: " + b"x" * (MAX_HEADER_BYTES + 999), b"413", id="large header"
    ),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: x\r\n"
        + b"".join(b"X%d: y\r\n" % n for n in range(5000))
        + b"\r\n",
        b"413",
        id="many headers",
    ),
    pytest.param(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", b"41", id="long address"),
    pytest.param(
        b"\x16\x03\x01\x02\x00\x01\x00" * 9 + b"\r\n\r\n", b"400", id="TLS on a plain port"
    ),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505", id="HTTP/2"),
    pytest.param(
        b"GET http://other/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"40", id="proxy"
    ),
    pytest.param(b"CONNECT other:25 HTTP/1.1\r\nHost: x\r\n\r\n", b"405", id="tunnel"),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\nConnection: close\r\n\r\n", b"40", id="zero"
    ),
    pytest.param(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"400", id="blank before the colon"),
]


@pytest.mark.parametrize(("data", "status"), HTTP_ATTACKS)
def test_broken_http_is_refused(
    door: str, bystander: Bystander, data: bytes, status: bytes
) -> None:
    answer = talk(door, data)
    assert answer.startswith(b"HTTP/1.1 " + status) or answer == b""

    def again(stop: threading.Event) -> None:
        while not stop.is_set():
            talk(door, data)

    with meanwhile(again):
        bystander.probe()


SMUGGLED = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", id="CL.TE"),
        pytest.param(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", id="TE.CL"),
        pytest.param(b"Content-Length: 3\r\nContent-Length: 0\r\n", id="CL.CL"),
        pytest.param(b"Content-Length: 3, 0\r\n", id="CL list"),
        pytest.param(b"Content-Length: +3\r\n", id="CL sign"),
        pytest.param(b"Transfer-Encoding: xchunked\r\n", id="TE unknown"),
        pytest.param(b"Transfer-Encoding: chunked, identity\r\n", id="TE list"),
        pytest.param(b"Transfer-Encoding : chunked\r\n", id="TE blank"),
        pytest.param(b"Transfer-Encoding:\x0bchunked\r\n", id="TE tab"),
    ],
)
def test_no_request_is_smuggled(door: str, bystander: Bystander, headers: bytes) -> None:
    """Whatever a proxy makes of these headers, we make one request of them at most."""
    request = (
        b"POST " + f"/services{REGISTER}".encode() + b" HTTP/1.1\r\n" + HOLD + headers + b"\r\n"
    )
    answer = talk(door, request + b"0\r\n\r\n" + SMUGGLED, timeout=2)
    assert b'"status":"ok"' not in answer.replace(b" ", b"")
    bystander.probe()


def test_pipelined_requests_are_answered_in_turn(door: str, bystander: Bystander) -> None:
    path = f"/services{REGISTER}"
    requests_ = [f"GET {path}?wsdl HTTP/1.1\r\nHost: x\r\n\r\n".encode()] * 30
    last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = talk(door, b"".join([*requests_, last]))
    assert answer.count(b"HTTP/1.1 200 OK") == 31
    assert answer.rstrip().endswith(b"}")
    bystander.probe()


@pytest.mark.parametrize(
    "asked",
    [
        "../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/pyproject.toml",
        "/etc/passwd",
        "file:///etc/passwd",
        "http://127.0.0.1:9/a.xsd",
        "....//....//etc/passwd",
        "..\\..\\etc\\passwd",
        "RegisterCertificateResponder_3.1.xsd%00.txt",
        "",
        "x" * 5000,
    ],
)
def test_no_other_file_is_served(door: str, bystander: Bystander, asked: str) -> None:
    answer = requests.get(f"{door}?xsd={asked}", timeout=5)
    assert answer.status_code == 404
    assert "root:" not in answer.text
    assert asked[:20] not in answer.text or not asked
    bystander.probe()


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/services/../../etc/passwd", "//etc/passwd"]
)
def test_no_path_leads_out(stage: Stage, path: str) -> None:
    answer = talk(
        stage.adapter.url, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    assert re.match(rb"HTTP/1\.1 40[04]", answer)
    assert b"root:" not in answer


# --- too many at once -----------------------------------------------------------------------------


def test_when_too_many_wait_the_next_is_told_to_come_again(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both workers are held; of twenty more, four wait and the rest are told to come again."""
    toml = tomllib.loads((stage.folder / "adapter.toml").read_text("utf-8"))
    values = {
        **toml,
        "data_dir": str(tmp_path),
        "server": {"port": 0, "threads": 2, "max_waiting": 4},
    }
    path = stage.folder / "small.toml"
    path.write_text("", "utf-8")
    settings = load_settings(path, **values)
    gate, held = threading.Event(), threading.Semaphore(0)
    lock_of = IntygRows.lock_of

    def slow(self: IntygRows, patient: PersonId, intygs_id: str) -> object:
        held.release()
        gate.wait(20)
        return lock_of(self, patient, intygs_id)

    with build_app(settings) as app:
        revoke = "/services/clinicalprocess/healthcond/certificate/RevokeCertificate/2/rivtabp21"
        data = enveloped(builders.revoke_certificate(intygs_id="nobody", person=PATIENT))
        answers: list[requests.Response] = []

        def call() -> None:
            headers = {"Content-Type": "text/xml"}
            answers.append(requests.post(app.url + revoke, data, headers=headers, timeout=20))

        monkeypatch.setattr(IntygRows, "lock_of", slow)
        callers = [threading.Thread(target=call) for _ in range(22)]
        for caller in callers:
            caller.start()
        assert held.acquire(timeout=10)
        health = Bystander(lambda: requests.get(f"{app.url}/health", timeout=5).raise_for_status())
        health.probe()
        while len(answers) < 16:
            time.sleep(0.01)
        gate.set()
        for caller in callers:
            caller.join(timeout=20)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 6 + [429] * 16
    turned_away = next(answer for answer in answers if answer.status_code == 429)
    assert int(turned_away.headers["Retry-After"]) > 0
    assert "x-intyg-environment" in turned_away.headers
    health.must_not_have_noticed()


# --- what is told ---------------------------------------------------------------------------------


def test_unknown_and_another_patients_are_the_same_to_the_caller(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same text, and the same work: the same look-ups in the same order."""
    intygs_id = str(uuid.uuid4())
    url = f"{stage.adapter.url}/services"
    headers = {"Content-Type": "text/xml"}
    registered = requests.post(
        url + REGISTER, enveloped(issue(stage, intygs_id)), headers=headers, timeout=10
    )
    assert b">OK<" in registered.content
    looked: list[str] = []
    intyg = [(IntygRows, name) for name in ("lock_of", "get", "has", "statuses")]
    for kind, name in (*intyg, (DeliveryRows, "find")):
        original = getattr(kind, name)

        def noted(
            self: object, *args: object, _name: str = name, _do: Callable[..., object] = original
        ) -> object:
            if threading.current_thread().name.startswith("request-"):
                looked.append(_name)
            return _do(self, *args)

        monkeypatch.setattr(kind, name, noted)
    for contract, build in (
        ("SendCertificateToRecipient/2", builders.send_certificate_to_recipient),
        ("RevokeCertificate/2", builders.revoke_certificate),
        ("SendMessageToRecipient/2", builders.send_message_to_recipient),
    ):
        path = f"/clinicalprocess/healthcond/certificate/{contract}/rivtabp21"
        for _ in range(ATTEMPTS):  # now and then another thread looks for it, and is not noted
            seen = []
            for other_id, person in (("nobody", PATIENT), (intygs_id, TEST_PERSONS[1])):
                looked.clear()
                body = enveloped(build(intygs_id=other_id, person=person))
                answer = requests.post(url + path, body, headers=headers, timeout=10)
                assert b"ERROR" in answer.content
                seen.append((answer.content, tuple(looked)))
            if seen[0] == seen[1] and seen[0][1]:
                break
        if contract.startswith("SendMessage"):
            continue  # it names the rule that is broken, as the contract's callers expect
        assert seen[0] == seen[1], contract
        assert seen[0][1], "nothing was looked up"
