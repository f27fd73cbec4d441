"""Texts for callers (`resultText`) when nothing is wrong with their request's form.

One table, one language. Texts that list faults are made where the faults are found. None of these
holds anything of a patient; the names in braces are codes, addresses of systems, and counts.
"""

from collections.abc import Mapping
from typing import Final

from intyg.schemas.intyg_model import Unique

ALREADY_REGISTERED: Final = "Certificate already exists"
"""Callers of the national service compare with this text, so it stays as it is."""

CONTENT_DIFFERS: Final = (
    "What is stored differs from what was sent now. The stored certificate was kept."
)
NOT_UNIQUE: Final[Mapping[Unique, str]] = {
    Unique.EVERYWHERE: (
        "The patient has a certificate of this type already. Replace it (relation ERSATT), or "
        "revoke it first."
    ),
    Unique.CARE_PROVIDER: (
        "The patient has a certificate of this type already at this care provider. Replace it "
        "(relation ERSATT), or revoke it first."
    ),
}
SIGNER_REFUSED: Final = "The certificate's signer may not sign it:"
SIGNER_WRONG_ROLE: Final = "{typ} is signed by {roles}; {source} says {role}"
SIGNER_NOT_KNOWN: Final = "the staff directory knows nobody with this HSA-id"
SIGNER_NOT_ASSIGNED: Final = (
    "the staff directory has no assignment (medarbetaruppdrag) for Vård och behandling at this "
    "unit on the day of signing"
)
SIGNER_NO_ROLE: Final = (
    "{typ} is signed by {roles}; neither the signing certificate nor skapadAv names a licensed "
    "profession (legitimeratYrke) or a position (befattning) that gives a role, and signer_role is "
    '"require" in the settings'
)
STAFF_REFUSED: Final = "Whoever does this may not do it:"
STAFF_WRONG_ROLE: Final = "this is done by {roles}; the staff directory says {role}"
STAFF_NOT_ASSIGNED: Final = (
    "the staff directory has no assignment (medarbetaruppdrag) for Vård och behandling at this "
    "unit today"
)
STAFF_DIRECTORY_DOWN: Final = (
    "The staff directory cannot be asked who may sign ({why}). Sending again later may help."
)
REGISTERED_NOT_SENT: Final = "Registered. Not sent: {reason}"
REGISTERED_HELD: Final = (
    "Registered. Sending to {part} waits: it cannot be told whether the patient is a test patient."
)
REGISTERED_WITH_REMARKS: Final = "Registered, with {remarks}:"

UNKNOWN_INTYG: Final = "There is no such certificate for this patient."
REVOKED_NOT_SENT: Final = "The certificate is revoked. It was not sent."
ALREADY_SENT: Final = "The certificate has already been sent to {part}."
SENT_ANEW: Final = "It had not arrived at {parts}, and is sent there once more."
ALREADY_QUEUED: Final = "The certificate is already on its way to {part}."
HELD: Final = (
    "Stored, not sent yet: it cannot be told whether the patient is a test patient. "
    "It is sent to {part} when it is known that this is not so."
)
REPLACED: Final = "The certificate has been replaced by a newer one and cannot be sent."
NO_ROUTE: Final = "There is no route to the logical address of {part} for {contract}."
TEST_PATIENT_NOT_SENT: Final = (
    "This patient's certificate may not be sent to {destination}: test patients' certificates go "
    "to test systems only, and nobody else's go there."
)

WITHDRAWN: Final = (
    "revoked while it waited, by RevokeCertificate {correlation_id}; nothing was sent"
)
NOTHING_TO_REVOKE: Final = "the certificate never arrived"

ALREADY_REVOKED: Final = "The certificate was already revoked."

STORED_WITH_REMARKS: Final = "Stored, with {remarks}:"
NO_CARE_THERE: Final = (
    "Stored. Not forwarded: there is no route for SendMessageToCare to a unit of care at "
    "logiskAdressMottagare."
)
REPEATED_MEDDELANDE: Final = "This message has been received before."
NOT_FORWARDED: Final = (
    "Stored but not forwarded to {destination}: messages about test patients go to test systems "
    "only, and nobody else's go there."
)
RULES_BROKEN: Final = "The message breaks rules of questions and answers:"
UNKNOWN_MEDDELANDE: Final = "There is no such message."

NO_INTYG: Final = "There is no such certificate."
NO_INTYGS_ID: Final = "The request names no certificate."
NO_SUCH_PERSON: Final = "Nobody can have this person number."
TOO_MANY_INTYG: Final = (
    "There are more than {most} certificates: ask for fewer, by unit, type or time. "
    "server.most_listed in the settings says how many."
)
TEST_INTYG_NOT_SHOWN: Final = (
    "Not shown to this part: test patients' certificates are shown to test systems only, and "
    "nobody else's are shown there."
)
PART_REFUSED: Final = "The certificate is not shown to this part:"
CANNOT_TELL_NOT_SHOWN: Final = (
    "Not shown: it cannot be told whether the patient is a test patient. Ask again later."
)
UNIT_OR_PROVIDER: Final = "enhets-id or vardgivar-id must be given"
STATUS_REFUSED: Final = "The status cannot be recorded:"
NO_RECIPIENT: Final = "There is nobody that this certificate can be sent to."
APPROVALS_REFUSED: Final = "The approved receivers cannot be stored:"
