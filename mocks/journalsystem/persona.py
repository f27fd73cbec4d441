"""
An EHR as a mock: the side that listens. (`client` is the side that speaks.)

It takes CertificateStatusUpdateForCare and SendMessageToCare, for every unit that has a logical
address here, and keeps what it is told. A status update that comes again (same certificate, code
and time) and a message whose id it has are answered INFO.

    GET /control/handelser?intygs_id=…&kod=…
    GET /control/handelser/wait?kod=…&intygs_id=…&count=…&timeout=…
    GET /control/meddelanden?intygs_id=…

Source: CertificateStatusUpdateForCareResponder_3.2.xsd, SendMessageToCareResponder_2.0.xsd; EHRs
answer INFO to what they have, since the sender tries again when an answer is lost.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from lxml import etree
from werkzeug.wrappers import Request

from mocks import control
from mocks.agency import Agency, Call
from mocks.clock import Clock, system_clock
from mocks.envelope import Answer
from mocks.journal import Verdict
from mocks.settings import ANY, MockSettings
from schemas import ns
from schemas.contract import Contracts

SETTINGS: Final = MockSettings(name="Journalsystem", logical_address=ANY, part="HSVARD")

_STATUS: Final = f"{{{ns.message('CertificateStatusUpdateForCare', 3)}}}"
_MESSAGE: Final = f"{{{ns.message('SendMessageToCare', 2)}}}"
_C: Final = f"{{{ns.CORE}}}"
_T: Final = f"{{{ns.TYPES}}}"


@dataclass(frozen=True)
class Arenden:
    """`core:Arenden`: how many questions there are, and where they stand."""

    totalt: int
    ej_besvarade: int
    besvarade: int
    hanterade: int


@dataclass(frozen=True)
class Handelse:
    """
    One status update.

    Attributes:
        unit: The logical address it came to: the care unit's HSA-id.
        kod: `SIGNAT`, `SKICKA`, …
        tidpunkt: As written: Swedish local time, three decimals, no zone.
        skickade_fragor: Questions that care asked.
        mottagna_fragor: Questions that the recipient asked.
        hanterat_av: HSA-id of who did it.
        call: Number in the journal of the first time.
    """

    intygs_id: str
    unit: str
    kod: str
    tidpunkt: str
    skickade_fragor: Arenden
    mottagna_fragor: Arenden
    received_at: datetime
    call: int
    amne: str | None = None
    sista_datum_for_svar: str | None = None
    hanterat_av: str | None = None
    ref: str | None = None


@dataclass(frozen=True)
class MeddelandeTillVarden:
    """A SendMessageToCare that the adapter passed on."""

    meddelande_id: str
    unit: str
    intygs_id: str
    amne: str
    text: str = field(repr=False)
    received_at: datetime
    call: int
    svar_pa: str | None = None
    paminner: str | None = None
    frage_ids: tuple[str, ...] = ()


class Journalsystem(Agency):
    """Keeps what it is told; see the module."""

    def __init__(
        self,
        contracts: Contracts,
        settings: MockSettings = SETTINGS,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(contracts, settings, clock)
        self._handelser: dict[tuple[str, str, str], Handelse] = {}
        self._meddelanden: dict[str, MeddelandeTillVarden] = {}
        self._told = threading.Condition(self._lock)
        self._wakes = 0

    @property
    def handlers(self) -> Mapping[str, Callable[[Call], Answer]]:
        return {
            "CertificateStatusUpdateForCare:3": self._status_update,
            "SendMessageToCare:2": self._message,
        }

    def routes(self) -> list[control.Route]:
        return [
            *super().routes(),
            control.Route("GET", "/handelser", self._control_handelser),
            control.Route("GET", "/handelser/wait", self._control_wait),
            control.Route("GET", "/meddelanden", self._control_meddelanden),
        ]

    def reset(self) -> None:
        with self._lock:
            super().reset()
            self._handelser.clear()
            self._meddelanden.clear()

    def wake(self) -> None:
        super().wake()
        with self._told:
            self._wakes += 1
            self._told.notify_all()

    def handelser(
        self, intygs_id: str | None = None, kod: str | None = None
    ) -> tuple[Handelse, ...]:
        """Status updates in order of arrival, repeats once."""
        with self._lock:
            return tuple(
                each
                for each in self._handelser.values()
                if intygs_id in (None, each.intygs_id) and kod in (None, each.kod)
            )

    def wait_handelser(
        self,
        count: int = 1,
        *,
        timeout_seconds: float,
        intygs_id: str | None = None,
        kod: str | None = None,
    ) -> tuple[Handelse, ...]:
        """
        Wait until at least `count` status updates match.

        Returns:
            Those that match; fewer than `count` when the time ran out or the
            mock stops.
        """
        with self._told:
            wakes = self._wakes
            self._told.wait_for(
                lambda: self._wakes > wakes or len(self.handelser(intygs_id, kod)) >= count,
                timeout_seconds,
            )
            return self.handelser(intygs_id, kod)

    def await_handelse(
        self, kod: str, intygs_id: str | None = None, *, timeout_seconds: float = 10.0
    ) -> Handelse:
        """
        Wait for an event.

        Returns:
            The newest one that matches.

        Raises:
            TimeoutError: It did not come; says which did.
        """
        found = self.wait_handelser(timeout_seconds=timeout_seconds, intygs_id=intygs_id, kod=kod)
        if not found:
            came = ", ".join(each.kod for each in self.handelser(intygs_id)) or "nothing"
            raise TimeoutError(f"no {kod} within {timeout_seconds} s; what came: {came}")
        return found[-1]

    def meddelanden(self, intygs_id: str | None = None) -> tuple[MeddelandeTillVarden, ...]:
        """Messages in order of arrival, repeats once."""
        with self._lock:
            return tuple(
                each for each in self._meddelanden.values() if intygs_id in (None, each.intygs_id)
            )

    # --- what it is told ----------------------------------------------------------------------

    def _status_update(self, call: Call) -> Answer:
        new = self._read_handelse(call)
        key = (new.intygs_id, new.kod, new.tidpunkt)
        with self._told:
            known = self._handelser.get(key)
            if known is not None:
                call.note("duplicate", Verdict.NOTED, f"repeats call {known.call}")
                return Answer.info("The event has been received before")
            call.note("duplicate")
            self._handelser[key] = new
            self._told.notify_all()
        return Answer.ok()

    def _read_handelse(self, call: Call) -> Handelse:
        assert call.element is not None
        handelse = call.element.find(f"{_STATUS}handelse")
        assert handelse is not None  # the XSD has seen to it
        # Two places may name the person; the national editor uses the one in the message.
        hanterat_av = call.text(f"{{{ns.CSU_EXT}}}hanteratAv/{_T}extension") or handelse.findtext(
            f"{{{ns.EXT34}}}hanteratAv/{_T}extension"
        )
        return Handelse(
            intygs_id=call.text(f"{_STATUS}intyg/{_C}intygs-id/{_T}extension") or "",
            unit=call.logical_address or "",
            kod=handelse.findtext(f"{_C}handelsekod/{_T}code") or "",
            tidpunkt=handelse.findtext(f"{_C}tidpunkt") or "",
            skickade_fragor=_arenden(call.element, "skickadeFragor"),
            mottagna_fragor=_arenden(call.element, "mottagnaFragor"),
            received_at=self.clock(),
            call=call.number,
            amne=handelse.findtext(f"{_C}amne/{_T}code"),
            sista_datum_for_svar=handelse.findtext(f"{_C}sistaDatumForSvar"),
            hanterat_av=hanterat_av,
            ref=call.text(f"{_STATUS}ref"),
        )

    def _message(self, call: Call) -> Answer:
        """SendMessageToCare, passed on by the adapter."""
        assert call.element is not None
        meddelande_id = call.text(f"{_MESSAGE}meddelande-id") or ""
        new = MeddelandeTillVarden(
            meddelande_id=meddelande_id,
            unit=call.logical_address or "",
            intygs_id=call.text(f"{_MESSAGE}intygs-id/{_T}extension") or "",
            amne=call.text(f"{_MESSAGE}amne/{_T}code") or "",
            text=call.text(f"{_MESSAGE}meddelande") or "",
            received_at=self.clock(),
            call=call.number,
            svar_pa=call.text(f"{_MESSAGE}svarPa/{_C}meddelande-id"),
            paminner=call.text(f"{_MESSAGE}paminnelseMeddelande-id"),
            frage_ids=tuple(
                each.text or ""
                for each in call.element.iterfind(f"{_MESSAGE}komplettering/{_MESSAGE}frage-id")
            ),
        )
        with self._lock:
            known = self._meddelanden.get(meddelande_id)
            if known is not None:
                call.note("duplicate", Verdict.NOTED, f"repeats call {known.call}")
                return Answer.info("The message has been received before")
            call.note("duplicate")
            self._meddelanden[meddelande_id] = new
        return Answer.ok()

    # --- control ------------------------------------------------------------------------------

    def _control_handelser(self, request: Request, _: Mapping[str, Any]) -> Any:
        found = self.handelser(request.args.get("intygs_id"), request.args.get("kod"))
        return {"handelser": [_handelse_json(each) for each in found]}

    def _control_wait(self, request: Request, _: Mapping[str, Any]) -> Any:
        found = self.wait_handelser(
            int(control.number(request, "count", 1)),
            timeout_seconds=control.wait_seconds(request),
            intygs_id=request.args.get("intygs_id"),
            kod=request.args.get("kod"),
        )
        return {"handelser": [_handelse_json(each) for each in found]}

    def _control_meddelanden(self, request: Request, _: Mapping[str, Any]) -> Any:
        found = self.meddelanden(request.args.get("intygs_id"))
        return {"meddelanden": [_meddelande_json(each) for each in found]}


def _arenden(element: etree._Element, name: str) -> Arenden:
    def count(field_name: str) -> int:
        return int(element.findtext(f"{_STATUS}{name}/{_C}{field_name}") or 0)

    return Arenden(count("totalt"), count("ejBesvarade"), count("besvarade"), count("hanterade"))


def _handelse_json(handelse: Handelse) -> dict[str, Any]:
    def counts(arenden: Arenden) -> dict[str, int]:
        return {
            "totalt": arenden.totalt,
            "ej_besvarade": arenden.ej_besvarade,
            "besvarade": arenden.besvarade,
            "hanterade": arenden.hanterade,
        }

    return {
        "intygs_id": handelse.intygs_id,
        "unit": handelse.unit,
        "kod": handelse.kod,
        "tidpunkt": handelse.tidpunkt,
        "amne": handelse.amne,
        "sista_datum_for_svar": handelse.sista_datum_for_svar,
        "skickade_fragor": counts(handelse.skickade_fragor),
        "mottagna_fragor": counts(handelse.mottagna_fragor),
        "hanterat_av": handelse.hanterat_av,
        "ref": handelse.ref,
        "received_at": handelse.received_at.isoformat(),
        "call": handelse.call,
    }


def _meddelande_json(meddelande: MeddelandeTillVarden) -> dict[str, Any]:
    return {
        "meddelande_id": meddelande.meddelande_id,
        "unit": meddelande.unit,
        "intygs_id": meddelande.intygs_id,
        "amne": meddelande.amne,
        "text": meddelande.text,
        "svar_pa": meddelande.svar_pa,
        "paminner": meddelande.paminner,
        "frage_ids": list(meddelande.frage_ids),
        "received_at": meddelande.received_at.isoformat(),
        "call": meddelande.call,
    }
