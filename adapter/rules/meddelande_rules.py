"""The rules of questions and answers, one table a direction.

All of a table's rules are tried and every one that is broken is told. The ids are those of the
national services where they have one; the others are marked as ours.

Source: SendMessageToCare and SendMessageToRecipient as the national services check them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import Direction, Meddelande, StoredMeddelande
from intyg.adapter.rules.fraga_moves import (
    ALREADY_ANSWERED,
    NOT_OPEN,
    Cause,
    Refusal,
    move_of,
)
from intyg.schemas.codes import Amne
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType


@dataclass(frozen=True)
class Facts:
    """
    What the rules need to know beside the message.

    Attributes:
        intyg: The certificate it is about, if there is one and it is this
            patient's. Another patient's is known by `wrong_person` alone: no
            other rule may say anything of it.
        not_found: There is no certificate with this id.
        wrong_person: There is one, and it is another patient's.
        id_taken: Another message has this meddelande-id.
        fraga: The question that `svarPa` refers to: about the same
            certificate and from the other side; None otherwise.
        paminner: The message that a reminder refers to, about the same
            certificate; None otherwise.
        incoming: Subjects that the certificate's type takes from a recipient.
        care_may_create: Subjects that care may ask about.
        same_parts: The message that it answers or reminds of was between care and the same
            recipient; True where it refers to none.
        part_known: The sender (`skickatAv/part`) is a known recipient.
        part_speaks: The calling system may speak for the sender.
        part_takes: Certificates of this type go to the sender.
        sent: The recipient that it goes to has accepted the certificate.
        blocked: The guard lets no message about this patient go between here
            and the recipient concerned.
        today: In Sweden.
        intyg_type: The certificate's type; None without a certificate.
        instanser: Svar id → the repetitions that the certificate has of it,
            the first being 1 also where none is written.
    """

    intyg: StoredIntyg | None
    not_found: bool
    wrong_person: bool
    id_taken: bool
    fraga: StoredMeddelande | None
    paminner: StoredMeddelande | None
    incoming: frozenset[str]
    care_may_create: frozenset[str]
    same_parts: bool
    part_known: bool
    part_speaks: bool
    part_takes: bool
    sent: bool
    blocked: bool
    today: date
    intyg_type: IntygType | None
    instanser: Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class Rule:
    """
    One rule.

    Attributes:
        id: What a broken rule is called in `resultText`.
        field: The element that is wrong, below the request.
        text: What would be right.
        broken: Whether a message breaks it.
    """

    id: str
    field: str
    text: str
    broken: Callable[[Meddelande, Facts], bool]


MAX_ID_LENGTH: Final = 255
"""Longest id we keep. The contracts set no limit; practice is a UUID, and PostgreSQL cannot index
texts of some thousand characters."""

CERTIFICATE_NOT_FOUND: Final = "CERTIFICATE_NOT_FOUND_ERROR"
TEST_CERTIFICATE: Final = "TEST_CERTIFICATE"


def is_answer(m: Meddelande) -> bool:
    """It refers to a question, and is no reminder."""
    return m.svar_pa is not None and m.amne != Amne.PAMINN


def check_meddelande(m: Meddelande, facts: Facts) -> list[Finding]:
    """
    Try every rule of the message's direction.

    Returns:
        One finding a broken rule, in the order of the table. Nothing of the
        message's own text is in them.
    """
    name = REQUEST[m.direction]
    return [
        Finding(rule.id, rule.text, f"/{name}/{rule.field}")
        for rule in RULES[m.direction]
        if rule.broken(m, facts)
    ]


def _reminder_id_inconsistent(m: Meddelande, _: Facts) -> bool:
    return (m.amne == Amne.PAMINN) != bool(m.paminnelse_meddelande_id)


def _reference_not_found(m: Meddelande, f: Facts) -> bool:
    return (is_answer(m) and f.fraga is None) or (
        m.amne == Amne.PAMINN and bool(m.paminnelse_meddelande_id) and f.paminner is None
    )


def _subject_differs(m: Meddelande, f: Facts) -> bool:
    return is_answer(m) and f.fraga is not None and f.fraga.meddelande.amne != m.amne


def _revoked(_: Meddelande, f: Facts) -> bool:
    return f.intyg is not None and f.intyg.revoked_at is not None


def _answer_refused(refusal: Refusal) -> Callable[[Meddelande, Facts], bool]:
    """The table of what happens to a question refuses an answer, for this reason."""
    return lambda m, f: (
        is_answer(m) and f.fraga is not None and move_of(f.fraga, Cause.ANSWERED) is refusal
    )


def _last_day_passed(m: Meddelande, f: Facts) -> bool:
    return m.sista_datum_for_svar is not None and m.sista_datum_for_svar < f.today


def _asks_for_nothing(m: Meddelande, _: Facts) -> bool:
    return m.amne == Amne.KOMPLT and not is_answer(m) and not m.komplettering


def _frage_id_unknown(m: Meddelande, f: Facts) -> bool:
    return f.intyg_type is not None and any(
        not _has_question(f.intyg_type, row.frage_id) for row in m.komplettering
    )


def _has_question(intyg_type: IntygType, frage_id: str) -> bool:
    number = int(frage_id)
    return any(
        int(question.svar) <= number <= int(question.last or question.svar)
        for question in intyg_type.questions
    )


def _instans_unknown(m: Meddelande, f: Facts) -> bool:
    """Asked of rows whose question the type has; one that is not answered has no repetitions."""
    return f.intyg_type is not None and any(
        row.instans is not None
        and _has_question(f.intyg_type, row.frage_id)
        and row.instans not in f.instanser.get(str(int(row.frage_id)), ())
        for row in m.komplettering
    )


def _subject_unknown(m: Meddelande, _: Facts) -> bool:
    return m.amne not in set(Amne)


def _not_taken_by_type(m: Meddelande, f: Facts) -> bool:
    """Asked of the recipient's questions and reminders; an answer's subject is the question's."""
    return f.intyg is not None and not is_answer(m) and m.amne in set(Amne) - f.incoming


def _asked_of_type(m: Meddelande, f: Facts) -> bool:
    """A question or a reminder about a certificate of this patient."""
    return f.intyg is not None and not is_answer(m)


def _care_may_not_ask(m: Meddelande, f: Facts) -> bool:
    """Asked of care's questions; reminders only need that the type takes messages at all."""
    if f.intyg is None or is_answer(m) or _subject_unknown(m, f):
        return False
    return not f.incoming if m.amne == Amne.PAMINN else m.amne not in f.care_may_create


_SUBJECTS: Final = "amne must be one of KOMPLT, AVSTMN, KONTKT, OVRIGT and PAMINN"
_ID_TAKEN: Final = Rule(
    "MEDDELANDE_ID_NOT_UNIQUE_ERROR",
    "meddelande-id",
    "meddelande-id must not be empty, nor that of another message",
    lambda m, f: not m.meddelande_id or f.id_taken,
)
_ID_LENGTH: Final = Rule(
    "MEDDELANDE_ID_LENGTH_ERROR",  # ours: nationally the database says no
    "meddelande-id",
    f"meddelande-id must have at most {MAX_ID_LENGTH} characters",
    lambda m, _: len(m.meddelande_id) > MAX_ID_LENGTH,
)
_REMINDER_ID: Final = Rule(
    "PAMINNELSE_ID_INCONSISTENCY_ERROR",
    "paminnelseMeddelande-id",
    "a reminder (PAMINN) must name the message it reminds of, and nothing else may name one",
    _reminder_id_inconsistent,
)
_REFERENCE: Final = Rule(
    "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
    "svarPa",
    "the message answered or reminded of must be known, about the same certificate, and a "
    "question from the other side if it is answered",
    _reference_not_found,
)
_SAME_SUBJECT: Final = Rule(
    "SUBJECT_CONSISTENCY_ERROR", "amne", "an answer has the question's amne", _subject_differs
)
_PERSON: Final = Rule(
    "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
    "patientPerson-id",
    "patientPerson-id must be the certificate's patient",
    lambda _, f: f.wrong_person,
)
_NOT_REVOKED: Final = Rule(
    "CERTIFICATE_REVOKED_ERROR", "intygs-id", "the certificate is revoked", _revoked
)
_ONE_ANSWER: Final = Rule(
    ALREADY_ANSWERED.rule, "svarPa", ALREADY_ANSWERED.text, _answer_refused(ALREADY_ANSWERED)
)
_LAST_DAY: Final = Rule(
    "LAST_DAY_PASSED_ERROR",  # ours: nationally not asked
    "sistaDatumForSvar",
    "the last day for an answer must not have passed",
    _last_day_passed,
)

# How it works. SendMessageToCare and SendMessageToRecipient gather the facts under the lock of the
# certificate and try the rules of their direction: no rule looks anything up, none stops another.
# A rule without a remark is a national one, by its id. Before them come the contract's schema and
# «this very message is here already», which is no error; only when no rule is broken is the message
# kept. How a flow answers is its own matter: TEST_CERTIFICATE is told as the guard's settings say.

RULES: Final[Mapping[Direction, tuple[Rule, ...]]] = {
    Direction.TO_CARE: (
        Rule(
            "PART_NOT_KNOWN_ERROR",  # ours: nationally a text without code
            "skickatAv/part",
            "skickatAv/part must be a known recipient",
            lambda _, f: not f.part_known,
        ),
        Rule(
            "PART_CALLER_ERROR",  # ours: nationally any caller may be any part
            "skickatAv/part",
            "the calling system may not speak for this part; recipients.<part>.callers in the "
            "settings lists the HSA-ids that may",
            lambda _, f: f.part_known and not f.part_speaks,
        ),
        Rule(
            "PART_TYPE_ERROR",  # ours: nationally any part may ask about any certificate
            "skickatAv/part",
            "certificates of this type do not go to this part; recipients.<part>.types in the "
            "settings says which do",
            lambda m, f: _asked_of_type(m, f) and f.part_known and not f.part_takes,
        ),
        Rule("SUBJECT_NOT_SUPPORTED_ERROR", "amne", _SUBJECTS, _subject_unknown),
        Rule(
            "SUBJECT_NOT_OFFERED_ERROR",  # ours: nationally an HTTP 403 inside
            "amne",
            "certificates of this type take no questions about this amne",
            _not_taken_by_type,
        ),
        Rule(
            "MESSAGE_TYPE_CONSISTENCY_ERROR",
            "sistaDatumForSvar",
            "an answer has no sistaDatumForSvar",
            lambda m, _: m.svar_pa is not None and m.sista_datum_for_svar is not None,
        ),
        Rule(
            "KOMPLETTERING_INCONSISTENCY_ERROR",
            "komplettering",
            "komplettering belongs to amne KOMPLT only",
            lambda m, _: bool(m.komplettering) and m.amne != Amne.KOMPLT,
        ),
        Rule(
            "KOMPLETTERING_MISSING_ERROR",  # ours: nationally refused for newer types, as a whole
            "komplettering",
            "a completion request (KOMPLT) must say which questions to complete",
            _asks_for_nothing,
        ),
        Rule(
            "FRAGE_ID_NOT_FOUND_ERROR",  # ours: nationally refused for newer types, if all are
            "komplettering/frage-id",
            "frage-id must be a question of the certificate's type",
            _frage_id_unknown,
        ),
        Rule(
            "INSTANS_NOT_FOUND_ERROR",  # ours
            "komplettering/instans",
            "instans must be a repetition that the certificate has of that question",
            _instans_unknown,
        ),
        _LAST_DAY,
        _ID_TAKEN,
        _ID_LENGTH,
        _REMINDER_ID,
        _REFERENCE,
        _SAME_SUBJECT,
        Rule(
            "QUESTION_NOT_PUT_TO_PART_ERROR",  # ours
            "svarPa",
            "the question was put to another recipient, which alone answers it",
            lambda m, f: is_answer(m) and not f.same_parts,
        ),
        Rule(
            "REMINDER_OF_OTHERS_ERROR",  # ours
            "paminnelseMeddelande-id",
            "the message reminded of was between care and another recipient",
            lambda m, f: not is_answer(m) and not f.same_parts,
        ),
        Rule(
            CERTIFICATE_NOT_FOUND,
            "intygs-id",
            "there is no such certificate",
            lambda _, f: f.not_found,
        ),
        _PERSON,
        _NOT_REVOKED,
        Rule(
            TEST_CERTIFICATE,
            "intygs-id",
            "the certificate is a test patient's and the sender no test system, or the reverse",
            lambda _, f: f.intyg is not None and f.blocked,
        ),
        _ONE_ANSWER,
    ),
    Direction.TO_RECIPIENT: (
        Rule("SUBJECT_NOT_SUPPORTED_ERROR", "amne", _SUBJECTS, _subject_unknown),
        Rule(
            "SUBJECT_NOT_OFFERED_ERROR",  # ours: nationally the editor does not offer it
            "amne",
            "care asks no questions about this amne for certificates of this type",
            _care_may_not_ask,
        ),
        Rule(
            "MESSAGE_TYPE_CONSISTENCY_ERROR",
            "sistaDatumForSvar",
            "an answer or a reminder has no sistaDatumForSvar",
            lambda m, _: m.sista_datum_for_svar is not None and not m.is_question,
        ),
        _LAST_DAY,
        _ID_TAKEN,
        _ID_LENGTH,
        _REMINDER_ID,
        _REFERENCE,
        _SAME_SUBJECT,
        Rule(
            "RECIPIENT_NOT_CONCERNED_ERROR",  # ours
            "logiskAdressMottagare",
            "an answer goes to the recipient that asked, a reminder to the one that it reminds",
            lambda _, f: not f.same_parts,
        ),
        _PERSON,
        Rule(
            "CERTIFICATE_NOT_SENT_ERROR",  # ours: nationally a text without code
            "intygs-id",
            "the recipient at logiskAdressMottagare has not accepted the certificate",
            # One that may not be sent can never have been: then the message is just kept.
            lambda _, f: f.intyg is not None and not f.sent and not f.blocked,
        ),
        _NOT_REVOKED,
        _ONE_ANSWER,
        Rule(
            NOT_OPEN.rule,  # ours: nationally the editor offers no answer
            "svarPa",
            NOT_OPEN.text,
            _answer_refused(NOT_OPEN),
        ),
    ),
}
"""Every rule of a direction, in the order they are told."""

REQUEST: Final[Mapping[Direction, str]] = {
    Direction.TO_CARE: "SendMessageToCare",
    Direction.TO_RECIPIENT: "SendMessageToRecipient",
}
"""The request element of a direction."""
