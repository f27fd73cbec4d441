"""How little stands between a request and its flow: functions on the stack, and readings of it."""

import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final
from xml.parsers import expat

import pytest
import requests
from lxml import etree

from intyg.adapter import signature
from intyg.adapter.bootstrap import app
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.flows.contracts import HANDLERS, Flow
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats import safe_xml
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, make_test_keys
from intyg.mocks.journalsystem.sample import fk7804
from tests import builders

REGISTER: Final = "RegisterCertificate:3"
PATH: Final = "/services/clinicalprocess/healthcond/certificate/RegisterCertificate/3/rivtabp21"
ADAPTER: Final = Path(app.__file__).resolve().parents[1]

READERS: Final = [
    *((etree, name) for name in ("fromstring", "XML", "HTML", "fromstringlist", "parse")),
    *((etree, name) for name in ("iterparse", "XMLPullParser")),
    (expat, "ParserCreate"),
]
"""Each way into a parser that is called by its name. `feed` is a method of a type of C's, and
nothing of ours calls it."""


def own_frames(frame: FrameType | None) -> list[tuple[str, str]]:
    """Folder and name of the adapter's functions on the stack, the outermost first."""
    found: list[tuple[str, str]] = []
    while frame is not None:
        file = Path(frame.f_code.co_filename).resolve()
        if file.is_relative_to(ADAPTER):
            found.insert(0, (file.relative_to(ADAPTER).parts[0], frame.f_code.co_qualname))
        frame = frame.f_back
    return found


@dataclass
class Watched:
    """RegisterCertificate's flow, and who stood on the stack when it was entered."""

    frames: list[tuple[str, str]] = field(default_factory=list)
    inbound: list[Inbound] = field(default_factory=list)

    def handle(self, inbound: Inbound, services: Services, unit: UnitOfWork) -> Result:
        flow: Flow = HANDLERS[REGISTER]
        self.frames = [*own_frames(sys._getframe(1)), ("flows", "handle")]
        self.inbound.append(inbound)
        return flow(inbound, services, unit)


@dataclass(frozen=True)
class Running:
    url: str
    watched: Watched
    services: Services
    key: signature.SigningKey

    def post(self, message: bytes) -> str:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Content-Type": "text/xml"}
            return session.post(self.url + PATH, message, headers=headers, timeout=30).text

    def signed(self) -> tuple[str, bytes]:
        """An intygs-id, and the signed request of a certificate that has it."""
        intygs_id = str(uuid.uuid4())
        unsigned = fk7804(intygs_id, builders.PATIENT, SIGNER_HSA_ID, system_clock())
        return intygs_id, signature.sign_document(unsigned, self.key)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("read_once")
    keys = make_test_keys(folder / "keys", system_clock())
    (folder / "list.csv").write_text(f"{builders.PATIENT}\n")
    settings = load_settings(
        None,
        environment="demo",
        data_dir=folder,
        trust={"anchors": [keys.ca]},
        test_patients={"list_files": [folder / "list.csv"]},
        server={"port": 0},
    )
    key = signature.load_signing_key(keys.signer.key, keys.signer.cert)
    watched = Watched()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "HANDLERS", {**HANDLERS, REGISTER: watched.handle})
        with app.build_app(settings) as built:
            yield Running(built.url, watched, built.services, key)


def register(running: Running) -> None:
    answer = running.post(safe_xml.envelope(running.signed()[1], "INTYGSADAPTER"))
    assert "<core:resultCode>OK<" in answer


def test_four_functions_lead_from_the_server_to_the_flow_and_it_is_one_of_them(
    running: Running,
) -> None:
    register(running)
    names = [name for _, name in running.watched.frames]
    from_the_door = running.watched.frames[names.index("_Doors.__call__") :]
    assert len(from_the_door) <= 4, from_the_door
    outside = [frame for frame in running.watched.frames[:-1] if frame[0] != "httpd"]
    assert len(outside) <= 4, outside


def test_six_functions_lead_from_the_socket_to_the_flow(running: Running) -> None:
    register(running)
    assert len(running.watched.frames[:-1]) <= 6, running.watched.frames


def test_a_signed_certificate_is_parsed_once_on_its_way_to_its_row(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(running)  # the schemas are read with the first one
    intygs_id, body = running.signed()
    message = safe_xml.envelope(body, "INTYGSADAPTER")
    parsed: list[bytes] = []

    def watch(module: Any, name: str) -> None:
        parse = getattr(module, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            parsed.append(args[0] if args and isinstance(args[0], bytes) else repr(args).encode())
            return parse(*args, **kwargs)

        monkeypatch.setattr(module, name, watched)

    for module, name in READERS:
        watch(module, name)
    answer = running.post(message)
    monkeypatch.undo()
    assert "<core:resultCode>OK<" in answer
    with running.services.store.read() as rows:
        stored = rows.intyg.get(intygs_id)
        (handelse,) = rows.events.of_intyg(intygs_id)
    assert stored is not None
    assert stored.signature == "VALID"
    assert handelse.handelsekod == "SIGNAT"
    assert parsed[0] == message
    # What was signed is read from what was verified, never from the message: signxml's own rule.
    (signed_info,) = parsed[1:]
    assert signed_info.startswith(b"<ds:SignedInfo ")
    assert len(signed_info) < 2000


def test_one_value_carries_the_element_and_its_bytes(running: Running) -> None:
    intygs_id, body = running.signed()
    running.post(safe_xml.envelope(body, "INTYGSADAPTER"))
    inbound = running.watched.inbound[-1]
    assert inbound.intyg is not None
    assert inbound.intyg.content in body
    assert inbound.intyg.content in inbound.body
    assert intygs_id.encode() in inbound.intyg.before
    assert inbound.intyg.after.endswith(b"</e32:underskrift>")
    assert inbound.element.tag == etree.fromstring(inbound.body).tag
