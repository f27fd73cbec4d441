"""Each effect, seen from a zeep client and from a bare socket."""

import re
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import pytest

from intyg.mocks.rules import parse_rule
from intyg.mocks.rules.answers import DripDelay
from intyg.mocks.rules.effects import TLS_ALERT, Reply, leave
from intyg.mocks.rules.trace import AnswerState
from intyg.mocks.rules.waits import Waits
from intyg.mocks.server.serving import MockServer
from intyg.schemas import ns
from tests.mocks.kinds import Kassan
from tests.mocks.rules.callers import ZeepCaller, raw

Seen = bytes | str
NOT_ALLOWED = "The caller may not call this contract and logical address"
OK = b"<c:resultCode>OK</c:resultCode>"


def http(status: int, *words: bytes) -> Callable[[Seen], bool]:
    """A whole HTTP answer whose body has the words."""

    def holds(seen: Seen) -> bool:
        assert isinstance(seen, bytes), seen
        head, _, body = seen.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length is not None
        return (
            head.startswith(f"HTTP/1.1 {status} ".encode())
            and int(length[1]) == len(body)
            and all(word in body for word in words)
        )

    return holds


def half(seen: Seen) -> bool:
    assert isinstance(seen, bytes), seen
    head, _, body = seen.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length is not None
    ended = body.rstrip().endswith(b"Envelope>")
    return (
        head.startswith(b"HTTP/1.1 200 ") and int(length[1]) // 2 == len(body) > 100 and not ended
    )


def garbage(seen: Seen) -> bool:
    return isinstance(seen, bytes) and len(seen) == 512 and not seen.startswith(b"HTTP")


def exactly(expected: Seen) -> Callable[[Seen], bool]:
    return lambda seen: seen == expected


def in_order(*words: bytes) -> Callable[[Seen], bool]:
    """HTTP 200, with the words one after the other."""
    return lambda seen: isinstance(seen, bytes) and bool(re.search(b".*".join(words), seen, re.S))


@pytest.mark.parametrize(
    ("answer", "zeep_sees", "socket_sees", "stored"),
    [
        pytest.param({"kind": "normal"}, "OK", http(200, OK), True, id="normal"),
        pytest.param({"kind": "ok"}, "OK", http(200, OK), True, id="OK"),
        pytest.param(
            {"kind": "ok", "store": False}, "OK", http(200, OK), False, id="OK, and forgotten"
        ),
        pytest.param(
            {"kind": "info", "text": "seen"}, "INFO seen", http(200, b">seen<"), True, id="INFO"
        ),
        pytest.param(
            {"kind": "error", "error_id": "APPLICATION_ERROR", "text": "no"},
            "ERROR APPLICATION_ERROR no",
            in_order(b"resultText>no<", b"errorId>APPLICATION_ERROR<"),
            False,
            id="ERROR",
        ),
        pytest.param(
            {"kind": "error", "error_id": "TECHNICAL_ERROR", "text": "no", "store": True},
            "ERROR TECHNICAL_ERROR no",
            http(200, b"TECHNICAL_ERROR"),
            True,
            id="stored, then ERROR",
        ),
        pytest.param(
            {"kind": "fault", "text": "broken", "detail": "deep"},
            "fault soap:Server broken deep",
            http(500, b"<faultstring>broken</faultstring>"),
            False,
            id="fault",
        ),
        pytest.param(
            {"kind": "fault", "code": "Client", "store": True},
            "fault soap:Client Ordered by a rule",
            http(500, b"soap:Client"),
            True,
            id="stored, then fault",
        ),
        pytest.param(
            {"kind": "vp", "code": "VP007"},
            f"fault soapenv:Server VP007 [NTJP-MOCK] {NOT_ALLOWED} "
            f"VP007 {NOT_ALLOWED} ({ns.message('RegisterCertificate', 3)}, FKASSA)",
            http(500, b"<faultstring>VP007 [NTJP-MOCK] ", b"<detail><detailString>VP007 "),
            False,
            id="VP007",
        ),
        pytest.param(
            {"kind": "http", "status": 503},
            "fault that is none",
            http(503, b"<h1>503 Service Unavailable</h1>"),
            False,
            id="HTTP 503 with a page",
        ),
        pytest.param(
            {"kind": "http", "status": 404, "page": "gone", "content_type": "text/plain"},
            "transport 404",
            http(404, b"gone"),
            False,
            id="HTTP 404 with a page of one's own",
        ),
        pytest.param(
            {"kind": "wrong_type", "content_type": "text/html"},
            "OK",
            in_order(b"Content-Type: text/html\r\n", OK),
            True,
            id="wrong content type",
        ),
        pytest.param({"kind": "empty"}, "transport 200", http(200), False, id="empty"),
        pytest.param(
            {"kind": "invalid", "shape": "error_id_first", "text": "no"},
            "ERROR APPLICATION_ERROR",  # zeep does not see the text
            in_order(b"errorId>APPLICATION_ERROR<", b"resultText>no<"),
            False,
            id="errorId before resultText",
        ),
        pytest.param(
            {"kind": "invalid", "shape": "no_error_id", "text": "no"},
            "ERROR no",
            in_order(b">ERROR<", b">no<"),
            False,
            id="ERROR without errorId",
        ),
        pytest.param(
            {"kind": "invalid", "shape": "unknown_code"},
            "SUCCESS",
            http(200, b">SUCCESS<"),
            False,
            id="a resultCode that there is not",
        ),
        pytest.param(
            {"kind": "invalid", "shape": "no_result"},
            "no result",
            http(200, b"RegisterCertificateResponse"),
            False,
            id="no result",
        ),
        pytest.param({"kind": "reset"}, "ConnectionError", exactly("reset"), False, id="reset"),
        pytest.param(
            {"kind": "reset", "store": True},
            "ConnectionError",
            exactly("reset"),
            True,
            id="stored, then reset",
        ),
        pytest.param(
            {"kind": "half_body", "store": True},
            "ChunkedEncodingError",
            half,
            True,
            id="half a body",
        ),
        pytest.param({"kind": "garbage"}, "ConnectionError", garbage, False, id="garbage"),
        pytest.param(
            {"kind": "tls_failure"}, "ConnectionError", exactly(TLS_ALERT), False, id="TLS failure"
        ),
        pytest.param({"kind": "hang"}, "ReadTimeout", exactly("silence"), False, id="hang"),
        pytest.param(
            {"kind": "hang", "store": True},
            "ReadTimeout",
            exactly("silence"),
            True,
            id="stored, then hang",
        ),
    ],
)
def test_an_effect_is_what_callers_see(
    server: MockServer,
    kassan: Kassan,
    by_zeep: ZeepCaller,
    answer: dict[str, Any],
    zeep_sees: str,
    socket_sees: Callable[[Seen], bool],
    stored: bool,
) -> None:
    rule = kassan.rules.add(parse_rule({"answers": answer}))
    timeout = 1.0 if answer["kind"] == "hang" else 5.0
    assert by_zeep.call(server, timeout=timeout) == zeep_sees
    assert bool(kassan.persona.all_intyg()) is stored
    kassan.reset()
    kassan.rules.add(rule)
    seen = raw(server, timeout=timeout)
    assert socket_sees(seen), seen
    assert bool(kassan.persona.all_intyg()) is stored
    (entry,) = kassan.journal.entries()
    assert [(each.rule_id, each.acted) for each in entry.rules] == [(rule.id, True)]


@pytest.mark.parametrize(
    ("pieces", "settled"), [(1, ["sent", "caller_gone"]), (2, ["caller_gone"])]
)
def test_an_answer_that_could_not_be_written_found_nobody(
    pieces: int, settled: list[AnswerState]
) -> None:
    told: list[AnswerState] = []
    late = Reply(200, b"an answer", drip=DripDelay(seconds=1, pieces=2) if pieces == 2 else None)
    reply = replace(late, wait_seconds=0.001)
    parts = leave(reply, {}, Waits(), told.append).response
    assert isinstance(parts, Generator)
    assert next(parts) == b"an answer"[: -(-9 // pieces)]
    parts.close()
    assert told == settled
