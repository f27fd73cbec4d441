"""Entries of a journal, made by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from intyg.mocks.journal import Entry, Step, Verdict
from intyg.mocks.rules.trace import RuleTrace, Why

NOW: Final = datetime(2026, 11, 23, 9, tzinfo=UTC)

REQUEST: Final = """\
<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>
<a xmlns="urn:a">Arbetar kvällar
<amne><code xmlns="urn:riv:clinicalprocess:healthcond:certificate:types:3">KOMPLT</code></amne></a>
</S:Body></S:Envelope>""".encode()


def entry(number: int, **fields: Any) -> Entry:
    """A certificate that was registered; `fields` say what is different."""
    usual = Entry(
        number=number,
        received_at=NOW,
        duration_seconds=0.25,
        method="POST",
        path="/",
        headers=(("User-Agent", "curl/8"), ("X-Correlation", "c-1")),
        request=REQUEST,
        reply=b"<b/>",
        http_status=200,
        contract="RegisterCertificate:3",
        logical_address="FKASSA",
        intygs_id=f"id-{number}",
        result_code="OK",
        typ="LISJP",
        version="1.3",
        unit="TSTNMT2321000156-ENHET1",
        amne="KOMPLT",
        handelse=None,
        sender="TSTNMT2321000156-EHR",
        rules=(RuleTrace("twice", False, Why.USED_UP), RuleTrace("slow", True, Why.ACTED)),
        steps=(Step("xsd", Verdict.OK), Step("signature", Verdict.NOT_CHECKED)),
    )
    return replace(usual, **fields)
