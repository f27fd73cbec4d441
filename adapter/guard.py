"""Is this a test patient, and may a message about this patient go where it is going?

Two questions, asked apart. The first is answered by signals: lists of test patients, any one of
which is enough. The second is one table. Both are asked when a message is taken in and once more in
the transport, just before the socket opens.

Source: the product's guard policy; what the national services do with test certificates.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from adapter.model import (
    Destination,
    DestinationKind,
    DestinationRole,
    Environment,
    GuardDecision,
    PatientKind,
    PatientVerdict,
    PersonId,
)
from adapter.person import is_twelve_digits, luhn_holds
from adapter.settings import Settings

# --- may it go there ------------------------------------------------------------------------------

_AUTHORITY, _CARE = DestinationRole.AUTHORITY, DestinationRole.CARE
_PRODUCTION: Final = (Environment.PRODUCTION,)
_ELSEWHERE: Final = (Environment.TEST, Environment.DEMO)
_EVERYWHERE: Final = tuple(Environment)
_REAL: Final = (DestinationKind.REAL,)
_TEST_OR_MOCK: Final = (DestinationKind.TEST, DestinationKind.MOCK)
_SEND, _BLOCK, _HOLD = GuardDecision.SEND, GuardDecision.BLOCK, GuardDecision.HOLD

# Columns: what the patient is. A message to care (an EHR) carries back what came from there, so a
# test patient's may go whatever stands at the address; nationally status updates are sent for them
# too.
_ROWS: Final = (
    # role,      kind,          environment,  test,   not test, cannot tell
    (_AUTHORITY, _REAL,         _PRODUCTION,  _BLOCK, _SEND,    _HOLD),
    (_AUTHORITY, _REAL,         _ELSEWHERE,   _BLOCK, _BLOCK,   _BLOCK),
    (_AUTHORITY, _TEST_OR_MOCK, _EVERYWHERE,  _SEND,  _BLOCK,   _BLOCK),
    (_CARE,      _REAL,         _PRODUCTION,  _SEND,  _SEND,    _HOLD),
    (_CARE,      _REAL,         _ELSEWHERE,   _SEND,  _BLOCK,   _BLOCK),
    (_CARE,      _TEST_OR_MOCK, _EVERYWHERE,  _SEND,  _BLOCK,   _BLOCK),
)  # fmt: skip

POLICY: Final[
    Mapping[tuple[DestinationRole, DestinationKind, Environment, PatientKind], GuardDecision]
] = {
    (role, kind, environment, patient): decision
    for role, kinds, environments, test, not_test, cannot_tell in _ROWS
    for kind in kinds
    for environment in environments
    for patient, decision in (
        (PatientKind.TEST, test),
        (PatientKind.NOT_TEST, not_test),
        (PatientKind.CANNOT_TELL, cannot_tell),
    )
}
"""What the guard decides, for every role, kind, environment and patient there is."""

_STRICTNESS: Final = (GuardDecision.SEND, GuardDecision.HOLD, GuardDecision.BLOCK)


class Told(StrEnum):
    """What a caller is told when the guard blocks."""

    VALIDATION_ERROR = "validation_error"  # refused, nothing stored but the block
    SKIPPED = "skipped"  # done and stored, but not sent on: nobody is told but the journal
    LOCAL_ONLY = "local_only"  # OK: done here, not told the recipient
    NOT_FORWARDED = "not_forwarded"  # INFO: stored, and the text says that it went no further


TOLD: Final[Mapping[str, Told]] = {
    "RegisterCertificate": Told.SKIPPED,  # sending on signing; registering itself is allowed
    "SendCertificateToRecipient": Told.VALIDATION_ERROR,
    "RevokeCertificate": Told.LOCAL_ONLY,
    "SendMessageToCare": Told.VALIDATION_ERROR,
    "SendMessageToRecipient": Told.NOT_FORWARDED,
}
"""By contract name, as nationally."""

FLAGGED: Final = "flagged as test when registered"
NO_SIGNAL: Final = "no list of test patients is configured"


class Guard:
    """The two questions, for one environment."""

    def __init__(self, patients: "TestPatients", environment: Environment) -> None:
        self._patients = patients
        self._environment = environment

    @property
    def environment(self) -> Environment:
        return self._environment

    def has_signals(self) -> bool:
        """Whether there is anything to ask about a patient."""
        return bool(self._patients.signals)

    def damaged_signals(self) -> tuple[str, ...]:
        """Why signals cannot answer: which file and line, never what it says."""
        return tuple(s.damage for s in self._patients.signals if s.damage is not None)

    def verdict(self, person: PersonId) -> PatientVerdict:
        """What the signals say of a patient, now."""
        return self._patients.verdict(person)

    def decision(
        self, person: PersonId, destination: Destination, *, flagged: bool = False
    ) -> tuple[GuardDecision, PatientVerdict]:
        """
        Decide whether a message about a person may go to a destination.

        Args:
            flagged: The certificate was marked as a test patient's when it
                was registered. The mark stays, as nationally: then both it
                and the signals must allow the sending.

        Returns:
            The decision, and the verdict that led to it.
        """
        verdict = self.verdict(person)
        decision = self._decide(destination, verdict.kind)
        if flagged and verdict.kind is not PatientKind.TEST:
            marked = PatientVerdict(PatientKind.TEST, FLAGGED)
            by_mark = self._decide(destination, marked.kind)
            if _STRICTNESS.index(by_mark) > _STRICTNESS.index(decision):
                return by_mark, marked
        return decision, verdict

    def _decide(self, destination: Destination, patient: PatientKind) -> GuardDecision:
        return POLICY[destination.role, destination.kind, self._environment, patient]


# --- who is a test patient ------------------------------------------------------------------------


class Signal(Protocol):
    """One source of knowledge about test patients."""

    @property
    def name(self) -> str:
        """For journal and operator, without any number."""

    @property
    def damage(self) -> str | None:
        """Why it cannot answer; None when it can."""

    def kind(self, person: PersonId) -> PatientKind:
        """What this source says of a person."""


class DamagedListError(Exception):
    """A list of test patients cannot be trusted; the text says which line and why, no content."""


@dataclass(frozen=True)
class ListSignal:
    """
    A list of test patients.

    Attributes:
        name: `list test-persons.csv`.
        numbers: Twelve digits each.
        damage: Why the list cannot be trusted; None when it can.
    """

    name: str
    numbers: frozenset[str] = field(repr=False)
    damage: str | None = None

    @classmethod
    def from_file(cls, kind: str, path: Path) -> "ListSignal":
        """Read a list; one that is missing or damaged knows of nobody, and says so."""
        name = f"{kind} {path.name}"
        try:
            return cls(name, read_list(path))
        except DamagedListError as exc:
            return cls(name, frozenset(), str(exc))

    def kind(self, person: PersonId) -> PatientKind:
        if self.damage is not None:
            return PatientKind.CANNOT_TELL
        return PatientKind.TEST if person.extension in self.numbers else PatientKind.NOT_TEST


class TestPatients:
    """All signals together: any one that says test is enough."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    def __init__(self, signals: Sequence[Signal]) -> None:
        self.signals = tuple(signals)

    @classmethod
    def from_settings(cls, settings: Settings) -> "TestPatients":
        """The lists that the settings name."""
        lists = settings.test_patients
        return cls(
            [ListSignal.from_file("list", path) for path in lists.list_files]
            + [ListSignal.from_file("EHR's list", path) for path in lists.ehr_list_files]
        )

    def verdict(self, person: PersonId) -> PatientVerdict:
        """
        Ask every signal.

        Returns:
            TEST when any signal says so; otherwise CANNOT_TELL when any signal
            cannot answer, or when there is none to ask; otherwise NOT_TEST.
        """
        unsure: PatientVerdict | None = None
        for signal in self.signals:
            kind = signal.kind(person)
            if kind is PatientKind.TEST:
                return PatientVerdict(kind, signal.name)
            if kind is PatientKind.CANNOT_TELL and unsure is None:
                unsure = PatientVerdict(kind, signal.name)
        if unsure is not None:
            return unsure
        if not self.signals:
            return PatientVerdict(PatientKind.CANNOT_TELL, NO_SIGNAL)
        return PatientVerdict(PatientKind.NOT_TEST)


def read_list(path: Path) -> frozenset[str]:
    """
    Read a list of test patients.

    Skatteverket's CSV (a header, then one number a line; further columns are
    ignored) and plain lists are both read. Empty lines, lines that begin with
    `#`, quotes, and a dash before the last four digits are let pass.

    Raises:
        DamagedListError: The file is missing or is no text, a line is neither
            of these or has a wrong last digit, or there is no number at all.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise DamagedListError(f"{path.name}: {exc.strerror or type(exc).__name__}") from exc
    except UnicodeDecodeError as exc:
        raise DamagedListError(f"{path.name}: not UTF-8 text") from exc
    return parse_list(path.name, text.splitlines())


def parse_list(name: str, lines: Iterable[str]) -> frozenset[str]:
    """As `read_list`, of lines already read; `name` is for the error's text."""
    numbers = set()
    header_may_come = True
    for line_number, line in enumerate(lines, start=1):
        cell = line if is_twelve_digits(line) else _first_cell(line)
        if not cell or cell.startswith("#"):
            continue
        if is_twelve_digits(cell) and luhn_holds(cell):
            numbers.add(cell)
        elif not (header_may_come and not any(map(str.isdigit, cell))):
            raise DamagedListError(
                f"{name}, line {line_number}: not a personnummer or samordningsnummer of 12 digits"
            )
        header_may_come = False
    if not numbers:
        raise DamagedListError(f"{name}: holds no number")
    return frozenset(numbers)


def _first_cell(line: str) -> str:
    """The first column, without quotes, spaces and the dash inside a number."""
    cell = line.replace(";", ",").replace("\t", ",").split(",", 1)[0].strip().strip('"').strip()
    if len(cell) == 13 and cell[8] in "-+":
        return cell[:8] + cell[9:]
    return cell
