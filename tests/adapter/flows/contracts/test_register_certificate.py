from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import (
    DuplicateError,
    RuleError,
    SchemaError,
    SignatureError,
    TechnicalError,
)
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.intyg import Yrken
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.flows.shared.signature_policy import SIGNED_HERE
from intyg.adapter.rules.signer_roles import StaffMember, Uppdrag
from intyg.adapter.settings.settings import RecipientSettings, SignaturePolicy, SignerRolePolicy
from intyg.adapter.signature import load_signing_key
from intyg.adapter.signature.demo_keys import make_test_keys
from intyg.schemas import ns
from intyg.schemas.codes import ErrorId, ResultCode
from intyg.schemas.finding import Finding, Severity
from intyg.schemas.intyg_model import IntygHeader, Unique, Usage
from tests import builders
from tests.adapter.flows.rig import (
    FK,
    TYPES,
    ChangedTypes,
    Rig,
)

COMPLEMENT = "0b8f7b1c-complement"
REGISTERED_BEFORE = "Certificate already exists"


def komplettering(rig: Rig, *meddelande_ids: str) -> None:
    """The authority asks for completion of the builders' certificate."""
    rig.ok(
        *(
            builders.send_message_to_care(one, "KOMPLT", komplettering=[("35", "Mer")])
            for one in meddelande_ids
        )
    )


def sent_on_signing(rig: Rig) -> Rig:
    return rig.with_types(sent_on_signing=True)


# --- taken --------------------------------------------------------------------------------------


def test_a_certificate_is_kept_byte_for_byte(rig: Rig) -> None:
    body = builders.register_certificate()
    assert rig.call(body) == Result(ResultCode.OK)
    with rig.services.store.read() as rows:
        stored = rows.intyg.get(builders.INTYGS_ID)
    assert stored is not None
    assert stored.body == body
    assert (stored.is_test, stored.signature, stored.revoked_at) == (True, "ABSENT", None)
    assert rig.statuses() == [("RECEIV", "HSVARD")]


def test_care_is_told_that_it_is_signed_and_nobody_else_anything(registered: Rig) -> None:
    assert registered.events() == ["SIGNAT"]
    assert registered.handelser()[0].hanterat_av == builders.DOCTOR
    assert [d.new.contract for d in registered.deliveries()] == ["CertificateStatusUpdateForCare:3"]


def test_without_a_route_to_the_units_ehr_the_event_is_kept_and_nobody_told(rig: Rig) -> None:
    rig.ok(builders.register_certificate(unit="SE0000000000-ELSEWHERE"))
    assert rig.events() == ["SIGNAT"]
    assert rig.handelser()[0].delivery_id is None
    assert rig.deliveries() == ()


def test_a_real_patients_certificate_is_registered_and_not_flagged(rig: Rig) -> None:
    rig.ok(builders.register_certificate(person=builders.UNLISTED_PATIENT))
    with rig.services.store.read() as rows:
        stored = rows.intyg.get(builders.INTYGS_ID)
    assert stored is not None
    assert stored.is_test is False


def test_who_could_not_be_told_at_registration_is_marked_neither_way(rig: Rig) -> None:
    rig.with_test_patients(damage="no such file").ok(builders.register_certificate())
    with rig.services.store.read() as rows:
        stored = rows.intyg.get(builders.INTYGS_ID)
    assert stored is not None
    assert stored.is_test is None


@pytest.mark.parametrize(
    "person",
    [builders.SAMORDNINGSNUMMER, builders.SAMORDNINGSNUMMER_WITHOUT_DAY],
)
def test_a_samordningsnummer_does(rig: Rig, person: str) -> None:
    rig.ok(builders.register_certificate(person=person))


def test_a_relation_to_an_unknown_certificate_is_no_fault(rig: Rig) -> None:
    for number, code in enumerate(["ERSATT", "KOMPLT", "FRLANG", "KOPIA", "NEVER-SEEN"]):
        body = builders.register_certificate(f"i-{number}", relation=(code, "unknown"))
        told = ResultCode.INFO if code == "NEVER-SEEN" else ResultCode.OK
        assert rig.call(body).code == told


def test_a_certificate_may_point_at_itself(rig: Rig) -> None:
    rig.ok(builders.register_certificate(relation=("ERSATT", builders.INTYGS_ID)))


# --- who may sign -------------------------------------------------------------------------------


class Staff:
    """A directory with one doctor, or one that is down."""

    def __init__(self, member: StaffMember | None, down: bool = False) -> None:
        self._member = member
        self._down = down

    def find(self, hsa_id: str) -> StaffMember | None:
        if self._down:
            raise TechnicalError("down")
        return self._member if hsa_id == builders.DOCTOR else None


DOCTOR = StaffMember(
    Yrken(frozenset({"LK"})), (Uppdrag(builders.UNIT, "Vård och behandling", None, None),)
)


def test_a_nurse_does_not_sign_what_doctors_sign(rig: Rig) -> None:
    with pytest.raises(RuleError) as caught:
        rig.call_raising(builders.signed_by("SJ"))
    assert [finding.rule for finding in caught.value.findings] == ["SIGNER_ROLE"]
    rig.ok(builders.signed_by("LK"))


@pytest.mark.parametrize(
    ("environment", "policy", "taken"),
    [
        ("production", None, False),
        ("production", "accept", True),
        ("demo", None, True),
        ("demo", "require", False),
    ],
)
def test_a_signer_of_whom_nothing_is_said(
    rig: Rig, environment: str, policy: str | None, taken: bool
) -> None:
    settings = rig.services.settings.model_copy(
        update={
            "environment": Environment(environment),
            "signer_role": policy and SignerRolePolicy(policy),
        }
    )
    rig.services = replace(rig.services, settings=settings)
    answer = rig.call(builders.register_certificate())
    assert (answer.error_id is None) is taken, answer
    assert ("SIGNER_ROLE" in (answer.text or "")) is not taken
    assert rig.call(builders.signed_by("LK")).error_id is None or not taken


def test_with_a_directory_the_messages_word_does_not_count(rig: Rig) -> None:
    nurse = replace(DOCTOR, yrken=Yrken(frozenset({"SJ"})))
    rig.services = replace(rig.services, staff=Staff(nurse))
    with pytest.raises(RuleError, match="signer"):
        rig.call_raising(builders.signed_by("LK"))
    rig.services = replace(rig.services, staff=Staff(DOCTOR))
    rig.ok(builders.signed_by("SJ"))


def test_nobody_outside_the_directory_signs(rig: Rig) -> None:
    rig.services = replace(rig.services, staff=Staff(DOCTOR))
    with pytest.raises(RuleError) as caught:
        rig.call_raising(builders.register_certificate(doctor="SE-OTHER"))
    assert [finding.rule for finding in caught.value.findings] == ["SIGNER_UNKNOWN"]


def test_while_the_directory_is_down_callers_are_asked_to_try_again(rig: Rig) -> None:
    rig.services = replace(rig.services, staff=Staff(None, down=True))
    assert rig.call(builders.register_certificate()).error_id == ErrorId.TECHNICAL_ERROR
    rig.services = replace(rig.services, staff=Staff(DOCTOR))
    rig.ok(builders.register_certificate())


# --- refused ------------------------------------------------------------------------------------


def without_fornamn() -> bytes:
    return builders.register_certificate().replace(b"<fornamn/>", b"")


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        pytest.param(without_fornamn(), "XSD", id="0 schema"),
        pytest.param(builders.register_certificate(typ="NEVER-SEEN"), "TYPE", id="1 unknown type"),
        pytest.param(builders.register_certificate(version="99.0"), "TYPE", id="2 version"),
        pytest.param(
            builders.register_certificate(person="189001019803"), "PERSON_ID_LUHN", id="3 checksum"
        ),
        pytest.param(
            builders.register_certificate(person="189013019802"), "PERSON_ID_DATE", id="3 no date"
        ),
        pytest.param(
            builders.register_certificate(person_root=builders.SAMORDNING),
            "PERSON_ID_ROOT",
            id="3 wrong root",
        ),
        pytest.param(
            builders.register_certificate(person="992026110001"), "RESERVE_NUMBER", id="3 reserve"
        ),
        pytest.param(builders.register_certificate(intygs_id=" "), "INTYGS_ID", id="no id"),
        pytest.param(builders.register_certificate(intygs_id="x" * 256), "INTYGS_ID", id="long id"),
        pytest.param(
            builders.register_certificate(svar=builders.fk7804_svar()[:-1]),
            "FK7804/1/R24",
            id="5 a rule of the type: no question 40",
        ),
        pytest.param(
            builders.register_certificate(signed_at="9999-12-31T24:00:00"), "TIDPUNKT", id="time"
        ),
    ],
)
def test_each_fault_is_told_by_its_rule_and_leaves_nothing_behind(
    rig: Rig, body: bytes, rule: str
) -> None:
    before = rig.row_count()
    result = rig.call(body)
    assert result.error_id == ErrorId.VALIDATION_ERROR
    assert result.text is not None
    assert rule in [line.split(" ")[0] for line in result.text.splitlines()]
    assert rig.row_count() == before


def test_an_unknown_version_is_answered_with_those_known(rig: Rig) -> None:
    result = rig.call(builders.register_certificate(version="99.0"))
    assert "1.3" in (result.text or "")


def test_a_type_out_of_use_is_refused_with_its_successor(rig: Rig) -> None:
    out_of_use = rig.with_types(
        usage=Usage(register=False, renew=False, send=False, replaced_by="TS8071")
    )
    result = out_of_use.call(builders.register_certificate())
    assert result.error_id == ErrorId.VALIDATION_ERROR
    assert "TS8071 has taken its place" in (result.text or "")


OUT_OF_USE = [header for header in TYPES.all() if not header.usage.register]


@pytest.mark.parametrize("header", OUT_OF_USE, ids=lambda header: header.key)
def test_old_types_and_versions_are_refused(rig: Rig, header: IntygHeader) -> None:
    for version in header.xml_versions:
        result = rig.call(builders.register_certificate(typ=header.xml_code, version=version))
        assert result.error_id == ErrorId.VALIDATION_ERROR
        assert "TYPE /" in (result.text or "")
        assert (header.usage.replaced_by or "") in (result.text or "")


def test_every_schema_fault_is_listed(rig: Rig) -> None:
    body = builders.register_certificate().replace(b"<fornamn/>", b"").replace(b"LISJP", b"")
    body = body.replace(b"<version>1.3</version>", b"")
    with pytest.raises(SchemaError) as caught:
        rig.call_raising(body)
    assert len(caught.value.findings) >= 2


@pytest.mark.parametrize("number", ["189001019803", "189013019802", "992026110001", "18900101980"])
def test_no_answer_holds_the_person_number(rig: Rig, number: str) -> None:
    result = rig.call(builders.register_certificate(person=number))
    assert result.code == ResultCode.ERROR
    assert number not in (result.text or "")


def test_warnings_are_told_and_refuse_only_with_strict_rules(rig: Rig) -> None:
    warning = Finding("FK7804/1/R156", "not after today", "/x", severity=Severity.WARNING)
    types = ChangedTypes({}, [warning])
    strict = rig.with_settings(strict_rules=True)
    strict = replace(strict, services=replace(strict.services, types=types))
    rig = replace(rig, services=replace(rig.services, types=types))
    with pytest.raises(RuleError):
        strict.call_raising(builders.register_certificate())
    result = rig.call(builders.register_certificate())
    assert result.code == ResultCode.INFO
    assert "Registered, with 1 remark:" in (result.text or "")
    assert "FK7804/1/R156 /x: warning: not after today" in (result.text or "")


# --- one of a kind ------------------------------------------------------------------------------

OTHER_PROVIDER = b"SE0000000000-VG2"
IN_FORCE = builders.register_certificate()


def elsewhere(body: bytes) -> bytes:
    return body.replace(builders.CARE_PROVIDER.encode(), OTHER_PROVIDER)


@pytest.mark.parametrize(
    ("unique", "body", "taken"),
    [
        pytest.param("everywhere", builders.register_certificate("x"), False, id="second"),
        pytest.param(
            "everywhere", elsewhere(builders.register_certificate("x")), False, id="elsewhere"
        ),
        pytest.param(
            "everywhere",
            builders.register_certificate("x", relation=("ERSATT", builders.INTYGS_ID)),
            True,
            id="replaces it",
        ),
        pytest.param(
            "everywhere",
            builders.register_certificate("x", relation=("ERSATT", "another")),
            False,
            id="replaces something else",
        ),
        pytest.param(
            "everywhere",
            builders.register_certificate("x", relation=("FRLANG", builders.INTYGS_ID)),
            False,
            id="renews it",
        ),
        pytest.param(
            "everywhere",
            builders.register_certificate("x", builders.OTHER_PATIENT),
            True,
            id="another patient",
        ),
        pytest.param("care_provider", builders.register_certificate("x"), False, id="same one"),
        pytest.param(
            "care_provider",
            elsewhere(builders.register_certificate("x")),
            True,
            id="another care provider",
        ),
        pytest.param(None, builders.register_certificate("x"), True, id="any number"),
    ],
)
def test_a_patient_has_one_certificate_of_some_types(
    rig: Rig, unique: str | None, body: bytes, taken: bool
) -> None:
    rig = rig.with_types(unique=Unique(unique) if unique else None)
    rig.ok(IN_FORCE)
    before = rig.row_count()
    result = rig.call(body)
    if taken:
        assert result.code == ResultCode.OK
    else:
        assert result.error_id == ErrorId.VALIDATION_ERROR
        assert "INTYG_NOT_UNIQUE" in (result.text or "")
        assert rig.row_count() == before


def test_a_revoked_one_does_not_count_and_the_same_again_is_no_second(rig: Rig) -> None:
    rig = rig.with_types(unique=Unique.EVERYWHERE)
    rig.ok(IN_FORCE)
    assert rig.call(IN_FORCE) == Result.info(REGISTERED_BEFORE)
    rig.ok(builders.revoke_certificate(), builders.register_certificate("x"))


def test_death_certificates_are_of_those_types() -> None:
    unique = {header.code: header.unique for header in TYPES.all() if header.unique}
    assert unique == {"DB": "everywhere", "DOI": "care_provider"}


# --- the same id again --------------------------------------------------------------------------


def test_the_same_certificate_again_is_told_and_changes_nothing(registered: Rig) -> None:
    before = registered.row_count()
    assert registered.call(builders.register_certificate()) == Result.info(REGISTERED_BEFORE)
    assert registered.row_count() == before


def test_another_way_to_write_the_same_certificate_is_the_same(registered: Rig) -> None:
    body = builders.register_certificate()
    for one, other in [(b"<r:", b"<o:"), (b"</r:", b"</o:"), (b":r=", b":o="), (b"/>", b" />\n")]:
        body = body.replace(one, other)
    assert registered.call(body) == Result.info(REGISTERED_BEFORE)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(builders.register_certificate(diagnosis="Något annat"), id="an answer"),
        pytest.param(builders.register_certificate(relation=("ERSATT", "x")), id="the relation"),
        pytest.param(builders.register_certificate(svar_pa="m-1"), id="svarPa"),
    ],
)
def test_other_content_under_the_same_id_is_warned_of_and_not_kept(
    registered: Rig, body: bytes
) -> None:
    result = registered.call(body)
    assert result.code == ResultCode.INFO
    assert (result.text or "").splitlines()[0] == REGISTERED_BEFORE
    assert "differs" in (result.text or "")
    with registered.services.store.read() as rows:
        stored = rows.intyg.get(builders.INTYGS_ID)
    assert stored is not None
    assert stored.body == builders.register_certificate()


def test_other_content_is_refused_where_the_settings_say_so(registered: Rig) -> None:
    strict = registered.with_settings(strict_duplicates=True)
    assert strict.call(builders.register_certificate()).code == ResultCode.INFO
    with pytest.raises(DuplicateError, match=REGISTERED_BEFORE):
        strict.call_raising(builders.register_certificate(diagnosis="Något annat"))


def test_the_same_id_for_another_person_is_refused(registered: Rig) -> None:
    result = registered.call(builders.register_certificate(person=builders.OTHER_PATIENT))
    assert (result.error_id, result.text) == (ErrorId.VALIDATION_ERROR, REGISTERED_BEFORE)


def test_rules_are_checked_before_the_id(registered: Rig) -> None:
    body = builders.register_certificate(svar=builders.fk7804_svar()[:-1])
    assert registered.call(body).error_id == ErrorId.VALIDATION_ERROR


# --- going on by itself -------------------------------------------------------------------------


def test_a_type_sent_on_signing_is_queued_at_once_with_the_bytes_that_came(rig: Rig) -> None:
    rig = sent_on_signing(rig)
    rig.ok(builders.register_certificate())
    delivery = next(d for d in rig.deliveries() if d.new.part == "FKASSA")
    assert (delivery.new.contract, delivery.new.logical_address) == ("RegisterCertificate:3", FK)
    assert delivery.new.body == builders.register_certificate()
    assert rig.events() == ["SIGNAT"]  # SKICKA comes when the authority has accepted it
    rig.deliver()
    assert rig.events() == ["SIGNAT", "SKICKA"]


def test_what_the_guard_blocks_is_registered_and_not_sent(rig: Rig) -> None:
    rig = sent_on_signing(rig)
    assert rig.call(builders.register_certificate(person=builders.UNLISTED_PATIENT)).code == "OK"
    assert rig.deliveries() == ()
    assert rig.blocked() == ["CertificateStatusUpdateForCare:3", "RegisterCertificate:3"]


def test_what_the_guard_cannot_tell_waits_and_the_caller_is_told(rig: Rig) -> None:
    production = sent_on_signing(
        rig.with_settings(
            environment=Environment.PRODUCTION,
            signature=SignaturePolicy.REQUIRE,
            kind=DestinationKind.REAL,
        )
    ).with_test_patients(damage="no such file")
    unsigned = replace(
        production,
        services=replace(
            production.services,
            settings=production.services.settings.model_copy(
                update={"signature": SignaturePolicy.ACCEPT}
            ),
        ),
    )
    result = unsigned.call(builders.register_certificate())
    assert result.code == ResultCode.INFO
    assert "waits" in (result.text or "")
    assert unsigned.to_authorities(state=DeliveryState.QUEUED) == [
        ("RegisterCertificate:3", "FKASSA")
    ]


def test_without_a_recipient_it_is_registered_and_the_caller_is_told(rig: Rig) -> None:
    nobody = sent_on_signing(
        rig.with_settings(
            recipients={"FKASSA": RecipientSettings(name="x", logical_address="NO-ROUTE")}
        )
    )
    result = nobody.call(builders.register_certificate())
    assert result.code == ResultCode.INFO
    assert "no route" in (result.text or "")
    assert nobody.statuses() == [("RECEIV", "HSVARD")]


def test_a_complement_goes_to_everyone_who_has_the_certificate_it_completes(sent: Rig) -> None:
    sent.ok(builders.send_certificate_to_recipient(mottagare="AF"))
    sent.ok(builders.register_certificate(COMPLEMENT, relation=("KOMPLT", builders.INTYGS_ID)))
    assert sent.to_authorities(COMPLEMENT) == [
        ("RegisterCertificate:3", "AF"),
        ("RegisterCertificate:3", "FKASSA"),
    ]


def test_a_complement_of_something_unknown_goes_to_the_types_recipient(rig: Rig) -> None:
    rig.ok(builders.register_certificate(COMPLEMENT, relation=("KOMPLT", "unknown")))
    assert rig.to_authorities(COMPLEMENT) == [("RegisterCertificate:3", "FKASSA")]


@pytest.mark.parametrize("relation", ["KOMPLT", "ERSATT", "FRLANG"])
def test_a_newer_certificate_closes_the_completion_requests_on_the_older(
    sent: Rig, relation: str
) -> None:
    komplettering(sent, "k-1", "k-2")
    sent.ok(builders.send_message_to_care("q-1", "OVRIGT"))
    sent.ok(builders.register_certificate(COMPLEMENT, relation=(relation, builders.INTYGS_ID)))
    assert [sent.fraga(one).state for one in ("k-1", "k-2", "q-1")] == [
        FragaState.HANDLED,
        FragaState.HANDLED,
        FragaState.OPEN_CARE,
    ]
    assert sent.events()[-2:] == ["HANFRFM", "HANFRFM"]
    assert [h.mottagna_fragor.hanterade for h in sent.handelser()[-2:]] == [1, 2]
    assert [h.hanterat_av for h in sent.handelser()[-2:]] == [builders.DOCTOR] * 2


def test_a_copy_closes_nothing(sent: Rig) -> None:
    komplettering(sent, "k-1")
    sent.ok(builders.register_certificate(COMPLEMENT, relation=("KOPIA", builders.INTYGS_ID)))
    assert sent.fraga("k-1").state is FragaState.OPEN_CARE


def test_a_relation_to_another_patients_certificate_does_nothing_to_it(sent: Rig) -> None:
    """Relations are not signed: anybody could write one."""
    komplettering(sent, "k-1")
    body = builders.register_certificate(
        COMPLEMENT, builders.OTHER_PATIENT, relation=("KOMPLT", builders.INTYGS_ID)
    )
    sent.ok(body)
    assert sent.fraga("k-1").state is FragaState.OPEN_CARE


# --- signature ----------------------------------------------------------------------------------


def test_an_unsigned_certificate_is_refused_where_signatures_are_required(rig: Rig) -> None:
    with pytest.raises(SignatureError) as caught:
        rig.with_settings(signature=SignaturePolicy.REQUIRE).call_raising(
            builders.register_certificate()
        )
    assert caught.value.code == "ABSENT"


@pytest.mark.parametrize("policy", SignaturePolicy)
def test_a_wrong_signature_is_refused_under_every_policy(rig: Rig, policy: SignaturePolicy) -> None:
    before = rig.row_count()
    body = builders.register_certificate(underskrift=broken_underskrift())
    with pytest.raises(SignatureError):
        rig.with_settings(signature=policy).call_raising(body)
    assert rig.row_count() == before


def broken_underskrift() -> str:
    """Follows the schema and is no signature of anything."""
    return (
        f'<u:underskrift xmlns:u="{builders.EXT32}"><ds:Signature xmlns:ds="{ns.DS}">'
        '<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="a"/>'
        '<ds:SignatureMethod Algorithm="b"/><ds:Reference URI=""><ds:DigestMethod Algorithm="c"/>'
        "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        "<ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature></u:underskrift>"
    )


def test_without_a_key_the_policy_sign_refuses(rig: Rig) -> None:
    with pytest.raises(SignatureError) as caught:
        rig.with_settings(signature=SignaturePolicy.SIGN).call_raising(
            builders.register_certificate()
        )
    assert caught.value.code == "NO_KEY"


def test_the_adapter_signs_where_the_policy_says_so(rig: Rig, signing_rig: Rig) -> None:
    body = builders.register_certificate()
    signing_rig.ok(body)
    with signing_rig.services.store.read() as rows:
        stored = rows.intyg.get(builders.INTYGS_ID)
    assert stored is not None
    assert stored.signature == SIGNED_HERE
    added = etree.fromstring(stored.body).find(f".//{{{ns.EXT32}}}underskrift")
    assert added is not None
    before, _, after = body.partition(b"</r:intyg>")
    assert stored.body.startswith(before.rstrip())  # every byte that came is still there
    assert stored.body.endswith(b"</r:intyg>" + after)
    # what the EHR sent is the same certificate as the one that is signed here
    assert signing_rig.call(body) == Result.info(REGISTERED_BEFORE)


@pytest.fixture
def signing_rig(rig: Rig, tmp_path: Path) -> Rig:
    make_test_keys(tmp_path / "keys", system_clock())
    key = load_signing_key(tmp_path / "keys" / "signer.key.pem", tmp_path / "keys" / "signer.pem")
    signing = rig.with_settings(signature=SignaturePolicy.SIGN)
    return replace(signing, services=replace(signing.services, signing_key=key))


def test_a_unit_in_small_letters_is_told_by_its_route(rig: Rig) -> None:
    """HSA-ids are equal in either case; the event goes to the unit as it was written."""
    small = builders.UNIT.lower()
    rig.ok(builders.register_certificate(unit=small))
    [told] = rig.deliveries()
    assert (told.new.part, told.new.logical_address) == ("HSVARD", small)
    name, _, major = told.new.contract.partition(":")
    destination = rig.services.routes.find(name, int(major), told.new.logical_address)
    assert destination is not None
    assert destination.name == "ehr"
