"""What is looked at before the adapter starts: what it refuses to start with, and what it notes."""

from typing import Final

from intyg.adapter.bootstrap.load_schemas import Schemas, load_schemas
from intyg.adapter.doctor.checks import (
    CHECKS,
    Facts,
    Remark,
    look,
)
from intyg.adapter.domain.clock import Clock
from intyg.adapter.flows.services import Services
from intyg.adapter.guard import Guard, build_test_patients
from intyg.adapter.settings.settings import Settings, SettingsError
from intyg.adapter.signature import TrustStore, signing_key_from_settings

AT_START: Final = tuple(check for check in CHECKS if check.at_start)


def read_facts(settings: Settings, clock: Clock, schemas: Schemas | None = None) -> Facts:
    """
    Read what the settings name: keys, lists, schemas. Opens no database.

    Args:
        schemas: Those that are read already; None: read them.

    Raises:
        SettingsError: Something is missing or cannot be read.
    """
    contracts, types = schemas or load_schemas(settings.contracts_dir, settings.types_dir)
    return Facts(
        settings=settings,
        contracts=contracts,
        types=types,
        guard=Guard(
            build_test_patients(settings.test_patients), settings.environment, settings.guard.told
        ),
        trust=TrustStore.from_settings(settings.trust),
        signing_key=signing_key_from_settings(settings.signing),
        clock=clock,
    )


def refuse_unfit(facts: Facts) -> None:
    """
    Refuse settings that would let the wrong thing happen.

    Raises:
        SettingsError: Names everything that stands in the way.
    """
    reasons = [f"{one.text} ({one.todo})" for one in _remarks(facts) if one.refuses]
    if reasons:
        environment = facts.settings.environment
        raise SettingsError(f"not started, environment {environment}: " + "; ".join(reasons))


def notes(services: Services) -> list[str]:
    """What an operator should know, though it stops nothing; no person data."""
    return [remark.text for remark in _remarks(facts_of(services)) if not remark.refuses]


def facts_of(services: Services) -> Facts:
    """What a running adapter was built from."""
    return Facts(
        settings=services.settings,
        contracts=services.contracts,
        types=services.types,
        guard=services.guard,
        trust=services.trust,
        signing_key=services.signing_key,
        clock=services.clock,
    )


def _remarks(facts: Facts) -> list[Remark]:
    return [remark for _, remarks in look(facts, AT_START) for remark in remarks]
