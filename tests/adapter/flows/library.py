"""A store with certificates of several patients, units and care providers, behind real doors."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from wsgiref.types import WSGIApplication

from lxml import etree

from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import IntygsStatus
from intyg.adapter.flows.contracts import FAULT_CONTRACTS, HANDLERS, READERS
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_reader import read_register_certificate
from intyg.adapter.soap import Answer, build_wsgi
from intyg.schemas.codes import Status
from intyg.schemas.contract.contract import Contract
from intyg.schemas.ns import SOAP11
from tests import builders
from tests.adapter.flows.rig import CONTRACTS, Rig
from tests.adapter.soap import calls

CALLER = "SE0000000000-CARE"
"""HSA-id of the system that calls, if a test does not say otherwise."""

UNIT2 = "SE0000000000-UNIT2"
OTHER_PROVIDER = "SE0000000000-VG2"
REAL = builders.UNLISTED_PATIENT

OLD = builders.INTYGS_ID  # PATIENT, UNIT, replaced by NEW
NEW = "new"  # PATIENT, UNIT2: replaces OLD
ELSEWHERE = "elsewhere"  # PATIENT, at another care provider
DEAD = "dead"  # PATIENT, a DB
REAL_ONE = "real-one"  # REAL, whom no list of test patients has
UNSURE = "unsure"  # OTHER_PATIENT; whether it is a test patient could not be told


def keep(
    rig: Rig,
    intygs_id: str,
    person: str = builders.PATIENT,
    *,
    provider: str = builders.CARE_PROVIDER,
    typ: str = "LISJP",
    signed_at: str = "2026-11-20T09:30:00",
    unit: str = builders.UNIT,
    relation: tuple[str, str] | None = None,
    is_test: bool | None = True,
) -> None:
    """Store a certificate as if it had been registered; its type's rules are not asked."""
    body = builders.register_certificate(
        intygs_id, person, typ=typ, signed_at=signed_at, unit=unit, relation=relation
    ).replace(builders.CARE_PROVIDER.encode(), provider.encode())
    inbound = rig.inbound(body)
    intyg = read_register_certificate(inbound.element)
    with rig.services.store.begin() as rows:
        rows.intyg.add(intyg, inbound, body=body, is_test=is_test, signature="ABSENT")
        rows.intyg.add_status(
            intyg.intygs_id, IntygsStatus(Status.RECEIV, "HSVARD", inbound.received_at)
        )


def fill(rig: Rig) -> None:
    """Put the certificates above into a store."""
    keep(rig, NEW, signed_at="2026-11-22T08:00:00", unit=UNIT2, relation=("ERSATT", OLD))
    keep(rig, OLD)
    keep(
        rig,
        ELSEWHERE,
        provider=OTHER_PROVIDER,
        unit="SE0000000000-UNIT3",
        signed_at="2026-11-19T23:59:59",
    )
    keep(rig, DEAD, typ="DB")
    keep(rig, REAL_ONE, REAL, is_test=False)
    keep(rig, UNSURE, builders.OTHER_PATIENT, is_test=None)
    rig.accept("FKASSA", OLD)
    rig.accept("AF", OLD)
    rig.accept("FKASSA", REAL_ONE)


def elements(element: etree._Element, xpath: str) -> list[Any]:
    """What an XPath that gives nodes finds."""
    found = element.xpath(xpath)
    assert isinstance(found, list)
    return found


@dataclass(frozen=True)
class Said:
    """
    An answer, valid by its contract.

    Attributes:
        outcome: `OK`, `ERROR VALIDATION_ERROR`, `ERROR`, `fault Client`, or `content` for an
            answer without a result.
        text: resultText or faultstring.
        element: The response element, or the fault.
        raw: The whole message.
    """

    outcome: str
    text: str
    element: etree._Element
    raw: bytes

    def found(self, path: str) -> list[str]:
        """Text of elements, by path of local names: `intyg/status`."""
        steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
        return [str(text) for text in elements(self.element, f".//{steps}/text()")]

    @property
    def ids(self) -> list[str]:
        """intygs-id of every certificate in it, in order."""
        return self.found("intyg/intygs-id/extension")


def door(rig: Rig, contract: Contract, sender: str) -> WSGIApplication:
    """The door of one contract, without server and workers."""
    flow: Callable[[Inbound, Services, UnitOfWork], Answer] = {**HANDLERS, **READERS}[contract.key]
    return build_wsgi(
        CONTRACTS,
        {
            contract.key: lambda inbound: flow(
                replace(inbound, sender=sender), rig.services, rig.unit()
            )
        },
        rig.services.settings,
        rig.clock,
        FAULT_CONTRACTS,
    )


def ask(rig: Rig, body: bytes, sender: str = CALLER) -> Said:
    """Send a request in an envelope through its contract's door, as a calling system."""
    contract = CONTRACTS.by_request(str(etree.fromstring(body).tag))
    assert contract is not None
    message = calls.envelope(body.decode()).encode()
    reply = calls.call(door(rig, contract, sender), "POST", contract.path, message)
    element = reply.child
    if element.tag == f"{{{SOAP11}}}Fault":
        assert reply.status == 500
        code, text = reply.fault
        return Said(f"fault {code}", text, element, reply.body)
    assert reply.status == 200
    assert CONTRACTS.check(contract, element) == []
    said = {
        etree.QName(part).localname: part.text or ""
        for part in elements(element, "*[local-name()='result']/*")
    }
    outcome = " ".join(said[name] for name in ("resultCode", "errorId") if name in said)
    return Said(outcome or "content", said.get("resultText", ""), element, reply.body)
