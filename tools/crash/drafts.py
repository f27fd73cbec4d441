"""
Doctors who work with drafts, one at each: ordered, saved, said to be ready, signed or deleted.

Each request is remembered with its answer. What was not answered is not known to be done: the
doctor looks, and goes on from there. Each save has a text of its own, by which it is known again.
"""

import http.client
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from tools.crash.messages import answer_in, intygs_id_in, request_of, state_in, text_in, version_in
from tools.crash.plan import Plan
from tools.crash.shared import Shared, moment
from tools.crash.wire import ask, call

TRIES: Final = 30
"""How often a doctor repeats what was refused."""

GIVE_UP_SECONDS: Final = 100.0
MADE: Final = 201
DONE: Final = frozenset({200, MADE, 204})
GONE: Final = 404

_STATUS: Final = {"OK": MADE, "INFO": MADE, "ERROR": 403}
"""Of REST, for what an order by SOAP is answered."""


@dataclass(frozen=True)
class Asked:
    """
    A request about a draft that an adapter may have got.

    Attributes:
        ref: The EHR's own reference, by which a draft is known whose order was not answered.
        step: create, save, read, ready, sign or delete.
        intygs_id: Of the draft; empty: not known yet.
        stamp: Of `If-Match`.
        text: That was saved, or read.
        status: Of HTTP; None: there was no answer.
        version: Of the draft, as answered.
    """

    ref: str
    step: str
    intygs_id: str
    stamp: int | None
    text: str
    status: int | None
    version: int | None
    began: float
    at: float

    @property
    def done(self) -> bool:
        """Whether it was answered that it is done."""
        return self.status in DONE

    @property
    def unknown(self) -> bool:
        """Whether nobody knows if it was done."""
        return self.status is None or self.status >= 500


def answers(text: str, today: date) -> dict[str, Any]:
    """Of a FK7804 that could be signed."""
    period = {"start": today.isoformat(), "end": (today + timedelta(days=12)).isoformat()}
    return {
        "1": [{"1.1": {"code": "FYSISKUNDERSOKNING"}, "1.2": today.isoformat()}],
        "28": [{"28.1": {"code": "STUDIER"}}],
        "6": {"6.1": "Medelsvår depression", "6.2": _F321},
        "35": {"35.1": text},
        "17": {"17.1": "Kan inte lyfta."},
        "32": [{"32.1": {"code": "HELT_NEDSATT"}, "32.2": period}],
        "39": {"39.1": {"code": "STOR_SANNOLIKHET"}},
    }


_F321: Final = {
    "code": "F321",
    "codeSystem": "1.2.752.116.1.1.1",
    "displayName": "Medelsvår depression",
}


class Doctor:
    """
    Works with one draft.

    Args:
        note: Keeps what was asked.
        send: Sends the certificate of an id to its recipient.
    """

    def __init__(
        self,
        ref: str,
        shared: Shared,
        chance: random.Random,
        note: Callable[[Asked], None],
        send: Callable[[str], None],
    ) -> None:
        self._ref = ref
        self._shared = shared
        self._chance = chance
        self._note = note
        self._send = send
        self._lock = threading.Lock()
        self._saves = 0
        self._intygs_id = ""
        self._version = 0
        self._state = ""

    def play(self, steps: tuple[str, ...]) -> None:
        """Order the draft, and go through its steps for as long as there are answers."""
        acts: dict[str, Callable[[], bool]] = {
            "save": lambda: self._until(self._save_once),
            "save-both": self._save_both,
            "ready": lambda: self._until(lambda: self._act("ready")),
            "sign": self._sign_and_again,
            "sign-both": lambda: self._both("sign") and self._sign_and_again(),
            "send": lambda: self._send(self._intygs_id) is None,
            "delete": lambda: self._until(self._delete_once),
        }
        going = self._until(self._create_once)
        for step in steps:
            if not going:
                return
            time.sleep(self._chance.choice((0, 0, 0.01, 0.03)))
            going = acts[step]()

    def _until(self, act: Callable[[], bool | None]) -> bool:
        """Repeat until it is done; False: given up. None is no try: nobody was there."""
        until, tries = moment() + GIVE_UP_SECONDS, 0
        while moment() < until and tries < TRIES:
            done = act()
            if done:
                return True
            tries += done is False
            time.sleep(0.05 if done is False else 0.02)
        return False

    # --- each returns whether it is done; None: no answer

    def _create_once(self) -> bool | None:
        asked = self._ask("create", self._order)
        return _outcome(asked)

    def _order(self, port: int) -> tuple[int, bytes]:
        answer = call(port, request_of("draft", self._ref))
        code, _ = answer_in(answer)
        if code in ("OK", "INFO"):
            self._intygs_id = intygs_id_in(answer)
        return _STATUS.get(code, 503), answer

    def _save_once(self) -> bool | None:
        asked = self._save(self._version)
        if asked is not None and asked.done and asked.version is not None:
            self._version = asked.version
            return True
        self._look()
        return _outcome(asked, done=False)

    def _save(self, stamp: int) -> Asked | None:
        with self._lock:
            self._saves += 1
            text = f"{self._ref}-save-{self._saves}"
        body = {"svar": answers(text, self._shared.now().date())}
        path = f"/{self._intygs_id}"
        return self._ask("save", lambda port: ask(port, "PUT", path, body, stamp), stamp, text)

    def _save_both(self) -> bool:
        """Two who have read the same version save at once."""
        return self._both("save")

    def _both(self, step: str) -> bool:
        stamp = self._version
        act = self._sign if step == "sign" else lambda: self._save(stamp)
        threads = [threading.Thread(target=act, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self._look()

    def _sign_once(self) -> bool | None:
        if self._state == "SIGNED":
            return True
        asked = self._sign()
        if asked is not None and asked.done:
            return True
        self._look()
        return self._state == "SIGNED" or _outcome(asked, done=False)

    def _sign(self) -> Asked | None:
        path = f"/{self._intygs_id}/sign"
        return self._ask("sign", lambda port: ask(port, "POST", path, None, None))

    def _sign_and_again(self) -> bool:
        """Sign, and once more what is signed: whatever that is answered, it goes on."""
        signed = self._until(self._sign_once)
        if signed:
            self._sign()
        return signed

    def _delete_once(self) -> bool | None:
        path, stamp = f"/{self._intygs_id}", self._version
        asked = self._ask("delete", lambda port: ask(port, "DELETE", path, None, stamp), stamp)
        if asked is not None and (asked.done or asked.status == GONE):
            return True
        self._look()
        return _outcome(asked, done=False)

    def _act(self, what: str) -> bool | None:
        path = f"/{self._intygs_id}/{what}"
        asked = self._ask(what, lambda port: ask(port, "POST", path, None, None))
        return _outcome(asked)

    def _look(self) -> bool:
        """Read the draft, whatever happens; what it says is known then."""
        return self._until(self._look_once)

    def _look_once(self) -> bool | None:
        asked = self._ask("read", lambda port: ask(port, "GET", f"/{self._intygs_id}", None, None))
        return (asked is not None and asked.status == GONE) or _outcome(asked)

    def _ask(
        self,
        step: str,
        send: Callable[[int], tuple[int, bytes]],
        stamp: int | None = None,
        text: str = "",
    ) -> Asked | None:
        """Ask once and note it; None: no adapter was there to be asked."""
        ports, began = self._shared.ports(), moment()
        if not ports:
            return None
        status: int | None = None
        data = b""
        try:
            status, data = send(self._chance.choice(ports))
        except ConnectionRefusedError:
            return None
        except (OSError, http.client.HTTPException):
            pass
        asked = self._noted(step, stamp, text, status, data, began)
        self._shared.progress += status is not None
        return asked

    def _noted(
        self, step: str, stamp: int | None, text: str, status: int | None, data: bytes, began: float
    ) -> Asked:
        version = version_in(data)
        if step == "read" and status in DONE:
            text, self._version, self._state = text_in(data), version or 0, state_in(data)
        asked = Asked(
            self._ref, step, self._intygs_id, stamp, text, status, version, began, moment()
        )
        self._note(asked)
        return asked


def _outcome(asked: Asked | None, *, done: bool | None = None) -> bool | None:
    """Whether it is done, by its answer or as said; None: there was no answer."""
    if asked is None or asked.unknown:
        return None
    return asked.done if done is None else done


def ref_of(plan: Plan, number: int) -> str:
    """Of a draft of the plan."""
    return f"{plan.seed:08d}-draft-{number}"
