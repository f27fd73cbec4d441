"""Texts for callers about drafts. One table, one language; nothing of a patient in any of them."""

from typing import Final

NO_ASSIGNMENT: Final = (
    "{who} has no valid assignment (medarbetaruppdrag, MIU) for Vård och behandling on the unit "
    "{unit}."
)
DRY_RUN: Final = "Dry run: nothing was kept. It would be a draft of state {state}."
FIELDS_MISSING: Final = "The draft cannot be created:"
REGISTER_DOWN: Final = (
    "The population register does not answer ({why}). Try again later: sending again helps here."
)
REGISTER_NOT_SET: Final = (
    "No population register is set (population_register), and drafts take name, protection and "
    "death from there."
)
NOT_IN_REGISTER: Final = (
    "The person is not in the population register. Reserve numbers (reservnummer) are not handled."
)
UNKNOWN_TYPE: Final = "No drafts of this type are made: {why}."
NOT_IN_USE: Final = "No drafts of {typ} are made any more{instead}."
MAY_NOT_WRITE: Final = "This role may not write {typ}."
MAY_NOT_SIGN: Final = "Certificates of {typ} are signed by {roles} only."
NEEDS_DOCTOR: Final = "A locked draft is revoked by a doctor with an assignment on its unit."

SIGNED_SAME_PROVIDER: Final = (
    "The patient has a signed {typ} at this care provider already. Replace that one instead."
)
SIGNED_SAME_UNIT: Final = (
    "The patient has a signed {typ} at this unit already. Replace that one instead."
)
SIGNED_ELSEWHERE: Final = (
    "The patient has a signed {typ} at another care provider already. No other can be written."
)
SIGNED_ELSEWHERE_INFO: Final = "The patient has a signed {typ} at another care provider."
DRAFT_SAME_UNIT: Final = (
    "There is a draft of {typ} for the patient at this unit already. Continue on that one."
)
DRAFT_SAME_PROVIDER: Final = (
    "There is a draft of {typ} for the patient at this care provider already. Continue on that one."
)
DRAFT_ELSEWHERE_INFO: Final = "There is a draft of {typ} for the patient at another care provider."
NO_DEATH_CERTIFICATE: Final = "There is no signed db (dödsbevis) for the patient yet."

UNKNOWN_DRAFT: Final = "There is no such draft."
CONFLICT: Final = "The draft has been changed meanwhile. Read it again, and save then."
NOT_EDITABLE: Final = "The draft is {state}, and cannot be {done} any more."
ALREADY_READY: Final = "The draft was said to be ready for signing already."
NOT_LOCKED: Final = "Only a locked draft can be {done}."
ALREADY_REVOKED: Final = "The draft is revoked already."
ANOTHER_UNIT: Final = "skapadAv must name the draft's own unit, {unit}."
INCOMPLETE: Final = "The draft cannot be signed yet:"
NOT_OF_THE_FORM: Final = "The answers are not of this type's form:"
NOTHING_TO_SIGN: Final = "Ask for what is to be signed first (to-sign); nothing is waiting."
CHANGED_SINCE: Final = "The draft was changed since it was given out to be signed."
NO_TEST_KEY: Final = (
    "The adapter signs drafts by itself in demo and test only, with a key of its own."
)
RESERVE_NOTICE: Final = (
    "The number is no personnummer or samordningsnummer, so the draft keeps the one it has."
)

REVOKED: Final = "The certificate is revoked."
REPLACED: Final = "The certificate has been replaced by a signed one."
REPLACED_OR_UNDER_WAY: Final = "There is a replacement of the certificate already, signed or not."
COMPLEMENTED: Final = "The certificate has been complemented by a signed one."
COMPLEMENT_UNDER_WAY: Final = "There is a complement of the certificate already, signed or not."
NO_REQUEST: Final = "There is no open completion request (KOMPLT) on the certificate."
OPEN_REQUEST: Final = (
    "There is an open completion request (KOMPLT) on the certificate: complement it instead."
)
NOT_RENEWED: Final = "Certificates of {typ} are not renewed."
COPYING_NOT_OK: Final = "The record system says that nothing may be copied (kopieringOK)."
COPY_EXISTS: Final = (
    "There is a copy of the locked draft already that is neither signed nor deleted."
)
NO_TEMPLATE: Final = "A certificate of {typ} is no template for another type."
