"""How fast the console answers with a million deliveries.

    python bench/console.py [ROWS]

On SQLite: certificates a tenth as many, deliveries, one attempt each; a hundredth waits. A third of
the certificates have a question with a reminder and an event; a twentieth of these is not handled.
Seven units. Prints the median of five of each page, in milliseconds.
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
                 "enhets_id": f"U{n % 70}"}
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


def _asked(sample: dict[str, object], n: int, at: datetime) -> list[dict[str, object]]:
    """A question, and what reminds of it."""
    question = {
        **sample, "meddelande_id": f"m{n}", "intygs_id": f"i{n // 10}", "received_at": at,
        "state": "handled" if n % 600 else "open_care",
    }  # fmt: skip
    reminds = {"amne": "PAMINN", "paminnelse_meddelande_id": f"m{n}", "state": None}
    return [question, {**question, **reminds, "meddelande_id": f"r{n}"}]


def _milliseconds(client: FlaskClient, path: str, **form: str) -> float:
    taken = []
    for _ in range(5):
        begin = time.perf_counter()
        answer = client.post(path, data=form) if form else client.get(path)
        taken.append((time.perf_counter() - begin) * 1000)
        assert answer.status_code in (200, 303, 404), answer.status_code
    return statistics.median(taken)


def main(rows_wanted: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = VirtualClock(NOW - timedelta(days=51))
        store = Store(f"sqlite:///{Path(folder) / 'adapter.sqlite'}", clock)
        store.migrate()
        settings = make_settings()
        rig = Rig(make_services(settings, store, clock), clock)
        rig.ok(builders.register_certificate(), builders.send_certificate_to_recipient())
        rig.deliver()
        rig.ok(builders.send_message_to_care())
        _fill(store, rows_wanted)
        clock.now = NOW
        client = build_console_site(rig.services, clock, doctor_of(rig.services)).app.test_client()
        client.post("/console/login")
        found = re.search(r'name="csrf" value="(\w+)"', client.get("/console").text)
        assert found is not None
        print(f"{rows_wanted} deliveries")
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
            print(f"{_milliseconds(client, path):8.1f} ms  {path}")
        asked = {"an id": "d77", "nothing": "nothing", "a number": builders.PATIENT}
        for what, wanted in asked.items():
            form = {"csrf": found[1], "q": wanted}
            print(f"{_milliseconds(client, '/console/search', **form):8.1f} ms  search {what}")
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
