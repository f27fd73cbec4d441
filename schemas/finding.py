"""One thing that is wrong with a message: which rule, where, and what would be right."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_FINDINGS: Final = 100
"""So many are listed of a message. With more it is another kind of document, and nobody reads on;
that there are more is said at the end."""


class Severity(StrEnum):
    """Whether a finding refuses the message."""

    ERROR = "error"  # the national service refuses it
    WARNING = "warning"  # only the national editor's own form would


@dataclass(frozen=True)
class Finding:
    """
    A fault in a message, without any of the message's person data in it.

    Attributes:
        rule: Stable id: `FK7804/1/R21` for a rule of a certificate type,
            `XSD` for the contract's schema, otherwise the id that the
            module raising it documents.
        message: Plain English with the Swedish term, naming what would be
            right (for a code: the allowed codes). Never a value from the
            message other than a code or an element name.
        xpath: Where, with local names and positions, from the request
            element: `/RegisterCertificate/intyg/svar[3]/delsvar[1]`.
        line: Line in the checked document, starting at 1; None if unknown.
        severity: `error` refuses, `warning` is only reported.
        svar: Id of the question concerned, e.g. `35`, if any.
        delsvar: Id of the part of the answer concerned, e.g. `35.1`, if any.
    """

    rule: str
    message: str
    xpath: str
    line: int | None = None
    severity: Severity = Severity.ERROR
    svar: str | None = None
    delsvar: str | None = None
