"""A new draft from a signed certificate, or from a locked draft: renewed, replaced, complemented.

What may be made of what is one list of reasons for each way. Where the two national engines differ,
the stricter one counts; `docs/drafts.md` shows the table.

Source: preconditions of the national editor and of its newer engine.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from intyg.adapter.domain.draft import Draft, DraftState
from intyg.adapter.domain.draft_texts import (
    ALREADY_REVOKED,
    COMPLEMENT_UNDER_WAY,
    COMPLEMENTED,
    COPY_EXISTS,
    COPYING_NOT_OK,
    NO_REQUEST,
    NO_TEMPLATE,
    NOT_LOCKED,
    NOT_RENEWED,
    OPEN_REQUEST,
    REPLACED,
    REPLACED_OR_UNDER_WAY,
    REVOKED,
    UNKNOWN_DRAFT,
)
from intyg.adapter.domain.errors import DraftStateError, RuleError, UnknownDraftError
from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.domain.intyg import HosPersonal, MeddelandeReferens, Relation, StoredIntyg
from intyg.adapter.domain.meddelande import FragaState, StoredMeddelande
from intyg.adapter.domain.person import PersonId
from intyg.adapter.domain.texts import NO_INTYG
from intyg.adapter.drafts.carried import carried, with_comment
from intyg.adapter.flows.drafts.about import (
    facts_of,
    require_assignment,
    staff_member,
)
from intyg.adapter.flows.drafts.create import Created, NewDraft, create, refuse_person, type_of
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.known_intyg import related_intyg
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_json import Json, JsonFormError, intyg_to_json
from intyg.adapter.formats.safe_xml import parse
from intyg.adapter.rules.draft_rules import RELATION_OF, TEMPLATES, Way
from intyg.adapter.store import Rows
from intyg.schemas import ns
from intyg.schemas.codes import Amne, TypAvRelation
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType

_INTYG: Final = f"{{{ns.message('RegisterCertificate', 3)}}}intyg"


@dataclass(frozen=True)
class Wish:
    """
    Who wants a new draft from an older certificate, and how.

    Attributes:
        skapad_av: Who, and the unit that the new one will belong to.
        ref: The EHR's own reference for the new one.
        copying_ok: What the EHR says of copying.
        number: Another patient number for the new one; None: the older one's.
        comment: Of whoever complements, put into övriga upplysningar.
    """

    skapad_av: HosPersonal
    ref: str | None = None
    copying_ok: bool = True
    number: PersonId | None = None
    comment: str = field(default="", repr=False)


@dataclass(frozen=True)
class _Older:
    """What the new one is made from, and what follows it already."""

    intyg_type: IntygType
    patient: PersonId
    answers: Json = field(repr=False)
    enhet: Json = field(repr=False)  # of its `skapadAv`
    stored: StoredIntyg | None  # None: a locked draft
    newer: tuple[StoredIntyg, ...]
    drafts: Mapping[str, tuple[Draft, ...]]  # by relation
    meddelanden: tuple[StoredMeddelande, ...]

    def is_signed(self, relation: TypAvRelation) -> bool:
        """A signed one, not revoked, has this relation to it."""
        return any(
            one.intyg.relation and one.intyg.relation.typ == relation and not one.revoked_at
            for one in self.newer
        )

    def is_begun(self, relation: TypAvRelation) -> bool:
        """The same, or a draft."""
        return self.is_signed(relation) or bool(self.drafts[relation])

    @property
    def open_requests(self) -> list[StoredMeddelande]:
        """Completion requests that nobody has answered, oldest first."""
        return [
            m
            for m in self.meddelanden
            if m.meddelande.amne == Amne.KOMPLT and m.state is FragaState.OPEN_CARE
        ]


def make_from(
    source: str,
    way: Way,
    wish: Wish,
    services: Services,
    unit: UnitOfWork,
    correlation_id: str,
) -> Created:
    """
    Make a draft from a certificate, or, with `Way.COPY`, from a locked draft.

    Raises:
        UnknownDraftError: There is no such certificate or draft.
        DraftStateError: It is in a state in which this is not done.
        DraftRefusedError: Person, role or type stand against it.
    """
    with services.store.read() as rows:
        older = _read(rows, services, source, way)
    _refuse(older, way, wish)
    target = _target(older, way, services)
    patient = wish.number or older.patient
    unit_id = wish.skapad_av.enhet.enhets_id
    member = staff_member(services, wish.skapad_av.personal_id, unit_id)
    require_assignment(services, member, wish.skapad_av.personal_id, unit_id)
    facts = facts_of(services, patient)
    refuse_person(target, way, facts, member)
    relation = RELATION_OF[way]
    answers = carried(older.answers, way, target)
    new = NewDraft(
        intyg_type=target,
        patient=patient,
        skapad_av=wish.skapad_av,
        answers=with_comment(answers, wish.comment, target),
        ref=wish.ref,
        relation=Relation(relation, source) if relation else None,
        svar_pa=_svar_pa(older) if way is Way.COMPLEMENT else None,
        source=source,
        enhet=_same_unit(older, wish),
        replaces=source if way is Way.REPLACE else None,
    )

    def still(rows: Rows) -> None:
        """Two at once: the second one sees the first one's draft, under the older one's lock."""
        _refuse(_locked(rows, services, source, way), way, wish)

    return create(new, facts, member, services, unit, correlation_id, still)


# --- what it is made from -------------------------------------------------------------------------


def _read(rows: Rows, services: Services, source: str, way: Way) -> _Older:
    return _draft(rows, services, source) if way is Way.COPY else _intyg(rows, services, source)


def _locked(rows: Rows, services: Services, source: str, way: Way) -> _Older:
    """The same, with its lock held until the transaction ends."""
    lock = rows.drafts.lock if way is Way.COPY else rows.intyg.lock_row
    lock(source)
    return _read(rows, services, source, way)


def _intyg(rows: Rows, services: Services, source: str) -> _Older:
    stored = rows.intyg.get(source)
    if stored is None:
        raise UnknownDraftError(NO_INTYG)
    intyg_type = services.types.find(stored.intyg.typ, stored.intyg.version)
    whole = _as_json(stored, intyg_type)
    return _Older(
        intyg_type=intyg_type,
        patient=stored.intyg.patient,
        answers=whole["svar"],
        enhet=whole["skapadAv"]["enhet"],
        stored=stored,
        newer=related_intyg(rows, stored),
        drafts={one: rows.drafts.related(source, one) for one in TypAvRelation},
        meddelanden=tuple(rows.meddelanden.of_intyg(source)),
    )


def _as_json(stored: StoredIntyg, intyg_type: IntygType) -> Json:
    element = parse(stored.body).getroot().find(_INTYG)
    assert element is not None  # it was valid when it came
    try:
        return intyg_to_json(element, intyg_type)
    except JsonFormError as exc:
        finding = Finding("NO_JSON", exc.text, exc.path)
        raise RuleError("The certificate holds what no draft can take over:", [finding]) from None


def _draft(rows: Rows, services: Services, source: str) -> _Older:
    draft = rows.drafts.get(source)
    if draft is None or draft.state is DraftState.DELETED:
        raise UnknownDraftError(UNKNOWN_DRAFT)
    if draft.state is not DraftState.LOCKED:
        raise DraftStateError(NOT_LOCKED.format(done="copied"))
    if draft.revoked_at is not None:
        raise DraftStateError(ALREADY_REVOKED)
    return _Older(
        intyg_type=services.types.find(draft.typ, draft.version),
        patient=draft.patient,
        answers=dict(draft.content["svar"]),
        enhet=draft.content["skapadAv"]["enhet"],
        stored=None,
        newer=(),
        drafts={one: rows.drafts.related(source, one) for one in TypAvRelation},
        meddelanden=(),
    )


def _same_unit(older: _Older, wish: Wish) -> Json | None:
    """What the older one says of its unit, for a new one of the same; None for another's."""
    named = older.enhet["enhets-id"].get("extension", "")
    return older.enhet if same_hsa_id(named, wish.skapad_av.enhet.enhets_id) else None


def _svar_pa(older: _Older) -> MeddelandeReferens:
    newest = older.open_requests[-1].meddelande
    return MeddelandeReferens(newest.meddelande_id, newest.referens_id)


def _target(older: _Older, way: Way, services: Services) -> IntygType:
    """The new one's type: the older one's, in the same version; another's for a template."""
    if way is Way.TEMPLATE:
        return type_of(services.types, TEMPLATES[older.intyg_type.xml_code])
    return type_of(services.types, older.intyg_type.code, older.intyg_type.version)


# --- what stands against it -----------------------------------------------------------------------


def _refuse(older: _Older, way: Way, wish: Wish) -> None:
    """
    Raises:
        DraftStateError: The first reason there is.
    """
    reason = next(_REASONS[way](older, wish), None)
    if reason is not None:
        raise DraftStateError(reason)


def _is_revoked(older: _Older) -> bool:
    return older.stored is not None and older.stored.revoked_at is not None


def _why_not_renewed(older: _Older, wish: Wish) -> Iterator[str]:
    if _is_revoked(older):
        yield REVOKED
    if not older.intyg_type.usage.renew:
        yield NOT_RENEWED.format(typ=older.intyg_type.code)
    if not wish.copying_ok:
        yield COPYING_NOT_OK
    yield from _followed(older)


def _why_not_replaced(older: _Older, wish: Wish) -> Iterator[str]:  # noqa: ARG001
    if _is_revoked(older):
        yield REVOKED
    if older.is_begun(TypAvRelation.ERSATT):
        yield REPLACED_OR_UNDER_WAY
    if older.is_signed(TypAvRelation.KOMPLT):
        yield COMPLEMENTED
    if older.open_requests:
        yield OPEN_REQUEST


def _why_not_complemented(older: _Older, wish: Wish) -> Iterator[str]:  # noqa: ARG001
    if _is_revoked(older):
        yield REVOKED
    if older.is_begun(TypAvRelation.KOMPLT):
        yield COMPLEMENT_UNDER_WAY
    if not older.open_requests:
        yield NO_REQUEST


def _why_not_copied(older: _Older, wish: Wish) -> Iterator[str]:
    if not wish.copying_ok:
        yield COPYING_NOT_OK
    if older.drafts[TypAvRelation.KOPIA]:
        yield COPY_EXISTS


def _why_no_template(older: _Older, wish: Wish) -> Iterator[str]:
    if _is_revoked(older):
        yield REVOKED
    if older.intyg_type.xml_code not in TEMPLATES:
        yield NO_TEMPLATE.format(typ=older.intyg_type.code)
    if not wish.copying_ok:
        yield COPYING_NOT_OK
    yield from _followed(older)


def _followed(older: _Older) -> Iterator[str]:
    if older.is_signed(TypAvRelation.ERSATT):
        yield REPLACED
    if older.is_signed(TypAvRelation.KOMPLT):
        yield COMPLEMENTED


_REASONS: Final[Mapping[Way, Callable[[_Older, Wish], Iterator[str]]]] = {
    Way.RENEW: _why_not_renewed,
    Way.REPLACE: _why_not_replaced,
    Way.COMPLEMENT: _why_not_complemented,
    Way.COPY: _why_not_copied,
    Way.TEMPLATE: _why_no_template,
}
"""By way: why not, the first that holds counts."""
