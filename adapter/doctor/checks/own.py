"""What the adapter works with: its database, lists, keys, console and schemas."""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

from intyg.adapter.audit.log import OWN_KEY, AuditKey
from intyg.adapter.clients.diagnoses import Diagnoses
from intyg.adapter.clients.staff_directory import directory_from_settings
from intyg.adapter.console.token import Token
from intyg.adapter.doctor.checks.check import Facts, Remark
from intyg.adapter.doctor.key_files import (
    cert_files,
    ending_soon,
    readable_by_others,
    secret_files,
)
from intyg.adapter.domain.errors import StoreError, TechnicalError
from intyg.adapter.httpd.crl_files import due_soon
from intyg.adapter.settings.settings import SettingsError
from intyg.adapter.store import (
    Store,
    UnreleasedTablesError,
    WrongEnvironmentError,
    database_version,
)

NOBODY: Final = "SE0000000000-0000"
"""Who is looked up to see whether a staff directory answers."""


def database(facts: Facts) -> Iterator[Remark]:
    url = facts.settings.effective_database_url
    try:
        database_version(url)
    except StoreError as exc:
        yield Remark(exc.text, "the adapter does not start without it")
        return
    try:
        store = Store(url, facts.clock, read_only=True)
    except StoreError as exc:
        yield Remark(exc.text, "nothing, if the adapter has not run yet", refuses=False)
        return
    try:
        store.must_belong_to(facts.settings.environment)
    except WrongEnvironmentError as exc:
        yield Remark(exc.text, "give each environment a data_dir or database_url of its own")
    except UnreleasedTablesError as exc:
        yield Remark(exc.text, "nothing is kept of it; the next start makes a new one")
    except StoreError as exc:
        yield Remark(exc.text, "see that the database runs, and what its log says")
    finally:
        store.close()


def audit_log(facts: Facts) -> Iterator[Remark]:
    settings = facts.settings
    named = settings.audit.key is not None or settings.audit.key_file is not None
    if not named and not (settings.data_dir / OWN_KEY).exists():
        return  # it is made at the first start
    try:
        key = AuditKey.from_settings(settings.audit, settings.data_dir)
        store = Store(settings.effective_database_url, facts.clock, read_only=True)
        with closing(store), store.read() as rows:
            key.must_have_sealed(rows)
    except SettingsError as exc:
        yield Remark(str(exc), "put back the key that the log was begun with: 32 bytes or more")
    except StoreError:
        return  # that is told of the database


def staff(facts: Facts) -> Iterator[Remark]:
    directory = directory_from_settings(facts.settings.staff)
    try:
        if directory is not None:
            directory.find(NOBODY)
    except TechnicalError as exc:
        todo = "see that it can be read, or runs; meanwhile no certificate is taken in"
        yield Remark(f"staff: {exc.text}", todo)


def diagnoses(facts: Facts) -> Iterator[Remark]:
    path = facts.settings.codes.icd10_file
    if path is None:
        text = "codes.icd10_file is not set: of diagnoses in drafts only the form is checked"
        yield Remark(text, "give it the list of ICD-10-SE, codes with their texts", refuses=False)
    elif damage := Diagnoses(path).damage:
        yield Remark(f"codes.icd10_file: {damage}", "mend it: on each line a code and its text")


def key_files(facts: Facts) -> Iterator[Remark]:
    for setting, path in readable_by_others(secret_files(facts.settings)):
        text = f"{setting}: {path} can be read by everybody, or written by its group"
        yield Remark(text, f"chmod 600 {path}", refuses=facts.is_production)


def cert_dates(facts: Facts) -> Iterator[Remark]:
    now = facts.clock()
    for setting, path, ends in ending_soon(cert_files(facts.settings), now):
        verb = "ended" if ends < now else "ends"
        text = f"{setting}: a certificate in {path} {verb} on {ends:%Y-%m-%d}"
        yield Remark(text, "get the next one, and put it in its place", refuses=False)
    tls = facts.settings.server.tls
    for path, due in due_soon(tls.client_crl if tls else (), now):
        verb = "was" if due < now else "is"
        text = f"server.tls.client_crl: {path} {verb} to be replaced by {due:%Y-%m-%d %H:%M} UTC"
        todo = "get the issuer's newest list; from then on none of its client certificates counts"
        yield Remark(text, todo, refuses=False)


def console(facts: Facts) -> Iterator[Remark]:
    try:
        token = Token.from_settings(facts.settings)
    except SettingsError as exc:
        yield Remark(str(exc), "give it a token that nobody guesses: openssl rand -hex 24")
        return
    if token.closed:
        todo = "set console.token_file, or INTYG_CONSOLE__TOKEN; /health needs none"
        yield Remark("console: no token, so /api and /metrics are closed", todo, refuses=False)


def schemas(facts: Facts) -> Iterator[Remark]:
    for reason in facts.contracts.left_out:
        yield Remark(f"contracts_dir: {reason}", "our own file is used instead", refuses=False)
    for fault in facts.types.refused:
        yield Remark(f"types_dir: {fault}", "mend the file; it is left out", refuses=False)
