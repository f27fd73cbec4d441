"""What is said of each kind of message, whole: suites read any part of it."""

import json
from pathlib import Path
from typing import Final

import pytest

from intyg.mocks.national.behavior import ServiceName
from intyg.mocks.national.messages import Received
from tests import builders

KEPT: Final = Path(__file__).with_name("messages.json")
FULL: Final = {
    ServiceName.REGISTER_CERTIFICATE: builders.register_certificate(
        relation=("KOMPLT", "old-1"), svar_pa="question-1"
    ),
    ServiceName.REVOKE_CERTIFICATE: builders.revoke_certificate(),
    ServiceName.SEND_MESSAGE_TO_RECIPIENT: builders.send_message_to_recipient().replace(
        b"<m:meddelande>", b"<m:rubrik> Om arbetet </m:rubrik><m:meddelande>"
    ),
    ServiceName.CERTIFICATE_STATUS_UPDATE_FOR_CARE: b"""<a>
        <intyg><intygs-id><root>unit-1</root><extension>intyg-1</extension></intygs-id></intyg>
        <handelse><handelsekod><code>NYFRFM</code><codeSystem>1.2</codeSystem>
            <displayName>Fraga</displayName></handelsekod><tidpunkt>10:00</tidpunkt></handelse>
        <skickadeFragor><totalt>4</totalt><ejBesvarade>1</ejBesvarade><besvarade>2</besvarade>
            <hanterade>3</hanterade></skickadeFragor>
        <mottagnaFragor><totalt>5</totalt><ejBesvarade/></mottagnaFragor>
        <hanteratAv><root>1.3</root><extension>doctor-1</extension></hanteratAv></a>""",
}


def told(service: ServiceName, data: bytes) -> object:
    return Received(service, "FK", data, "intyg-1", builders.PATIENT).json


@pytest.mark.parametrize("service", FULL)
def test_a_message_is_told_with_all_that_it_says(service: ServiceName) -> None:
    assert told(service, FULL[service]) == json.loads(KEPT.read_text("utf-8"))[service.name]


@pytest.mark.parametrize("service", FULL)
def test_a_message_that_says_nothing_is_told_as_that(service: ServiceName) -> None:
    assert told(service, b"<a/>") == json.loads(KEPT.read_text("utf-8"))[f"empty {service.name}"]
