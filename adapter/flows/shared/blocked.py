"""What follows when the guard blocks: a line in the journal, and what the caller is told."""

from intyg.adapter.domain.destination import Destination
from intyg.adapter.domain.errors import TestPatientError
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.person import GuardDecision, PatientVerdict
from intyg.adapter.domain.texts import NOT_FORWARDED, TEST_PATIENT_NOT_SENT
from intyg.adapter.flows.services import Asked
from intyg.adapter.settings.guard_answers import BlockReply
from intyg.adapter.store import Rows
from intyg.schemas.contract.contract import Contract


def journal_block(
    rows: Rows,
    stored: StoredIntyg,
    contract_key: str,
    destination: str,
    verdict: PatientVerdict,
) -> None:
    """Note that the guard stopped a message, and which signal made it."""
    signal = verdict.signal_and_why or f"patient is {verdict.kind.value}"
    rows.blocks.add(stored.intyg.intygs_id, contract_key, destination, signal, rows.now)


def is_blocked(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    contract_key: str,
    destination: Destination,
) -> bool:
    """Ask the guard about a message that its caller need not be told of; note it if it blocks."""
    decision, verdict = asked.guard.decision(
        stored.intyg.patient, destination, flagged=stored.is_test
    )
    blocked = decision is GuardDecision.BLOCK
    if blocked:
        journal_block(rows, stored, contract_key, destination.name, verdict)
    return blocked


def answer_block(asked: Asked, contract: Contract, destination: str) -> Result | TestPatientError:
    """
    What the caller of a contract is told, as the table in `guard_answers.py` or the settings say.

    Where callers are told by an error, that is returned, to be raised after the commit: the line in
    the journal stays although the request is refused.
    """
    match asked.guard.told(contract.name):
        case BlockReply.VALIDATION_ERROR:
            return TestPatientError(TEST_PATIENT_NOT_SENT.format(destination=destination))
        case BlockReply.NOT_FORWARDED:
            return Result.info(NOT_FORWARDED.format(destination=destination))
        case BlockReply.SKIPPED | BlockReply.LOCAL_ONLY:
            return Result.ok()
