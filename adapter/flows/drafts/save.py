"""The content of a draft, and what is said of it: saved, ready, forwarded, opened from an EHR."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from intyg.adapter.domain.clock import SWEDEN, swedish_day
from intyg.adapter.domain.draft import Draft
from intyg.adapter.domain.draft_texts import (
    ANOTHER_UNIT,
    CONFLICT,
    NOT_OF_THE_FORM,
    RESERVE_NOTICE,
)
from intyg.adapter.domain.errors import DraftConflictError, RuleError
from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.domain.intyg import Enhet
from intyg.adapter.domain.person import PersonId
from intyg.adapter.drafts.answers import check_answers
from intyg.adapter.flows.drafts.about import (
    About,
    Actor,
    about_draft,
    locked_draft,
    read_draft,
    require_editable,
    require_writer,
)
from intyg.adapter.flows.drafts.tell import tell_unit
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_json import Json, JsonFormError
from intyg.adapter.rules.person_id import check_person, root_of
from intyg.adapter.store import Rows
from intyg.schemas.codes import Handelse
from intyg.schemas.finding import Finding

AUTHOR: Final = "skapadAv"


@dataclass(frozen=True)
class Saved:
    """A draft after it was saved, or as it would be; and what keeps it from being signed."""

    draft: Draft
    findings: Sequence[Finding]


def save(
    intygs_id: str,
    stamp: int | None,
    content: Json,
    by: Actor,
    services: Services,
    unit: UnitOfWork,
) -> Saved:
    """
    Save new content; whoever saves becomes the author.

    Args:
        stamp: That the content was made from; None: whatever it is now.
        content: `svar`, and `skapadAv` where it changes.

    Raises:
        RuleError: No certificate of the type could hold it; lists every place.
        DraftConflictError: Somebody else saved first.
        DraftStateError, DraftRefusedError, UnknownDraftError: As they say.
    """
    draft = read_draft(services, intygs_id)
    it = about_draft(services, draft)
    require_writer(services, by, draft, it)
    wanted = changed(draft, content, by, it)
    findings = it.findings(wanted)

    def put(rows: Rows) -> Saved:
        now = locked_draft(rows, intygs_id)
        require_editable(now, "saved")
        require_stamp(now, draft.stamp if stamp is None else stamp)
        new = replace(
            wanted,
            state=it.state_of(wanted),
            stamp=now.stamp + 1,
            saved_at=rows.now,
            saved_by=by.personal_id,
            saved_by_name=by.name,
            changed_at=now.changed_at or rows.now,
            ready_at=now.ready_at,
            forwarded=now.forwarded,
            to_sign=None,
        )
        rows.drafts.put(new, now.state)
        return Saved(new, findings)

    return unit.write(put)


def validate(intygs_id: str, content: Json | None, services: Services) -> Saved:
    """
    What keeps a draft from being signed, as it stands or with other content; nothing is saved.

    Raises:
        RuleError, UnknownDraftError: As for `save`.
    """
    draft = read_draft(services, intygs_id)
    it = about_draft(services, draft)
    if content is not None:
        by = Actor(draft.saved_by, draft.saved_by_name)
        draft = changed(draft, content, by, it)
    return Saved(replace(draft, state=it.state_of(draft)), it.findings(draft))


def changed(draft: Draft, content: Json, by: Actor, it: About) -> Draft:
    """
    The draft with other content.

    Raises:
        RuleError: No certificate of the type could hold it.
    """
    answers: Any = content.get("svar", draft.content["svar"])
    findings = check_answers(answers, it.intyg_type)
    author: Any = content.get(AUTHOR, draft.content[AUTHOR])
    findings += _check_author(author, draft, by)
    if findings:
        raise RuleError(NOT_OF_THE_FORM, findings)
    author = _author(author, draft.content[AUTHOR], by)
    wanted = replace(draft, content={AUTHOR: author, "svar": it.filler.filled(answers)})
    try:
        it.findings(wanted)
    except (JsonFormError, ValueError) as exc:  # e.g. a control character in an address
        path = exc.path if isinstance(exc, JsonFormError) else AUTHOR
        text = exc.text if isinstance(exc, JsonFormError) else "holds what XML cannot carry"
        raise RuleError(NOT_OF_THE_FORM, [Finding("ANSWER_FORM", text, path)]) from None
    enhet = _care_provider(wanted)
    return replace(wanted, skapad_av=replace(draft.skapad_av, enhet=enhet))


def _care_provider(draft: Draft) -> Enhet:
    """The unit with the care provider that its content names by now."""
    enhet = draft.skapad_av.enhet
    named = draft.content[AUTHOR]["enhet"]["vardgivare"]["vardgivare-id"].get("extension", "")
    return replace(enhet, vardgivare_id=named or enhet.vardgivare_id)


def _check_author(author: object, draft: Draft, by: Actor) -> list[Finding]:
    unit = draft.skapad_av.enhet.enhets_id
    try:
        named = author["enhet"]["enhets-id"]["extension"]  # type: ignore[index]
        same = same_hsa_id(str(named), unit)
        author["enhet"]["vardgivare"]["vardgivare-id"].get("extension")  # type: ignore[index]
        author["enhet"]["arbetsplatskod"].get("extension")  # type: ignore[index]
        who = str(author["personal-id"]["extension"])  # type: ignore[index]
    except (TypeError, KeyError, AttributeError):
        return [Finding("AUTHOR", ANOTHER_UNIT.format(unit=unit), f"{AUTHOR}.enhet.enhets-id")]
    if same and not same_hsa_id(who, by.personal_id) and not by.name:
        text = "give the name of who becomes the author"
        return [Finding("AUTHOR", text, f"{AUTHOR}.fullstandigtNamn")]
    if same:
        return []
    return [Finding("AUTHOR", ANOTHER_UNIT.format(unit=unit), f"{AUTHOR}.enhet.enhets-id")]


def _author(author: Json, before: Json, by: Actor) -> Json:
    """`skapadAv` with whoever saves as author; somebody else's professions do not stay."""
    given = author.get("personal-id", {}).get("extension")
    if author is before and not same_hsa_id(given, by.personal_id):
        others = ("befattning", "legitimeratYrke", "specialistkompetens", "forskrivarkod")
        author = {name: value for name, value in author.items() if name not in others}
    named = {"personal-id": author["personal-id"] | {"extension": by.personal_id}}
    if by.name:
        named["fullstandigtNamn"] = by.name
    return author | named


def require_stamp(draft: Draft, stamp: int) -> None:
    """
    Let only those change a draft who have seen it as it is.

    Raises:
        DraftConflictError: It was saved since; says by whom and when.
    """
    if draft.stamp != stamp:
        at = draft.saved_at.astimezone(SWEDEN).isoformat(timespec="seconds")
        raise DraftConflictError(CONFLICT, draft.saved_by_name or draft.saved_by, at, draft.stamp)


# --- what is said of it ---------------------------------------------------------------------------


def ready(
    intygs_id: str, by: Actor, services: Services, unit: UnitOfWork, correlation_id: str
) -> bool:
    """
    Say that a draft is ready for signing; it may be incomplete.

    Returns:
        Whether it was said now: the second time nothing happens, and nobody is told.
    """
    draft = read_draft(services, intygs_id)
    it = about_draft(services, draft)
    require_writer(services, by, draft, it)

    def put(rows: Rows) -> bool:
        now = locked_draft(rows, intygs_id)
        require_editable(now, "made ready")
        if now.ready_at is not None:
            return False
        new = replace(now, ready_at=rows.now)
        rows.drafts.put(new, now.state)
        tell_unit(rows, it, new, Handelse.KFSIGN, correlation_id, by=by.personal_id)
        return True

    return unit.write(put)


def forward(intygs_id: str, by: Actor, services: Services, unit: UnitOfWork, *, on: bool) -> Draft:
    """Note that somebody was asked by mail to go on with a draft, or that nobody was."""
    draft = read_draft(services, intygs_id)
    require_writer(services, by, draft, about_draft(services, draft))

    def put(rows: Rows) -> Draft:
        now = locked_draft(rows, intygs_id)
        require_editable(now, "forwarded")
        new = replace(now, forwarded=on)
        rows.drafts.put(new, now.state)
        return new

    return unit.write(put)


def open_from_ehr(
    intygs_id: str,
    by: Actor,
    services: Services,
    unit: UnitOfWork,
    *,
    number: str | None = None,
    ref: str | None = None,
) -> tuple[Draft, list[str]]:
    """
    What happens when an EHR opens a draft: another patient number, its own reference.

    A different personnummer or samordningsnummer takes the place of the draft's, which counts as a
    change; a reserve number changes nothing. The first reference stays.

    Returns:
        The draft, and notices for whoever opens it.
    """
    draft = read_draft(services, intygs_id)
    it = about_draft(services, draft)
    require_writer(services, by, draft, it)
    wanted = (number or "").replace("-", "").replace("+", "").strip()
    patient, notices = _new_number(draft, wanted, services)

    def put(rows: Rows) -> Draft:
        now = locked_draft(rows, intygs_id)
        if ref and rows.intyg.ref(intygs_id) is None:
            rows.intyg.set_ref(intygs_id, ref)
        if patient is None or not now.is_editable:
            return now
        new = replace(
            now,
            patient=patient,
            stamp=now.stamp + 1,
            saved_at=rows.now,
            saved_by=by.personal_id,
            saved_by_name=by.name,
            changed_at=now.changed_at or rows.now,
            to_sign=None,
        )
        rows.drafts.put(new, now.state)
        return new

    return unit.write(put), notices


def _new_number(
    draft: Draft, wanted: str, services: Services
) -> tuple[PersonId | None, list[str]]:  # fmt: skip
    if not wanted or wanted == draft.patient.extension:
        return None, []
    twelve = wanted if len(wanted) == 12 and wanted.isascii() and wanted.isdigit() else "0" * 12
    person = PersonId(root_of(twelve), twelve)
    if check_person(person, "patient", swedish_day(services.clock())):
        return None, [RESERVE_NOTICE]
    return person, ["The patient's number has changed."] if draft.is_editable else []
