"""
The mocks in sentences, for tests: `forsakringskassan.expect("RegisterCertificate").answers("OK")`.

    link         how a mock is spoken to: inside this process, or over HTTP; nothing else differs
    sentences    names of effects, as the sentences have them
    expectation  what should come, what it is answered, and why it did not
    handles      a mock, an authority, Försäkringskassan, the EHR
    doctor       what a doctor does with drafts
    citizen      what a citizen does with certificates
    ehr          what the EHR does itself: issue, register, send, ask
    clock        the clock of mocks and adapter
    servers      mocks on pytest-httpserver, made anew for each test
    stage        what one test has: its mocks, wired to each other

The pytest plugin (`sandbox/pytest_plugin.py`) makes fixtures of them.
"""

from intyg.mocks.journalsystem.drafts import DraftError
from intyg.mocks.testing.citizen import Citizen
from intyg.mocks.testing.clock import TestClock
from intyg.mocks.testing.doctor import Signed, Utkast
from intyg.mocks.testing.ehr import Intyg
from intyg.mocks.testing.expectation import Expectation, ExpectationError
from intyg.mocks.testing.handles import (
    Authority,
    Forsakringskassan,
    Journalsystem,
    Mock,
)
from intyg.mocks.testing.link import ControlError
from intyg.mocks.testing.sentences import NotAcceptedError

__all__ = [
    "Authority",
    "Citizen",
    "ControlError",
    "DraftError",
    "Expectation",
    "ExpectationError",
    "Forsakringskassan",
    "Intyg",
    "Journalsystem",
    "Mock",
    "NotAcceptedError",
    "Signed",
    "TestClock",
    "Utkast",
]
