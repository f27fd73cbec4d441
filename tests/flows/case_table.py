"""The national answers beside ours, for the contracts that write: a row is a case.

Nationally two hops answer SendMessageToCare; "ToCare 2" is the second, the editor's. What cannot
arise here has no row: drafts (CreateDraftCertificate), the old types and their contracts (FK7263
and kin), certificates that care has deleted, and two engines that hold a certificate each. How an
EHR's answers to CertificateStatusUpdateForCare are taken stands in the table of `adapter/deliver`,
and the contracts that read in `tests/adapter/flows/contracts`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.flows.services import Services
from intyg.adapter.guard import Guard, ListSignal, TestPatients
from intyg.adapter.settings.settings import SignaturePolicy
from intyg.adapter.store import Store
from intyg.schemas.codes import ErrorId
from intyg.schemas.finding import Finding, Severity
from intyg.schemas.intyg_model import Messages, Unique
from tests import builders
from tests.adapter.flows.rig import (
    ChangedTypes,
    VirtualClock,
    make_services,
    make_settings,
)

OK, INFO = "OK", "INFO"
VALIDATION, APPLICATION, TECHNICAL = (
    ErrorId.VALIDATION_ERROR,
    ErrorId.APPLICATION_ERROR,
    ErrorId.TECHNICAL_ERROR,
)

register = builders.register_certificate
send = builders.send_certificate_to_recipient
revoke = builders.revoke_certificate
ask = builders.send_message_to_care
write = builders.send_message_to_recipient

SENT, UNSENT, REVOKED, REPLACED = "i-sent", "i-unsent", "i-revoked", "i-replaced"
OTHER = builders.OTHER_PATIENT

Change = Callable[[Services], Services]


@dataclass(frozen=True)
class Case:
    """
    A row.

    Attributes:
        row: Contract, and the case as the national services have it.
        national: What they answer: OK, INFO or an `errorId`.
        ours: What we answer.
        body: A request that is such a case.
        says: In `resultText`.
        because: Why ours differs.
        change: Other parts for this case.
    """

    row: str
    national: str
    ours: str
    body: bytes
    says: str = ""
    because: str = ""
    change: Change | None = None


def same(row: str, answer: str, body: bytes, says: str = "", **rest: Any) -> Case:
    """A row where we answer as the national services do."""
    return Case(row, answer, answer, body, says, **rest)


def differs(row: str, national: str, ours: str, because: str, body: bytes, **rest: Any) -> Case:
    """A row where we deliberately do not."""
    return Case(row, national, ours, body, because=because, **rest)


# --- other circumstances --------------------------------------------------------------------------


def real(services: Services) -> Services:
    """Every destination is a real one: test patients' messages go nowhere."""
    settings = make_settings(
        data_dir=services.settings.data_dir, kind=DestinationKind.REAL, recipients=RECIPIENTS
    )
    return make_services(settings, services.store, VirtualClock())


def register_down(services: Services) -> Services:
    """Nobody can tell who is a test patient."""
    broken = ListSignal("list", frozenset(), "no such file")
    return replace(services, guard=Guard(TestPatients([broken]), services.settings.environment))


def database_down(services: Services) -> Services:
    class Broken(Store):
        def __init__(self) -> None:
            """Never opened."""

        @contextmanager
        def begin(self) -> Iterator[Any]:
            raise StoreError("the database does not answer")
            yield

    return replace(services, store=Broken())


def no_messages(services: Services) -> Services:
    return replace(services, types=ChangedTypes({"messages": Messages(("KOMPLT",), ())}))


def silent(services: Services) -> Services:
    """No type takes messages."""
    return replace(services, types=ChangedTypes({"messages": Messages((), ())}))


def one_for_a_patient(services: Services) -> Services:
    """There may be one certificate of each type, as of DB."""
    return replace(services, types=ChangedTypes({"unique": Unique.EVERYWHERE}))


def with_a_warning(services: Services) -> Services:
    warning = Finding(
        "XX1/1/R1", "perhaps", "/RegisterCertificate/intyg", severity=Severity.WARNING
    )
    return replace(services, types=ChangedTypes({}, [warning]))


def signature_required(services: Services) -> Services:
    settings = make_settings(
        data_dir=services.settings.data_dir,
        signature=SignaturePolicy.REQUIRE,
        recipients=RECIPIENTS,
    )
    return make_services(settings, services.store, VirtualClock())


RECIPIENTS: Final = make_settings().recipients

# --- the table ------------------------------------------------------------------------------------

QUEUED = "it is answered when it is stored; the worker sends it, and the delivery tells the outcome"
UNKNOWN = "an unknown certificate is one answer in all contracts, and the caller may be early"
REMARK = "done, with a remark: INFO is the contract's word for that"
OWN_RULE = "a rule with an id of its own, and VALIDATION_ERROR: the same message will not do"

CASES = [
    # --- RegisterCertificate ---
    same("Register: schema", VALIDATION, register().replace(b"<fornamn/>", b""), "XSD"),
    same("Register: unknown type", VALIDATION, register(typ="NEVER"), "TYPE"),
    same("Register: version", VALIDATION, register(version="99.0"), "TYPE"),
    same("Register: minor version", VALIDATION, register(version="1.99"), "TYPE"),
    same("Register: person id", VALIDATION, register("r-1", "189001019803"), "PERSON_ID_LUHN"),
    differs(
        "Register: nobody in the population register",
        VALIDATION,
        OK,
        "the adapter asks no register who exists",
        register("r-2", builders.UNLISTED_PATIENT),
    ),
    differs(
        "Register: population register down",
        TECHNICAL,
        OK,
        "a signed certificate is kept; what waits is its sending, and the guard holds that",
        register("r-3"),
        change=register_down,
    ),
    same(
        "Register: rules of the type",
        VALIDATION,
        register("r-4", svar=builders.fk7804_svar()[:-1]),
        "FK7804/1/R24",
    ),
    differs(
        "Register: without a valid signature",
        OK,
        VALIDATION,
        "the store leaves it to the editor that signs; here certificates come from anywhere. The "
        "setting `signature` says what is asked",
        register("r-9"),
        says="ABSENT",
        change=signature_required,
    ),
    differs(
        "Register: the signer may not sign it",
        OK,
        VALIDATION,
        "the national editor lets nobody else sign; its store does not ask",
        builders.signed_by("SJ", "r-10"),
        says="SIGNER_ROLE",
    ),
    differs(
        "Register: a second death certificate",
        OK,
        VALIDATION,
        "the national editor lets nobody sign one; its store does not ask",
        register("r-11"),
        says="INTYG_NOT_UNIQUE",
        change=one_for_a_patient,
    ),
    same("Register: same id, same person", INFO, register(SENT), "Certificate already exists"),
    same(
        "Register: same id, another person",
        VALIDATION,
        register(SENT, OTHER),
        "Certificate already exists",
    ),
    differs(
        "Register: any other failure",
        APPLICATION,
        TECHNICAL,
        "a fault here may pass, and only this code says so",
        register("r-5"),
        change=database_down,
    ),
    same("Register: registered", OK, register("r-6")),
    same(
        "Register: the related certificate is unknown",
        OK,
        register("r-7", relation=("ERSATT", "nowhere")),
    ),
    differs(
        "Register: the related certificate is revoked",
        OK,
        INFO,
        REMARK,
        register("r-8", relation=("ERSATT", REVOKED)),
        says="RELATION_TO_REVOKED",
    ),
    differs(
        "Register: what only the national editor's form refuses",
        OK,
        INFO,
        REMARK,
        register("r-9"),
        says="1 remark:",
        change=with_a_warning,
    ),
    # --- SendCertificateToRecipient ---
    same("Send: schema", VALIDATION, send(UNSENT).replace(b"m:mottagare", b"m:other"), "XSD"),
    same("Send: person id that cannot be", APPLICATION, send(SENT, "189001019803")),
    differs(
        "Send: replaced", APPLICATION, VALIDATION, OWN_RULE, send(REPLACED), says="INTYG_REPLACED"
    ),
    same("Send: unknown certificate", APPLICATION, send("nowhere"), "no such certificate"),
    same("Send: another person", APPLICATION, send(SENT, OTHER), "no such certificate"),
    same("Send: revoked", INFO, send(REVOKED), "revoked"),
    same("Send: already sent there", INFO, send(SENT), "already been sent"),
    same("Send: test certificate", VALIDATION, send(UNSENT), "test patient", change=real),
    differs(
        "Send: unknown recipient",
        TECHNICAL,
        APPLICATION,
        "the contract's meaning: sending again does not help",
        send(UNSENT, mottagare="NEVER"),
    ),
    differs(
        "Send: recipient not for the type",
        TECHNICAL,
        APPLICATION,
        "the contract's meaning: sending again does not help",
        send(UNSENT, mottagare="TRANSP"),
    ),
    differs(
        "Send: recipient not active",
        TECHNICAL,
        APPLICATION,
        "the contract's meaning: sending again does not help",
        send(UNSENT, mottagare="SKV"),
    ),
    differs("Send: the recipient says no", TECHNICAL, OK, QUEUED, send(UNSENT)),
    differs("Send: the recipient is not reached", APPLICATION, OK, QUEUED, send("i-unsent-2")),
    same("Send: accepted", OK, send("i-unsent-3")),
    same("Send: the citizen sends", OK, send("i-unsent-5", citizen=True)),
    # --- RevokeCertificate ---
    same("Revoke: schema", VALIDATION, revoke(SENT).replace(b"m:skickatAv", b"m:other"), "XSD"),
    same("Revoke: unknown certificate", APPLICATION, revoke("nowhere"), "no such certificate"),
    same("Revoke: another person", APPLICATION, revoke(SENT, OTHER), "no such certificate"),
    same("Revoke: revoked before", INFO, revoke(REVOKED), "already revoked"),
    differs("Revoke: a recipient is not reached", APPLICATION, OK, QUEUED, revoke("i-sent-2")),
    same("Revoke: a recipient says no", OK, revoke("i-sent-4")),
    same("Revoke: test certificate", OK, revoke("i-sent-3"), change=real),
    same("Revoke: revoked", OK, revoke("i-unsent-4")),
    # --- SendMessageToCare, first hop ---
    same("ToCare: unknown part", VALIDATION, ask(part="NEVER", intygs_id=SENT), "PART_NOT_KNOWN"),
    differs(
        "ToCare: part HSVARD",
        OK,
        VALIDATION,
        "only those that certificates are sent to ask about them",
        ask(part="HSVARD", intygs_id=SENT),
        says="PART_NOT_KNOWN_ERROR",
    ),
    same(
        "ToCare: amne", VALIDATION, ask(amne="NEVER", intygs_id=SENT), "SUBJECT_NOT_SUPPORTED_ERROR"
    ),
    same(
        "ToCare: last day on an answer",
        VALIDATION,
        ask("c-1", "KONTKT", svar_pa="care-open", sista_datum="2026-12-01", intygs_id=SENT),
        "MESSAGE_TYPE_CONSISTENCY_ERROR",
    ),
    same(
        "ToCare: rows without KOMPLT",
        VALIDATION,
        ask("c-2", komplettering=[("35", "x")], intygs_id=SENT),
        "KOMPLETTERING_INCONSISTENCY_ERROR",
    ),
    differs(
        "ToCare: KOMPLT without rows",
        OK,
        VALIDATION,
        "nobody could tell what to complete; the newer national engine refuses it too",
        ask("c-3", "KOMPLT", komplettering=[], intygs_id=SENT),
        says="KOMPLETTERING_MISSING_ERROR",
    ),
    differs(
        "ToCare: a repetition that the certificate does not have",
        OK,
        VALIDATION,
        "nobody could tell what to complete",
        ask("c-21", "KOMPLT", komplettering=[("35", "x", 2)], intygs_id=SENT),
        says="INSTANS_NOT_FOUND_ERROR",
    ),
    differs(
        "ToCare: the last day has passed",
        OK,
        VALIDATION,
        "nobody could answer in time; a wrong year is found where it is written",
        ask("c-22", sista_datum="2026-11-22", intygs_id=SENT),
        says="LAST_DAY_PASSED_ERROR",
    ),
    same(
        "ToCare: last day on a reminder",
        OK,
        ask("c-23", "PAMINN", paminner="fk-open", sista_datum="2026-12-01", intygs_id=SENT),
    ),
    same("ToCare: empty id", VALIDATION, ask("", intygs_id=SENT), "MEDDELANDE_ID_NOT_UNIQUE_ERROR"),
    same(
        "ToCare: id of another message",
        VALIDATION,
        ask("fk-open", "AVSTMN", intygs_id=SENT),
        "MEDDELANDE_ID_NOT_UNIQUE_ERROR",
    ),
    differs(
        "ToCare: the same message again",
        VALIDATION,
        INFO,
        "a repeat after a lost answer is no fault of the sender's; the second hop says so too",
        ask("fk-open", "KONTKT", intygs_id=SENT),
        says="before",
    ),
    differs(
        "ToCare: an id of more than 255 characters",
        OK,
        VALIDATION,
        "longer ones cannot be indexed by every database; a UUID has 36",
        ask("c" * 256, intygs_id=SENT),
        says="MEDDELANDE_ID_LENGTH_ERROR",
    ),
    same(
        "ToCare: reminder id without PAMINN",
        VALIDATION,
        ask("c-4", paminner="fk-open", intygs_id=SENT),
        "PAMINNELSE_ID_INCONSISTENCY_ERROR",
    ),
    same(
        "ToCare: PAMINN without reminder id",
        VALIDATION,
        ask("c-5", "PAMINN", intygs_id=SENT),
        "PAMINNELSE_ID_INCONSISTENCY_ERROR",
    ),
    same(
        "ToCare: reminded message unknown",
        VALIDATION,
        ask("c-6", "PAMINN", paminner="nowhere", intygs_id=SENT),
        "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
    ),
    differs(
        "ToCare: reminded of a question that is handled",
        OK,
        INFO,
        REMARK,
        ask("c-32", "PAMINN", paminner="fk-handled", intygs_id=SENT),
        says="REMINDED_IS_HANDLED",
    ),
    differs(
        "ToCare: nobody at logiskAdressMottagare",
        APPLICATION,
        INFO,
        "it is kept, and the unit that issued the certificate has its event",
        ask("c-34", mottagare="NO-SUCH-UNIT", intygs_id=SENT),
        says="Not forwarded",
    ),
    same(
        "ToCare: reminded of an answer",
        OK,
        ask("c-24", "PAMINN", paminner="fk-answer", intygs_id=SENT),
    ),
    differs(
        "ToCare: reminded of a message about another certificate",
        OK,
        VALIDATION,
        "care would look for it at the wrong certificate",
        ask("c-25", "PAMINN", paminner="fk-open", intygs_id="i-unsent-5"),
        says="REFERENCED_MESSAGE_NOT_FOUND_ERROR",
    ),
    same(
        "ToCare: answered message unknown",
        VALIDATION,
        ask("c-7", svar_pa="nowhere", intygs_id=SENT),
        "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
    ),
    same(
        "ToCare: answer with another amne",
        VALIDATION,
        ask("c-8", "OVRIGT", svar_pa="care-open", intygs_id=SENT),
        "SUBJECT_CONSISTENCY_ERROR",
    ),
    differs(
        "ToCare: unknown certificate",
        VALIDATION,
        APPLICATION,
        UNKNOWN,
        ask("c-9", intygs_id="nowhere"),
        says="CERTIFICATE_NOT_FOUND_ERROR",
    ),
    same(
        "ToCare: another person",
        VALIDATION,
        ask("c-10", person=OTHER, intygs_id=SENT),
        "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
    ),
    same(
        "ToCare: person that cannot be",
        VALIDATION,
        ask("c-26", person="189001019803", intygs_id=SENT),
        "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
    ),
    same(
        "ToCare: revoked", VALIDATION, ask("c-11", intygs_id=REVOKED), "CERTIFICATE_REVOKED_ERROR"
    ),
    same(
        "ToCare: test certificate",
        VALIDATION,
        ask("c-12", intygs_id=SENT),
        "TEST_CERTIFICATE",
        change=real,
    ),
    same("ToCare: taken", OK, ask("c-13", intygs_id=SENT)),
    same("ToCare: about one that was never sent", OK, ask("c-14", intygs_id=UNSENT)),
    differs("ToCare: care's system says no", VALIDATION, OK, QUEUED, ask("c-27", intygs_id=SENT)),
    differs("ToCare: care's system fails", APPLICATION, OK, QUEUED, ask("c-28", intygs_id=SENT)),
    # --- SendMessageToCare, second hop ---
    same("ToCare 2: received before", INFO, ask("fk-open", "KONTKT", intygs_id=SENT), "before"),
    same(
        "ToCare 2: second answer",
        VALIDATION,
        ask("c-15", "KONTKT", svar_pa="care-answered", intygs_id=SENT),
        "MESSAGE_ALREADY_ANSWERED_ERROR",
    ),
    same(
        "ToCare 2: a field is missing",
        VALIDATION,
        ask("c-16", intygs_id=SENT).replace(
            b"<m:meddelande>P\xc3\xa5hittad fr\xc3\xa5ga</m:meddelande>", b""
        ),
        "XSD",
    ),
    same(
        "ToCare 2: a type without messages",
        VALIDATION,
        ask("c-29", intygs_id=SENT),
        "SUBJECT_NOT_OFFERED_ERROR",
        change=silent,
    ),
    differs(
        "ToCare 2: unknown certificate",
        VALIDATION,
        APPLICATION,
        UNKNOWN,
        ask("c-30", intygs_id="nowhere"),
        says="CERTIFICATE_NOT_FOUND_ERROR",
    ),
    differs(
        "ToCare 2: revoked",
        APPLICATION,
        VALIDATION,
        "the two national hops differ; one adapter answers as the first does",
        ask("c-17", intygs_id=REVOKED),
        says="CERTIFICATE_REVOKED_ERROR",
    ),
    differs(
        "ToCare 2: part other than FKASSA and HSVARD",
        APPLICATION,
        OK,
        "any recipient of certificates may ask about them",
        ask("c-18", part="AF", intygs_id=SENT),
    ),
    differs(
        "ToCare 2: amne",
        APPLICATION,
        VALIDATION,
        OWN_RULE,
        ask("c-31", "NEVER", intygs_id=SENT),
        says="SUBJECT_NOT_SUPPORTED_ERROR",
    ),
    differs(
        "ToCare 2: another person",
        APPLICATION,
        VALIDATION,
        OWN_RULE,
        ask("c-32", person=OTHER, intygs_id=SENT),
        says="CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
    ),
    differs(
        "ToCare 2: amne that the type does not take",
        APPLICATION,
        VALIDATION,
        OWN_RULE,
        ask("c-19", "AVSTMN", intygs_id=SENT),
        says="SUBJECT_NOT_OFFERED_ERROR",
        change=no_messages,
    ),
    differs(
        "ToCare 2: no such question in the type",
        APPLICATION,
        VALIDATION,
        OWN_RULE,
        ask("c-20", "KOMPLT", komplettering=[("36", "x")], intygs_id=SENT),
        says="FRAGE_ID_NOT_FOUND_ERROR",
    ),
    differs(
        "ToCare 2: one question of the type, and one that is not",
        OK,
        INFO,
        REMARK,
        ask("c-35", "KOMPLT", komplettering=[("35", "x"), ("36", "x")], intygs_id=SENT),
        says="FRAGE_ID_NOT_KNOWN",
    ),
    differs(
        "ToCare 2: KOMPLT without rows",
        APPLICATION,
        VALIDATION,
        OWN_RULE,
        ask("c-33", "KOMPLT", komplettering=[], intygs_id=SENT),
        says="KOMPLETTERING_MISSING_ERROR",
    ),
    # --- SendMessageToRecipient ---
    same(
        "ToRecipient: schema",
        VALIDATION,
        write("t-14", intygs_id=SENT).replace(b"m:skickatAv", b"m:other"),
        "XSD",
    ),
    same(
        "ToRecipient: amne",
        VALIDATION,
        write(amne="NEVER", intygs_id=SENT),
        "SUBJECT_NOT_SUPPORTED_ERROR",
    ),
    same(
        "ToRecipient: last day on an answer",
        VALIDATION,
        write("t-1", svar_pa="fk-open", sista_datum="2026-12-01", intygs_id=SENT),
        "MESSAGE_TYPE_CONSISTENCY_ERROR",
    ),
    same(
        "ToRecipient: last day on a reminder",
        VALIDATION,
        write("t-2", "PAMINN", paminner="care-open", sista_datum="2026-12-01", intygs_id=SENT),
        "MESSAGE_TYPE_CONSISTENCY_ERROR",
    ),
    same(
        "ToRecipient: id of another message",
        VALIDATION,
        write("fk-open", intygs_id=SENT),
        "MEDDELANDE_ID_NOT_UNIQUE_ERROR",
    ),
    differs(
        "ToRecipient: the same message again",
        VALIDATION,
        INFO,
        "a repeat after a lost answer is no fault of the sender's",
        write("care-open", intygs_id=SENT),
    ),
    same(
        "ToRecipient: reminder id without PAMINN",
        VALIDATION,
        write("t-3", paminner="care-open", intygs_id=SENT),
        "PAMINNELSE_ID_INCONSISTENCY_ERROR",
    ),
    same(
        "ToRecipient: PAMINN without reminder id",
        VALIDATION,
        write("t-4", "PAMINN", intygs_id=SENT),
        "PAMINNELSE_ID_INCONSISTENCY_ERROR",
    ),
    same(
        "ToRecipient: reminded message unknown",
        VALIDATION,
        write("t-5", "PAMINN", paminner="nowhere", intygs_id=SENT),
        "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
    ),
    same(
        "ToRecipient: answered message unknown",
        VALIDATION,
        write("t-6", svar_pa="nowhere", intygs_id=SENT),
        "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
    ),
    same(
        "ToRecipient: answer with another amne",
        VALIDATION,
        write("t-7", "OVRIGT", svar_pa="fk-open", intygs_id=SENT),
        "SUBJECT_CONSISTENCY_ERROR",
    ),
    differs(
        "ToRecipient: second answer",
        OK,
        VALIDATION,
        "the national editor offers no second answer; its store does not ask",
        write("t-15", svar_pa="fk-answered", intygs_id=SENT),
        says="MESSAGE_ALREADY_ANSWERED_ERROR",
    ),
    differs(
        "ToRecipient: answer to a question that is marked as handled",
        OK,
        VALIDATION,
        "the national editor offers no answer then; its store does not ask",
        write("t-16", svar_pa="fk-handled", intygs_id=SENT),
        says="QUESTION_NOT_OPEN_ERROR",
    ),
    differs(
        "ToRecipient: KOMPLT asked by care",
        OK,
        VALIDATION,
        "the national editor offers no such question; its store does not ask",
        write("t-17", "KOMPLT", intygs_id=SENT),
        says="SUBJECT_NOT_OFFERED_ERROR",
    ),
    differs(
        "ToRecipient: the last day has passed",
        OK,
        VALIDATION,
        "nobody could answer in time; a wrong year is found where it is written",
        write("t-18", sista_datum="2026-11-22", intygs_id=SENT),
        says="LAST_DAY_PASSED_ERROR",
    ),
    same(
        "ToRecipient: reminder",
        OK,
        write("t-19", "PAMINN", paminner="care-open", intygs_id=SENT),
    ),
    same(
        "ToRecipient: another person",
        VALIDATION,
        write("t-8", person=OTHER, intygs_id=SENT),
        "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
    ),
    same(
        "ToRecipient: not sent to anyone",
        VALIDATION,
        write("t-9", intygs_id=UNSENT),
        "CERTIFICATE_NOT_SENT_ERROR",
    ),
    same("ToRecipient: unknown certificate", APPLICATION, write("t-10", intygs_id="nowhere")),
    differs(
        "ToRecipient: test certificate",
        OK,
        INFO,
        "done, and the caller is told that it went no further",
        write("t-11", intygs_id=SENT),
        says="not forwarded",
        change=real,
    ),
    same(
        "ToRecipient: revoked",
        VALIDATION,
        write("t-12", intygs_id=REVOKED),
        "CERTIFICATE_REVOKED_ERROR",
    ),
    same("ToRecipient: forwarded", OK, write("t-13", intygs_id=SENT)),
    same(
        "ToRecipient: nobody has the address",
        APPLICATION,
        write("t-20", mottagare="NOWHERE", intygs_id=SENT),
        "no route",
    ),
    differs(
        "ToRecipient: the recipient says no", VALIDATION, OK, QUEUED, write("t-21", intygs_id=SENT)
    ),
    differs(
        "ToRecipient: the recipient is not reached",
        APPLICATION,
        OK,
        QUEUED,
        write("t-22", intygs_id=SENT),
    ),
]
