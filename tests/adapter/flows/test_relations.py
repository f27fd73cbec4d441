"""What is told of a new certificate's relation to an older one, and when that refuses."""

from collections.abc import Sequence

import pytest

from intyg.adapter.domain.errors import RuleError
from intyg.adapter.rules.relation_rules import NOT_KNOWN, RELATION_RULES, TO_ITSELF
from intyg.schemas.codes import ResultCode, TypAvRelation
from tests import builders
from tests.adapter.flows.rig import Rig

OLDER = builders.INTYGS_ID
NEWER = "0b8f7b1c-newer"


def related(typ: str, intygs_id: str) -> bytes:
    return builders.register_certificate(intygs_id, relation=(typ, OLDER))


ASKED = builders.send_message_to_care("k-1", "KOMPLT")
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
    ([ASKED, COMPLETED, NOT_COMPLETED], "ERSATT", []),
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
]


@pytest.mark.parametrize(("before", "typ", "rules"), CASES)
def test_what_the_editor_would_ask_is_told_and_refuses_only_with_strict_rules(
    sent: Rig, before: Sequence[bytes], typ: str, rules: list[str]
) -> None:
    sent.ok(*before)
    body = related(typ, NEWER)
    if rules:
        rows = sent.row_count()
        with pytest.raises(RuleError) as caught:
            sent.with_settings(strict_rules=True).call_raising(body)
        assert [finding.rule for finding in caught.value.findings] == rules
        assert sent.row_count() == rows
    result = sent.call(body)
    assert result.code is ResultCode.OK
    told = [line.split(" ")[0] for line in (result.text or "").splitlines()[1:]]
    assert told == rules


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


@pytest.mark.parametrize("typ", sorted(TypAvRelation))
def test_a_certificate_that_points_at_itself_is_told_so_and_can_be_sent(rig: Rig, typ: str) -> None:
    uuid = "0b8f7b1c-0000-4000-8000-00000000000a"
    body = builders.register_certificate(uuid, relation=(typ, uuid.upper()))
    with pytest.raises(RuleError) as caught:
        rig.with_settings(strict_rules=True).call_raising(body)
    assert [finding.rule for finding in caught.value.findings] == [TO_ITSELF]
    assert TO_ITSELF in (rig.call(body).text or "")
    rig.ok(builders.send_certificate_to_recipient(uuid))
    assert ("RegisterCertificate:3", "FKASSA") in rig.to_authorities(uuid)


@pytest.mark.parametrize("typ", ["ersatt", "ERSATTER", "X"])
def test_a_relation_of_another_code_is_told_and_does_nothing(sent: Rig, typ: str) -> None:
    sent.ok(ASKED)
    assert NOT_KNOWN in (sent.call(related(typ, NEWER)).text or "")
    assert sent.call(related("ERSATT", "0b8f7b1c-next")).text is None


def test_every_rule_and_every_relation_is_tried_here() -> None:
    tried = {rule for _, _, rules in CASES for rule in rules} | {"RELATION_TO_UNSENT"}
    assert tried == {rule.id for rule in RELATION_RULES}
    assert {typ for _, typ, _ in CASES} == set(TypAvRelation)
