"""Each case of the national services that read, note and list: what is answered, over SOAP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.environment import Environment
from intyg.adapter.flows.contracts import FAULT_CONTRACTS, HANDLERS, READERS
from intyg.adapter.formats.event_writer import write_tidpunkt
from intyg.adapter.settings.settings import RecipientSettings, ServerSettings, SignaturePolicy
from intyg.schemas.contract.contract import Contract
from tests import builders, queries
from tests.adapter.flows import library
from tests.adapter.flows.conftest import MakeFolder
from tests.adapter.flows.library import (
    CALLER,
    DEAD,
    ELSEWHERE,
    NEW,
    OLD,
    OTHER_PROVIDER,
    REAL,
    REAL_ONE,
    UNIT2,
    UNSURE,
    ask,
)
from tests.adapter.flows.rig import CONTRACTS, FK, Rig, copied_rig

UNIT = builders.UNIT
AUTHORITY = "SE0000000000-AUTHORITY"
NOBODY = "189113329810"  # month 13: nobody can have it


@pytest.fixture(scope="module")
def filled(migrated: Path, made: MakeFolder) -> Path:
    return made(migrated, library.fill)


@pytest.fixture
def shelf(filled: Path, tmp_path: Path) -> Iterator[Rig]:
    """A store with the library's certificates."""
    with copied_rig(filled, tmp_path) as rig:
        yield rig


def without(body: bytes, start: str, end: str) -> bytes:
    """A request that lacks what stands from `start` to `end`."""
    text = body.decode()
    before, _, rest = text.partition(start)
    _, found, after = rest.partition(end)
    assert found
    return (before + after).encode()


# Rows: contract, case, request, what it is answered, and how a national answer differs where ours
# deliberately does.
CASES = [
    ("GetCertificate", "unknown id", queries.get_certificate("nobody"), "fault Client", None),
    ("GetCertificate", "test certificate, care asks", queries.get_certificate(), "content", None),
    (
        "GetCertificate",
        "test certificate, an authority asks",
        queries.get_certificate(part="FKASSA"),
        "content",
        "refused, whatever stands behind the part; here by the table that sending asks, too",
    ),
    (
        "GetCertificate",
        "test certificate, the citizen asks",
        queries.get_certificate(part="INVANA"),
        "content",
        "refused, whatever stands behind the part; here by the table that sending asks, too",
    ),
    (
        "GetCertificate",
        "not a test certificate, a mock asks",
        queries.get_certificate(REAL_ONE, "FKASSA"),
        "fault Client",
        "given, whatever stands behind the part; here by the table that sending asks, too",
    ),
    (
        "GetCertificate",
        "part is not known",
        queries.get_certificate(part="NOBODY"),
        "fault Client",
        "given",
    ),
    (
        "GetCertificate",
        "breaks the schema",
        queries.query("GetCertificate:2"),
        "fault Client",
        None,
    ),
    (
        "GetCertificate",
        "DB, the citizen asks",
        queries.get_certificate(DEAD, "INVANA"),
        "fault Client",
        "given; but the lists never show one to a citizen, and neither is it shown here",
    ),
    ("ListCertificatesForCare", "units", queries.list_for_care(units=[UNIT]), "content", None),
    (
        "ListCertificatesForCare",
        "person that cannot be",
        queries.list_for_care(NOBODY, [UNIT]),
        "content",
        None,
    ),
    (
        "ListCertificatesForCare",
        "breaks the schema: neither units nor care provider",
        queries.list_for_care(),
        "fault Client",
        None,
    ),
    (
        "ListCertificatesForCare",
        "care provider",
        queries.list_for_care(provider=OTHER_PROVIDER),
        "content",
        "unfiltered: the patient's certificates from every care provider",
    ),
    (
        "ListCertificatesForCareWithQA",
        "units",
        queries.list_with_qa(units=[UNIT]),
        "content",
        None,
    ),
    (
        "ListCertificatesForCareWithQA",
        "neither units nor care provider",
        queries.list_with_qa(),
        "fault Client",
        None,
    ),
    (
        "ListCertificatesForCareWithQA",
        "no person",
        without(queries.list_with_qa(units=[UNIT]), "<m:person-id>", "</m:person-id>"),
        "fault Client",
        None,
    ),
    ("ListCertificatesForCitizen 3", "list", queries.list_for_citizen(3), "OK", None),
    (
        "ListCertificatesForCitizen 3",
        "test certificate, an authority asks",
        queries.list_for_citizen(3, part="FKASSA"),
        "OK",
        "refused, whatever stands behind the part; here by the table that sending asks, too",
    ),
    (
        "ListCertificatesForCitizen 3",
        "test certificate, care asks",
        queries.list_for_citizen(3, part="HSVARD"),
        "OK",
        None,
    ),
    (
        "ListCertificatesForCitizen 3",
        "person that cannot be",
        queries.list_for_citizen(3, NOBODY),
        "ERROR APPLICATION_ERROR",
        None,
    ),
    (
        "ListCertificatesForCitizen 3",
        "breaks the schema",
        queries.query("ListCertificatesForCitizen:3"),
        "ERROR VALIDATION_ERROR",
        None,
    ),
    ("ListCertificatesForCitizen 4", "list", queries.list_for_citizen(4), "content", None),
    (
        "ListCertificatesForCitizen 4",
        "test certificate, an authority asks",
        queries.list_for_citizen(4, part="FKASSA"),
        "content",
        "refused, whatever stands behind the part; here by the table that sending asks, too",
    ),
    (
        "ListCertificatesForCitizen 4",
        "person that cannot be",
        queries.list_for_citizen(4, NOBODY),
        "fault Client",
        "ERROR in a result that the schema does not allow",
    ),
    (
        "SetCertificateStatus",
        "unknown part",
        queries.set_status(part="NOBODY"),
        "ERROR VALIDATION_ERROR",
        None,
    ),
    (
        "SetCertificateStatus",
        "unknown status",
        queries.set_status("GONE"),
        "ERROR VALIDATION_ERROR",
        None,
    ),
    (
        "SetCertificateStatus",
        "unknown certificate",
        queries.set_status(intygs_id="nobody"),
        "ERROR VALIDATION_ERROR",
        None,
    ),
    (
        "SetCertificateStatus",
        "sent, on a test certificate",
        queries.set_status("SENTTO", part="FKASSA"),
        "ERROR VALIDATION_ERROR",
        None,
    ),
    (
        "SetCertificateStatus",
        "sent, not on a test certificate",
        queries.set_status("SENTTO", intygs_id=REAL_ONE, part="AF"),
        "OK",
        None,
    ),
    (
        "SetCertificateStatus",
        "sent to care, which holds it anyway",
        queries.set_status("SENTTO", intygs_id=REAL_ONE, part="HSVARD"),
        "OK",
        None,
    ),
    ("SetCertificateStatus", "archived", queries.set_status("DELETE"), "OK", None),
    ("SetCertificateStatus", "received", queries.set_status("RECEIV", part="FKASSA"), "OK", None),
    (
        "SetCertificateStatus",
        "revoked",
        queries.set_status("CANCEL"),
        "ERROR VALIDATION_ERROR",
        "OK, and those who have the certificate are never told",
    ),
    (
        "SetCertificateStatus",
        "breaks the schema",
        queries.query("SetCertificateStatus:2"),
        "ERROR VALIDATION_ERROR",
        None,
    ),
    ("ListRelationsForCertificate", "known", queries.list_relations(OLD), "content", None),
    (
        "ListRelationsForCertificate",
        "one of two unknown",
        queries.list_relations(OLD, "nobody"),
        "fault Client",
        None,
    ),
    ("ListRelationsForCertificate", "empty id", queries.list_relations(""), "fault Client", None),
    ("GetCertificateTypeInfo", "known", queries.get_type_info(OLD), "content", None),
    ("GetCertificateTypeInfo", "unknown", queries.get_type_info("nobody"), "fault Client", None),
    ("GetCertificateTypeInfo", "empty id", queries.get_type_info(""), "fault Client", None),
    ("ListKnownRecipients", "list", queries.list_known_recipients(), "OK", None),
    (
        "GetRecipientsForCertificate",
        "nothing approved: the main recipient",
        queries.get_recipients(),
        "OK",
        None,
    ),
    (
        "GetRecipientsForCertificate",
        "none",
        queries.get_recipients(typ="db"),
        "fault Client",
        "ERROR APPLICATION_ERROR without recipients, which the schema does not allow",
    ),
    ("ListPossibleReceivers", "known type", queries.list_possible_receivers(), "content", None),
    (
        "ListPossibleReceivers",
        "no type",
        queries.query("ListPossibleReceivers:1"),
        "fault Client",
        None,
    ),
    ("ListApprovedReceivers", "nothing said", queries.list_approved_receivers(), "content", None),
    (
        "ListApprovedReceivers",
        "no id",
        queries.query("ListApprovedReceivers:1"),
        "fault Client",
        None,
    ),
    (
        "ListApprovedReceivers",
        "empty id",
        queries.list_approved_receivers(""),
        "fault Client",
        None,
    ),
    (
        "RegisterApprovedReceivers",
        "known receiver",
        queries.register_approved_receivers({"AF": "YES"}),
        "OK",
        None,
    ),
    (
        "RegisterApprovedReceivers",
        "unknown receiver",
        queries.register_approved_receivers({"NOBODY": "YES"}),
        "ERROR",
        None,
    ),
    (
        "RegisterApprovedReceivers",
        "unknown type",
        queries.register_approved_receivers({"AF": "YES"}, typ="NOTYPE"),
        "ERROR",
        None,
    ),
    (
        "RegisterApprovedReceivers",
        "empty id",
        queries.register_approved_receivers({"AF": "YES"}, intygs_id=""),
        "ERROR",
        None,
    ),
    (
        "RegisterApprovedReceivers",
        "no status",
        without(
            queries.register_approved_receivers({"AF": "YES"}),
            "<m:approvalStatus>",
            "</m:approvalStatus>",
        ),
        "ERROR",
        None,
    ),
    ("PingForConfiguration", "up", queries.ping(), "content", None),
]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        pytest.param(body, outcome, id=f"{contract}: {case}")
        for contract, case, body, outcome, _ in CASES
    ],
)
def test_what_is_answered(shelf: Rig, body: bytes, outcome: str) -> None:
    said = ask(shelf, body)
    assert said.outcome == outcome, said.text
    assert not [number for number in (builders.PATIENT, NOBODY) if number in said.text]


def test_every_contract_that_is_served_here_has_cases() -> None:
    contracts = {case[0].partition(" ")[0] for case in CASES}
    served = {key.partition(":")[0] for key in READERS}
    assert contracts == served | {"SetCertificateStatus", "RegisterApprovedReceivers"}
    assert FAULT_CONTRACTS.isdisjoint(HANDLERS)


def test_of_an_unknown_id_nobody_is_told_to_try_again(shelf: Rig) -> None:
    assert ask(shelf, queries.get_certificate("nobody")).text == "There is no such certificate."


def test_a_refused_note_leaves_nothing(shelf: Rig) -> None:
    before = shelf.row_count()
    for contract, _, body, outcome, _ in CASES:
        if contract in {"SetCertificateStatus", "RegisterApprovedReceivers"} and outcome != "OK":
            ask(shelf, body)
    assert shelf.row_count() == before


# --- which certificates ---------------------------------------------------------------------------


def test_care_sees_its_own_units_certificates_oldest_first(shelf: Rig) -> None:
    said = ask(shelf, queries.list_for_care(units=[UNIT, UNIT2]))
    assert said.ids == [OLD, DEAD, NEW]  # by signing time, though NEW arrived first


def test_a_care_provider_sees_nothing_of_another(shelf: Rig) -> None:
    assert ask(shelf, queries.list_for_care(provider=OTHER_PROVIDER)).ids == [ELSEWHERE]
    own = ask(shelf, queries.list_for_care(provider=builders.CARE_PROVIDER)).ids
    assert own == [OLD, DEAD, NEW]
    assert ask(shelf, queries.list_for_care(provider="SE0000000000-NONE")).ids == []


def test_nobody_sees_another_patients_certificates(shelf: Rig) -> None:
    assert ask(real(shelf), queries.list_for_care(REAL, [UNIT, UNIT2])).ids == [REAL_ONE]
    assert ask(real(shelf), queries.list_for_citizen(4, REAL)).ids == [REAL_ONE]
    assert ask(shelf, queries.list_for_citizen(4, builders.SAMORDNINGSNUMMER)).ids == []


def test_care_sees_revoked_and_archived_ones(shelf: Rig) -> None:
    with shelf.services.store.begin() as rows:
        rows.intyg.set_revoked(OLD, builders.NOW)
    shelf.ok(queries.set_status("DELETE", intygs_id=DEAD))
    assert ask(shelf, queries.list_for_care(units=[UNIT])).ids == [OLD, DEAD]


@pytest.mark.parametrize("typ", ["DB", "DOI"])
def test_the_citizen_never_sees_a_certificate_of_death(shelf: Rig, typ: str) -> None:
    library.keep(shelf, "death", typ=typ)
    for major in (3, 4):
        assert ask(shelf, queries.list_for_citizen(major)).ids == [ELSEWHERE, OLD, NEW]
        assert ask(shelf, queries.list_for_citizen(major, typer=[typ])).ids == []


@pytest.mark.parametrize(
    ("from_datum", "tom_datum", "ids"),
    [
        ("2026-11-20", None, [OLD, NEW]),
        (None, "2026-11-19", [ELSEWHERE]),  # 23:59:59 in Sweden is still that day
        ("2026-11-19", "2026-11-20", [ELSEWHERE, OLD]),
        ("2026-11-23", "2026-11-19", []),
        ("0001-01-01", "9999-12-31", [ELSEWHERE, OLD, NEW]),  # as far as calendars go
    ],
)
def test_the_citizens_list_is_filtered_by_signing_day(
    shelf: Rig, from_datum: str | None, tom_datum: str | None, ids: list[str]
) -> None:
    body = queries.list_for_citizen(from_datum=from_datum, tom_datum=tom_datum)
    assert ask(shelf, body).ids == ids


DAY = "2026-11-20"
"""When all but the newest had been signed."""


@pytest.mark.parametrize(
    ("body", "fewer"),
    [
        (queries.list_for_care(units=[UNIT, UNIT2]), queries.list_for_care(units=[UNIT])),
        (queries.list_with_qa(units=[UNIT, UNIT2]), queries.list_with_qa(units=[UNIT])),
        *(
            (
                queries.list_for_citizen(major),
                queries.list_for_citizen(major, tom_datum="2026-11-20"),
            )
            for major in (3, 4)
        ),
    ],
    ids=["care", "with questions", "citizen 3", "citizen 4"],
)
def test_a_list_too_long_for_one_answer_is_refused_and_fewer_are_told(
    shelf: Rig, body: bytes, fewer: bytes
) -> None:
    narrow = shelf.with_settings(server=ServerSettings(most_listed=2))
    text = ask(narrow, body).text
    assert "more than 2 certificates" in text
    assert "server.most_listed" in text
    assert len(ask(narrow, fewer).ids) <= 2


def test_the_citizens_list_is_filtered_by_type(shelf: Rig) -> None:
    assert ask(shelf, queries.list_for_citizen(typer=["lisjp"])).ids == [ELSEWHERE, OLD, NEW]
    assert ask(shelf, queries.list_for_citizen(typer=["LUSE"])).ids == []


def test_the_citizen_archives_and_takes_back(shelf: Rig) -> None:
    shelf.ok(queries.set_status("DELETE"))
    assert ask(shelf, queries.list_for_citizen()).ids == [ELSEWHERE, NEW]
    assert ask(shelf, queries.list_for_citizen(arkiverade=True)).ids == [OLD]
    shelf.ok(queries.set_status("RESTOR"))  # in the same second: what came last counts
    assert ask(shelf, queries.list_for_citizen()).ids == [ELSEWHERE, OLD, NEW]
    shelf.ok(queries.set_status("DELETE", tidpunkt="2026-11-22T00:00:00"))  # late, but older
    assert ask(shelf, queries.list_for_citizen(arkiverade=True)).ids == []


def real(rig: Rig) -> Rig:
    """The same in production, where everybody around is real and may speak for each part."""
    recipients = {
        part: RecipientSettings(
            name=part, logical_address=one.logical_address, types=one.types, callers=(AUTHORITY,)
        )
        for part, one in rig.services.settings.recipients.items()
    }
    return rig.with_settings(
        environment=Environment.PRODUCTION,
        signature=SignaturePolicy.REQUIRE,
        kind=DestinationKind.REAL,
        recipients=recipients,
    )


def test_one_test_certificate_hides_all_from_a_real_authority(shelf: Rig) -> None:
    library.keep(shelf, "marked", REAL)  # marked as a test patient's when it was registered
    said = ask(real(shelf), queries.list_for_citizen(4, REAL, part="FKASSA"), AUTHORITY)
    assert said.outcome == "fault Client"
    assert real(shelf).blocked() == ["ListCertificatesForCitizen:4"]
    body = queries.list_for_citizen(4, REAL, part="FKASSA", tom_datum="2026-11-19")
    assert ask(real(shelf), body, AUTHORITY).ids == []  # no hit, nothing to hide


def test_what_cannot_be_told_to_be_no_test_patients_is_not_shown_meanwhile(shelf: Rig) -> None:
    production = real(shelf)
    unsure = production.with_test_patients(damage="line 7")
    for body in (
        queries.get_certificate(UNSURE, "FKASSA"),
        queries.list_for_citizen(4, builders.OTHER_PATIENT, part="FKASSA"),
    ):
        assert ask(unsure, body, AUTHORITY).outcome == "fault Server"
        assert ask(production.with_test_patients("x"), body, AUTHORITY).ids == [
            UNSURE
        ]  # now it can be told
        assert ask(production, body, AUTHORITY).outcome == "fault Client"
    assert ask(unsure, queries.get_certificate(UNSURE)).outcome == "fault Server"
    assert (
        ask(unsure, queries.get_certificate(REAL_ONE, "FKASSA"), AUTHORITY).outcome
        == "fault Server"
    )


READINGS = [
    (queries.get_certificate(REAL_ONE, "FKASSA"), "FKASSA"),
    (queries.get_certificate(REAL_ONE), "HSVARD"),
    (queries.list_for_citizen(3, REAL, part="FKASSA"), "FKASSA"),
    (queries.list_for_citizen(4, REAL), "INVANA"),
    (queries.list_for_care(REAL, [UNIT]), "HSVARD"),
    (queries.list_relations(REAL_ONE), "HSVARD"),
    (queries.get_type_info(REAL_ONE), "HSVARD"),
]


@pytest.mark.parametrize(("body", "part"), READINGS)
def test_whom_no_list_has_is_shown_to_real_systems_alone(
    shelf: Rig, body: bytes, part: str
) -> None:
    """The table of sending: nobody's data but test patients' leave for a mock or a test system."""
    said = ask(shelf, body)
    assert said.outcome in ("fault Client", "ERROR VALIDATION_ERROR")
    assert REAL_ONE not in said.raw.decode()
    assert len(shelf.blocked()) == 1
    who = AUTHORITY if part == "FKASSA" else CALLER
    assert ask(real(shelf), body, who).outcome in ("content", "OK")


@pytest.mark.parametrize("test_patients_kind", list(DestinationKind))
def test_the_kind_of_the_parts_own_destination_counts(
    shelf: Rig, test_patients_kind: DestinationKind
) -> None:
    there = shelf.with_settings(kind=test_patients_kind)
    shown = ask(there, queries.get_certificate(part="FKASSA")).outcome == "content"
    assert shown is (test_patients_kind is not DestinationKind.REAL)


@pytest.mark.parametrize(
    ("part", "sender", "outcome"),
    [
        ("FKASSA", AUTHORITY, "content"),
        ("FKASSA", "OTHER", "fault Client"),
        ("HSVARD", CALLER, "content"),
        ("HSVARD", AUTHORITY, "fault Client"),  # an authority's system is not care
        ("INVANA", AUTHORITY, "fault Client"),
    ],
)
def test_a_part_is_spoken_for_by_its_callers_alone(
    shelf: Rig, part: str, sender: str, outcome: str
) -> None:
    production = real(shelf)
    assert ask(production, queries.get_certificate(REAL_ONE, part), sender).outcome == outcome


@pytest.mark.parametrize(
    "body",
    [
        queries.get_certificate(REAL_ONE, "FKASSA"),
        queries.list_for_citizen(3, REAL, part="FKASSA"),
        queries.list_for_citizen(4, REAL, part="FKASSA"),
        queries.set_status("SENTTO", intygs_id=REAL_ONE, part="FKASSA"),
        builders.send_message_to_care(intygs_id=REAL_ONE, person=REAL, part="FKASSA"),
    ],
)
def test_whoever_speaks_for_a_part_is_asked_in_every_contract_that_names_one(
    shelf: Rig, body: bytes
) -> None:
    production = real(shelf)
    before = production.statuses(REAL_ONE)
    said = ask(production, body, "OTHER")
    assert "PART_CALLER_ERROR" in said.text
    unknown = ask(production, body.replace(b">FKASSA<", b">FK<"), AUTHORITY)
    assert "PART_NOT_KNOWN_ERROR" in unknown.text
    for refused in (said, unknown):
        assert refused.outcome in ("fault Client", "ERROR VALIDATION_ERROR")
    assert production.statuses(REAL_ONE) == before
    assert "PART_" not in ask(production, body, AUTHORITY).text


def test_contracts_that_name_a_part_are_those_above() -> None:
    named = {
        contract.name
        for contract in CONTRACTS.all()
        if contract.key in {**HANDLERS, **READERS} and _names_a_part(contract)
    }
    assert named == {
        "GetCertificate",
        "ListCertificatesForCitizen",
        "SendMessageToCare",
        "SetCertificateStatus",
    }


def _names_a_part(contract: Contract) -> bool:
    documents = [name for name in CONTRACTS.document_names(contract) if "Responder" in name]
    return any(b'name="part"' in CONTRACTS.document(contract, name) for name in documents)


@pytest.mark.parametrize("environment", [Environment.TEST, Environment.DEMO])
def test_without_callers_a_part_is_spoken_for_in_demo_alone(
    shelf: Rig, environment: Environment
) -> None:
    said = ask(shelf.with_settings(environment=environment), queries.get_certificate(part="FKASSA"))
    assert ("recipients.<part>.callers" in said.text) is (environment is Environment.TEST)


# --- states ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "seen"),
    [
        ("HSVARD", ["RECEIV HSVARD", "SENTTO FKASSA", "SENTTO AF", "CANCEL HSVARD"]),
        ("FKASSA", ["RECEIV HSVARD", "SENTTO FKASSA", "CANCEL HSVARD"]),
        ("SKV", ["RECEIV HSVARD", "CANCEL HSVARD"]),
        (
            "INVANA",
            ["RECEIV HSVARD", "SENTTO FKASSA", "SENTTO AF", "DELETE INVANA", "CANCEL HSVARD"],
        ),
    ],
)
def test_each_part_sees_its_states(shelf: Rig, part: str, seen: list[str]) -> None:
    shelf.accept("AF", REAL_ONE)
    shelf.ok(
        queries.set_status("DELETE", intygs_id=REAL_ONE),
        builders.revoke_certificate(REAL_ONE, REAL),
    )
    who = AUTHORITY if part in ("FKASSA", "SKV") else CALLER
    said = ask(real(shelf), queries.get_certificate(REAL_ONE, part), who)
    states = zip(
        said.found("intyg/status/status/code"), said.found("intyg/status/part/code"), strict=True
    )
    assert [" ".join(state) for state in states] == seen


def test_states_have_the_callers_time(shelf: Rig) -> None:
    shelf.ok(queries.set_status("DELETE", intygs_id=REAL_ONE, tidpunkt="2026-07-01T12:00:01"))
    said = ask(real(shelf), queries.get_certificate(REAL_ONE, "INVANA"))
    assert said.found("status/tidpunkt")[-1] == "2026-07-01T12:00:01"


# --- questions ------------------------------------------------------------------------------------


def test_an_ehr_gets_back_what_happened(sent: Rig) -> None:
    fraga = builders.send_message_to_care("m-1", "OVRIGT", sista_datum="2026-12-24")
    sent.ok(fraga, builders.send_message_to_recipient("m-2", "KONTKT"))
    with sent.services.store.begin() as rows:
        rows.intyg.set_ref(OLD, "ref & 1")
    said = ask(sent, queries.list_with_qa(units=[UNIT]))
    assert said.ids == [OLD]
    assert said.found("handelse/handelsekod/code") == ["SIGNAT", "SKICKA", "NYFRFM", "NYFRFV"]
    assert said.found("handelse/amne/code") == ["OVRIGT"]
    assert said.found("handelse/sistaDatumForSvar") == ["2026-12-24"]
    assert builders.DOCTOR in said.found("handelse/hanteratAv/extension")
    assert said.found("skickadeFragor/totalt") == ["1"]
    assert said.found("mottagnaFragor/ejBesvarade") == ["1"]
    assert said.found("ref") == ["ref & 1"]


def test_events_are_chosen_by_their_time(sent: Rig) -> None:
    first, last = (handelse.tidpunkt for handelse in sent.handelser())
    between = write_tidpunkt(last - timedelta(seconds=1))
    assert last - first > timedelta(seconds=2)

    def codes(**span: str) -> list[str]:
        body = queries.list_with_qa(units=[UNIT], **span)
        return ask(sent, body).found("handelse/handelsekod/code")

    assert codes(from_tidpunkt=between) == ["SKICKA"]
    assert codes(tom_tidpunkt=between) == ["SIGNAT"]
    assert codes(from_tidpunkt=between, tom_tidpunkt=between) == []
    begins, ends = write_tidpunkt(first), write_tidpunkt(last)  # both moments are included
    assert (first.microsecond, last.microsecond) == (0, 0)
    assert codes(from_tidpunkt=begins, tom_tidpunkt=ends) == ["SIGNAT", "SKICKA"]


def test_questions_are_counted_as_they_stand_now_whatever_span_is_asked_for(sent: Rig) -> None:
    then = write_tidpunkt(sent.handelser()[-1].tidpunkt)
    sent.ok(
        builders.send_message_to_care("m-1", "OVRIGT"),
        builders.send_message_to_recipient("m-2", "KONTKT"),
    )
    sent.mark("m-1", handled=True)
    said = ask(sent, queries.list_with_qa(units=[UNIT], tom_tidpunkt=then))
    assert said.found("handelse/handelsekod/code") == ["SIGNAT", "SKICKA"]
    assert said.found("mottagnaFragor/hanterade") == ["1"]
    assert said.found("skickadeFragor/ejBesvarade") == ["1"]


def test_a_certificate_without_events_is_not_listed(shelf: Rig) -> None:
    assert ask(shelf, queries.list_with_qa(units=[UNIT])).ids == []


def test_units_win_over_the_care_provider(sent: Rig) -> None:
    ours = builders.CARE_PROVIDER
    assert ask(sent, queries.list_with_qa(provider=ours)).ids == [OLD]
    assert ask(sent, queries.list_with_qa(provider=OTHER_PROVIDER)).ids == []
    assert ask(sent, queries.list_with_qa(units=[UNIT], provider=OTHER_PROVIDER)).ids == [OLD]
    assert ask(sent, queries.list_with_qa(units=[UNIT2], provider=ours)).ids == []


# --- relations and types --------------------------------------------------------------------------


def test_relations_are_told_from_either_end(shelf: Rig) -> None:
    shelf.clock.now += timedelta(hours=1)
    library.keep(shelf, "newest", relation=("KOMPLT", NEW))
    with shelf.services.store.begin() as rows:
        rows.intyg.set_revoked(NEW, builders.NOW)
    said = ask(shelf, queries.list_relations(OLD, "newest", ELSEWHERE))
    assert said.found("intygRelation/intygs-id/extension") == [OLD, "newest", ELSEWHERE]
    assert said.found("relation/typ/code") == ["ERSATT", "KOMPLT"] * 2
    assert said.found("relation/fran-intygs-id/extension") == [NEW, "newest"] * 2
    assert said.found("relation/till-intygs-id/extension") == [OLD, NEW] * 2
    assert said.found("relation/fran-intyg-makulerat") == ["true", "false"] * 2
    with shelf.services.store.read() as rows:
        arrived = [stored.received_at for one in (NEW, "newest") if (stored := rows.intyg.get(one))]
    assert said.found("relation/skapad") == [write_tidpunkt(at) for at in arrived] * 2


def test_a_relation_to_another_patients_certificate_tells_nothing(shelf: Rig) -> None:
    library.keep(shelf, "forged", REAL, relation=("ERSATT", OLD))
    for intygs_id in (OLD, "forged"):
        assert "forged" not in ask(shelf, queries.list_relations(intygs_id)).found(
            "fran-intygs-id/extension"
        )


def test_relations_that_go_in_a_circle_end(shelf: Rig) -> None:
    library.keep(shelf, "a", relation=("ERSATT", "b"))
    library.keep(shelf, "b", relation=("ERSATT", "a"))
    assert len(ask(shelf, queries.list_relations("a")).found("relation/typ/code")) == 2


def test_a_relation_to_itself_or_by_an_unknown_code_is_not_told(shelf: Rig) -> None:
    library.keep(shelf, "self", relation=("KOPIA", "self"))
    library.keep(shelf, "odd", relation=("ersatt", OLD))
    for one in ("self", "odd"):
        assert ask(shelf, queries.list_relations(one)).found("relation/typ/code") == []
    assert ask(shelf, queries.list_relations(OLD)).found("fran-intygs-id/extension") == [NEW]


def test_type_info_speaks_as_certificates_do(shelf: Rig) -> None:
    said = ask(shelf, queries.get_type_info())
    assert said.found("typ/code") + said.found("typVersion") == ["LISJP", "1.3"]
    assert said.found("typ/codeSystem") == [builders.TYPE_SYSTEM]


# --- recipients -----------------------------------------------------------------------------------

RECIPIENTS = {
    "FKASSA": RecipientSettings(name="Försäkringskassan", logical_address=FK),
    "FBA": RecipientSettings(name="Bolaget", logical_address="FBA", types=("LISJP",)),
    "AF": RecipientSettings(name="AF", logical_address="AF", types=("LISJP",), active=False),
}


@pytest.fixture
def register(shelf: Rig) -> Rig:
    return shelf.with_settings(recipients=RECIPIENTS)


def test_care_and_the_citizen_are_always_known(register: Rig) -> None:
    said = ask(register, queries.list_known_recipients())
    assert said.found("recipient/id") == ["AF", "FBA", "FKASSA", "HSVARD", "INVANA"]
    assert said.found("recipient/trusted") == ["true", "false", "true", "true", "true"]
    nobody = ask(register.with_settings(recipients={}), queries.list_known_recipients())
    assert nobody.found("recipient/id") == ["HSVARD", "INVANA"]


def test_possible_are_active_receivers_that_take_the_type(register: Rig) -> None:
    said = ask(register, queries.list_possible_receivers("LISJP"))
    assert said.found("receiverId") == ["FBA", "FKASSA"]
    assert said.found("receiverType") == ["MOTTAGARE", "HUVUDMOTTAGARE"]
    assert ask(register, queries.list_possible_receivers("LUSE")).found("receiverId") == ["FKASSA"]
    assert ask(register, queries.list_possible_receivers("NOTYPE")).found("receiverId") == []


def test_the_main_receiver_is_asked_for_until_care_says_something(register: Rig) -> None:
    assert ask(register, queries.get_recipients()).found("recipient/id") == ["FKASSA"]
    register.ok(queries.register_approved_receivers({"FBA": "YES"}))
    assert ask(register, queries.get_recipients()).found("recipient/id") == ["FBA", "FKASSA"]
    assert ask(register, queries.get_recipients("another")).found("recipient/id") == ["FKASSA"]


def test_a_later_approval_replaces_all_of_an_earlier_one(register: Rig) -> None:
    register.ok(
        queries.register_approved_receivers({"FBA": "YES"}),
        queries.register_approved_receivers({"FKASSA": "UNDEFINED"}),
    )
    said = ask(register, queries.list_approved_receivers())
    assert said.found("receiverId") == ["FBA", "FKASSA"]
    assert said.found("approvalStatus") == ["NO", "UNDEFINED"]  # not mentioned becomes NO
    assert ask(register, queries.get_recipients()).outcome == "fault Client"


def test_what_is_not_mentioned_becomes_no_but_the_main_receiver_yes(register: Rig) -> None:
    register.ok(queries.register_approved_receivers({}))
    said = ask(register, queries.list_approved_receivers())
    assert said.found("approvalStatus") == ["NO", "YES"]


def test_an_inactive_receiver_can_be_approved_but_gets_nothing(register: Rig) -> None:
    register.ok(queries.register_approved_receivers({"AF": "YES", "FKASSA": "NO"}))
    assert ask(register, queries.list_approved_receivers()).found("receiverId") == [
        "AF",
        "FBA",
        "FKASSA",
    ]
    assert ask(register, queries.get_recipients()).outcome == "fault Client"


@pytest.mark.parametrize("part", ["HSVARD", "INVANA"])
def test_nobody_can_approve_whom_nothing_is_sent_to(register: Rig, part: str) -> None:
    body = queries.register_approved_receivers({part: "YES"})
    assert ask(register, body).outcome == "ERROR"


def test_the_national_editors_approval_is_taken_without_root_and_code_system(
    register: Rig,
) -> None:
    body = queries.register_approved_receivers({"FBA": "YES"}).decode()
    for name in ("root", "codeSystem"):
        body = without(body.encode(), f"<t:{name}>", f"</t:{name}>").decode()
    assert ask(register, body.encode()).outcome == "OK"
    assert ask(register, queries.get_recipients()).found("recipient/id") == ["FBA", "FKASSA"]


# --- the service ----------------------------------------------------------------------------------


def test_ping_tells_time_in_sweden(shelf: Rig) -> None:
    said = ask(shelf, queries.ping())
    now = shelf.clock.now
    assert said.found("pingDateTime")[0].startswith(f"{now:%Y%m%d}{now.hour + 1:02}")
    assert said.found("configuration/value") == ["demo"]
