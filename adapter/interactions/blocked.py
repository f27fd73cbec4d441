"""What follows when the guard blocks: a line in the journal, and what the caller is told."""

from adapter.errors import TestPatientError
from adapter.guard import TOLD, Told
from adapter.model import PatientVerdict, Result, StoredIntyg
from adapter.parts import Parts
from adapter.store import Rows
from adapter.texts import NOT_FORWARDED, TEST_PATIENT_NOT_SENT
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
    signal = verdict.signal or f"patient is {verdict.kind.value}"
    rows.add_block(stored.intyg.intygs_id, contract_key, destination, signal, parts.clock())


def answer_block(contract: Contract, destination: str) -> Result:
    """
    What the caller of a contract is told, as the guard's table says.

    Call it after the commit: the line in the journal stays although the request is refused.

    Raises:
        TestPatientError: Where callers are told by an error.
    """
    match TOLD[contract.name]:
        case Told.VALIDATION_ERROR:
            raise TestPatientError(TEST_PATIENT_NOT_SENT.format(destination=destination))
        case Told.NOT_FORWARDED:
            return Result.info(NOT_FORWARDED.format(destination=destination))
        case Told.SKIPPED | Told.LOCAL_ONLY:
            return Result.ok()
