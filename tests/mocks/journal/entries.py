"""Entries of a journal, made by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from mocks.journal import Entry, Step, Verdict
from mocks.rules.trace import RuleTrace, Why

NOW: Final = datetime(2026, 11, 23, 9, tzinfo=UTC)


def entry(number: int, **fields: Any) -> Entry:
    """A certificate that was registered; `fields` say what is different."""
    usual = Entry(
        number=number,
        received_at=NOW,
        duration_seconds=0.25,
        method="POST",
        path="/",
        headers=(("User-Agent", "curl/8"), ("X-Correlation", "c-1")),
        request=b"<a>Arbetar kv\xc3\xa4llar</a>",
        reply=b"<b/>",
        http_status=200,
        contract="RegisterCertificate:3",
        logical_address="FKASSA",
        intygs_id=f"id-{number}",
        result_code="OK",
        sender="TSTNMT2321000156-EHR",
        rules=(RuleTrace("twice", False, Why.USED_UP), RuleTrace("slow", True, Why.ACTED)),
        steps=(Step("xsd", Verdict.OK), Step("signature", Verdict.NOT_CHECKED)),
    )
    return replace(usual, **fields)
