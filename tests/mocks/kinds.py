"""The mocks that most tests are about."""

from typing import TypeAlias

from intyg.mocks.forsakringskassan import Forsakringskassan
from intyg.mocks.journalsystem import Journalsystem
from intyg.mocks.server.service import MockService

Kassan: TypeAlias = MockService[Forsakringskassan]
Ehr: TypeAlias = MockService[Journalsystem]
