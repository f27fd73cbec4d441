import json
from typing import Any

import pytest

from intyg.mocks.rules import (
    RuleError,
    parse_rule,
    rule_faults,
    rule_json,
    rule_schema,
)
from intyg.mocks.rules.answers import EFFECTS

OK = {"kind": "ok"}
PASS = {"kind": "pass_through"}


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        pytest.param([], "a rule is an object", id="no object"),
        pytest.param({}, "answers: missing", id="no answers"),
        pytest.param({"answers": []}, "answers: must not be empty", id="empty answers"),
        pytest.param({"answers": {}}, "answers.kind: missing", id="no kind"),
        pytest.param(
            {"answers": {"kind": "eror"}},
            "answers.kind: eror is unknown; the nearest is error",
            id="kind misspelt",
        ),
        pytest.param(
            {"answers": {"kind": "error"}}, "answers.error_id: missing", id="ERROR without errorId"
        ),
        pytest.param(
            {"answers": [OK, {"kind": "error", "error_id": "TECHNICAL_EROR"}]},
            "answers.1.error_id: TECHNICAL_EROR is unknown; the nearest is TECHNICAL_ERROR",
            id="errorId misspelt",
        ),
        pytest.param(
            {"answers": {"kind": "vp", "code": "VP07"}},
            "answers.code: VP07 is unknown; the nearest is VP007",
            id="preset misspelt",
        ),
        pytest.param(
            {"answers": {"kind": "error", "error_id": "REVOKED", "text": "\x00"}},
            "answers.text: holds a character that XML cannot",
            id="a text that no XML can hold",
        ),
        pytest.param(
            {"answers": {"kind": "http", "status": 99}},
            "answers.status: input should be greater than or equal to 200",
            id="no HTTP status",
        ),
        pytest.param(
            {"answers": {"kind": "hang", "delay": {"kind": "fixd", "seconds": 1}}},
            "answers.delay.kind: fixd is unknown; the nearest is fixed",
            id="delay misspelt",
        ),
        pytest.param(
            {"answers": {**OK, "delay": {"kind": "random", "at_least": 2, "at_most": 1}}},
            "answers.delay: at_least is more than at_most",
            id="delay from more to less",
        ),
        pytest.param(
            {"answers": {**OK, "delay": {"kind": "fixed", "seconds": float("nan")}}},
            "answers.delay.seconds: input should be a finite number",
            id="delay that is no number",
        ),
        pytest.param(
            {"answers": OK, "match": {"contract": "RegisterCertficate"}},
            "match.contract: RegisterCertficate is unknown; the nearest is RegisterCertificate",
            id="unknown contract",
        ),
        pytest.param(
            {"answers": OK, "match": {"contract": ["RevokeCertificate", "RevokeCertificate:9"]}},
            "match.contract.1: RevokeCertificate:9 is unknown; the nearest is RevokeCertificate:2",
            id="unknown version of a contract",
        ),
        pytest.param(
            {"answers": OK, "match": {"agency": "FK"}},
            "match.agency: FK is unknown; the nearest is FKASSA",
            id="unknown agency",
        ),
        pytest.param(
            {"answers": OK, "match": {"amne": ["OVRIGT", "KOMPLTT"]}},
            "match.amne.1: KOMPLTT is unknown; the nearest is KOMPLT",
            id="subject misspelt",
        ),
        pytest.param(
            {"answers": OK, "match": {"handelse": "SKIKCA"}},
            "match.handelse: SKIKCA is unknown; the nearest is SKICKA",
            id="event misspelt",
        ),
        pytest.param(
            {"answers": OK, "match": {"intyg_id": "x"}},
            "match.intyg_id: intyg_id is unknown; the nearest is intygs_id",
            id="criterion misspelt",
        ),
        pytest.param(
            {"answers": OK, "match": {"typ": []}}, "match.typ: must not be empty", id="no choice"
        ),
        pytest.param(
            {"answers": OK, "match": {"version": 1.3}},
            "match.version: must be a text; a number goes in quotes",
            id="number without quotes",
        ),
        pytest.param(
            {"answers": OK, "match": {"xpath": "//core:typ["}},
            "match.xpath: invalid expression: //core:typ[",
            id="XPath that does not compile",
        ),
        pytest.param(
            {"answers": OK, "match": {"xpath": ["//core:typ", "//cor:typ"]}},
            "match.xpath.1: a prefix is unknown; there are soap, itr, core, types, ext32, ext33, "
            "ext34, csuext, core1, recv, ds, xf2, tns: //cor:typ",
            id="XPath with an unknown prefix",
        ),
        pytest.param(
            {"answers": OK, "match": {"xpath": "svar()"}},
            "match.xpath: unregistered function: svar()",
            id="XPath with an unknown function",
        ),
        pytest.param(
            {"answers": OK, "match": {"attempt": {"at_leas": 2}}},
            "match.attempt.at_leas: at_leas is unknown; the nearest is at_least",
            id="span misspelt",
        ),
        pytest.param(
            {"answers": OK, "key": "intygs-id"},
            "key: intygs-id is unknown; the nearest is intygs_id",
            id="key misspelt",
        ),
        pytest.param(
            {"answers": OK, "key": "xpath:("},
            "key: invalid expression: (",
            id="key does not compile",
        ),
        pytest.param(
            {"answers": OK, "id": "a/b"},
            "id: string should match pattern '^[A-Za-z0-9._-]{1,64}$'",
            id="an id that no path can hold",
        ),
        pytest.param(
            {"answers": OK, "prioritet": 1},
            "prioritet: prioritet is unknown; the nearest is priority",
            id="field misspelt",
        ),
        pytest.param(
            {
                "answers": {
                    "kind": "pass_through",
                    "url": "http://127.0.0.1:1",
                    "destination": "real",
                }
            },
            "answers.destination: a call is never passed through to a real destination",
            id="pass through to a real destination",
        ),
        pytest.param(
            {
                "answers": {
                    "kind": "pass_through",
                    "url": "http://fk.example",
                    "destination": "test",
                }
            },
            "answers.0.url: http://fk.example is neither on loopback nor allowed in the mock's "
            "settings",
            id="pass through to an address that is not allowed",
        ),
        *(
            pytest.param(
                {"answers": {**PASS, "destination": "mock", "url": url}},
                "answers.url: must have no user, query or fragment",
                id=f"pass through to {url}",
            )
            for url in ("http://me@127.0.0.1", "http://127.0.0.1/?a", "http://127.0.0.1/#a")
        ),
        pytest.param(
            {"answers": {**PASS, "url": "http://127.0.0.1:1"}},
            "answers.destination: missing",
            id="pass through to nobody knows what",
        ),
    ],
)
def test_a_rule_that_cannot_act_is_refused_with_its_field(values: object, fault: str) -> None:
    with pytest.raises(RuleError) as raised:
        parse_rule(values)
    assert str(raised.value) == fault
    assert raised.value.field == fault.partition(": ")[0] * (": " in fault)


def test_every_fault_of_a_rule_is_told() -> None:
    faults = rule_faults({"answers": {"kind": "vp"}, "match": {"typ": 7}, "cuont": 1})
    assert {each.field for each in faults} == {"answers.code", "match.typ", "cuont"}


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        pytest.param("http://127.0.0.2:8081", (), id="loopback"),
        pytest.param("http://[::1]:8081/x", (), id="loopback, IPv6"),
        pytest.param("https://fk.example/test/", ("https://fk.example/test",), id="allowed"),
    ],
)
def test_calls_may_pass_to_loopback_and_to_what_the_settings_allow(
    url: str, allowed: tuple[str, ...]
) -> None:
    answer = {"kind": "pass_through", "url": url, "destination": "test"}
    assert rule_faults({"answers": answer}, allowed) == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://fk.example/test/more", id="below what is allowed"),
        pytest.param("http://127.0.0.1.fk.example/", id="looks like loopback"),
        pytest.param("http://10.0.0.1/", id="private"),
    ],
)
def test_calls_pass_nowhere_else(url: str) -> None:
    answer = {"kind": "pass_through", "url": url, "destination": "mock"}
    assert rule_faults({"answers": answer}, ("http://fk.example/test",)) != []


WHOLE: dict[str, Any] = {
    "id": "slow-fk",
    "text": "for people",
    "enabled": False,
    "priority": 3,
    "match": {
        "agency": "FKASSA",
        "contract": "RegisterCertificate",
        "typ": ["LISJP", "LUSE"],
        "attempt": {"at_least": 2, "at_most": 4},
        "headers": {"X-Run": "a*"},
        "xpath": "//core:relation",
    },
    "answers": [{"kind": "error", "error_id": "REVOKED"}, {"kind": "normal"}],
    "count": 2,
    "probability": 0.5,
    "seed": 7,
    "key": "xpath:string(//core:enhets-id)",
}


def test_a_rule_survives_the_way_through_json() -> None:
    rule = parse_rule(WHOLE)
    written = json.loads(json.dumps(rule_json(rule)))
    assert parse_rule(written) == rule
    assert {name: written[name] for name in WHOLE if name != "answers"} == {
        name: value for name, value in WHOLE.items() if name != "answers"
    }


def test_seed_and_id_are_made_and_told() -> None:
    first, second = (rule_json(parse_rule({"answers": OK})) for _ in range(2))
    assert first["id"] != second["id"]
    assert isinstance(first["seed"], int)


def test_the_schema_has_every_kind_of_effect() -> None:
    schema = rule_schema()
    one, several = schema["properties"]["answers"]["anyOf"]
    assert one == several["items"]
    assert len(one["discriminator"]["mapping"]) == len(EFFECTS) == 16
    assert schema["additionalProperties"] is False
