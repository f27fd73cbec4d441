"""May this caller call this contract at this logical address? Asked at the door.

First whether there is a route, then whether the caller is permitted, as on the national platform.
In `demo` any logical address is taken, and as long as no permission is written, any caller.
"""

from dataclasses import dataclass
from typing import Final

from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.log import shown
from intyg.adapter.domain.platform_fault import PlatformFaultError, VpCode
from intyg.adapter.routing.caller import Caller, Callers, Environ
from intyg.adapter.routing.table import RouteLookup, Routes
from intyg.adapter.settings.routing import PermissionSettings
from intyg.adapter.settings.settings import Settings
from intyg.schemas.contract.contract import Contract

NO_DATA: Final = "Neither routes nor permissions are written."
OTHER_CASE: Final = "A permission differs from it only in upper and lower case, which count here."


@dataclass(frozen=True)
class AccessDecision:
    """
    Whether a call is taken in, and by which rows.

    Attributes:
        refusal: Why not; None when it is.
        detail: In words, for `detailString` and for whoever asks why.
        lookup: What the routes say of contract and logical address.
        permission: The row that permits it; None without one, and in `demo` where none is needed.
    """

    refusal: VpCode | None
    detail: str
    lookup: RouteLookup
    permission: PermissionSettings | None = None


class Access:
    """Decides at the door, by the routes and permissions that count at the moment."""

    def __init__(self, settings: Settings, routes: Routes) -> None:
        self._routes = routes
        self._callers = Callers(settings)
        self._lenient = settings.environment is Environment.DEMO

    def identify(self, environ: Environ) -> Caller:
        """
        Find out who calls, before anything of the message is read.

        Raises:
            PlatformFaultError: As `Callers.identify`.
        """
        return self._callers.identify(environ)

    def admit(self, caller: Caller, contract: Contract, logical_address: str) -> None:
        """
        Let a call in, or turn it away.

        Raises:
            PlatformFaultError: See `decide`.
        """
        decision = self.decide(caller.sender, contract, logical_address)
        if decision.refusal is not None:
            raise PlatformFaultError(decision.refusal, decision.detail)

    def decide(
        self, sender: str | None, contract: Contract, logical_address: str
    ) -> AccessDecision:
        """
        Decide about one call.

        Args:
            sender: The caller's HSA-id; None where callers are not asked who they are.
            contract: What is called.
            logical_address: The header's text, as it stands.
        """
        table, today = self._routes.table, self._routes.today()
        lookup = table.find(contract.name, logical_address, today)
        where = f"{contract.namespace} at {shown(logical_address)}"
        if not self._lenient:
            if table.is_empty():
                return AccessDecision(VpCode.VP008, NO_DATA, lookup)
            if lookup.refusal is not None:
                detail = f"{where}: {lookup.detail}"
                return AccessDecision(lookup.refusal, detail, lookup)
        if self._lenient and not table.routing.permissions:
            return AccessDecision(None, "demo, where anybody may call", lookup)
        permission = table.permission(sender, contract.name, logical_address, today)
        if permission is None:
            detail = f"{where}: no permission for {sender or 'an unknown caller'}."
            if sender and table.is_permitted_in_other_case(sender, contract.name, logical_address):
                detail += f" {OTHER_CASE}"
            return AccessDecision(VpCode.VP007, detail, lookup)
        return AccessDecision(None, f"permitted: {permission}", lookup, permission)
