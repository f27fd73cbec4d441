"""
Named points in the adapter, at which its process is killed.

The adapter knows nothing of it: functions are wrapped in the process that runs it, after it was
forked, and nowhere else. As few of them as can be, and none that says how rows are kept.

    write       the function of rows of a call, in its transaction
    commit      the driver's commit
    answer      what the door writes to its caller
    claim       `Store.claim`
    deliver     one attempt, with the guard
    post        the request on the wire; `sent` is between its last byte and the answer
    record      what came of an attempt, by itself or with others'
    recover     what an earlier process left is taken back
    draft       a draft's row is written: saved, ready, given out, signed, told of, deleted
    sign        the signature of a draft, between what was given out and the answer
"""

import functools
import http.client
import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from intyg.adapter.clients.http_client import HttpClient
from intyg.adapter.deliver import Deliverer
from intyg.adapter.deliver.worker import Workers
from intyg.adapter.flows.drafts import signing
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.httpd.exchange import Exchange
from intyg.adapter.store import Store
from intyg.adapter.store.draft_rows import DraftRows
from tools.crash.shared import Shared

Pass = Callable[[str], None]


def kill_at(point: str, count: int, shared: Shared) -> None:
    """Let this process kill itself when it passes a point for the so manieth time."""
    left = [count]

    def passed(name: str) -> None:
        if name != point:
            return
        left[0] -= 1  # two threads at once may miss one: the next passing has it
        if left[0] <= 0:
            shared.fired += 1
            os.kill(os.getpid(), signal.SIGKILL)

    _install(passed)


def _install(passed: Pass) -> None:
    _around(UnitOfWork, "write", "write", passed)
    _around(DefaultDialect, "do_commit", "commit", passed)
    _around(Exchange, "send", "answer", passed)
    _around(Store, "claim", "claim", passed)
    _around(Deliverer, "deliver", "deliver", passed)
    _around(HttpClient, "exchange", "post", passed)
    _around(Workers, "_record", "record", passed)
    _around(Workers, "_swap", "record", passed)
    _around(Workers, "recover", "recover", passed)
    _around(DraftRows, "put", "draft", passed)
    _around(signing, "take_back", "sign", passed)
    _before(http.client.HTTPConnection, "getresponse", "post.sent", passed)


def _around(owner: Any, name: str, point: str, passed: Pass) -> None:
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def wrapped(*args: Any, **named: Any) -> Any:
        passed(f"{point}.before")
        found = inner(*args, **named)
        passed(f"{point}.after")
        return found

    setattr(owner, name, wrapped)


def _before(owner: type, name: str, point: str, passed: Pass) -> None:
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def wrapped(*args: Any, **named: Any) -> Any:
        passed(point)
        return inner(*args, **named)

    setattr(owner, name, wrapped)
