"""What must hold in an environment: one table, asked when the adapter starts and by `intyg doctor`.

A check looks at what the settings name and finds nothing, or remarks: some refuse the start, some
are only told. A new check is a function and a row in `CHECKS`; the documentation shows the table.

    check.py          what a check is
    production.py     keys, clock and signatures
    trust.py          whose signatures count
    destinations.py   where messages go
    routes.py         rows of routes and permissions
    callers.py        who may call
    patients.py       who is a test patient
    own.py            database, key files, console, schemas
    table.py          all of them
"""

from intyg.adapter.doctor.checks.callers import permission_remarks
from intyg.adapter.doctor.checks.check import Check, Facts, Remark
from intyg.adapter.doctor.checks.destinations import (
    destination_remarks,
    recipient_remarks,
    tls_remarks,
)
from intyg.adapter.doctor.checks.production import server_tls_remarks
from intyg.adapter.doctor.checks.routes import check_routes_file
from intyg.adapter.doctor.checks.table import CHECKS, look

__all__ = [
    "CHECKS",
    "Check",
    "Facts",
    "Remark",
    "check_routes_file",
    "destination_remarks",
    "look",
    "permission_remarks",
    "recipient_remarks",
    "server_tls_remarks",
    "tls_remarks",
]
