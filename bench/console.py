"""How fast the console answers with a million deliveries.

    python -m bench.console [ROWS] [FOLDER]

With a folder, what was made stays there, and is used again when it is there already.

On SQLite: certificates a tenth as many, deliveries, one attempt each; a hundredth waits. A third of
the certificates have a question with a reminder and an event; a twentieth of these is not handled.
Seven units; ten certificates a patient. Prints of each page, in milliseconds, the median of five
answers: the time, and the processor's time, which others on the machine do not lengthen.
"""

import re
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from intyg.adapter.bootstrap.doctor_steps import doctor_of
from intyg.adapter.console.pages import build_console_site
from intyg.adapter.store import Store, tables
from tests import builders
from tests.adapter.flows.rig import Rig, VirtualClock, make_services, make_settings

ROWS = 1_000_000
CHUNK = 20_000
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def _fill(store: Store, rows_wanted: int) -> None:
    with store.begin() as rows:
        connection = rows.transaction.connection
        intyg = connection.execute(sa.select(tables.intyg)).first()
        delivery = connection.execute(sa.select(tables.delivery)).first()
        attempt = connection.execute(sa.select(tables.attempt)).first()
        meddelande = connection.execute(sa.select(tables.meddelande)).first()
        handelse = connection.execute(sa.select(tables.handelse)).first()
    assert intyg is not None
    assert delivery is not None
    assert attempt is not None
    assert meddelande is not None
    assert handelse is not None
    samples = [_without_place(row) for row in (intyg, delivery, attempt, meddelande, handelse)]
    for start in range(0, rows_wanted, CHUNK):
        _chunk(store, samples, range(start, min(start + CHUNK, rows_wanted)), rows_wanted)


def _without_place(row: sa.Row[Any]) -> dict[str, object]:
    return {name: value for name, value in row._mapping.items() if name != "seq"}


def _chunk(
    store: Store, samples: list[dict[str, object]], numbers: range, rows_wanted: int
) -> None:
    """Some 50 days of them, in the order of time; the last day has a fiftieth."""
    intyg, delivery, attempt, meddelande, handelse = samples

    def at(number: int) -> datetime:
        return NOW - timedelta(days=50) * ((rows_wanted - number) / rows_wanted)

    with store.begin() as rows:
        connection = rows.transaction.connection
        connection.execute(
            sa.insert(tables.intyg),
            [
                {**intyg, "intygs_id": f"i{n // 10}", "received_at": at(n),
                 "enhets_id": f"U{n % 70}", "patient_extension": _patient(n)}
                for n in numbers if n % 10 == 0
            ],
        )  # fmt: skip
        waits = {"state": "queued", "last_kind": "retry", "last_detail": "the receiver failed"}
        connection.execute(
            sa.insert(tables.delivery),
            [
                {**delivery, "id": f"d{n}", "intygs_id": f"i{n // 10}", "created_at": at(n),
                 "updated_at": at(n), "due_at": at(n),
                 **(waits if n % 100 == 0 else {"state": "delivered", "last_kind": "delivered",
                                                "last_detail": ""})}
                for n in numbers
            ],
        )  # fmt: skip
        connection.execute(
            sa.insert(tables.attempt),
            [{**attempt, "delivery_id": f"d{n}", "at": at(n)} for n in numbers],
        )
        connection.execute(
            sa.insert(tables.audit), [_call(n, at(n)) for n in numbers if n % 5 == 0]
        )
        asked = [n for n in numbers if n % 30 == 0]
        connection.execute(
            sa.insert(tables.meddelande),
            [one for n in asked for one in _asked(meddelande, n, at(n))],
        )
        connection.execute(
            sa.insert(tables.handelse),
            [
                {**handelse, "intygs_id": f"i{n // 10}", "handelsekod": "NYFRFM",
                 "tidpunkt": at(n), "delivery_id": f"d{n}"}
                for n in asked
            ],
        )  # fmt: skip


def _call(n: int, at: datetime) -> dict[str, object]:
    """Its row of the audit log."""
    return {
        "chain": 0, "number": n + 1000, "at": at, "action": "RegisterCertificate:3",
        "outcome": "OK", "detail": "", "intygs_id": f"i{n // 10}", "person": "0" * 32,
        "sender": "SE0000000000-EHR1", "actor": "SE0000000000-DOC1", "correlation_id": f"c{n}",
        "hash": "0" * 64,
    }  # fmt: skip


def _patient(n: int) -> str:
    return f"patient {n // 100}"


def _asked(sample: dict[str, object], n: int, at: datetime) -> list[dict[str, object]]:
    """A question, and what reminds of it."""
    question = {
        **sample, "meddelande_id": f"m{n}", "intygs_id": f"i{n // 10}", "received_at": at,
        "state": "handled" if n % 600 else "open_care",
    }  # fmt: skip
    reminds = {"amne": "PAMINN", "paminnelse_meddelande_id": f"m{n}", "state": None}
    return [question, {**question, **reminds, "meddelande_id": f"r{n}"}]


def _measure(client: FlaskClient, what: str, path: str, **form: str) -> None:
    taken, worked = [], []
    for _ in range(5):
        begin, work = time.perf_counter(), time.process_time()
        answer = client.post(path, data=form) if form else client.get(path)
        worked.append((time.process_time() - work) * 1000)
        taken.append((time.perf_counter() - begin) * 1000)
        assert answer.status_code in (200, 303, 404), answer.status_code
    print(f"{statistics.median(taken):8.1f} {statistics.median(worked):8.1f}  {what}", flush=True)


def _make(rig: Rig, rows_wanted: int) -> None:
    rig.ok(builders.register_certificate(), builders.send_certificate_to_recipient())
    rig.deliver()
    rig.ok(builders.send_message_to_care())
    _fill(rig.services.store, rows_wanted)


def main(rows_wanted: int, kept: Path | None) -> None:
    with tempfile.TemporaryDirectory() as passing:
        file = (kept or Path(passing)) / f"console-{rows_wanted}.sqlite"
        made = file.exists()
        file.parent.mkdir(parents=True, exist_ok=True)
        clock = VirtualClock(NOW - timedelta(days=51))
        store = Store(f"sqlite:///{file}", clock)
        store.migrate()
        rig = Rig(make_services(make_settings(), store, clock), clock)
        if not made:
            _make(rig, rows_wanted)
        clock.now = NOW
        client = build_console_site(rig.services, clock, doctor_of(rig.services)).app.test_client()
        client.post("/console/login")
        found = re.search(r'name="csrf" value="(\w+)"', client.get("/console").text)
        assert found is not None
        print(f"{rows_wanted} deliveries\n    time     work")
        for path in (
            "/console",
            f"/console/intyg/i{rows_wanted // 20}",
            "/console/unit?id=U20",
            "/console/arenden?unit=U20",
            "/console/arenden?unit=U20&atgard=none",
            "/console/deliveries",
            "/console/deliveries?view=list&after=500000",
            "/console/deliveries?view=list&state=delivered",
            "/console/deliveries?code=VP007",
            "/console/deliveries/retry?state=queued",
            "/console/audit",
        ):
            _measure(client, path, path)
        asked = {"an id": "d77", "nothing": "nothing", "a number": builders.PATIENT}
        for what, wanted in asked.items():
            form = {"csrf": found[1], "q": wanted}
            _measure(client, f"search {what}", "/console/search", **form)
        store.close()


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else ROWS,
        Path(sys.argv[2]) if len(sys.argv) > 2 else None,
    )
