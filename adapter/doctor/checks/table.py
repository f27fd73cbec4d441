"""Everything that is looked at, in one table."""

from collections.abc import Iterable
from typing import Final

from intyg.adapter.doctor.checks.callers import (
    callers,
    permissions,
    recipient_callers,
)
from intyg.adapter.doctor.checks.check import Check, Facts, Remark
from intyg.adapter.doctor.checks.destinations import destinations
from intyg.adapter.doctor.checks.own import (
    audit_log,
    cert_dates,
    console,
    database,
    diagnoses,
    key_files,
    schemas,
    staff,
)
from intyg.adapter.doctor.checks.patients import register, test_patients
from intyg.adapter.doctor.checks.production import clock, signature, signer_role, test_keys
from intyg.adapter.doctor.checks.routes import contracts, routes
from intyg.adapter.doctor.checks.trust import anchors

CHECKS: Final = (
    Check(
        "test keys",
        "in production no key or certificate is a test one: none that `intyg test-keys` made, none "
        "of SITHS's test CA",
        test_keys,
    ),
    Check("clock", "outside demo the clock is the machine's own, which no mock can set", clock),
    Check(
        "signature",
        'in production `signature` is `"require"`; anywhere, `"sign"` has a key',
        signature,
    ),
    Check(
        "signer role",
        'outside demo `signer_role` is `"require"`, or a staff directory says who signers are',
        signer_role,
    ),
    Check(
        "anchors",
        "each certificate in `trust.anchors` and `trust.intermediates` may issue others: a CA, "
        "with `keyCertSign`",
        anchors,
    ),
    Check(
        "destinations",
        "in production none is a mock, and real ones are reached by https or through a proxy on "
        "this machine; elsewhere each real one has `allow = true`; no recipient's is an EHR",
        destinations,
    ),
    Check("contracts", "each route and permission names a contract that there is", contracts),
    Check("routes", "`intyg route check` finds nothing", routes, at_start=False),
    Check(
        "callers",
        "outside demo it can be told who calls: by client certificate, or by the header of a few "
        "proxies; the server's own certificate can be used",
        callers,
        at_start=False,
    ),
    Check(
        "permissions",
        "in production each sender is named; outside demo somebody may call",
        permissions,
    ),
    Check(
        "recipients",
        "outside demo each recipient has `callers`: the systems that may speak for it",
        recipient_callers,
    ),
    Check(
        "database",
        "it is there, whole, of this version or an earlier one, and was made in this environment",
        database,
        at_start=False,
    ),
    Check(
        "audit log",
        "its key can be used, and is the one that it was begun with",
        audit_log,
        at_start=False,
    ),
    Check(
        "test patients",
        "something says who is a test patient, and can be read",
        test_patients,
    ),
    Check("register", "the population register answers, if there is one", register, at_start=False),
    Check("staff directory", "it can be read, or answers, if there is one", staff, at_start=False),
    Check(
        "diagnoses",
        "there is a list of diagnoses, and it can be read; without one drafts' diagnoses are "
        "checked for their form only",
        diagnoses,
        at_start=False,
    ),
    Check(
        "key files",
        "nobody else can read the files that hold keys, tokens and passwords, also in settings; in "
        "production that is a must",
        key_files,
    ),
    Check(
        "cert dates",
        "no certificate ends within 30 days, no revocation list has used up three quarters of its "
        "time",
        cert_dates,
    ),
    Check("console", "`/api` and `/metrics` have a token, or it is demo on loopback", console),
    Check(
        "schemas",
        "every file in `contracts_dir` and `types_dir` can be used",
        schemas,
    ),
)
"""Everything that is looked at. What is not looked at here at the start is when it is opened: the
database by `Store`, the audit log's key with it, the server's certificate and how callers are known
by `App`."""


def look(facts: Facts, checks: Iterable[Check] = CHECKS) -> list[tuple[Check, list[Remark]]]:
    """Each check with what it found."""
    return [(check, list(check.look(facts))) for check in checks]
