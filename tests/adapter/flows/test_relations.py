"""What is told of a new certificate's relation to an older one, and when that refuses."""

from collections.abc import Callable, Sequence

import pytest

from intyg.adapter.domain.errors import RuleError
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.rules.relation_rules import RELATION_RULES
from intyg.schemas.codes import ResultCode, TypAvRelation
from intyg.schemas.intyg_model import Usage
from tests import builders
from tests.adapter.flows.rig import Rig

OLDER = builders.INTYGS_ID
NEWER = "0b8f7b1c-newer"
UUID = "0b8f7b1c-0000-4000-8000-00000000000a"


def related(typ: str, intygs_id: str) -> bytes:
    return builders.register_certificate(intygs_id, relation=(typ, OLDER))


ASKED = builders.send_message_to_care("k-1", "KOMPLT")


def HANDLED(rig: Rig) -> None:  # noqa: N802  one of the things that happened
    rig.mark("k-1", handled=True)


REPLACED = related("ERSATT", "0b8f7b1c-replacement")
RENEWED = related("FRLANG", "0b8f7b1c-renewal")
COMPLETED = related("KOMPLT", "0b8f7b1c-complement")
REVOKED = builders.revoke_certificate()
NOT_REPLACED = builders.revoke_certificate("0b8f7b1c-replacement")
NOT_COMPLETED = builders.revoke_certificate("0b8f7b1c-complement")

CASES = [
    # what happened to the older one, which was sent; the new relation; the rules it breaks
    ([], "ERSATT", []),
    ([REVOKED], "ERSATT", ["RELATION_TO_REVOKED"]),
    ([REPLACED], "ERSATT", ["RELATION_TO_REPLACED"]),
    ([REPLACED, NOT_REPLACED], "ERSATT", []),
    ([ASKED, COMPLETED], "ERSATT", ["RELATION_TO_COMPLETED"]),
    # the request is open again
    ([ASKED, COMPLETED, NOT_COMPLETED], "ERSATT", ["RELATION_OVER_QUESTIONS"]),
    ([RENEWED], "ERSATT", []),
    ([], "FRLANG", []),
    ([REVOKED], "FRLANG", ["RELATION_TO_REVOKED"]),
    ([REPLACED], "FRLANG", ["RELATION_TO_REPLACED"]),
    ([ASKED, COMPLETED], "FRLANG", ["RELATION_TO_COMPLETED"]),
    ([RENEWED], "FRLANG", []),
    ([ASKED], "KOMPLT", []),
    ([], "KOMPLT", ["RELATION_NOTHING_ASKED"]),
    ([ASKED, REPLACED], "KOMPLT", ["RELATION_NOTHING_ASKED"]),  # it closed the request
    ([ASKED, REVOKED], "KOMPLT", ["RELATION_TO_REVOKED", "RELATION_NOTHING_ASKED"]),
    ([ASKED, COMPLETED, NOT_COMPLETED], "KOMPLT", []),  # the request is open again
    ([REPLACED, REVOKED], "KOPIA", []),
    ([ASKED], "ERSATT", ["RELATION_OVER_QUESTIONS"]),
    ([ASKED, HANDLED], "ERSATT", []),
    ([ASKED], "FRLANG", []),
    ([ASKED], "TEMPLATE", ["RELATION_NOT_KNOWN"]),
    ([ASKED], "komplt", ["RELATION_NOT_KNOWN"]),  # codes are written as they are
]


@pytest.mark.parametrize(("before", "typ", "rules"), CASES)
def test_what_the_editor_would_ask_is_told_and_refuses_only_with_strict_rules(
    sent: Rig, before: Sequence[bytes | Callable[[Rig], object]], typ: str, rules: list[str]
) -> None:
    for happens in before:
        happens(sent) if callable(happens) else sent.call_raising(happens)
    body = related(typ, NEWER)
    if rules:
        rows = sent.row_count()
        with pytest.raises(RuleError) as caught:
            sent.with_settings(strict_rules=True).call_raising(body)
        assert [finding.rule for finding in caught.value.findings] == rules
        assert sent.row_count() == rows
    result = sent.call(body)
    assert result.code is (ResultCode.INFO if rules else ResultCode.OK)
    assert told(result) == rules
    count = {1: "1 remark:", 2: "2 remarks:"}.get(len(rules), "")
    assert (result.text or "").split("\n")[0] == ((rules and f"Registered, with {count}") or "")


def told(result: Result) -> list[str]:
    """The rules of a result's remarks."""
    return [line.split(" ")[0] for line in (result.text or "").splitlines()[1:]]


def test_a_complement_of_what_nobody_has_is_told(registered: Rig) -> None:
    registered.ok(ASKED)
    assert "RELATION_TO_UNSENT" in (registered.call(related("KOMPLT", NEWER)).text or "")


def test_what_is_queued_will_be_had(registered: Rig) -> None:
    registered.ok(ASKED, builders.send_certificate_to_recipient())
    assert registered.call(related("KOMPLT", NEWER)).text is None


def test_another_patients_certificate_is_not_spoken_of(sent: Rig) -> None:
    sent.ok(REVOKED)
    body = builders.register_certificate(NEWER, builders.OTHER_PATIENT, relation=("ERSATT", OLDER))
    assert sent.call(body).text is None


def test_every_rule_and_every_relation_is_tried_here() -> None:
    tried = {rule for _, _, rules in CASES for rule in rules}
    elsewhere = {
        "RELATION_TO_UNSENT",
        "RELATION_TO_ITSELF",
        "RELATION_TO_ANOTHER_TYPE",
        "RELATION_NOT_RENEWED",
    }
    assert tried | elsewhere == {rule.id for rule in RELATION_RULES}
    assert {typ for _, typ, _ in CASES} > set(TypAvRelation)


@pytest.mark.parametrize("typ", ["ERSATT", "FRLANG", "KOMPLT"])
def test_what_follows_is_of_the_same_type_whatever_the_version(sent: Rig, typ: str) -> None:
    sent.ok(ASKED)
    others = {"LISJP 1.3": [], "LISJP 2.0": [], "AG7804 1.0": ["RELATION_TO_ANOTHER_TYPE"]}
    for number, (newer, rules) in enumerate(others.items()):
        xml_code, _, version = newer.partition(" ")
        new = sent.without_rules().call(
            builders.register_certificate(
                f"{NEWER}-{number}", typ=xml_code, version=version, relation=(typ, OLDER)
            )
        )
        assert [rule for rule in told(new) if rule == "RELATION_TO_ANOTHER_TYPE"] == rules


@pytest.mark.parametrize("parent", [OLDER, "nowhere"])
def test_renewing_what_is_not_renewed_is_told(sent: Rig, parent: str) -> None:
    usage = Usage(register=True, renew=False, send=True)
    body = builders.register_certificate(NEWER, relation=("FRLANG", parent))
    assert told(sent.with_types(usage=usage).call(body)) == ["RELATION_NOT_RENEWED"]


@pytest.mark.parametrize("typ", TypAvRelation)
@pytest.mark.parametrize("itself", [UUID, UUID.upper()])
def test_a_relation_to_itself_is_told_and_has_no_effect(sent: Rig, typ: str, itself: str) -> None:
    result = sent.call(builders.register_certificate(UUID, relation=(typ, itself)))
    assert (result.code, told(result)) == (ResultCode.INFO, ["RELATION_TO_ITSELF"])
    assert sent.to_authorities(UUID) == []  # a complement would have been sent by itself
    sent.ok(builders.send_certificate_to_recipient(UUID), builders.revoke_certificate(UUID))
    assert sent.events(UUID) == ["SIGNAT", "MAKULE"]


def test_an_unknown_relation_has_no_effect(sent: Rig) -> None:
    sent.ok(ASKED)
    result = sent.call(related("RENEWED", NEWER))
    assert (result.code, told(result)) == (ResultCode.INFO, ["RELATION_NOT_KNOWN"])
    assert sent.fraga("k-1").state is FragaState.OPEN_CARE
    assert sent.to_authorities(NEWER) == []


@pytest.mark.parametrize("typ", ["ERSATT", "KOMPLT", "FRLANG"])
def test_a_relation_to_one_that_is_registered_later_is_told_then_and_has_no_effect(
    rig: Rig, typ: str
) -> None:
    rig.ok(related(typ, NEWER))
    result = rig.with_settings(strict_rules=True).call(builders.register_certificate())
    assert (result.code, told(result)) == (ResultCode.INFO, ["RELATION_FROM_EARLIER"])
    rig.ok(builders.send_certificate_to_recipient(), ASKED)
    assert told(rig.call(related("ERSATT", "another"))) == ["RELATION_OVER_QUESTIONS"]
    rig.call(builders.revoke_certificate(NEWER))
    assert rig.events() == ["SIGNAT", "NYFRFM", "HANFRFM"]  # by the other, not opened again


def test_another_patient_s_relation_is_not_told(rig: Rig) -> None:
    rig.ok(builders.register_certificate(NEWER, builders.OTHER_PATIENT, relation=("ERSATT", OLDER)))
    assert rig.call(builders.register_certificate()).text is None
