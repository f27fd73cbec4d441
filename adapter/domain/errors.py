"""The errors that become answers.

The contract's `ErrorIdType` says of each code whether sending again can help. Each class carries
its code, so the answer and the retry decision are read off the class, never decided again.

    AdapterError
    ├── FaultError          SOAP fault          no contract known yet: broken envelope
    │   └── PlatformFaultError   turned away at the door, as the national platform would
    ├── ValidationError     VALIDATION_ERROR    do not send again
    │   ├── SchemaError     the contract's XSD says no
    │   ├── RuleError       a rule of the type, or of questions and answers, fails
    │   ├── SignatureError  the signature is missing, wrong or against policy
    │   ├── DuplicateError  the id is taken by another person's certificate or another message
    │   └── TestPatientError  data of a test patient was on its way to a real place
    ├── ApplicationError    APPLICATION_ERROR   do not send again
    │   ├── UnknownIntygError     no such certificate for this patient
    │   ├── UnknownRecipientError  no such recipient, or not for this certificate type
    │   ├── UnknownDraftError     no such draft, or not any more
    │   ├── DraftConflictError    somebody else saved the draft first
    │   ├── DraftStateError       not with a draft, or a certificate, in its state
    │   └── DraftRefusedError     not by this person, for this patient, or for this type
    └── TechnicalError      TECHNICAL_ERROR     sending again may help
        └── StoreError      the database did not answer as it should

What an authority answered is no error but an `Outcome` (see `delivery.py`), and neither is a
repeated message: that is a `Result` with `INFO`. Wrong use by our own code is `TypeError`,
`ValueError` or `assert`, outside this tree.

Source: clinicalprocess_healthcond_certificate_3.3.xsd, `ErrorIdType`.
"""

from collections.abc import Sequence
from enum import StrEnum

from intyg.schemas.codes import ErrorId
from intyg.schemas.finding import Finding


class AdapterError(Exception):
    """
    Something that the caller is told.

    Args:
        text: Plain English; no person data. Goes into `resultText` or
            `faultstring` as it stands.
        findings: What exactly is wrong and where, listed after the text.
    """

    error_id: ErrorId = ErrorId.APPLICATION_ERROR

    def __init__(self, text: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.findings = tuple(findings)


class FaultCode(StrEnum):
    """SOAP 1.1 fault codes (section 4.4.1) that we use."""

    VERSION_MISMATCH = "VersionMismatch"  # the Envelope is not SOAP 1.1's
    MUST_UNDERSTAND = "MustUnderstand"  # a header that must be understood is not
    CLIENT = "Client"
    SERVER = "Server"


class FaultError(AdapterError):
    """
    No contract can answer: the caller gets a SOAP fault, with HTTP 500 unless said otherwise.

    Attributes:
        detail: Goes into `detail/detailString`; None: a fault without detail.
    """

    def __init__(
        self,
        text: str,
        fault_code: FaultCode = FaultCode.CLIENT,
        http_status: int = 500,
        detail: str | None = None,
    ) -> None:
        super().__init__(text)
        self.fault_code = fault_code
        self.http_status = http_status
        self.detail = detail


class ValidationError(AdapterError):
    """The request is wrong."""

    error_id = ErrorId.VALIDATION_ERROR


class SchemaError(ValidationError):
    """The contract's XSD says no; `findings` lists every fault."""


class RuleError(ValidationError):
    """The XSD holds, but a rule does not; `findings` lists every one."""


class SignatureError(ValidationError):
    """
    The signature is missing, wrong or refused.

    Attributes:
        code: The refusal code, e.g. `DIGEST_MISMATCH` (see `signature.py`).
    """

    def __init__(self, code: str, text: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(text, findings)
        self.code = code


class DuplicateError(ValidationError):
    """The id is already taken by something else."""


class TestPatientError(ValidationError):
    """The guard said no; the message is not sent."""

    __test__ = False  # not a test class, whatever pytest thinks of its name


class ApplicationError(AdapterError):
    """A logical obstacle."""


class UnknownIntygError(ApplicationError):
    """No such certificate, or not this patient's: the two are told apart to nobody."""


class UnknownRecipientError(ApplicationError):
    """No such recipient, or one that does not take this certificate type."""


class UnknownDraftError(ApplicationError):
    """No such draft, or one that was deleted."""


class DraftConflictError(ApplicationError):
    """
    A draft was saved by somebody else meanwhile.

    Attributes:
        by: The name of who saved it; for who asks, and for no log.
        at: When, ISO 8601.
        stamp: The draft's stamp now.
    """

    def __init__(self, text: str, by: str, at: str, stamp: int) -> None:
        super().__init__(text)
        self.by = by
        self.at = at
        self.stamp = stamp


class DraftStateError(ApplicationError):
    """A draft or certificate is in a state in which this is not done with it."""


class DraftRefusedError(ApplicationError):
    """A draft is not for this person to write, not for this patient, or not of this type."""


class TechnicalError(AdapterError):
    """Perhaps a passing fault on our side."""

    error_id = ErrorId.TECHNICAL_ERROR


class StoreError(TechnicalError):
    """The database did not answer as it should; nothing was stored."""
