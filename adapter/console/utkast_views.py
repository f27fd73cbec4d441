"""What the REST pages show of drafts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from intyg.adapter.domain.draft import Draft
from intyg.schemas.finding import Finding


def draft_view(
    draft: Draft, intyg: Mapping[str, Any], findings: Sequence[Finding], ref: str | None
) -> dict[str, Any]:
    """A draft whole: facts, the certificate as JSON, and what keeps it from being signed."""
    return {
        **list_view(draft),
        "ref": ref,
        "intyg": intyg,
        "fel": [finding_view(finding) for finding in findings],
        "forifyllnad": draft.prefill,
    }


def list_view(draft: Draft) -> dict[str, Any]:
    """A draft without its answers and without its patient."""
    relation = draft.relation
    return {
        "intygsId": draft.intygs_id,
        "typ": draft.typ,
        "typversion": draft.version,
        "version": draft.stamp,
        "state": draft.state.value,
        "enhetsId": draft.skapad_av.enhet.enhets_id,
        "skapad": draft.created_at.isoformat(),
        "sparad": draft.saved_at.isoformat(),
        "sparadAv": draft.saved_by,
        "klarForSignering": _time(draft.ready_at),
        "vidarebefordrad": draft.forwarded,
        "makulerad": _time(draft.revoked_at),
        "relation": (
            {"typ": relation.typ, "intygsId": relation.intygs_id} if relation else None
        ),
        "kalla": draft.source,
    }  # fmt: skip


def finding_view(finding: Finding) -> dict[str, Any]:
    """A fault: the rule, the question and part that it is about, and what would be right."""
    return {
        "regel": finding.rule,
        "svar": finding.svar,
        "delsvar": finding.delsvar,
        "var": finding.xpath,
        "text": finding.message,
        "allvar": finding.severity.value,
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
