from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from intyg.adapter.domain.destination import DestinationKind, DestinationRole
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import UnknownRecipientError
from intyg.adapter.domain.platform_fault import VpCode
from intyg.adapter.routing.table import Recipient, Routes, RouteTable
from intyg.adapter.settings.routing import RoutingSettings
from intyg.adapter.settings.settings import (
    DestinationSettings,
    RecipientSettings,
    RouteSettings,
    Settings,
    SettingsError,
    load_settings,
)
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.typefile.lookup import IntygTypes
from tests.builders import NOW

PATH = "/clinicalprocess/healthcond/certificate"


@pytest.fixture(scope="module")
def fk7804() -> IntygType:
    return IntygTypes().find("LISJP", "1.3")


def routes(*rows: tuple[str, str, str]) -> Routes:
    """Routes to destinations that are named after their address."""
    return Routes(
        Settings(
            environment=Environment.DEMO,
            destinations={
                name: DestinationSettings(
                    url=f"http://{name}/",
                    kind=DestinationKind.MOCK,
                    role=DestinationRole.CARE if name == "ehr" else DestinationRole.AUTHORITY,
                )
                for _, _, name in rows
            },
            routes=tuple(
                RouteSettings(contract=contract, logical_address=address, destination=name)
                for contract, address, name in rows
            ),
        ),
        lambda: NOW,
    )


def recipients(**by_part: RecipientSettings) -> Routes:
    return Routes(Settings(environment=Environment.DEMO, recipients=by_part), lambda: NOW)


@pytest.mark.parametrize(
    ("contract", "address", "name"),
    [
        ("RegisterCertificate", "FK", "exact"),
        ("RevokeCertificate", "FK", "any-contract"),
        ("RegisterCertificate", "TS", "any-address"),
        ("RevokeCertificate", "TS", "any"),
    ],
)
def test_exact_address_wins_over_any_and_then_exact_contract(
    contract: str, address: str, name: str
) -> None:
    table = routes(
        ("*", "*", "any"),
        ("RegisterCertificate", "*", "any-address"),
        ("*", "FK", "any-contract"),
        ("RegisterCertificate", "FK", "exact"),
    )
    found = table.find(contract, 3, address)
    assert found is not None
    assert found.name == name


def test_white_space_in_the_address_has_no_route() -> None:
    assert routes(("*", "FK", "fk")).find("RegisterCertificate", 3, "FK ") is None


def test_the_national_path_is_added_to_the_base_address() -> None:
    found = routes(("*", "FK", "fk")).find("RegisterCertificate", 3, "FK")
    assert found is not None
    assert found.url == f"http://fk{PATH}/RegisterCertificate/3/rivtabp21"


def test_an_address_with_placeholders_is_used_as_it_stands() -> None:
    table = Routes(
        Settings(
            environment=Environment.DEMO,
            destinations={
                "fk": DestinationSettings(
                    url="http://fk/{contract}/v{major}", kind=DestinationKind.MOCK
                )
            },
            routes=(RouteSettings(contract="*", logical_address="*", destination="fk"),),
        ),
        lambda: NOW,
    )
    found = table.find("RevokeCertificate", 2, "anything")
    assert found is not None
    assert found.url == "http://fk/RevokeCertificate/v2"


def test_a_recipient_takes_the_types_that_name_it(fk7804: IntygType) -> None:
    table = recipients(
        FKASSA=RecipientSettings(name="Försäkringskassan", logical_address="FK"),
        TRANSP=RecipientSettings(name="Transportstyrelsen", logical_address="TS"),
    )
    assert table.recipient("FKASSA", fk7804) == Recipient("FKASSA", "FK")
    with pytest.raises(UnknownRecipientError, match="does not take"):
        table.recipient("TRANSP", fk7804)


@pytest.mark.parametrize("code", ["FK7804", "LISJP"])
def test_a_recipient_takes_a_type_that_its_list_names(code: str, fk7804: IntygType) -> None:
    table = recipients(AF=RecipientSettings(name="x", logical_address="AF", types=(code,)))
    assert table.recipient("AF", fk7804).logical_address == "AF"


def test_a_type_that_is_not_sent_any_more_has_no_recipient(fk7804: IntygType) -> None:
    table = recipients(FKASSA=RecipientSettings(name="x", logical_address="FK"))
    kept = replace(fk7804, usage=replace(fk7804.usage, send=False))
    with pytest.raises(UnknownRecipientError, match="does not take"):
        table.recipient("FKASSA", kept)


@pytest.mark.parametrize("part", ["HSVARD", "INVANA", "NOBODY"])
def test_care_the_citizen_and_strangers_are_no_recipients(part: str, fk7804: IntygType) -> None:
    table = recipients(
        HSVARD=RecipientSettings(name="x", logical_address="x", types=("LISJP",)),
        INVANA=RecipientSettings(name="x", logical_address="x", types=("LISJP",)),
        FKASSA=RecipientSettings(name="x", logical_address="FK"),
    )
    with pytest.raises(UnknownRecipientError, match="Known recipients: FKASSA"):
        table.recipient(part, fk7804)


def test_an_inactive_recipient_takes_nothing(fk7804: IntygType) -> None:
    table = recipients(FKASSA=RecipientSettings(name="x", logical_address="FK", active=False))
    with pytest.raises(UnknownRecipientError, match="at present"):
        table.recipient("FKASSA", fk7804)


# --- time, and rows that disagree ---------------------------------------------------------------


def dated(*rows: tuple[str, str, str, date | None, date | None]) -> RouteTable:
    kind = DestinationKind.MOCK
    return RouteTable(
        RoutingSettings(
            destinations={
                name: DestinationSettings(url="http://x", kind=kind) for _, _, name, _, _ in rows
            },
            routes=tuple(
                RouteSettings(
                    contract=contract,
                    logical_address=address,
                    destination=name,
                    valid_from=first,
                    valid_to=last,
                )
                for contract, address, name, first, last in rows
            ),
        ),
        "ADAPTER",
    )


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 6, 30), "old"),
        (date(2026, 7, 1), "new"),  # both days of a row count
        (date(2026, 12, 31), "new"),
        (date(2027, 1, 1), "rest"),
    ],
)
def test_a_row_counts_on_its_days(day: date, name: str) -> None:
    table = dated(
        ("*", "FK", "old", None, date(2026, 6, 30)),
        ("*", "FK", "new", date(2026, 7, 1), date(2026, 12, 31)),
        ("*", "*", "rest", None, None),
    )
    found = table.find("RegisterCertificate", "FK", day).route
    assert found is not None
    assert found.destination == name


def test_a_row_that_does_not_hold_today_is_named() -> None:
    table = dated(("*", "FK", "fk", None, date(2026, 6, 30)))
    found = table.find("RegisterCertificate", "FK", date(2026, 7, 1))
    assert found.refusal is VpCode.VP004
    assert "* at FK to fk to 2026-06-30 does not hold on 2026-07-01" in found.detail


def test_the_day_is_the_swedish_one() -> None:
    late = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)  # 00:30 on 1 July in Sweden
    table = Routes(Settings(environment=Environment.DEMO), lambda: late)
    assert table.today() == date(2026, 7, 1)


def test_what_counts_at_one_moment_is_not_changed_by_time_or_new_rows() -> None:
    now = [datetime(2026, 6, 30, 12, 0, tzinfo=UTC)]
    live = Routes(Settings(environment=Environment.DEMO), lambda: now[0])
    fixed = live.as_of(now[0])
    live.replace(routes(("*", "FK", "fk")).table.routing)
    now[0] = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert (live.today().day, fixed.today().day) == (1, 30)
    assert live.find("RegisterCertificate", 3, "FK") is not None
    assert fixed.find("RegisterCertificate", 3, "FK") is None


def test_nothing_is_sent_where_rows_disagree_or_lead_nowhere() -> None:
    table = routes(("*", "FK", "fk"), ("*", "FK", "fk2"), ("*", "TS", "ts"))
    assert table.find("RegisterCertificate", 3, "FK") is None
    assert table.find("RegisterCertificate", 3, "INTYGSADAPTER") is None  # to ourselves
    without = table.table.routing.model_copy(
        update={
            "destinations": {
                name: one.model_copy(update={"url": ""})
                for name, one in table.table.routing.destinations.items()
            }
        }
    )
    assert table.find("RegisterCertificate", 3, "TS") is not None
    table.replace(without)
    assert table.find("RegisterCertificate", 3, "TS") is None


@pytest.mark.parametrize(
    ("contract", "leads_to"),
    [
        ("RegisterCertificate", "fk"),
        ("RevokeCertificate", "fk"),
        ("SendMessageToRecipient", "fk"),
        ("SendMessageToCare", "ehr"),
        ("CertificateStatusUpdateForCare", "ehr"),
    ],
)
def test_an_authority_is_no_destination_for_what_care_is_told_nor_the_reverse(
    contract: str, leads_to: str
) -> None:
    table = routes(("*", "A", "fk"), ("*", "B", "ehr"))
    found = [table.find(contract, 3, address) for address in ("A", "B")]
    assert [one.name for one in found if one is not None] == [leads_to]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://fk.example/in", "https://fk.example/in"),
        ("https://fk.example/in", "https://FK.example:443/in/"),
        ("http://fk.example", "http://fk.example:80/"),
        ("https://10.1.2.3", "https://[::ffff:10.1.2.3]"),
        ("https://[2001:db8::1]", "https://[2001:DB8:0::1]:443"),
    ],
)
def test_one_address_is_not_of_two_kinds(one: str, other: str) -> None:
    def listed(*kinds: str) -> None:
        rows = zip("ab", (one, other), kinds, strict=True)
        load_settings(
            environment="test",
            destinations={
                name: {"url": url, "kind": kind, "allow": True} for name, url, kind in rows
            },
        )

    listed("real", "real")
    for kinds in (("real", "test"), ("test", "real"), ("test", "mock")):
        with pytest.raises(SettingsError, match="a and b are one address"):
            listed(*kinds)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://fk.example", "https://fk.example/a/{contract}/{major}"),
        ("https://fk.example/in", "https://FK.example.:443/in/../elsewhere"),
        ("http://localhost:9000/real", "http://127.0.0.1:9000/test"),
        ("http://[::1]:9000/a", "http://127.0.0.2:9000"),
        ("http://0.0.0.0:9000/a", "http://LOCALHOST.:9000"),
    ],
)
def test_one_host_and_port_is_not_real_and_something_else(one: str, other: str) -> None:
    def listed(first: str, second: str) -> None:
        load_settings(
            environment="test",
            destinations={
                "a": {"url": one, "kind": first, "allow": True},
                "b": {"url": other, "kind": second, "allow": True},
            },
        )

    listed("test", "mock")  # a machine full of them
    for kinds in (("real", "test"), ("mock", "real")):
        with pytest.raises(SettingsError, match=r"a and b are one (host and port|address), and"):
            listed(*kinds)


@pytest.mark.parametrize(
    "url",
    [
        "http://fk.example:port/",
        "http://[fk/",
        "https://",
        "https:///fk.example",
        " https://fk.example",
        "HTTPS://fk.example",  # nobody else would say that it is the same
        "https://user:secret@fk.example",
        "https://fk.example\\@test.example",  # which of the two depends on who reads it
        "https://fk%2eexample",
        "https://fk.\texample",
        "https://{contract}.example",
        "https://f\u00f6.example",
        "https://\uff46\uff4b.example",
        "https://0x0a010203",
        "https://167838211",
        "https://10.66051",
        "https://012.1.2.3",
        "https://10.1.2.0x3.",
        "https://[fe80::1%25eth0]",
    ],
)
def test_an_address_that_is_none_or_could_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"destinations\.fk\.url") as refused:
        load_settings(environment="test", destinations={"fk": {"url": url, "kind": "test"}})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"valid_from": "2026-07-01", "valid_to": "2026-06-30"}, "valid_to is before"),
        ({"valid_from": "yesterday"}, "valid_from"),
        ({"until": "2026-06-30"}, "until"),
    ],
)
def test_wrong_rows_are_refused(wrong: dict[str, str], says: str) -> None:
    row = {"contract": "*", "logical_address": "*", "destination": "adapter", **wrong}
    with pytest.raises(SettingsError, match=says):
        load_settings(environment="demo", routes=[row])


def test_the_adapters_own_name_is_no_destination() -> None:
    with pytest.raises(SettingsError, match="stands for the adapter itself"):
        load_settings(
            environment="demo", destinations={"adapter": {"url": "http://x", "kind": "mock"}}
        )
