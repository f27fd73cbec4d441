"""Who may call what, as decided and as answered at the doors."""

from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog.testing

from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.platform_fault import FAULTS
from intyg.adapter.routing.access import OTHER_CASE, Access
from intyg.adapter.routing.caller import PEER_CERT
from intyg.adapter.routing.table import Routes
from intyg.adapter.settings.settings import Settings, load_settings
from intyg.adapter.soap import build_wsgi
from intyg.mocks.rules.presets import PRESETS
from intyg.schemas.contract.contract import Contracts
from tests.adapter.soap.calls import (
    Answer,
    call,
    envelope,
    request,
)

CONTRACTS = Contracts()
REGISTER = CONTRACTS.get("RegisterCertificate", 3)
REVOKE = CONTRACTS.get("RevokeCertificate", 2)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EHR = "SE2321000016-EHR1"
SECRET = "189001019802"

Logs = list[MutableMapping[str, Any]]

DESTINATIONS = {
    "fk": {"url": "http://127.0.0.1:1", "kind": "test"},
    "fk2": {"url": "http://127.0.0.1:2", "kind": "test"},
    "unknown": {"url": "", "kind": "test"},
}


def route(contract: str, address: str, destination: str = "fk", **days: str) -> dict[str, str]:
    return {
        "contract": contract,
        "logical_address": address,
        "destination": destination,
        **days,
    }


def permit(sender: str, contract: str = "*", address: str = "*", **days: str) -> dict[str, str]:
    return {"sender": sender, "contract": contract, "logical_address": address, **days}


def settings(*rows: dict[str, str], environment: str = "test", **more: Any) -> Settings:
    return load_settings(
        environment=environment,
        logical_address="ADAPTER",
        destinations=DESTINATIONS,
        routes=[row for row in rows if "destination" in row],
        permissions=[row for row in rows if "sender" in row],
        **more,
    )


def decide(
    *rows: dict[str, str], address: str = "FK", sender: str | None = EHR, environment: str = "test"
) -> tuple[str | None, str]:
    made = settings(*rows, environment=environment)
    decision = Access(made, Routes(made, lambda: NOW)).decide(sender, REGISTER, address)
    return decision.refusal, decision.detail


# --- routing before permission ----------------------------------------------------------------


def test_a_caller_with_permission_is_let_in() -> None:
    assert decide(route("*", "FK"), permit(EHR))[0] is None


def test_without_permission_nobody_is_let_in() -> None:
    refusal, detail = decide(route("*", "FK"), permit("SE2321000016-OTHER"))
    assert refusal == "VP007"
    assert EHR in detail


def test_without_a_route_permission_is_not_asked_about() -> None:
    assert decide(route("*", "FK"), address="TS")[0] == "VP004"


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("FK ", "white space"),
        ("\n FK", "white space"),
        ("TS", "No row says RegisterCertificate"),
    ],
)
def test_an_address_without_a_route_gets_a_hint(address: str, hint: str) -> None:
    refusal, detail = decide(route("*", "FK"), permit("*"), address=address)
    assert refusal == "VP004"
    assert hint in detail


def test_an_address_is_the_same_in_small_letters() -> None:
    assert decide(route("*", "FK"), permit(EHR), address="fk")[0] is None
    assert decide(route("*", "fk"), permit(EHR, address="Fk"), address="FK")[0] is None


def test_a_caller_is_permitted_by_the_letters_that_it_has() -> None:
    """As the national platform does; only told why."""
    refusal, detail = decide(route("*", "FK"), permit(EHR.lower()), sender=EHR)
    assert refusal == "VP007"
    assert OTHER_CASE in detail
    assert OTHER_CASE not in decide(route("*", "FK"), permit("SE2321000016-X"), sender=EHR)[1]


def test_the_adapters_own_address_needs_no_route() -> None:
    assert decide(permit(EHR), address="ADAPTER")[0] is None


def test_an_address_can_be_the_adapters_by_a_route() -> None:
    assert decide(route("*", "SE5565594230-B8N", "adapter"), permit(EHR), address="FK")[0] == (
        "VP004"
    )
    rows = (route("*", "SE5565594230-B8N", "adapter"), permit(EHR))
    assert decide(*rows, address="SE5565594230-B8N")[0] is None


def test_routes_that_disagree_are_not_chosen_between() -> None:
    refusal, detail = decide(route("*", "FK"), route("*", "FK", "fk2"), permit(EHR))
    assert refusal == "VP006"
    assert "['fk', 'fk2']" in detail


def test_the_same_route_twice_is_one() -> None:
    assert decide(route("*", "FK"), route("*", "FK"), permit(EHR))[0] is None


def test_a_destination_without_address_is_told() -> None:
    refusal, detail = decide(route("*", "FK", "unknown"), permit(EHR))
    assert refusal == "VP010"
    assert "unknown has no url" in detail


def test_no_data_at_all_is_a_fault_of_the_adapter() -> None:
    assert decide(address="ADAPTER")[0] == "VP008"


# --- permissions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "permitted"),
    [
        (permit(EHR, "RegisterCertificate", "FK"), True),
        (permit(EHR, "RegisterCertificate", "*"), True),
        (permit(EHR, "*", "FK"), True),
        (permit("*", "RegisterCertificate", "FK"), True),
        (permit(EHR, "RevokeCertificate", "FK"), False),
        (permit(EHR, "RegisterCertificate", "TS"), False),
        (permit(EHR.lower(), "*", "*"), False),
        (permit(EHR, valid_from="2026-11-23", valid_to="2026-11-23"), True),
        (permit(EHR, valid_from="2026-11-24"), False),
        (permit(EHR, valid_to="2026-11-22"), False),
    ],
)
def test_a_permission_is_for_sender_contract_address_and_time(
    row: dict[str, str], permitted: bool
) -> None:
    refusal, _ = decide(route("*", "FK"), row)
    assert (refusal is None) == permitted


def test_a_caller_nobody_knows_needs_a_permission_for_anybody() -> None:
    assert decide(route("*", "FK"), permit(EHR), sender=None)[0] == "VP007"
    assert decide(route("*", "FK"), permit("*"), sender=None)[0] is None


@pytest.mark.parametrize(
    ("rows", "refusal"),
    [
        ((), None),
        ((route("*", "FK", "unknown"),), None),
        ((permit("SE2321000016-OTHER"),), "VP007"),
    ],
    ids=["nothing written", "any address", "permissions that are written count"],
)
def test_demo_lets_in_unless_permissions_are_written(
    rows: tuple[dict[str, str], ...], refusal: str | None
) -> None:
    assert decide(*rows, environment="demo")[0] == refusal


# --- at the doors -----------------------------------------------------------------------------


class Doors:
    """The doors with an access that counts, and a handler that remembers."""

    def __init__(self, *rows: dict[str, str], **more: Any) -> None:
        self.seen: list[Inbound] = []
        made = settings(*rows, **more)
        self.app = build_wsgi(
            CONTRACTS,
            dict.fromkeys((REGISTER.key, REVOKE.key), self.handle),
            made,
            lambda: NOW,
            access=Access(made, Routes(made, lambda: NOW)),
        )

    def handle(self, inbound: Inbound) -> Result:
        self.seen.append(inbound)
        return Result.ok()

    def post(
        self, sender: str | None = EHR, address: str | None = "FK", body: str = "", **environ: Any
    ) -> Answer:
        message = body or envelope(request(REGISTER, SECRET), address)
        cert = {"subject": ((("serialNumber", sender),),)} if sender else None
        environ = {"wsgi.url_scheme": "https", PEER_CERT: cert, **environ}
        return call(self.app, "POST", REGISTER.path, message.encode(), **environ)


@pytest.fixture(autouse=True)
def logs() -> Iterator[Logs]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_a_permitted_call_reaches_its_handler_with_the_sender(logs: Logs) -> None:
    doors = Doors(route("*", "FK"), permit(EHR))
    assert doors.post().status == 200
    assert doors.seen[0].sender == EHR
    assert logs[-1]["intyg.sender"] == EHR


@pytest.mark.parametrize(
    ("rows", "how", "code", "faultcode"),
    [
        ((), {}, "VP008", "Server"),
        ((route("*", "FK"), permit(EHR)), {"sender": None}, "VP002", "Client"),
        ((route("*", "FK"), permit(EHR)), {"address": None}, "VP001", "Client"),
        ((route("*", "FK"), permit(EHR)), {"address": " "}, "VP003", "Client"),
        ((route("*", "FK"), permit(EHR)), {"address": "FK "}, "VP004", "Client"),
        ((route("*", "FK"), route("*", "FK", "fk2")), {}, "VP006", "Server"),
        ((route("*", "FK"),), {}, "VP007", "Server"),
        ((route("*", "FK", "unknown"), permit(EHR)), {}, "VP010", "Server"),
    ],
    ids=["VP008", "VP002", "VP001", "VP003", "VP004", "VP006", "VP007", "VP010"],
)
def test_refusals_have_the_national_form(
    rows: tuple[dict[str, str], ...], how: dict[str, Any], code: str, faultcode: str, logs: Logs
) -> None:
    doors = Doors(*rows)
    answer = doors.post(**how)
    assert answer.status == 500
    assert answer.fault[0] == faultcode
    assert answer.fault[1].startswith(f"{code} [intygsadapter] ")
    assert [child.tag for child in answer.child] == ["faultcode", "faultstring", "detail"]
    assert [child.tag for child in answer.child[2]] == ["detailString"]
    assert answer.child.findtext("detail/detailString")
    assert doors.seen == []
    assert logs[-1]["intyg.fault"] == code
    assert SECRET not in answer.body.decode() + repr(logs)


def test_an_original_sender_that_is_not_allowed_is_refused() -> None:
    doors = Doors(route("*", "FK"), permit(EHR), caller={"original_senders": ["SE-PORTAL"]})
    answer = doors.post(HTTP_X_RIVTA_ORIGINAL_SERVICECONSUMER_HSAID="SE-FIRST")
    assert answer.fault[1].startswith("VP013 ")


def test_the_original_sender_grants_nothing(logs: Logs) -> None:
    doors = Doors(route("*", "FK"), permit("SE2321000016-FIRST"))
    answer = doors.post(HTTP_X_RIVTA_ORIGINAL_SERVICECONSUMER_HSAID="SE2321000016-FIRST")
    assert answer.fault[1].startswith("VP007 ")
    assert logs[-1]["intyg.original_consumer"] == "SE2321000016-FIRST"
    assert logs[-1]["intyg.sender"] == EHR


def test_a_stranger_is_refused_before_the_message_is_read() -> None:
    class NotToBeRead:
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

    unread: dict[str, Any] = {"wsgi.input": NotToBeRead()}
    answer = Doors(permit(EHR)).post(None, **unread)
    assert answer.fault[1].startswith("VP002 ")


def test_who_may_not_call_is_not_told_what_is_wrong_with_the_message() -> None:
    """A message with a broken Body has the same answer as a good one."""
    doors = Doors(route("*", "FK"), permit("SE2321000016-OTHER"))
    broken = envelope(request(REGISTER, "<x/>" * 3), "FK")
    assert doors.post(body=broken).body == doors.post().body


def test_pages_are_for_everybody() -> None:
    doors = Doors()
    assert call(doors.app, "GET", f"{REGISTER.path}?wsdl").status == 200


@pytest.mark.parametrize(
    ("side", "codes"),
    [
        ("Client", {1, 2, 3, 4, 5, 11, 13, 15}),
        ("Server", {6, 7, 8, 9, 10, 12, 14}),
    ],
)
def test_a_fault_is_on_the_side_that_the_platform_says_in_adapter_and_mocks_alike(
    side: str, codes: set[int]
) -> None:
    ours = {code: fault.value for code, (fault, _) in FAULTS.items()}
    mocks = {code: preset.whose.value for code, preset in PRESETS.items()}
    for faults in (ours, mocks):
        found = {
            int(code[2:]) for code, fault in faults.items() if fault.rpartition(":")[2] == side
        }
        assert found == codes & {int(code[2:]) for code in faults}
    assert len(mocks) == 15
