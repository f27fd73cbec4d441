from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from intyg.adapter.domain.intyg import Yrken
from intyg.adapter.formats.intyg_reader import read_register_certificate
from intyg.adapter.rules.signer_roles import (
    StaffMember,
    Uppdrag,
    check_by_directory,
    check_by_word,
    role_of,
    yrken_of_titles,
)
from intyg.schemas.intyg_model import Role
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders

TYPES = IntygTypes()
FK7804 = TYPES.find("LISJP", "1.3")
FK7210 = TYPES.find("IGRAV", "1.0")
INTYG = read_register_certificate(etree.fromstring(builders.register_certificate()))
DAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NOTHING = Yrken()


def yrken(*legitimerade: str, position: str = "", group: str = "") -> Yrken:
    return Yrken(
        frozenset(legitimerade),
        frozenset({position} - {""}),
        frozenset({group} - {""}),
    )


@pytest.mark.parametrize(
    ("said", "role"),
    [
        pytest.param(yrken("LK"), Role.LAKARE, id="doctor"),
        pytest.param(yrken("TL", position="204010"), Role.TANDLAKARE, id="licence first"),
        pytest.param(yrken(position="204010"), Role.LAKARE, id="internship AT"),
        pytest.param(yrken(position="203020"), Role.LAKARE, id="internship BT"),
        pytest.param(yrken(position="203090", group="9300005"), Role.LAKARE, id="with group"),
        pytest.param(yrken(position="203090", group="9100009"), None, id="another's group"),
        pytest.param(yrken(position="203090"), None, id="without group"),
        pytest.param(yrken("BM", "SJ"), Role.BARNMORSKA, id="midwife before nurse"),
        pytest.param(yrken("SJ"), Role.SJUKSKOTERSKA, id="nurse"),
        pytest.param(yrken("FT"), None, id="physiotherapist"),
        pytest.param(NOTHING, None, id="nothing"),
    ],
)
def test_the_first_that_fits_is_the_role(said: Yrken, role: Role | None) -> None:
    assert role_of(said) is role


@pytest.mark.parametrize(
    ("cert", "message", "refused"),
    [
        pytest.param(NOTHING, NOTHING, False, id="nobody says anything"),
        pytest.param(NOTHING, yrken("LK"), False, id="message: doctor"),
        pytest.param(NOTHING, yrken("SJ"), True, id="message: nurse"),
        pytest.param(NOTHING, yrken("FT"), True, id="message: physiotherapist"),
        pytest.param(NOTHING, yrken(position="201010"), False, id="a position proves nothing"),
        pytest.param(yrken("SJ"), yrken("LK"), True, id="the certificate wins: nurse"),
        pytest.param(yrken("LK"), yrken("SJ"), False, id="the certificate wins: doctor"),
    ],
)
def test_without_directory_cert_then_message_decide(
    cert: Yrken, message: Yrken, refused: bool
) -> None:
    rules = [finding.rule for finding in check_by_word(FK7804, cert, message)]
    assert rules == (["SIGNER_ROLE"] if refused else [])


def test_a_midwife_signs_what_midwives_sign() -> None:
    assert check_by_word(FK7210, NOTHING, yrken("BM")) == []
    (finding,) = check_by_word(FK7804, NOTHING, yrken("BM"))
    assert finding.message == "FK7804 is signed by läkare, tandläkare; skapadAv says barnmorska"


def test_what_a_message_makes_up_is_not_repeated() -> None:
    (finding,) = check_by_word(FK7804, NOTHING, yrken("<b>", "189001019802"))
    assert finding.message.endswith("skapadAv says no profession that signs")


def test_titles_that_are_no_licence_say_nothing() -> None:
    assert yrken_of_titles(["Överläkare", "Chef"]) == NOTHING
    assert yrken_of_titles(["  läkare "]) == yrken("LK")


# --- with a directory -----------------------------------------------------------------------------

HERE = Uppdrag(builders.UNIT, "Vård och behandling", None, None)


@pytest.mark.parametrize(
    ("uppdrag", "assigned"),
    [
        pytest.param(HERE, True, id="here, always"),
        pytest.param(replace(HERE, andamal="VÅRD OCH BEHANDLING "), True, id="another case"),
        pytest.param(replace(HERE, enhets_id=builders.UNIT.lower()), True, id="unit's case"),
        pytest.param(replace(HERE, andamal="Administration"), False, id="another purpose"),
        pytest.param(replace(HERE, enhets_id="SE-OTHER"), False, id="another unit"),
        pytest.param(replace(HERE, first=date(2026, 11, 23)), True, id="first day"),
        pytest.param(replace(HERE, first=date(2026, 11, 24)), False, id="begins tomorrow"),
        pytest.param(replace(HERE, last=date(2026, 11, 23)), True, id="last day"),
        pytest.param(replace(HERE, last=date(2026, 11, 22)), False, id="ended yesterday"),
    ],
)
def test_an_assignment_for_care_at_the_unit_on_that_day(uppdrag: Uppdrag, assigned: bool) -> None:
    member = StaffMember(yrken("LK"), (uppdrag,))
    rules = [finding.rule for finding in check_by_directory(FK7804, INTYG, member, DAY)]
    assert rules == ([] if assigned else ["SIGNER_NOT_ASSIGNED"])


def test_everything_that_is_missing_is_listed() -> None:
    member = StaffMember(yrken("SJ"), ())
    rules = [finding.rule for finding in check_by_directory(FK7804, INTYG, member, DAY)]
    assert rules == ["SIGNER_ROLE", "SIGNER_NOT_ASSIGNED"]


def test_nobody_the_directory_does_not_know_signs() -> None:
    (finding,) = check_by_directory(FK7804, INTYG, None, DAY)
    assert finding.rule == "SIGNER_UNKNOWN"
