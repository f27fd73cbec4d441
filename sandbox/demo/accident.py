"""The accident: a test patient used in production, whose certificate goes to the authority.

Played for real: an adapter of its own process in the environment production, with keys that it
takes, and an authority that listens and counts. Nothing reaches it. Then a certificate of somebody
whom no signal knows goes the same way and arrives, so that one sees that it would have.
"""

import contextlib
import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from intyg.adapter.cli.blocked import block_line, read_blocked
from intyg.adapter.cli.options import swedish_now
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, make_stand_in_keys
from intyg.mocks.journalsystem.sample import fk7804
from intyg.mocks.testing import Intyg
from intyg.sandbox.demo.narrator import ADAPTER, EHR, REAL, WAIT_SECONDS, StoryError, Telling
from intyg.sandbox.demo.production import Authority, InProduction
from intyg.sandbox.demo.stage import TEST_PERSONS

PATIENT: Final = TEST_PERSONS[0]

SOMEBODY: Final = "195801082743"
"""Stands for a real person: a published test number that looks like anybody's, on no list here."""

QUIET_SECONDS: Final = 1.5
"""Longer than a worker waits before it looks for work: then nothing will come any more."""


@dataclass
class Accident(InProduction):
    """
    Plays the accident and prints it.

    Attributes:
        folder: Made; gets keys, settings and database of the adapter in production.
        log: Its log.
        telling: Where it is told.
        first_step: Number of the first step.
        wait_seconds: How long an effect may take to show.
        list_patient: Whether the test patient is on the list. False lets the accident happen.
    """

    folder: Path
    log: Path
    telling: Telling
    first_step: int = 1
    wait_seconds: float = WAIT_SECONDS
    list_patient: bool = True
    last_step: int = 0
    intygs_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _started: float = field(default_factory=time.monotonic)

    def play(self) -> None:
        """
        Run every step.

        Raises:
            StoryError: The first step that did not do what it should.
        """
        self.folder.mkdir(parents=True)
        self.keys = make_stand_in_keys(self.folder / "keys", system_clock())
        with contextlib.closing(Authority(self.keys)) as self.authority, held_port() as port:
            self.write_settings(port)
            url = f"https://127.0.0.1:{port}"
            with self.adapter(url), self.speaking(url) as self.ehr:
                steps = [
                    ("In production, a test patient's certificate is signed", self._register),
                    ("It is sent, by mistake, to the real authority", self._send),
                    ("Somebody else's certificate goes the same way", self._control),
                ]
                self.steps(steps, self.first_step)

    # --- steps ------------------------------------------------------------------------------------

    def _register(self) -> None:
        self.note("an adapter of its own: environment production, with TLS and its own keys")
        self.patients = self._sample(self.intygs_id, PATIENT)
        self.tell(EHR, ADAPTER, "RegisterCertificate", self.ehr.register(self.patients).answer)

    def _send(self) -> None:
        answer = self.ehr.send(self.patients, check=False)
        self.refused("SendCertificateToRecipient", answer)
        self.note(answer.text or "")
        row = self._blocked_row()
        self.line("operator", ADAPTER, "intyg blocked", "1 block")
        self.note(row)
        time.sleep(QUIET_SECONDS)
        if self.authority.connections:
            raise StoryError(f"{self.authority.connections} connections to the real authority")
        self.line(ADAPTER, REAL, "nothing", "0 connections, 0 bytes")

    def _control(self) -> None:
        self.note("of a person whom no signal knows, so that one sees what would have happened")
        other = self._sample(str(uuid.uuid4()), SOMEBODY)
        self.tell(EHR, ADAPTER, "RegisterCertificate", self.ehr.register(other).answer)
        self.tell(EHR, ADAPTER, "SendCertificateToRecipient", self.ehr.send(other))
        # Not its first bytes: head and body may come apart, and all of them are told.
        self.eventually(lambda: self.authority.requests, f"nothing came to the {REAL}")
        connections = self.authority.connections
        counted = f"{connections} connection, {self.authority.bytes} bytes"
        self.line(ADAPTER, REAL, "RegisterCertificate", counted)
        if connections != 1:
            raise StoryError(f"{connections} connections to the real authority instead of one")

    # --- what happened ----------------------------------------------------------------------------

    def _sample(self, intygs_id: str, person: str) -> Intyg:
        signed_at = swedish_now(timedelta(minutes=1))
        return self.ehr.sign(fk7804(intygs_id, person, SIGNER_HSA_ID, signed_at))

    def _blocked_row(self) -> str:
        """What `intyg blocked` tells of the certificate."""
        blocks = read_blocked(load_settings(self.folder / "adapter.toml"))["blocks"]
        rows = [row for row in blocks if row["intygsId"] == self.intygs_id]
        if len(rows) != 1:
            raise StoryError(f"intyg blocked tells of {len(rows)} blocks")
        return block_line(rows[0])
