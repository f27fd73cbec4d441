"""
No difference between the validator and a second reading of the national rules, over mutants.

Usually a thousand mutants are judged; with INTYG_MUTANTS=20000 (or any number) that many are, in
half a minute. What the contract's schema refuses anyway is no difference.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Final

import pytest
from lxml import etree

from intyg.schemas.contract.contract import Contracts
from intyg.schemas.examples.draft import request_element
from intyg.schemas.examples.example import Size
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.rules.assertion import assertions_of
from tests.schemas.national.mutants import KINDS, Mutant, Mutants
from tests.schemas.national.reading import keys, refused_by, rules_of
from tests.strategies import PERSONS, TODAY, TYPES, all_types, example_draft

MUTANTS: Final = int(os.environ.get("INTYG_MUTANTS", "1000"))
SEED: Final = os.environ.get("INTYG_MUTANTS_SEED", "1")


@cache
def examples(key: str) -> Sequence[etree._Element]:
    """Valid certificates that mutants are made from."""
    code, version = key.split("/")
    intyg_type = TYPES.lookup(code, version)
    drafts = [example_draft(code, version, size, 0, PERSONS[0]) for size in Size]
    return [request_element(intyg_type, draft) for draft in drafts]


def mutants(intyg_type: IntygType, count: int) -> list[Mutant]:
    made, rng = Mutants(intyg_type.key, TODAY), Random(f"{intyg_type.key}/{SEED}")
    return [made.of(rng.choice(examples(intyg_type.key)), rng) for _ in range(count)]


def found(intyg_type: IntygType, request: etree._Element, severity: Severity) -> set[str]:
    findings = TYPES.check(intyg_type, request[-1], today=TODAY)
    return {each.rule.rpartition("/")[2] for each in findings if each.severity is severity}


def refused(intyg_type: IntygType, request: etree._Element) -> set[str]:
    return found(intyg_type, request, Severity.ERROR)


@pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)
def test_no_mutant_is_judged_otherwise(
    intyg_type: IntygType, contracts: Contracts, record_property: Callable[[str, object], None]
) -> None:
    contract = contracts.get("RegisterCertificate", 3)
    made = mutants(intyg_type, -(-MUTANTS // len(all_types())))
    differences, bad = [], 0
    for mutant in made:
        theirs = refused_by(intyg_type.key, mutant.request[-1], TODAY)
        ours = refused(intyg_type, mutant.request)
        bad += bool(theirs)
        if bool(theirs) != bool(ours) and not contracts.check(contract, mutant.request):
            differences.append((mutant.done, theirs, ours))
    record_property(
        "table", f"{intyg_type.key}: {len(made)} mutants, {bad} refused, {len(differences)} differ"
    )
    assert not differences


@pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)
def test_what_is_right_is_right_by_both(intyg_type: IntygType) -> None:
    for request in examples(intyg_type.key):
        assert refused_by(intyg_type.key, request[-1], TODAY) == []
        assert refused(intyg_type, request) == set()


def test_every_type_has_been_read_twice() -> None:
    assert {t.key.lower().replace("/", "-") for t in all_types()} == keys()


@pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)
def test_every_rule_that_refuses_nationally_is_an_error_of_the_type(
    intyg_type: IntygType,
) -> None:
    """None is missing, none is but a warning; and nothing else refuses."""
    errors, warnings = set[str](), set[str]()
    for each in assertions_of(intyg_type):
        at = errors if each.severity is Severity.ERROR else warnings
        at.add(each.rule.rpartition("/")[2])
    national = {rule.id for rule, _ in rules_of(intyg_type.key) if ":" not in rule.id}
    same = {rule for rule, others in intyg_type.same_as.items() if errors.issuperset(others)}
    never_alone = {rule for rule in national if rule in BOTH_KINDS}
    assert national - errors - same - never_alone == set()
    assert national & warnings - errors == set()
    if intyg_type.national_rules:
        assert errors - national == set()


BOTH_KINDS: Final = {"S-q11.1-boolean", "S-q61-boolean"}
"""Of a value that may be a boolean or a code: told with the rule on the code."""


def test_mutants_are_of_every_kind_and_of_both_verdicts() -> None:
    intyg_type = TYPES.lookup("FK7804", "1")
    made = mutants(intyg_type, 600)
    kinds = Counter(kind for mutant in made for kind in mutant.kinds)
    assert kinds.keys() == set(KINDS)
    verdicts = Counter(bool(refused_by("FK7804/1", each.request[-1], TODAY)) for each in made)
    assert min(verdicts[True], verdicts[False]) > 100


def changed(key: str, change: Callable[[etree._Element], None]) -> etree._Element:
    """A full example whose `intyg` was changed."""
    code, version = key.split("/")
    intyg_type = TYPES.lookup(code, version)
    draft = example_draft(code, version, Size.FULL, 0, PERSONS[0])
    request = request_element(intyg_type, draft)
    change(request[-1])
    return request


def delsvar(intyg: etree._Element, node_id: str) -> etree._Element:
    """The first such delsvar, put into its svar when it is not there."""
    at = next(intyg.iter(f"{{*}}delsvar[@id='{node_id}']".partition("[")[0]), None)
    parts = [each for each in intyg.iter("{*}delsvar") if each.get("id") == node_id]
    if parts:
        return parts[0]
    assert at is not None
    svar = next(each for each in intyg.iter("{*}svar") if each.get("id") == node_id.split(".")[0])
    made = etree.SubElement(svar, at.tag, id=node_id)
    made.text = "Ja"
    return made


ASKED_FOR: Final = [
    pytest.param("FK7800/1", "45.1", "45.2", "R90", "R91", id="FK7800 45.2"),
    pytest.param("FK7801/1", "45.1", "45.2", "R91", "R92", id="FK7801 45.2"),
    pytest.param("AF00213/1", "1.1", "1.2", "R11", "R12", id="AF00213 1.2"),
    pytest.param("AF00213/1", "2.1", "2.2", "R18", "R19", id="AF00213 2.2"),
    pytest.param("AF00213/1", "3.1", "3.2", "R24", "R25", id="AF00213 3.2"),
    pytest.param("AF00213/1", "4.1", "4.2", "R30", "R31", id="AF00213 4.2"),
    pytest.param("AG1-14/1", "6.1", "6.2", "R49", None, id="AG1-14 6.2"),
    pytest.param("FK7810/1.0", "70.1", "70.2", "R52", "R53", id="FK7810 70.2"),
    pytest.param("FK7810/1.0", "70.3", "70.4", "R54", "R55", id="FK7810 70.4"),
    pytest.param("AF00251/1.0", "7.1", "7.2", "S-q7.2", None, id="AF00251 7.2"),
]


@pytest.mark.parametrize(("key", "asks", "answer", "needs", "forbids"), ASKED_FOR)
def test_a_sub_answer_stands_there_once_when_its_question_says_yes(
    key: str, asks: str, answer: str, needs: str, forbids: str | None
) -> None:
    """Missing, doubled, and there though the question says no."""
    intyg_type = TYPES.lookup(*key.split("/"))

    def answered(says: str, times: int) -> set[str]:
        def change(intyg: etree._Element) -> None:
            delsvar(intyg, asks).text = says
            first = delsvar(intyg, answer)
            for _ in range(times - 1):
                first.addnext(etree.fromstring(etree.tostring(first)))
            if not times and (parent := first.getparent()) is not None:
                parent.remove(first)

        return refused(intyg_type, changed(key, change))

    assert [answered("true", times) for times in (0, 1, 2)] == [{needs}, set(), {needs}]
    assert answered("1", 2) == {needs}
    no = {forbids} if forbids else set()
    assert [answered("false", times) for times in (0, 1, 2)] == [set(), no, no]


@pytest.mark.parametrize(("twice", "rule"), [("4.1", "R39"), ("4.2", "R38")])
def test_a_diagnosis_of_ag1_14_has_one_text_and_one_code(twice: str, rule: str) -> None:
    def change(intyg: etree._Element) -> None:
        first = delsvar(intyg, twice)
        first.addnext(etree.fromstring(etree.tostring(first)))

    assert refused(TYPES.lookup("AG1-14", "1"), changed("AG1-14/1", change)) == {rule}
