"""What callers are told in `resultText` when nothing is wrong with their request's form.

One table, one language. Texts that list faults are made where the faults are found. None of these
holds anything of a patient; the names in braces are codes, addresses of systems, and counts.
"""

from typing import Final

ALREADY_REGISTERED: Final = "Certificate already exists"
"""Callers of the national service compare with this text, so it stays as it is."""

CONTENT_DIFFERS: Final = (
    "What is stored differs from what was sent now. The stored certificate was kept."
)
REGISTERED_NOT_SENT: Final = "Registered. Not sent: {reason}"
REGISTERED_HELD: Final = (
    "Registered. Sending to {part} waits: it cannot be told whether the patient is a test patient."
)
REGISTERED_WITH_WARNINGS: Final = "Registered, with {count} remarks:"

UNKNOWN_INTYG: Final = "There is no such certificate for this patient."
REVOKED_NOT_SENT: Final = "The certificate is revoked. It was not sent."
ALREADY_SENT: Final = "The certificate has already been sent to {part}."
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

ALREADY_REVOKED: Final = "The certificate was already revoked."

REPEATED_MEDDELANDE: Final = "This message has been received before."
NOT_FORWARDED: Final = (
    "Stored but not forwarded to {destination}: messages about test patients go to test systems "
    "only, and nobody else's go there."
)
RULES_BROKEN: Final = "The message breaks rules of questions and answers:"
UNKNOWN_MEDDELANDE: Final = "There is no such message."
