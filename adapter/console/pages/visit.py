"""A visit: who looks, what they may see, and that it is recorded."""

import secrets
from dataclasses import dataclass
from typing import Final

from flask import g

from intyg.adapter.console.token import Token
from intyg.adapter.console.unit_tree import works_at
from intyg.adapter.domain.draft import Draft
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import ConsoleRole
from intyg.adapter.store import Rows
from intyg.pages.session import OnceLinks, Sessions, Visitor

PREFIX: Final = "/console"

_AUDIT: Final = "/audit"
_CARE_OPENS: Final = (
    "/intyg/", "/arenden", "/search", "/unit", "/logout", "/utkast", "/statistics",
)  # fmt: skip
_DRAFTS: Final = "/utkast"
_DOCTOR: Final = "/doctor"


@dataclass(frozen=True)
class Visit:
    """What every page works with."""

    services: Services
    token: Token
    sessions: Sessions
    links: OnceLinks

    def is_own_form(self, given: str) -> bool:
        """Whether a form that was posted is one of ours, for who posts it."""
        return self.sessions.is_form_token(visitor(), given)

    def record(self, action: str, intygs_id: str) -> None:
        """
        A row of the audit log: somebody looked.

        Raises:
            StoreError: It cannot be written; then nothing may be shown.
        """
        audit, name = self.services.audit, visitor().name
        correlation_id = secrets.token_hex(16)

        def write(rows: Rows) -> None:
            if audit:
                audit.record_console(rows, action, intygs_id, correlation_id, name)

        self.services.store.write(write)


def visitor() -> Visitor:
    """Who the page is made for."""
    found = g.visitor
    assert isinstance(found, Visitor)
    return found


def may_audit(who: Visitor) -> bool:
    """Whether somebody may see who did what."""
    return who.role in (ConsoleRole.AUDITOR, ConsoleRole.OPERATOR)


def may_open(who: Visitor, path: str) -> bool:
    """Whether a page is for a role: care has pages of its own; the rest is for everybody else."""
    own = path.removeprefix(PREFIX)
    if own.startswith(_AUDIT):
        return may_audit(who)
    if own.startswith(_DOCTOR):
        return who.role == ConsoleRole.OPERATOR
    if own.startswith(_DRAFTS):
        return who.role in (ConsoleRole.OPERATOR, ConsoleRole.CARE)
    return who.role != ConsoleRole.CARE or own.startswith(_CARE_OPENS) or own in ("", "/")


def sees_unit(who: Visitor, unit: str) -> bool:
    """Whether what a unit has made is there for somebody at all: care has its own units'."""
    return who.role != ConsoleRole.CARE or works_at(who, unit)


def sees(who: Visitor, stored: StoredIntyg) -> bool:
    """Whether a certificate is there for somebody at all: care has its own unit's."""
    return sees_unit(who, stored.intyg.skapad_av.enhet.enhets_id)


def sees_contents(who: Visitor, stored: StoredIntyg, environment: Environment) -> bool:
    """Whether somebody may read what a certificate and its messages say."""
    unit = stored.intyg.skapad_av.enhet.enhets_id
    return _may_read(who, unit, stored.is_test, environment)


def sees_draft(who: Visitor, draft: Draft) -> bool:
    """Whether a draft is there for somebody at all: care has its own unit's."""
    return sees_unit(who, draft.skapad_av.enhet.enhets_id)


def works_with(who: Visitor, draft: Draft, environment: Environment) -> bool:
    """Whether somebody may read and change what a draft says: as for a certificate's contents."""
    return _may_read(who, draft.skapad_av.enhet.enhets_id, draft.is_test, environment)


def _may_read(who: Visitor, unit: str, is_test: bool | None, environment: Environment) -> bool:
    match who.role:
        case ConsoleRole.CARE:
            return works_at(who, unit)
        case ConsoleRole.OPERATOR:
            return is_test is True or environment is not Environment.PRODUCTION
    return False
