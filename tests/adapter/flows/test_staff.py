"""With a staff directory: who revokes, answers and marks."""

from dataclasses import replace

import pytest

from intyg.adapter.domain.errors import RuleError, TechnicalError
from intyg.adapter.domain.intyg import Yrken
from intyg.adapter.rules.signer_roles import StaffMember, Uppdrag
from tests import builders
from tests.adapter.flows.rig import Rig

HERE = (Uppdrag(builders.UNIT, "Vård och behandling", None, None),)
ELSEWHERE = (Uppdrag("SE0000000000-ELSEWHERE", "Vård och behandling", None, None),)


def member(yrke: str | None, uppdrag: tuple[Uppdrag, ...] = HERE) -> StaffMember:
    return StaffMember(Yrken(frozenset({yrke} if yrke else ())), uppdrag)


class Staff:
    """A directory that says the same of whoever is in it."""

    def __init__(self, one: StaffMember | None, hsa_id: str = builders.DOCTOR) -> None:
        self._one = one
        self._hsa_id = hsa_id

    def find(self, hsa_id: str) -> StaffMember | None:
        if self._one is None:
            raise TechnicalError("down")
        return self._one if hsa_id == self._hsa_id else None


def with_staff(rig: Rig, staff: Staff) -> Rig:
    return replace(rig, services=replace(rig.services, staff=staff))


DOCTOR, DENTIST, NURSE, CLERK = member("LK"), member("TL"), member("SJ"), member(None)
UNKNOWN = Staff(DOCTOR, "SE0000000000-ANOTHER")
AWAY = Staff(member("LK", ELSEWHERE))


@pytest.mark.parametrize(
    ("staff", "rules"),
    [
        pytest.param(Staff(DOCTOR), [], id="doctor"),
        pytest.param(Staff(DENTIST), [], id="dentists sign this type"),
        pytest.param(Staff(NURSE), ["STAFF_ROLE"], id="nurse"),
        pytest.param(Staff(CLERK), ["STAFF_ROLE"], id="no licence"),
        pytest.param(UNKNOWN, ["STAFF_UNKNOWN"], id="unknown"),
        pytest.param(AWAY, ["STAFF_NOT_ASSIGNED"], id="works elsewhere"),
    ],
)
def test_those_revoke_who_sign(sent: Rig, staff: Staff, rules: list[str]) -> None:
    assert refused(with_staff(sent, staff), builders.revoke_certificate()) == rules


@pytest.mark.parametrize(
    ("staff", "rules"),
    [
        *(pytest.param(Staff(one), [], id=str(n)) for n, one in enumerate((DOCTOR, NURSE, CLERK))),
        pytest.param(UNKNOWN, ["STAFF_UNKNOWN"], id="unknown"),
        pytest.param(AWAY, ["STAFF_NOT_ASSIGNED"], id="works elsewhere"),
    ],
)
def test_those_answer_who_work_there(sent: Rig, staff: Staff, rules: list[str]) -> None:
    sent.ok(builders.send_message_to_care("q-1", "KONTKT"))
    answer = builders.send_message_to_recipient("a-1", "KONTKT", svar_pa="q-1")
    assert refused(with_staff(sent, staff), answer) == rules


def refused(rig: Rig, body: bytes) -> list[str]:
    """The rules that refuse it; then nothing is kept of it."""
    before = rig.row_count()
    try:
        rig.ok(body)
    except RuleError as error:
        assert rig.row_count() == before
        return [finding.rule for finding in error.findings]
    return []


@pytest.mark.parametrize(
    ("staff", "rules"),
    [
        pytest.param(Staff(CLERK, "EHR"), [], id="works there"),
        pytest.param(Staff(CLERK, "OTHER"), ["STAFF_UNKNOWN"], id="unknown"),
        pytest.param(Staff(member(None, ELSEWHERE), "EHR"), ["STAFF_NOT_ASSIGNED"], id="elsewhere"),
    ],
)
def test_those_mark_who_work_there(sent: Rig, staff: Staff, rules: list[str]) -> None:
    sent.ok(builders.send_message_to_care("q-1"))
    there = with_staff(sent, staff)
    if not rules:
        assert there.mark("q-1", handled=True).value == "handled"
        return
    with pytest.raises(RuleError) as caught:
        there.mark("q-1", handled=True)
    assert [finding.rule for finding in caught.value.findings] == rules


def test_a_directory_that_is_down_lets_nobody(sent: Rig) -> None:
    down = with_staff(sent, Staff(None))
    for body in (builders.revoke_certificate(), builders.send_message_to_recipient()):
        assert down.call(body).error_id == "TECHNICAL_ERROR"


def test_without_a_directory_nobody_is_asked(sent: Rig) -> None:
    assert refused(sent, builders.send_message_to_recipient()) == []
    assert refused(sent, builders.revoke_certificate()) == []
