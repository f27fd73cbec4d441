"""Every answer that the national services give to the contracts that write, over real SOAP."""

from collections.abc import Callable, Iterator

import pytest
import requests
from lxml import etree

from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.flows.contracts import HANDLERS
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats import safe_xml
from intyg.adapter.httpd.mount import Mount
from intyg.adapter.httpd.server import Server
from intyg.adapter.soap import build_wsgi
from intyg.adapter.store import Store
from intyg.schemas.ns import CORE, SOAP11
from tests import builders
from tests.adapter.flows.rig import (
    CONTRACTS,
    Rig,
    VirtualClock,
    make_services,
    make_settings,
)
from tests.flows.case_table import (
    CASES,
    REPLACED,
    REVOKED,
    SENT,
    UNSENT,
    Case,
    ask,
    register,
    revoke,
    send,
    write,
)


class Adapter:
    """The doors on a port, and what stands behind them: changed from case to case."""

    def __init__(self, services: Services) -> None:
        self.services = services
        handlers = {key: self._handler(key) for key in HANDLERS}
        app = build_wsgi(CONTRACTS, handlers, services.settings, services.clock)
        self.server = Server(Mount({"/services": app}), threads=2)

    def _handler(self, key: str) -> Callable[[Inbound], Result]:
        return lambda inbound: HANDLERS[key](
            inbound, self.services, UnitOfWork(self.services.store)
        )

    def post(self, body: bytes) -> etree._Element:
        """The answer's body element, which its contract's schema must take."""
        contract = CONTRACTS.by_request(str(etree.fromstring(body).tag))
        assert contract is not None
        response = requests.post(
            f"{self.server.address}/services{contract.path}",
            safe_xml.envelope(body, "INTYGSADAPTER"),
            headers={"Content-Type": "text/xml; charset=UTF-8"},
            timeout=10,
        )
        assert response.status_code == 200
        element = etree.fromstring(response.content).find(f"{{{SOAP11}}}Body/*")
        assert element is not None
        assert CONTRACTS.check(contract, element) == []
        return element


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapter]:
    """Certificates and questions in every state; a case that is taken has an id of its own."""
    folder = tmp_path_factory.mktemp("world")
    clock = VirtualClock()
    store = Store(f"sqlite:///{folder / 'adapter.sqlite'}", clock)
    store.migrate()
    rig = Rig(make_services(make_settings(data_dir=folder), store, clock), clock)
    unsent = [UNSENT, "i-unsent-2", "i-unsent-3", "i-unsent-4", "i-unsent-5", REPLACED]
    sent = [SENT, "i-sent-2", "i-sent-3", "i-sent-4", REVOKED]
    rig.ok(*(register(one) for one in unsent + sent), *(send(one) for one in sent))
    rig.deliver()
    rig.ok(
        register("i-replacement", relation=("ERSATT", REPLACED)),
        ask("fk-open", "KONTKT", intygs_id=SENT),
        write("care-open", "KONTKT", intygs_id=SENT),
        write("care-answered", "KONTKT", intygs_id=SENT),
        ask("fk-answer", "KONTKT", svar_pa="care-answered", intygs_id=SENT),
        ask("fk-answered", "KONTKT", intygs_id=SENT),
        write("care-answer", "KONTKT", svar_pa="fk-answered", intygs_id=SENT),
        ask("fk-handled", "KONTKT", intygs_id=SENT),
        revoke(REVOKED),
    )
    rig.mark("fk-handled", handled=True)
    adapter = Adapter(rig.services)
    adapter.server.start()
    yield adapter
    adapter.server.stop()
    store.close()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.row) for case in CASES])
def test_every_national_case_has_our_answer(world: Adapter, case: Case) -> None:
    services = world.services
    try:
        world.services = case.change(services) if case.change else services
        element = world.post(case.body)
    finally:
        world.services = services
    code = element.findtext(f".//{{{CORE}}}resultCode")
    error_id = element.findtext(f".//{{{CORE}}}errorId")
    text = element.findtext(f".//{{{CORE}}}resultText") or ""
    assert (error_id or code, code == "ERROR") == (case.ours, error_id is not None), text
    assert case.says in text
    assert builders.PATIENT not in text


def test_only_what_has_a_reason_differs() -> None:
    for case in CASES:
        assert (case.national != case.ours) == bool(case.because), case.row
