"""`Store`: connections, transactions, claims, and waking the workers.

SQLite: one process owns the file (an operating-system lock beside it says so), one transaction
writes at a time, and every commit is on disk when it returns. PostgreSQL: any number of processes.
"""

import select
import threading
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import StaticPool

from intyg.adapter.domain.clock import Clock
from intyg.adapter.domain.delivery import Delivery
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction
from intyg.adapter.store.claim import ONE_LANE, Lanes
from intyg.adapter.store.faults import (
    ConstraintError,
    DuplicateRow,
    WrongEnvironmentError,
    as_store_error,
    why_no_connection,
)
from intyg.adapter.store.group_commit import GroupCommit
from intyg.adapter.store.migrations.upgrade import refuse_others, upgrade
from intyg.adapter.store.own_file import OwnFile
from intyg.adapter.store.rows import Rows
from intyg.adapter.store.trouble import Trouble
from intyg.adapter.store.upkeep import MOST_WAL_BYTES, Upkeep

if TYPE_CHECKING:
    import psycopg  # not above: on SQLite nobody needs it

    from intyg.adapter.store.listen import Listener

T = TypeVar("T")

BUSY_SECONDS: Final = 10.0
"""How long SQLite waits for a lock that another program holds, e.g. a backup."""


class Store:
    """
    The adapter's database.

    Args:
        url: `sqlite:///path`, `sqlite://` (in memory, for tests) or
            `postgresql+psycopg://…`.
        clock: Aware UTC; decides what is due and when a lease has run out.
        read_only: For a look from outside: takes no lock on a SQLite file,
            makes nothing, and `begin` is refused.

    Attributes:
        trouble: What keeps it from being written.
        upkeep: What is looked at beside the rows: file, room, damage, copies.

    Raises:
        StoreError: Another process owns the SQLite file, or, reading only, there is none.
        ValueError: The URL names no database that is supported.
    """

    def __init__(self, url: str, clock: Clock, *, read_only: bool = False) -> None:
        self._clock = clock
        self._read_only = read_only
        self._instance = uuid.uuid4().hex[:12]
        self._woken = threading.Condition()
        self._wakes = 0
        self._listener: Listener | None = None
        self._writer = threading.Lock()  # SQLite has one writer; a lock is fairer than its polling
        self._writes: int | None = None  # the thread that holds it
        self._owned: OwnFile | None = None
        self.trouble = Trouble()
        parsed = make_url(url)
        match parsed.drivername:
            case "sqlite" | "sqlite+pysqlite" | "sqlite+pysqlite3":  # the last one is the tests'
                self._in_memory = parsed.database in (None, "", ":memory:")
                self._own_file(parsed)
                self._engine = _sqlite_engine(parsed, self._in_memory, read_only, self._owned)
            case "postgresql+psycopg":
                self._in_memory = False
                self._engine = _postgresql_engine(parsed)
            case other:
                raise ValueError(f"database {other} is not supported: sqlite, postgresql+psycopg")
        self._reading = self._engine
        if self.is_postgresql:  # what several queries read is of one moment, as on SQLite
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._group: GroupCommit | None = None
        if not self.is_postgresql:
            self._group = GroupCommit(partial(self._transaction, True), clock, self._wake)
        is_writing = self._writer.locked
        self.upkeep = Upkeep(
            self._engine, self._owned, self.trouble, self._transaction, is_writing, clock
        )

    @property
    def is_postgresql(self) -> bool:
        """Whether several processes may share this database."""
        return self._engine.dialect.name == "postgresql"

    @property
    def threads(self) -> list[threading.Thread]:
        """Those of its own that run."""
        return [] if self._listener is None else [self._listener.thread]

    def migrate(self, environment: Environment | None = None) -> None:
        """
        Bring the schema up to date, from nothing if need be.

        Processes that start at once on PostgreSQL wait for each other.

        Args:
            environment: Marks a database that has no mark yet; then no other environment opens it.
                None neither marks nor looks, for tests of the tables alone.

        Raises:
            UnreleasedTablesError: The tables are from before the first release.
            NewerTablesError: They are of a newer version.
            WrongEnvironmentError: The database belongs to another one; nothing is changed.
        """
        with self._transaction(write=True) as connection:
            upgrade(connection)
            if environment is not None:
                self._mark(connection, environment)

    def must_belong_to(self, environment: Environment) -> None:
        """
        For whoever opens a database without `migrate`; one without tables belongs to everybody.

        Raises:
            UnreleasedTablesError: Its tables are from before the first release.
            NewerTablesError: They are of a newer version.
            WrongEnvironmentError: It belongs to another environment.
        """
        with self._transaction(write=False) as connection:
            refuse_others(connection)
            if sa.inspect(connection).has_table(tables.environment.name):
                mark = connection.scalar(sa.select(tables.environment.c.name))
                self._compare(mark, environment)

    @contextmanager
    def begin(self) -> Iterator[Rows]:
        """
        One write transaction: durable when the block ends, gone when it raises.

        Raises:
            StoreError: The database did not do as told; nothing is stored. When the connection
                breaks inside the commit itself, that cannot be known.
        """
        with self._transaction(write=True) as connection:
            transaction = Transaction(connection, self._clock())
            yield Rows(transaction)
            for act in transaction.at_end:
                act()
        for act in transaction.after_commit:
            act()
        if transaction.work_added:
            self._wake()

    def write(self, function: Callable[[Rows], T]) -> T:
        """
        Run a function in a write transaction of its own; once more when it lost a race.

        A race is lost when somebody takes a unique value after the function has looked for it, and
        before it has written its own. The second time it sees what was taken.

        On SQLite the function may share its commit with others', and is run in any of their
        threads: see `group_commit.py`. It returns when all of it is on disk.

        Raises:
            StoreError: As `begin`.
        """
        if self._group is not None:
            self._must_not_write_already()
            return self._group.run(function)
        with suppress(ConstraintError, DuplicateRow), self.begin() as rows:
            return function(rows)
        with self.begin() as rows:
            return function(rows)

    @contextmanager
    def read(self) -> Iterator[Rows]:
        """One transaction for reading; on SQLite it never waits for a writer."""
        with self._transaction(write=False) as connection:
            yield Rows(Transaction(connection, self._clock()))

    def claim(
        self,
        worker: str,
        limit: int,
        lease_seconds: float,
        lanes: Lanes = ONE_LANE,
        first: Callable[[Rows], object] | None = None,
    ) -> list[Delivery]:
        """
        Take due deliveries for a worker, in SENDING until the lease runs out.

        Args:
            worker: Who takes them, for the operator.
            limit: At most so many.
            lease_seconds: Longer than any attempt can take.
            lanes: Where deliveries go, and which destinations may have more.
            first: What is to be written before, in the same transaction: as for `write`.

        Raises:
            StoreError: As `begin`; also what `first` raises.
        """
        who = f"{self._instance}/{worker}"

        def take(rows: Rows) -> list[Delivery]:
            if first is not None:
                first(rows)
            return rows.deliveries.claim(who, limit, lease_seconds, lanes)

        try:
            return self.write(take)
        except ConstraintError:
            # `uq_delivery_sending`: two workers saw different heads of one queue. Next time.
            if first is not None:
                self.write(first)
            return []

    def recover_expired(
        self,
        resendable: Collection[str],
        follow: Callable[[Rows, Delivery], None] = lambda *_: None,
    ) -> tuple[str, ...]:
        """
        Take back deliveries whose worker is gone.

        On PostgreSQL those whose lease ran out. On SQLite also those of an earlier process at once,
        since this one owns the file.

        Args:
            resendable: Contracts (`RegisterCertificate:3`) that may be sent twice; others become
                UNKNOWN.
            follow: Called with each that is not tried again, in the same transaction.

        Returns:
            Ids of the deliveries.
        """
        table = tables.delivery
        gone = table.c.lease_until < self._clock()
        if not self.is_postgresql:
            gone = sa.or_(gone, ~table.c.worker.startswith(f"{self._instance}/", autoescape=True))
        with self.begin() as rows:
            taken = rows.deliveries.take_back(gone, resendable)
            for ended in rows.deliveries.ended_among(taken):
                follow(rows, ended)
            return taken

    def leave_under_way(self) -> None:
        """What this process is sending still is left to the lease, and is nobody's death."""
        with self.begin() as rows:
            mine = tables.delivery.c.worker.startswith(f"{self._instance}/", autoescape=True)
            rows.deliveries.excuse(mine)

    @property
    def wakes(self) -> int:
        """Grows whenever there may be new work; see `wait_for_work`."""
        with self._woken:
            return self._wakes

    def wait_for_work(self, timeout_seconds: float, seen: int | None = None) -> bool:
        """
        Wait until there may be something to claim.

        Args:
            timeout_seconds: At most so long: retries become due without a sound.
            seen: `wakes` as it was before the last claim, so that nothing that was
                added since then is slept through. None: as it is now.

        Returns:
            Whether something was added.
        """
        with self._woken:
            if self.is_postgresql and self._listener is None:
                self._listener = self._listen()
            start = self._wakes if seen is None else seen
            return self._woken.wait_for(lambda: self._wakes != start, timeout_seconds)

    def wake_all(self) -> None:
        """Let every `wait_for_work` of this process return."""
        self._wake()

    def close(self) -> None:
        """Close every connection and give up the file."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        self._engine.dispose()
        if self._owned is not None:
            self._owned.close()
            self._owned = None

    # --- inside ---

    def _mark(self, connection: sa.Connection, environment: Environment) -> None:
        mark = tables.environment
        found = connection.scalar(sa.select(mark.c.name))
        if found is None:
            connection.execute(sa.insert(mark).values(name=environment.value))
        self._compare(found, environment)

    def _compare(self, found: str | None, environment: Environment) -> None:
        if found not in (None, environment.value):
            url = self._engine.url.render_as_string(hide_password=True)
            raise WrongEnvironmentError(
                f"the database {url} belongs to the environment {found} "
                f"and is not opened in {environment.value}"
            )

    def _listen(self) -> "Listener":
        from intyg.adapter.store.listen import Listener

        return Listener(self._connect_listener, self._wake)

    def _connect_listener(self) -> "psycopg.Connection[Any]":
        import psycopg

        positional, named = self._engine.dialect.create_connect_args(self._engine.url)
        return psycopg.connect(*positional, **named, autocommit=True)

    def _wake(self) -> None:
        with self._woken:
            self._wakes += 1
            self._woken.notify_all()

    @contextmanager
    def _transaction(self, write: bool) -> Iterator[sa.Connection]:
        if write and self._read_only:
            raise StoreError("the database was opened for reading only")
        if write or self._in_memory:
            self._must_not_write_already()
        engine = self._engine if write else self._reading
        with (
            self._watched(write),
            self._write_lock(write),
            as_store_error(),
            engine.begin() as connection,
        ):
            if not self.is_postgresql:
                _begin(connection, write)
            yield connection
            if write and self._owned is not None:
                self._owned.must_be_there()

    def _must_not_write_already(self) -> None:
        if self._writes == threading.get_ident():
            raise RuntimeError("a transaction inside a write transaction would wait for itself")

    @contextmanager
    def _watched(self, write: bool) -> Iterator[None]:
        if not write:
            yield
            return
        with self.trouble.watched():
            self.trouble.must_go_on()
            yield

    @contextmanager
    def _write_lock(self, write: bool) -> Iterator[None]:
        if self.is_postgresql or not (write or self._in_memory):
            yield
            return
        with self._writer:
            self._writes = threading.get_ident()
            try:
                yield
            finally:
                self._writes = None

    def _own_file(self, url: URL) -> None:
        """Make the SQLite file and lock it for this process, unless it is only read."""
        if self._in_memory:
            return
        assert url.database is not None
        path = Path(url.database)
        if not self._read_only:
            self._owned = OwnFile(path)
        elif not path.is_file():
            raise StoreError(f"there is no database {path}")


def database_version(url: str) -> str:
    """
    What keeps the rows behind a URL: `SQLite 3.40.1`, `PostgreSQL 15.20`.

    SQLite is a library, so that its file need not be there, and is not opened.

    Raises:
        StoreError: The server does not answer, or lets us not in; says what to do about it.
    """
    with as_store_error():
        parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return f"SQLite {parsed.get_dialect().import_dbapi().sqlite_version}"
    engine = _postgresql_engine(parsed)
    try:
        with as_store_error(), _opening(parsed), engine.connect() as connection:
            number = connection.dialect.server_version_info or ()
    finally:
        engine.dispose()
    return f"PostgreSQL {'.'.join(map(str, number))}"


@contextmanager
def _opening(url: URL) -> Iterator[None]:
    """A block that opens a connection: says why it cannot, and what to do about it."""
    try:
        yield
    except sa.exc.OperationalError as error:
        where = f"{url.host or 'the local socket'}{f':{url.port}' if url.port else ''}"
        raise why_no_connection(error, where) from None


def _sqlite_engine(url: URL, in_memory: bool, read_only: bool, owned: OwnFile | None) -> sa.Engine:
    arguments: dict[str, Any] = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    pool: dict[str, Any] = {"pool_size": 20, "max_overflow": 20}
    if in_memory:
        pool = {"poolclass": StaticPool}
    engine = sa.create_engine(url, hide_parameters=True, connect_args=arguments, **pool)

    @sa.event.listens_for(engine, "do_connect")
    def on_open(*_: object) -> None:
        if owned is not None:  # SQLite would make another file where it is gone
            owned.must_be_there()

    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        # The driver must not begin transactions by itself: `_begin` does.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
            return
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {MOST_WAL_BYTES}")

    return engine


def _begin(connection: sa.Connection, write: bool) -> None:
    """
    Begin a transaction on SQLite.

    IMMEDIATE takes the write lock now: a transaction that reads first and writes then could
    otherwise fail in its middle. No listener does it: with one, each statement looks for others.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _postgresql_engine(url: URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        pool_size=10,
        max_overflow=20,
        connect_args={"application_name": "intygsadapter", "connect_timeout": 10},
    )

    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        # A commit that is not on disk is no answer; stronger settings of the server are left alone.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'on', false) "
                "WHERE current_setting('synchronous_commit') = 'off'"
            )
        connection.commit()

    @sa.event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, _record: object, _proxy: object) -> None:
        # The server may have been restarted since: then it has said good-bye, which costs less to
        # see than to ask it each time.
        heard = select.poll()
        heard.register(connection.fileno(), select.POLLIN)
        if heard.poll(0) and not _answers(engine.dialect, connection):
            raise sa.exc.DisconnectionError

    return engine


def _answers(dialect: Any, connection: Any) -> bool:
    try:
        return bool(dialect.do_ping(connection))
    except dialect.loaded_dbapi.Error as error:
        if not dialect.is_disconnect(error, connection, None):
            raise
        return False
