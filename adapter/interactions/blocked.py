"""What follows when the guard blocks: a line in the journal, and what the caller is told."""

from adapter.errors import TestPatientError
from adapter.model import Destination, GuardDecision, PatientVerdict, Result, StoredIntyg
from adapter.parts import Parts
from adapter.store import Rows
from adapter.texts import NOT_FORWARDED, TEST_PATIENT_NOT_SENT
from adapter.told import Told
from schemas.contract import Contract


def journal_block(
    rows: Rows,
    parts: Parts,
    stored: StoredIntyg,
    contract_key: str,
    destination: str,
    verdict: PatientVerdict,
) -> None:
    """Note that the guard stopped a message, and which signal made it."""
    signal = verdict.signal_and_why or f"patient is {verdict.kind.value}"
    rows.add_block(stored.intyg.intygs_id, contract_key, destination, signal, parts.clock())


def is_blocked(
    rows: Rows,
    parts: Parts,
    stored: StoredIntyg,
    contract_key: str,
    destination: Destination,
) -> bool:
    """Ask the guard about a message that its caller need not be told of; note it if it blocks."""
    decision, verdict = parts.guard.decision(
        stored.intyg.patient, destination, flagged=stored.is_test
    )
    blocked = decision is GuardDecision.BLOCK
    if blocked:
        journal_block(rows, parts, stored, contract_key, destination.name, verdict)
    return blocked


def answer_block(parts: Parts, contract: Contract, destination: str) -> Result:
    """
    What the caller of a contract is told, as the table in `told.py` or the settings say.

    Call it after the commit: the line in the journal stays although the request is refused.

    Raises:
        TestPatientError: Where callers are told by an error.
    """
    match parts.guard.told(contract.name):
        case Told.VALIDATION_ERROR:
            raise TestPatientError(TEST_PATIENT_NOT_SENT.format(destination=destination))
        case Told.NOT_FORWARDED:
            return Result.info(NOT_FORWARDED.format(destination=destination))
        case Told.SKIPPED | Told.LOCAL_ONLY:
            return Result.ok()
