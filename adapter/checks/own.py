"""What the adapter works with: its database, keys, console and schemas."""

from collections.abc import Iterator

from adapter.checks.check import Facts, Remark
from adapter.console.token import Token
from adapter.errors import StoreError
from adapter.key_files import cert_files, ending_soon, readable_by_others, secret_files
from adapter.store import Store, WrongEnvironmentError


def database(facts: Facts) -> Iterator[Remark]:
    url = facts.settings.effective_database_url
    try:
        store = Store(url, facts.clock, read_only=True)
    except StoreError as exc:
        yield Remark(exc.text, "nothing, if the adapter has not run yet", refuses=False)
        return
    try:
        store.must_belong_to(facts.settings.environment)
    except WrongEnvironmentError as exc:
        yield Remark(exc.text, "give each environment a data_dir or database_url of its own")
    except StoreError as exc:
        yield Remark(exc.text, "see that the database runs, and what its log says")
    finally:
        store.close()


def key_files(facts: Facts) -> Iterator[Remark]:
    for setting, path in readable_by_others(secret_files(facts.settings)):
        text = f"{setting}: {path} can be read by everybody, or written by its group"
        yield Remark(text, f"chmod 600 {path}", refuses=False)


def cert_dates(facts: Facts) -> Iterator[Remark]:
    now = facts.clock()
    for setting, path, ends in ending_soon(cert_files(facts.settings), now):
        verb = "ended" if ends < now else "ends"
        text = f"{setting}: a certificate in {path} {verb} on {ends:%Y-%m-%d}"
        yield Remark(text, "get the next one, and put it in its place", refuses=False)


def console(facts: Facts) -> Iterator[Remark]:
    token = Token.from_settings(facts.settings)
    if token.closed:
        todo = "set console.token_file, or INTYG_CONSOLE__TOKEN; /health needs none"
        yield Remark("console: no token, so /api and /metrics are closed", todo, refuses=False)


def schemas(facts: Facts) -> Iterator[Remark]:
    for reason in facts.contracts.left_out:
        yield Remark(f"contracts_dir: {reason}", "our own file is used instead", refuses=False)
    for fault in facts.types.refused:
        yield Remark(f"types_dir: {fault}", "mend the file; it is left out", refuses=False)
