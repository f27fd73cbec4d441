"""A request as it came, and the answer to it."""

from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from intyg.adapter.domain.intyg import IntygBytes
from intyg.schemas.codes import (
    ErrorId,
    ResultCode,
)
from intyg.schemas.contract.contract import Contract


@dataclass(frozen=True)
class Inbound:
    """
    A request that holds its contract's element, before anything is checked.

    It was read once: what a flow needs of the message, as elements or as bytes, is here.

    Attributes:
        contract: Which contract the body element belongs to.
        logical_address: The header's text, as it stands.
        element: The Body's only child, in the parsed message.
        body: The same element's bytes as they arrived, in UTF-8, as a
            document of its own: nothing but namespace declarations that were
            in scope is added to its start tag.
        intyg: What stands in its `intyg`, cut out of `body`; None for a contract without one, and
            where it is missing.
        received_at: When the request arrived.
        correlation_id: Ties log lines, stored message and answer together.
        sender: HSA-id of the calling system, where known.
        dry_run: Say what would come of it, and keep nothing.
    """

    contract: Contract
    logical_address: str
    element: etree._Element = field(repr=False)
    body: bytes = field(repr=False)
    intyg: IntygBytes | None
    received_at: datetime
    correlation_id: str
    sender: str | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Result:
    """
    `core:ResultType`: what a call is answered with.

    Attributes:
        intygs_id: Root and extension, beside the result: of the draft that was made.
    """

    code: ResultCode
    text: str | None = None
    error_id: ErrorId | None = None
    intygs_id: tuple[str, str] | None = None

    @classmethod
    def ok(cls, text: str | None = None) -> "Result":
        return cls(ResultCode.OK, text)

    @classmethod
    def info(cls, text: str) -> "Result":
        return cls(ResultCode.INFO, text)

    @classmethod
    def error(cls, error_id: ErrorId, text: str) -> "Result":
        return cls(ResultCode.ERROR, text, error_id)
