import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from intyg.mocks.rules import (
    Facts,
    RuleBook,
    RuleError,
    Why,
    parse_rule,
)
from intyg.mocks.rules.answers import Error, FixedDelay
from intyg.mocks.rules.xpath import NOT_ASKED
from tests import builders
from tests.mocks.rules.facts import facts

REGISTER = builders.register_certificate()
NO = {"kind": "error", "error_id": "TECHNICAL_ERROR"}
OK = {"kind": "normal"}


def book(*rules: dict[str, Any]) -> RuleBook:
    made = RuleBook()
    for rule in rules:
        made.add(parse_rule({"answers": NO, **rule}))
    return made


def acting(rules: RuleBook, call: Facts) -> str | None:
    rule, _, _ = rules.choose(call)
    return None if rule is None else rule.id


def kinds(rules: RuleBook, *calls: Facts) -> list[str | None]:
    """What each call gets, in turn."""
    effects = [rules.choose(call)[1] for call in calls]
    return [None if effect is None else effect.kind for effect in effects]


# --- criteria -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        pytest.param({"agency": "FKASSA"}, True, id="agency"),
        pytest.param({"agency": ["SKV", "SOS"]}, False, id="other agency"),
        pytest.param({"contract": "RegisterCertificate"}, True, id="contract"),
        pytest.param({"contract": "RegisterCertificate:3"}, True, id="contract with version"),
        pytest.param({"contract": "RevokeCertificate"}, False, id="other contract"),
        pytest.param({"sender": "SE1"}, True, id="sender"),
        pytest.param({"sender": "SE2"}, False, id="other sender"),
        pytest.param({"logical_address": "FK*"}, True, id="logical address"),
        pytest.param({"logical_address": "FK"}, False, id="other logical address"),
        pytest.param({"intygs_id": builders.INTYGS_ID}, True, id="certificate"),
        pytest.param({"intygs_id": "*-0000"}, False, id="other certificate"),
        pytest.param({"typ": ["LUSE", "LISJP"]}, True, id="type"),
        pytest.param({"typ": "LUSE"}, False, id="other type"),
        pytest.param({"version": "1.3"}, True, id="version"),
        pytest.param({"version": "1.30"}, False, id="other version"),
        pytest.param({"person": builders.PATIENT}, True, id="person"),
        pytest.param({"person": builders.OTHER_PATIENT}, False, id="other person"),
        pytest.param({"unit": builders.UNIT}, True, id="unit"),
        pytest.param({"unit": "SE9"}, False, id="other unit"),
        pytest.param({"amne": "KOMPLT"}, False, id="subject, where there is none"),
        pytest.param({"headers": {"X-Run": "a.1"}}, True, id="header"),
        pytest.param({"headers": {"x-run": "axb"}}, False, id="other header, a dot is a dot"),
        pytest.param({"headers": {"X-Other": "*"}}, False, id="no such header"),
        pytest.param({"xpath": "tns:intyg/core:typ[types:code='LISJP']"}, True, id="XPath"),
        pytest.param({"xpath": "/soap:Envelope/soap:Header/itr:LogicalAddress"}, True, id="header"),
        pytest.param({"xpath": ["true()", "//core:relation"]}, False, id="two XPaths, one holds"),
        pytest.param({"attempt": 1}, True, id="attempt"),
        pytest.param({"attempt": {"at_least": 2}}, False, id="later attempt"),
    ],
)
def test_a_criterion_holds_or_not(match: dict[str, Any], hit: bool) -> None:
    rules = book({"match": match})
    call = facts(REGISTER, sender="SE1", headers={"x-run": "a.1"})
    rule, _, (trace,) = rules.choose(call)
    assert (rule is not None, trace.acted) == (hit, hit)
    assert trace.why is (Why.ACTED if hit else Why.MISSED)
    assert all(each.hit for each in trace.criteria) is hit


def test_a_large_call_is_not_asked_and_the_journal_says_so() -> None:
    rules = book({"match": {"xpath": "true()"}, "key": "xpath:string(//core:typ)"})
    rule, _, (trace,) = rules.choose(facts(REGISTER, large=True))
    assert rule is None
    assert [(each.got, each.hit) for each in trace.criteria] == [(NOT_ASKED, False)]


def test_of_what_an_expression_finds_the_journal_keeps_the_beginning() -> None:
    rules = book({"match": {"xpath": "string(/)"}})
    _, _, (trace,) = rules.choose(facts(builders.register_certificate(svar=["x" * 5000])))
    (criterion,) = trace.criteria
    assert criterion.hit
    assert len(criterion.got or "") == 1001


@pytest.mark.parametrize(
    ("body", "match"),
    [
        pytest.param(
            builders.revoke_certificate(),
            {"person": builders.PATIENT, "unit": builders.UNIT},
            id="revocation",
        ),
        pytest.param(
            builders.send_message_to_recipient(),
            {"amne": "KONTKT", "person": builders.PATIENT, "unit": builders.UNIT},
            id="message from care",
        ),
        pytest.param(
            builders.send_message_to_care(),
            {"amne": "OVRIGT", "person": builders.PATIENT, "unit": builders.UNIT},
            id="message to care",
        ),
    ],
)
def test_facts_are_found_in_every_contract(body: bytes, match: dict[str, Any]) -> None:
    rules = book({"match": match})
    _, _, (trace,) = rules.choose(facts(body))
    assert trace.acted, trace


def test_a_trace_says_per_criterion_what_was_asked_and_what_came() -> None:
    rules = book({"id": "r", "match": {"typ": ["LUSE", "FK*"], "headers": {"X-Run": "a"}}})
    _, _, (trace,) = rules.choose(facts(REGISTER))
    assert (trace.rule_id, trace.why) == ("r", Why.MISSED)
    assert [(each.name, each.expected, each.got, each.hit) for each in trace.criteria] == [
        ("typ", "LUSE | FK*", "LISJP", False),
        ("header X-Run", "a", None, False),
    ]


# --- order ----------------------------------------------------------------------------------------


def test_priority_goes_before_specificity_before_novelty() -> None:
    rules = book(
        {"id": "plain"},
        {"id": "newer"},
        {"id": "specific", "match": {"typ": "LISJP"}},
        {"id": "more", "match": {"typ": "LISJP", "headers": {"a": "*"}, "xpath": "true()"}},
        {"id": "first", "priority": 1},
    )
    call = facts(REGISTER, headers={"a": "b"})
    order = []
    while (rule_id := acting(rules, call)) is not None:
        order.append(rules.remove(rule_id).id)
    assert order == ["first", "more", "specific", "newer", "plain"]


def test_who_is_outranked_disabled_or_used_up_is_told() -> None:
    rules = book(
        {"id": "outranked", "priority": 1},
        {"id": "acts", "priority": 2},
        {"id": "used", "priority": 3, "count": 1},
        {"id": "off", "priority": 4, "enabled": False},
    )
    assert [acting(rules, facts(REGISTER)) for _ in range(2)] == ["used", "acts"]
    traces = rules.choose(facts(REGISTER))[2]
    assert [(each.rule_id, each.why) for each in traces] == [
        ("off", Why.DISABLED),
        ("used", Why.USED_UP),
        ("acts", Why.ACTED),
        ("outranked", Why.OUTRANKED),
    ]


# --- counting -------------------------------------------------------------------------------------


def certificate(name: str, person: str = builders.PATIENT) -> Facts:
    return facts(builders.register_certificate(name, person))


def test_answers_follow_each_other_for_each_certificate() -> None:
    rules = book({"answers": [NO, NO, OK]})
    a, b = certificate("a"), certificate("b")
    assert kinds(rules, a, b, a, a, b, b, a) == [
        *("error", "error", "error", "normal", "error", "normal", "normal"),
    ]


def test_a_count_is_for_all_unless_there_is_a_key() -> None:
    a, b = certificate("a"), certificate("b")
    assert kinds(book({"count": 1}), a, b) == ["error", None]
    assert kinds(book({"count": 1, "key": "intygs_id"}), a, b, a) == ["error", "error", None]


def test_a_person_and_an_xpath_can_be_the_key() -> None:
    a, b = certificate("a"), certificate("b")
    other = certificate("c", builders.OTHER_PATIENT)
    assert kinds(book({"count": 1, "key": "person_id"}), a, b, other) == ["error", None, "error"]
    by_type = book({"count": 1, "key": "xpath:string(//core:typ/types:code)"})
    assert kinds(by_type, a, other) == ["error", None]


def test_attempts_are_counted_for_each_certificate() -> None:
    rules = book({"match": {"attempt": 2}})
    a, b = certificate("a"), certificate("b")
    assert kinds(rules, a, b, a, a, b) == [None, None, "error", None, "error"]


def test_attempts_are_counted_also_while_another_rule_acts() -> None:
    rules = book({"match": {"attempt": 3}}, {"priority": 1, "count": 2, "answers": OK})
    assert kinds(rules, *[certificate("a")] * 4) == ["normal", "normal", "error", None]


def test_probability_is_the_same_again_with_the_same_seed() -> None:
    calls = [certificate(f"id-{n}") for n in range(200)]
    rule = {"probability": 0.3, "seed": 11, "key": "intygs_id"}
    first = kinds(book(rule), *calls)
    assert kinds(book(rule), *reversed(calls)) == first[::-1]  # whatever the order
    assert kinds(book({**rule, "seed": 12}), *calls) != first
    assert 35 <= first.count("error") <= 85  # 60 expected, four standard deviations are 26


def test_a_random_delay_is_drawn_between_its_bounds_and_then_fixed() -> None:
    delay = {"kind": "random", "at_least": 1, "at_most": 2, "when": "after"}
    rules = book({"answers": {**NO, "delay": delay}, "seed": 1})
    effects = [rules.choose(facts(REGISTER))[1] for _ in range(20)]
    drawn = [each.delay for each in effects if isinstance(each, Error)]
    seconds = [each.seconds for each in drawn if isinstance(each, FixedDelay)]
    assert len(set(seconds)) == 20
    assert 1 <= min(seconds) < 1.5 < max(seconds) <= 2


def test_a_log_normal_delay_has_its_median_and_its_bound() -> None:
    delay = {"kind": "log_normal", "median": 0.1, "sigma": 1, "at_most": 0.5}
    rules = book({"answers": {**NO, "delay": delay}, "seed": 1})
    effects = [rules.choose(facts(REGISTER))[1] for _ in range(300)]
    drawn = [each.delay for each in effects if isinstance(each, Error)]
    seconds = sorted(each.seconds for each in drawn if isinstance(each, FixedDelay))
    assert 0.07 < seconds[150] < 0.14  # the median of 300 is within 15 per cent or so
    assert seconds[-1] == 0.5
    assert seconds[0] < 0.03


def test_a_count_holds_under_concurrent_calls() -> None:
    rules = book({"id": "once", "count": 3}, {"id": "rest", "priority": -1})
    gate = threading.Barrier(20)

    def call(_: int) -> list[str | None]:
        gate.wait()
        return [acting(rules, certificate("a")) for _ in range(20)]

    with ThreadPoolExecutor(20) as pool:
        counted = Counter(each for found in pool.map(call, range(20)) for each in found)
    assert counted == {"once": 3, "rest": 397}
    assert rules.acted("once") == 3


# --- keeping --------------------------------------------------------------------------------------


def test_a_rule_is_added_once_replaced_anew_and_removed() -> None:
    rules = book({"id": "a", "count": 1}, {"id": "b", "enabled": False})
    with pytest.raises(RuleError, match=r"^id: there is a rule a"):
        rules.add(rules.get("a"))
    assert acting(rules, certificate("x")) == "a"
    assert acting(rules, certificate("x")) is None
    rules.replace(parse_rule({"id": "a", "count": 1, "answers": OK}))
    assert acting(rules, certificate("x")) == "a"  # its count is new
    assert rules.remove("b").id == "b"
    for missing in (rules.get, rules.remove, rules.acted):
        with pytest.raises(KeyError):
            missing("b")
    with pytest.raises(KeyError):
        rules.replace(parse_rule({"id": "b", "answers": OK}))
    assert [rule.id for rule in rules.all()] == ["a"]
    rules.clear()
    assert rules.all() == ()


def test_a_rule_makes_an_address_one_that_is_answered_at_while_it_is_enabled() -> None:
    rules = book(
        {"match": {"contract": "RegisterCertificate"}},
        {"match": {"logical_address": "FK-MINE"}},
        {"match": {"logical_address": "FK-OFF"}, "enabled": False},
    )
    assert rules.speak_of("FK-MINE")
    assert not rules.speak_of("FK-OFF")
    assert not rules.speak_of("FK-OTHER")
    assert not rules.speak_of(None)
