"""The guard: who is a test patient, and where may a message about somebody go?

Two questions, asked apart. The first is answered by signals, any one of which is enough; the second
is one table.

    signals.py        what a signal is, and all of them together
    lists.py          list files and the ranges reserved for tests
    register.py       a population register: in a file, or behind HTTP
    build.py          the signals that the settings name
    policy.py         the table
"""

from intyg.adapter.guard.build import build_test_patients
from intyg.adapter.guard.lists import (
    DamagedListError,
    ListFile,
    ReservedNumbers,
    parse_list,
    read_list,
)
from intyg.adapter.guard.policy import POLICY, REGISTERED_AS, Guard
from intyg.adapter.guard.register import (
    FileRegister,
    HttpRegister,
    Register,
    RegisterDownError,
    RegisterSignal,
)
from intyg.adapter.guard.signals import (
    NO_SIGNAL,
    ListSignal,
    Signal,
    TestPatients,
)

__all__ = [
    "NO_SIGNAL",
    "POLICY",
    "REGISTERED_AS",
    "DamagedListError",
    "FileRegister",
    "Guard",
    "HttpRegister",
    "ListFile",
    "ListSignal",
    "Register",
    "RegisterDownError",
    "RegisterSignal",
    "ReservedNumbers",
    "Signal",
    "TestPatients",
    "build_test_patients",
    "parse_list",
    "read_list",
]
