"""What `intyg doctor` looks at, for the console, which is below and cannot ask it itself."""

from collections.abc import Iterator
from functools import partial

from intyg.adapter.bootstrap.startup import facts_of
from intyg.adapter.console.pages import Doctor, Looked
from intyg.adapter.doctor.checks import CHECKS
from intyg.adapter.doctor.connectivity import examine, target_of_name
from intyg.adapter.domain.destination import DestinationRole
from intyg.adapter.flows.services import Services


def doctor_of(services: Services) -> Doctor:
    """The doctor of one adapter; it sends nothing of a patient, and changes nothing."""
    destinations = services.settings.destinations.items()
    asked = [name for name, each in destinations if each.role is not DestinationRole.HOOK]
    return Doctor(partial(_checks, services), partial(_way, services), tuple(sorted(asked)))


def _checks(services: Services) -> Iterator[Looked]:
    facts = facts_of(services)
    for check in CHECKS:
        remarks = list(check.look(facts))
        if not remarks:
            yield Looked(check.name, "ok")
        for remark in remarks:
            verdict = "fails" if remark.refuses else "note"
            yield Looked(check.name, verdict, remark.text, remark.todo)


def _way(services: Services, name: str) -> Iterator[Looked]:
    target = target_of_name(name, services.settings, None)
    for step in examine(target, services.contracts, services.clock):
        yield Looked(step.name, step.found.value, step.text, step.todo)
