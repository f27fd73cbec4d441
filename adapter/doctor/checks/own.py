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
from intyg.adapter.doctor.lost_database import why_lost
from intyg.adapter.domain.errors import StoreError, TechnicalError
from intyg.adapter.httpd.crl_files import due_soon
from intyg.adapter.settings.settings import Settings, SettingsError
from intyg.adapter.store import (
    DamagedError,
    NewerTablesError,
    Store,
    UnreleasedTablesError,
    WrongEnvironmentError,
    database_version,
    file_of,
    seen_of,
)

NOBODY: Final = "SE0000000000-0000"
"""Who is looked up to see whether a staff directory answers."""

RESTORE: Final = "put a backup back: docs/operations.md"
KEY: Final = "put back the key that the log was begun with: 32 bytes or more"


def database(facts: Facts) -> Iterator[Remark]:
    url = facts.settings.effective_database_url
    try:
        database_version(url)
    except StoreError as exc:
        yield Remark(exc.text, "the adapter does not start without it")
        return
    try:
        store = Store(url, facts.clock, read_only=True)
        lost = why_lost(facts.settings, is_empty=store.upkeep.is_empty)
    except DamagedError as exc:
        yield Remark(exc.text, RESTORE)
        return
    except StoreError as exc:
        lost, why, todo = why_lost(facts.settings), exc.text, "nothing, if it has not run yet"
        yield Remark(lost, RESTORE) if lost else Remark(why, todo, refuses=False)
        return
    if lost:
        yield Remark(lost, RESTORE)
    yield from _look_into(store, facts)


def _look_into(store: Store, facts: Facts) -> Iterator[Remark]:
    try:
        store.must_belong_to(facts.settings.environment)
        store.upkeep.must_be_whole()
        path = file_of(facts.settings.effective_database_url)
        if path and (missing := store.upkeep.missing(seen_of(path))):
            yield Remark(missing.text, "nothing: it is told once more at the start", refuses=False)
    except WrongEnvironmentError as exc:
        yield Remark(exc.text, "give each environment a data_dir or database_url of its own")
    except UnreleasedTablesError as exc:
        yield Remark(exc.text, "nothing is kept of it; the next start makes a new one")
    except NewerTablesError as exc:
        yield Remark(exc.text, "an upgrade is not undone by an older version")
    except DamagedError as exc:
        yield Remark(exc.text, RESTORE)
    except StoreError as exc:
        yield Remark(exc.text, "see that the database runs, and what its log says")
    finally:
        store.close()


def audit_log(facts: Facts) -> Iterator[Remark]:
    settings = facts.settings
    named = settings.audit.key is not None or settings.audit.key_file is not None
    is_made = not named and not (settings.data_dir / OWN_KEY).exists()
    try:
        store = Store(settings.effective_database_url, facts.clock, read_only=True)
        with closing(store), store.read() as rows:
            if is_made and not rows.audit.heads():
                return  # at the first start
            key = AuditKey.from_settings(settings.audit, settings.data_dir)
            key.must_have_sealed(rows)
    except SettingsError as exc:
        yield Remark(str(exc), KEY)
    except StoreError:
        if not is_made:
            yield from _key_alone(settings)


def _key_alone(settings: Settings) -> Iterator[Remark]:
    """Where there is no database to compare it with: that is told elsewhere."""
    try:
        AuditKey.from_settings(settings.audit, settings.data_dir)
    except SettingsError as exc:
        yield Remark(str(exc), KEY)


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
