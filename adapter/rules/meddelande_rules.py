"""The rules of questions and answers, one table a direction.

All of a table's rules are tried and every one that is broken is told. The ids are those of the
national services where they have one; the others are marked as ours.

Source: SendMessageToCare and SendMessageToRecipient as the national services check them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import (
    Direction,
    FragaState,
    Komplettering,
    Meddelande,
    StoredMeddelande,
)
from intyg.adapter.rules.fraga_moves import (
    ALREADY_ANSWERED,
    NOT_OPEN,
    Cause,
    Refusal,
    move_of,
)
from intyg.schemas.codes import Amne
from intyg.schemas.finding import Finding, Severity
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
        broken: Whether a message breaks it; or at which rows of `komplettering`, the first
            being 0.
        missing: The element is what is missing, so the fault is in the request.
        severity: Of severity warning it is told, and refuses nothing.
    """

    id: str
    field: str
    text: str
    broken: Callable[[Meddelande, Facts], bool | list[int]]
    missing: bool = False
    severity: Severity = Severity.ERROR

    def findings(self, m: Meddelande, facts: Facts) -> Iterator[Finding]:
        """Each place where a message breaks it."""
        broken = self.broken(m, facts)
        if isinstance(broken, list):
            for row in broken:
                place = f"komplettering[{row + 1}]" if len(m.komplettering) > 1 else "komplettering"
                yield self._finding(m, self.field.replace("komplettering", place, 1))
        elif broken:
            yield self._finding(m, "" if self.missing else self.field)

    def _finding(self, m: Meddelande, field: str) -> Finding:
        path = f"/{REQUEST[m.direction]}" + (f"/{field}" if field else "")
        return Finding(self.id, self.text, path, severity=self.severity)


MAX_ID_LENGTH: Final = 255
"""Longest id we keep. The contracts set no limit; practice is a UUID, and PostgreSQL cannot index
texts of some thousand characters."""

CERTIFICATE_NOT_FOUND: Final = "CERTIFICATE_NOT_FOUND_ERROR"
TEST_CERTIFICATE: Final = "TEST_CERTIFICATE"

_Which = Callable[[Komplettering, Facts], bool]


def is_answer(m: Meddelande) -> bool:
    """It refers to a question, and is no reminder."""
    return m.svar_pa is not None and m.amne != Amne.PAMINN


def check_meddelande(m: Meddelande, facts: Facts) -> list[Finding]:
    """
    Try every rule of the message's direction.

    Returns:
        What is broken, in the order of the table. Nothing of the message's own
        text is in it. What is of severity warning refuses nothing.
    """
    return [finding for rule in RULES[m.direction] for finding in rule.findings(m, facts)]


def refusing(findings: Sequence[Finding]) -> list[Finding]:
    """Those for which a message is not taken."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def _reminds_of_nothing(m: Meddelande, _: Facts) -> bool:
    return m.amne == Amne.PAMINN and m.paminnelse_meddelande_id is None


def _reminder_id_wrong(m: Meddelande, _: Facts) -> bool:
    if m.amne == Amne.PAMINN:
        return m.paminnelse_meddelande_id == ""
    return bool(m.paminnelse_meddelande_id)


def _question_not_found(m: Meddelande, f: Facts) -> bool:
    return is_answer(m) and f.fraga is None


def _reminded_not_found(m: Meddelande, f: Facts) -> bool:
    return m.amne == Amne.PAMINN and bool(m.paminnelse_meddelande_id) and f.paminner is None


def _reminded_is_done(_: Meddelande, f: Facts) -> bool:
    done = (FragaState.HANDLED, FragaState.ANSWERED)
    return f.paminner is not None and f.paminner.state in done


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


def _rows(*, all_are: bool, which: _Which) -> Callable[[Meddelande, Facts], list[int]]:
    """
    Rows of a completion request that nobody could complete.

    Args:
        all_are: Asked of requests in which every row is so; otherwise of those in which some are.
        which: Whether a row is unknown in this way.
    """

    def broken(m: Meddelande, f: Facts) -> list[int]:
        if f.intyg_type is None:
            return []
        unknown = [_frage_id_unknown(row, f) or _instans_unknown(row, f) for row in m.komplettering]
        asked = all(unknown) is all_are
        return [n for n, row in enumerate(m.komplettering) if asked and which(row, f)]

    return broken


def _frage_id_unknown(row: Komplettering, f: Facts) -> bool:
    return f.intyg_type is not None and not _has_question(f.intyg_type, row.frage_id)


def _has_question(intyg_type: IntygType, frage_id: str) -> bool:
    number = int(frage_id)
    return any(
        int(question.svar) <= number <= int(question.last or question.svar)
        for question in intyg_type.questions
    )


def _instans_unknown(row: Komplettering, f: Facts) -> bool:
    """Asked of rows whose question the type has; one that is not answered has no repetitions."""
    return (
        row.instans is not None
        and not _frage_id_unknown(row, f)
        and row.instans not in f.instanser.get(str(int(row.frage_id)), ())
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
_REMINDER_ID: Final = (
    Rule(
        "PAMINNELSE_ID_INCONSISTENCY_ERROR",
        "paminnelseMeddelande-id",
        "a reminder (PAMINN) must name the message it reminds of (paminnelseMeddelande-id)",
        _reminds_of_nothing,
        missing=True,
    ),
    Rule(
        "PAMINNELSE_ID_INCONSISTENCY_ERROR",
        "paminnelseMeddelande-id",
        "a reminder (PAMINN), and nothing else, names the message it reminds of",
        _reminder_id_wrong,
    ),
)
_REFERENCE: Final = (
    Rule(
        "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
        "svarPa",
        "the message answered must be known, about the same certificate, and a question from the "
        "other side",
        _question_not_found,
    ),
    Rule(
        "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
        "paminnelseMeddelande-id",
        "the message reminded of must be known, and about the same certificate",
        _reminded_not_found,
    ),
    Rule(
        "REMINDED_IS_HANDLED",  # ours: nationally nothing is said
        "paminnelseMeddelande-id",
        "the question that this reminds of is handled already, or has its answer",
        _reminded_is_done,
        severity=Severity.WARNING,
    ),
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
# A rule without a comment is a national one, by its id. Before them come the contract's schema and
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
            "a completion request (KOMPLT) must say which questions to complete (komplettering)",
            _asks_for_nothing,
            missing=True,
        ),
        Rule(
            "FRAGE_ID_NOT_FOUND_ERROR",  # ours: nationally refused for newer types, if all are
            "komplettering/frage-id",
            "frage-id must be a question of the certificate's type; one of all rows is enough",
            _rows(all_are=True, which=_frage_id_unknown),
        ),
        Rule(
            "INSTANS_NOT_FOUND_ERROR",  # ours
            "komplettering/instans",
            "instans must be a repetition that the certificate has of that question; one of all "
            "rows is enough",
            _rows(all_are=True, which=_instans_unknown),
        ),
        Rule(
            "FRAGE_ID_NOT_KNOWN",  # ours: nationally nothing is said
            "komplettering/frage-id",
            "frage-id is no question of the certificate's type; the other rows are taken",
            _rows(all_are=False, which=_frage_id_unknown),
            severity=Severity.WARNING,
        ),
        Rule(
            "INSTANS_NOT_KNOWN",  # ours
            "komplettering/instans",
            "instans is no repetition that the certificate has; the other rows are taken",
            _rows(all_are=False, which=_instans_unknown),
            severity=Severity.WARNING,
        ),
        _LAST_DAY,
        _ID_TAKEN,
        _ID_LENGTH,
        *_REMINDER_ID,
        *_REFERENCE,
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
        *_REMINDER_ID,
        *_REFERENCE,
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
