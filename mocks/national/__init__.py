"""
The national mock service's interface, for test suites that were written for it.

    behavior   its behaviour rules, as rules of ours
    messages   what it has received, in its JSON
    mock       a mock that takes what it takes, from and to anybody, without looking closely
    api        its REST paths: `/api/behavior`, `/api/reset`, a list for each service

Source: the public REST interface of sklintyg/intyg-mock-service: paths, field names, status codes.
"""

from intyg.mocks.national.behavior import (
    Behavior,
    ServiceName,
    read_behaviors,
    rule_of,
)
from intyg.mocks.national.mock import SETTINGS, NationalMock

__all__ = [
    "SETTINGS",
    "Behavior",
    "NationalMock",
    "ServiceName",
    "read_behaviors",
    "rule_of",
]
