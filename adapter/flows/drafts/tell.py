"""The unit's EHR is told of a draft, as of a certificate."""

from intyg.adapter.domain.draft import Draft
from intyg.adapter.drafts.contents import as_told
from intyg.adapter.flows.drafts.about import About
from intyg.adapter.flows.shared.tell_care import tell_care
from intyg.adapter.store import Rows
from intyg.schemas.codes import Handelse


def tell_unit(
    rows: Rows,
    about: About,
    draft: Draft,
    handelsekod: Handelse,
    correlation_id: str,
    *,
    by: str | None = None,
) -> None:
    """
    Record an event of a draft; it is delivered where there is a route to the unit's EHR.

    Args:
        by: HSA-id of who did it; None: nobody, it came by itself.
    """
    told = as_told(draft, about.intyg_type, about.facts)
    tell_care(rows, about.asked, told, handelsekod, correlation_id, hanterat_av=by)
