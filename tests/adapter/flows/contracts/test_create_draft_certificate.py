"""CreateDraftCertificate: every refusal, in the national order, and what an accepted one makes."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from lxml import etree

from intyg.adapter.domain.draft import Draft, DraftState
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import DraftRefusedError
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.person import PersonFacts
from intyg.adapter.flows.contracts import HANDLERS
from intyg.adapter.formats.intyg_reader import read_register_certificate
from intyg.adapter.formats.result_writer import response_element
from intyg.adapter.settings.settings import CareUnitSettings, DraftSettings
from intyg.schemas import ns
from intyg.schemas.examples.example import Size, example
from tests import builders
from tests.adapter.flows.draft_builders import (
    DENTIST,
    ELSEWHERE,
    KNOWN,
    NURSE,
    Directory,
    Register,
    create_draft,
)
from tests.adapter.flows.rig import CONTRACTS, TYPES, Rig

OTHER_UNIT = "SE0000000000-UNIT2"
PROVIDERS = DraftSettings(
    units={
        builders.UNIT: CareUnitSettings(vardgivare_id=builders.CARE_PROVIDER, postort="Provstad"),
        OTHER_UNIT: CareUnitSettings(vardgivare_id=builders.CARE_PROVIDER),
        "SE0000000000-UNIT3": CareUnitSettings(vardgivare_id="SE0000000000-VG2"),
    }
)


@pytest.fixture
def asked(rig: Rig) -> Rig:
    """With a population register and a staff directory."""
    services = replace(rig.services, people=Register(), staff=Directory())
    return replace(rig, services=services)


def draft_of(rig: Rig, result: Result) -> Draft:
    assert result.intygs_id is not None, result
    with rig.services.store.read() as rows:
        draft = rows.drafts.get(result.intygs_id[1])
    assert draft is not None
    return draft


def with_people(rig: Rig, **facts: PersonFacts) -> Rig:
    return replace(rig, services=replace(rig.services, people=Register(**facts)))


def refused(result: Result, error_id: str, *words: str) -> None:
    assert (result.code, result.error_id, result.intygs_id) == ("ERROR", error_id, None), result
    for word in words:
        assert word in (result.text or "")


# --- accepted -------------------------------------------------------------------------------------


def test_a_draft_is_made_in_the_newest_version(asked: Rig) -> None:
    result = asked.call(create_draft(ref="EHR-7"))
    assert (result.code, result.text) == ("OK", None)
    assert result.intygs_id is not None
    assert result.intygs_id[0] == builders.UNIT
    draft = draft_of(asked, result)
    assert (draft.typ, draft.version, draft.state) == ("LISJP", "2.0", DraftState.INCOMPLETE)
    assert (draft.stamp, draft.is_test) == (0, True)
    with asked.services.store.read() as rows:
        assert rows.intyg.ref(draft.intygs_id) == "EHR-7"
    assert asked.events(draft.intygs_id) == ["SKAPAT"]


def test_the_answer_and_what_the_unit_is_told_follow_their_contracts(asked: Rig) -> None:
    result = asked.call(create_draft(ref="EHR-7"))
    contract = CONTRACTS.get("CreateDraftCertificate", 3)
    assert CONTRACTS.check(contract, response_element(contract, result)) == []
    draft = draft_of(asked, result)
    (told,) = asked.deliveries(draft.intygs_id)
    update = etree.fromstring(told.new.body)
    assert CONTRACTS.check(CONTRACTS.get("CertificateStatusUpdateForCare", 3), update) == []
    assert update.findtext(".//{*}handelsekod/{*}code") == "SKAPAT"
    assert update.findtext("{*}ref") == "EHR-7"
    assert update.findtext(".//{*}arbetsplatskod/{*}extension") == "TEMPORARY ARBETSPLATSKOD"
    assert [d.new.contract for d in asked.deliver()] == ["CertificateStatusUpdateForCare:3"]


def test_names_come_from_the_register_and_never_from_the_request(asked: Rig) -> None:
    draft = draft_of(asked, asked.call(create_draft(fornamn="Falskt", efternamn="Falskt")))
    (told,) = asked.deliveries(draft.intygs_id)
    assert b"Falskt" not in told.new.body
    assert etree.fromstring(told.new.body).findtext(".//{*}efternamn") == KNOWN.efternamn


def test_a_protected_patient_is_told_without_a_name(asked: Rig) -> None:
    rig = with_people(asked, **{f"p{builders.PATIENT}": replace(KNOWN, is_protected=True)})
    draft = draft_of(rig, rig.call(create_draft()))
    (told,) = rig.deliveries(draft.intygs_id)
    update = etree.fromstring(told.new.body)
    assert update.findtext(".//{*}efternamn") == "Skyddade personuppgifter"
    assert KNOWN.postort not in [e.text for e in update.iterfind(".//{*}patient/{*}postort")]


def test_two_calls_make_two_drafts(asked: Rig) -> None:
    first, second = asked.call(create_draft()), asked.call(create_draft())
    assert first.intygs_id != second.intygs_id


def test_the_creator_keeps_the_name_of_the_request_and_gets_a_profession(asked: Rig) -> None:
    draft = draft_of(asked, asked.call(create_draft(name="Namn ur anropet")))
    author = draft.content["skapadAv"]
    assert author["fullstandigtNamn"] == "Namn ur anropet"
    assert author["legitimeratYrke"][0]["code"] == "LK"


# --- refused, in order ----------------------------------------------------------------------------


def test_unknown_staff_comes_before_everything(asked: Rig) -> None:
    body = create_draft(doctor="SE0000000000-NONE", efternamn="", typ="NOTHING")
    refused(asked.call(body), "VALIDATION_ERROR", "SE0000000000-NONE", "MIU", builders.UNIT)


def test_every_missing_field_is_named_in_one_text(asked: Rig) -> None:
    body = create_draft(fornamn=" ", efternamn="", name="", unit_name=" ", doctor=ELSEWHERE)
    refused(
        asked.call(body),
        "VALIDATION_ERROR",
        "surname is missing",
        "first name is missing",
        "name of who orders it",
        "unit's name",
    )


def test_a_number_whose_last_digit_does_not_fit(asked: Rig) -> None:
    refused(asked.call(create_draft(person="189001019803")), "VALIDATION_ERROR", "last digit")


def test_no_assignment_on_the_unit_comes_before_the_register(asked: Rig) -> None:
    body = create_draft(doctor=ELSEWHERE, person=builders.UNLISTED_PATIENT)
    refused(asked.call(body), "VALIDATION_ERROR", ELSEWHERE, builders.UNIT)


def test_the_register_does_not_answer(asked: Rig) -> None:
    assert isinstance(asked.services.people, Register)
    asked.services.people.down = True
    refused(asked.call(create_draft(typ="NOTHING")), "APPLICATION_ERROR", "Try again later")


@pytest.mark.parametrize("person", [builders.UNLISTED_PATIENT, "998001019802"])
def test_nobody_with_this_number(asked: Rig, person: str) -> None:
    """Also a reserve number, which the register never knows."""
    refused(asked.call(create_draft(person=person)), "APPLICATION_ERROR", "reservnummer")


def test_without_a_register_in_production_there_are_no_drafts(rig: Rig) -> None:
    settings = rig.services.settings.model_copy(update={"environment": Environment.PRODUCTION})
    rig = replace(rig, services=replace(rig.services, settings=settings))
    refused(rig.call(create_draft()), "APPLICATION_ERROR", "population_register")


@pytest.mark.parametrize(("typ", "word"), [("NOTHING", "NOTHING"), ("TSTRK1007", "TS8071")])
def test_an_unknown_type_and_one_that_is_not_made_any_more(
    asked: Rig, typ: str, word: str
) -> None:  # fmt: skip
    rig = with_people(asked, **{f"p{builders.PATIENT}": replace(KNOWN, is_deceased=True)})
    result = rig.call(create_draft(typ=typ))
    refused(result, "APPLICATION_ERROR", word)
    assert "dead" not in (result.text or "")


def test_role_and_death_are_told_in_one_text_and_protection_is_not_looked_at(asked: Rig) -> None:
    dead = PersonFacts(is_protected=True, is_deceased=True)
    rig = with_people(asked, **{f"p{builders.PATIENT}": dead})
    result = rig.call(create_draft("LUSE", doctor=DENTIST))
    refused(result, "APPLICATION_ERROR", "may not write", "dead")
    assert "protected" not in (result.text or "")


@pytest.mark.parametrize(
    ("typ", "doctor", "facts", "word"),
    [
        pytest.param("DB", builders.DOCTOR, PersonFacts(is_protected=True), "DB", id="type"),
        pytest.param("LISJP", NURSE, PersonFacts(is_protected=True), "lakare", id="role"),
        pytest.param(
            "LISJP", builders.DOCTOR, PersonFacts(is_protected=None), "does not say", id="unknown"
        ),
        pytest.param("LISJP", builders.DOCTOR, PersonFacts(is_deceased=True), "dead", id="dead"),
        pytest.param("DB", builders.DOCTOR, PersonFacts(is_deceased=True), "dead", id="DB too"),
    ],
)
def test_protected_and_dead_patients(
    asked: Rig, typ: str, doctor: str, facts: PersonFacts, word: str
) -> None:
    rig = with_people(asked, **{f"p{builders.PATIENT}": facts})
    refused(rig.call(create_draft(typ, doctor=doctor)), "APPLICATION_ERROR", word)


def test_a_doi_is_written_for_the_dead(asked: Rig) -> None:
    rig = with_people(asked, **{f"p{builders.PATIENT}": PersonFacts(is_deceased=True)})
    assert rig.call(create_draft("DOI")).code == "INFO"  # no DB is known


def test_a_refused_order_leaves_nothing(asked: Rig) -> None:
    before = asked.row_count()
    asked.call(create_draft("NOTHING"))
    assert asked.row_count() == before


def test_a_directory_that_is_down_is_worth_another_try(asked: Rig) -> None:
    """Nationally VALIDATION_ERROR, which says that sending again is of no use; it is."""
    assert isinstance(asked.services.staff, Directory)
    asked.services.staff.down = True
    refused(asked.call(create_draft()), "TECHNICAL_ERROR")


# --- only one ------------------------------------------------------------------------------------


def signed(typ: str, unit: str, provider: str) -> Callable[[Rig], None]:
    """The patient has a signed one."""

    def put(rig: Rig) -> None:
        body = builders.register_certificate("other", typ="LISJP", unit=unit)
        inbound = rig.inbound(body)
        intyg = read_register_certificate(inbound.element)
        enhet = replace(intyg.skapad_av.enhet, enhets_id=unit, vardgivare_id=provider)
        intyg = replace(intyg, typ=typ, skapad_av=replace(intyg.skapad_av, enhet=enhet))
        with rig.services.store.begin() as rows:
            rows.intyg.add(intyg, inbound, body=body, is_test=True, signature="ABSENT")

    return put


SAME, SIBLING, FOREIGN = builders.UNIT, OTHER_UNIT, "SE0000000000-UNIT3"
OWN, OTHER = builders.CARE_PROVIDER, "SE0000000000-VG2"


@pytest.mark.parametrize(
    ("typ", "unit", "provider", "code", "words"),
    [
        ("DB", SAME, OWN, "ERROR", "at this unit"),
        ("DB", SIBLING, OWN, "ERROR", "at this care provider"),
        ("DB", FOREIGN, OTHER, "ERROR", "another care provider"),
        ("DOI", SAME, OWN, "ERROR", "Replace"),
        ("DOI", SIBLING, OWN, "ERROR", "Replace"),
        ("DOI", FOREIGN, OTHER, "INFO", "another care provider"),
    ],
)
def test_a_signed_one(rig: Rig, typ: str, unit: str, provider: str, code: str, words: str) -> None:
    rig = rig.with_settings(drafts=PROVIDERS)
    signed(typ, unit, provider)(rig)
    result = rig.call(create_draft(typ))
    assert (result.code, words in (result.text or "")) == (code, True), result
    assert (result.intygs_id is None) == (code == "ERROR")
    assert typ.lower() in (result.text or "")


@pytest.mark.parametrize(
    ("typ", "unit", "code", "words"),
    [
        ("DB", SAME, "ERROR", "Continue on that one"),
        ("DB", SIBLING, "ERROR", "Continue on that one"),
        ("DB", FOREIGN, "INFO", "another care provider"),
        ("DOI", SAME, "ERROR", "Continue on that one"),
        ("DOI", FOREIGN, "INFO", "another care provider"),
    ],
)
def test_a_draft_of_it(rig: Rig, typ: str, unit: str, code: str, words: str) -> None:
    """Scenario 1 among them: a DB ordered twice at one unit."""
    rig = rig.with_settings(drafts=PROVIDERS)
    assert rig.call(create_draft(typ, unit=unit)).intygs_id is not None
    result = rig.call(create_draft(typ))
    assert (result.code, words in (result.text or "")) == (code, True), result


def test_a_doi_without_a_db_is_remarked_on(rig: Rig) -> None:
    assert "dödsbevis" in (rig.call(create_draft("DOI")).text or "")
    signed("DB", FOREIGN, OTHER)(rig)
    result = rig.call(create_draft("DOI", person=builders.OTHER_PATIENT))
    assert "dödsbevis" in (result.text or "")  # another patient's counts for nothing


# --- answers sent along ---------------------------------------------------------------------------

MIXED = (
    '<svar id="1"><instans>1</instans><delsvar id="1.1"><t:cv><t:code>JOURNALUPPGIFTER</t:code>'
    "<t:codeSystem>KV_FKMU_0001</t:codeSystem></t:cv></delsvar>"
    '<delsvar id="1.2">2026-02-30</delsvar></svar>'
    '<svar id="777"><delsvar id="777.1">x</delsvar></svar>'
    '<svar id="35"><delsvar id="35.1">Svullet knä</delsvar></svar>'
).replace("<instans", f'<instans xmlns="{ns.CORE}"')


def test_good_answers_are_used_and_bad_ones_are_reported(asked: Rig) -> None:
    """Scenario 3: one bad date, one unknown svar, one good text."""
    result = asked.call(create_draft(svar=MIXED))
    assert (result.code, result.text) == ("OK", None)
    made = draft_of(asked, result)
    assert made.content["svar"] == {"35": {"35.1": "Svullet knä"}}
    assert made.prefill is not None
    dropped = [row for row in made.prefill["svar"] if row["utfall"] == "dropped"]
    assert {(row["svar"], row["orsak"]) for row in dropped} == {
        ("1", "WITH_ANOTHER"),
        ("1", "INVALID_FORMAT"),
        ("777", "ANSWER_NOT_FOUND"),
    }
    assert "2026-02-30" not in str(made.prefill)


def test_the_report_in_the_answer_is_a_setting(asked: Rig) -> None:
    settings = asked.services.settings.model_copy(
        update={"drafts": DraftSettings(report_prefill=True)}
    )
    rig = replace(asked, services=replace(asked.services, settings=settings))
    text = rig.call(create_draft(svar=MIXED)).text or ""
    assert "777 dropped: the type has no such question" in text


def test_a_dry_run_says_what_would_come_of_it_and_keeps_nothing(asked: Rig) -> None:
    before = asked.row_count()
    inbound = replace(asked.inbound(create_draft(svar=MIXED)), dry_run=True)
    result = HANDLERS[inbound.contract.key](inbound, asked.services, asked.unit())
    assert isinstance(result, Result)
    assert (result.code, result.intygs_id) == ("INFO", None)
    said = (result.text or "").splitlines()
    assert said[0] == "Dry run: nothing was kept. It would be a draft of state DRAFT_INCOMPLETE."
    assert "777 dropped: the type has no such question" in said
    assert asked.row_count() == before
    refused = replace(asked.inbound(create_draft("LUSE", doctor=DENTIST)), dry_run=True)
    with pytest.raises(DraftRefusedError):
        HANDLERS[refused.contract.key](refused, asked.services, asked.unit())


def test_a_draft_that_begins_with_all_answers_is_complete_and_not_said_to_be_ready(
    asked: Rig,
) -> None:
    whole = CareUnitSettings(
        vardgivare_id=builders.CARE_PROVIDER,
        vardgivarnamn="Provregionen",
        arbetsplatskod="0000000",
        postadress="Provgatan 1",
        postnummer="12345",
        postort="Provstad",
        telefonnummer="010-0000000",
    )
    drafts = DraftSettings(units={builders.UNIT: whole})
    settings = asked.services.settings.model_copy(update={"drafts": drafts})
    rig = replace(asked, services=replace(asked.services, settings=settings))
    made = draft_of(rig, rig.call(create_draft(svar=every_answer())))
    assert made.state is DraftState.COMPLETE
    assert rig.events(made.intygs_id) == ["SKAPAT"]


def every_answer() -> str:
    """Of an FK7804 that breaks no rule, as an EHR sends them along."""
    signed_at = builders.NOW.replace(tzinfo=None)
    intyg = example(TYPES.lookup("LISJP"), signed_at=signed_at, size=Size.MINIMAL)[-1]
    found = intyg.findall(f"{{{ns.CORE}}}svar")
    for svar in found:
        svar.tag = f"{{{ns.EXT33}}}svar"
    return "".join(etree.tostring(svar, encoding="unicode") for svar in found)


def test_one_is_no_boolean(asked: Rig) -> None:
    """Scenario 4."""
    svar = '<svar id="27"><delsvar id="27.1">1</delsvar></svar>'
    made = draft_of(asked, asked.call(create_draft(svar=svar)))
    assert made.content["svar"] == {}
    assert made.prefill is not None
    assert made.prefill["svar"][0]["orsak"] == "INVALID_BOOLEAN_VALUE"
