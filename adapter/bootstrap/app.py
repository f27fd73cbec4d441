"""Composition: every part is built once, from `Settings`, and handed to the others."""

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from wsgiref.types import WSGIApplication

from intyg.adapter.audit.log import NOT_ABOUT_A_PATIENT, AuditLog
from intyg.adapter.bootstrap.doctor_steps import doctor_of
from intyg.adapter.bootstrap.draft_watch import DraftWatch
from intyg.adapter.bootstrap.listening import listening
from intyg.adapter.bootstrap.load_schemas import Schemas
from intyg.adapter.bootstrap.reload_routes import RoutesReloader
from intyg.adapter.bootstrap.reload_tls import TlsReloader
from intyg.adapter.bootstrap.startup import read_facts, refuse_unfit
from intyg.adapter.bootstrap.store_watch import StoreWatch, open_store
from intyg.adapter.clients.diagnoses import Diagnoses
from intyg.adapter.clients.staff_directory import directory_from_settings
from intyg.adapter.console.app import build_console
from intyg.adapter.console.clock import build_clock
from intyg.adapter.console.pages import build_console_site
from intyg.adapter.console.token import Token
from intyg.adapter.deliver import Deliverer, PatientNames
from intyg.adapter.deliver.desk import Consequence
from intyg.adapter.deliver.worker import Workers
from intyg.adapter.domain.clock import Clock, system_clock
from intyg.adapter.domain.delivery import Delivery, Outcome
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.kept_thread import names_of_ended
from intyg.adapter.domain.virtual_clock import VirtualClock
from intyg.adapter.flows import after_delivery
from intyg.adapter.flows.contracts import FAULT_CONTRACTS, HANDLERS, READERS, SENT_TO_CARE
from intyg.adapter.flows.drafts import on_time
from intyg.adapter.flows.leftovers import Leftovers
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.announce import announce_parked
from intyg.adapter.flows.sjukfall import make_cases
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.httpd.mount import Mount
from intyg.adapter.httpd.server import Server
from intyg.adapter.httpd.tls import context_from_settings
from intyg.adapter.routing.access import Access
from intyg.adapter.routing.table import Routes
from intyg.adapter.settings.settings import Settings, SettingsError
from intyg.adapter.soap import Answer, build_wsgi
from intyg.adapter.statistics.facts import FactMaker
from intyg.adapter.store import Rows, Store
from intyg.schemas.typefile.reader import TypeFileError

ENVIRONMENT_HEADER: Final = "x-intyg-environment"
"""In every HTTP answer, whatever else it says."""

LEAST_SECONDS: Final = 1.0
"""For requests that are under way when it is stopped, however short `delivery.stop_seconds` is."""

CONSOLE_THREADS: Final = 4
"""Of the control interface, on a port of its own."""


def build_services(
    settings: Settings, clock: Clock = system_clock, schemas: Schemas | None = None
) -> Services:
    """
    Build what the flows work with; opens the database and brings its schema up to date.

    Args:
        schemas: Contracts and types that are read already; None: those that the settings name.

    Raises:
        SettingsError: A key, certificate or folder that the settings name is not usable, or is not
            for this environment.
        StoreError: The database cannot be opened, or belongs to another environment.
    """
    facts = read_facts(settings, clock, schemas)
    refuse_unfit(facts)
    staff = directory_from_settings(settings.staff)
    _make_folder(settings.data_dir)
    store, audit_key = open_store(settings, lambda: Store(settings.effective_database_url, clock))
    audit = AuditLog(store, audit_key)
    try:
        audit.check_key()
    except (StoreError, SettingsError):
        store.close()
        raise
    return Services(
        settings=settings,
        contracts=facts.contracts,
        types=facts.types,
        store=store,
        guard=facts.guard,
        routes=Routes(settings, clock),
        trust=facts.trust,
        signing_key=facts.signing_key,
        clock=clock,
        staff=staff,
        audit=audit,
        people=facts.guard.patients.people,
        diagnoses=Diagnoses(settings.codes.icd10_file) if settings.codes.icd10_file else None,
        facts=FactMaker(audit_key.person_in_statistics, settings.environment),
    )


def _make_folder(folder: Path) -> None:
    """Of the database and the audit log's key; must be written in."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
            raise OSError(0, os.strerror(errno.EROFS if read_only else errno.EACCES))
    except OSError as exc:
        cure = "set data_dir to a folder that this user may write in"
        raise SettingsError(f"data_dir {folder}: {exc.strerror}; {cure}") from exc


class App:
    """
    A running adapter: doors, workers and database. A context manager, which raises `ListenError`
    where an address cannot be listened on.

    Attributes:
        services: What it was built from.
    """

    def __init__(self, services: Services, shared_port: int | None = None) -> None:
        self.services = services
        settings = services.settings
        soap = build_wsgi(
            services.contracts,
            {key: _in_unit(key, flow, services) for key, flow in {**HANDLERS, **READERS}.items()},
            settings,
            services.clock,
            FAULT_CONTRACTS,
            Access(settings, services.routes),
            SENT_TO_CARE,
        )
        console = build_console(services, self.ended_threads)
        self._site = build_console_site(services, system_clock, doctor_of(services))
        control: dict[str, WSGIApplication] = {
            "/api": console,
            "/metrics": console,
            "/console": self._site.app,
            "/": self._site.app,
        }
        self._deliverer = Deliverer(
            services.contracts,
            services.guard,
            settings.delivery,
            services.clock,
            PatientNames(services.people, services.types),
        )
        self._workers = Workers(
            services.store,
            self._deliverer,
            services.routes.find,
            self._after_delivery,
            settings.delivery,
            services.clock,
            services.routes.why_not,
            partial(announce_parked, services),
        )
        self._leftovers = Leftovers(
            services.store, services.clock, settings.delivery.archive_after_days
        )
        self._drafts = DraftWatch(self._what_is_due)
        self._store_watch = StoreWatch(services.store)
        if settings.environment is Environment.DEMO and isinstance(services.clock, VirtualClock):
            control["/api/clock"] = build_clock(
                services.clock,
                self._workers,
                services.store,
                Token.from_settings(settings),
                self._what_is_due,
            )
        self._console, self._server = _servers(settings, soap, console, control, shared_port)
        self._reloaders = list(self._make_reloaders())
        self._running = contextlib.ExitStack()

    def _make_reloaders(self) -> Iterator[RoutesReloader | TlsReloader]:
        services, settings = self.services, self.services.settings
        if settings.routes_file is not None:
            names = frozenset(contract.name for contract in services.contracts.all())
            yield RoutesReloader(settings.routes_file, settings.environment, services.routes, names)
        if settings.server.tls is not None:
            yield TlsReloader(settings.server.tls, settings.environment, self._server.use_tls)

    @property
    def url(self) -> str:
        """Base address, `http://127.0.0.1:8080`."""
        return self._server.address

    @property
    def console_url(self) -> str:
        """Base address of the control interface."""
        return self._console.address if self._console else self.url

    def login_url(self) -> str:
        """A link to the console that logs an operator in, once."""
        return self.console_url + self._site.login_path()

    def _what_is_due(self) -> None:
        """What happens by itself at its time, beside deliveries."""
        on_time.run(self.services)
        self._leftovers.run()
        make_cases(self.services.store)

    def ended_threads(self) -> list[str]:
        """Names of the threads that should run and do not."""
        return names_of_ended(self._threads())

    def _threads(self) -> Iterator[threading.Thread]:
        yield from self._workers.threads
        yield self._drafts.thread
        yield self._store_watch.thread
        yield from self._server.threads
        if self._console:
            yield from self._console.threads
        for reloader in self._reloaders:
            yield reloader.thread
        yield from self.services.store.threads

    def warm_up(self) -> None:
        """Compile what explains wrong messages, so that the first one is not slow."""
        for key in HANDLERS:  # requests to READERS are small, and come from systems that read
            name, _, major = key.partition(":")
            self.services.contracts.warm(self.services.contracts.get(name, int(major)))

    def reload(self) -> None:
        """Read `routes_file` and the files of `[server.tls]` again now, as a signal asks."""
        for reloader in self._reloaders:
            reloader.reload()

    def _after_delivery(self, delivery: Delivery, outcome: Outcome) -> Consequence:
        follow, audit = after_delivery.handle(delivery, outcome, self.services), self.services.audit

        def write(rows: Rows, recorded: Delivery) -> None:
            follow(rows, recorded)
            if audit:
                audit.record_delivery(rows, recorded, outcome)

        return write

    def __enter__(self) -> Self:
        settings = self.services.settings
        with contextlib.ExitStack() as running:
            running.callback(self.services.store.close)
            running.callback(self._anchor)
            self._store_watch.start()
            running.callback(self._store_watch.stop)
            running.callback(self._deliverer.close)
            self._workers.start()
            running.callback(self._workers.stop)
            self._drafts.start()
            running.callback(self._drafts.stop)
            for reloader in self._reloaders:
                reloader.start()
                running.callback(reloader.stop)
            with listening(settings.server.host, settings.server.port, "server"):
                self._server.start()
            running.callback(self._stop_door, self._server)
            if self._console:
                with listening(settings.console.host, settings.console.port or 0, "console"):
                    self._console.start()
                running.callback(self._stop_door, self._console)
            running.callback(self._workers.end)  # first: all that ends has the same time left
            self._running = running.pop_all()
        self._anchor()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.__exit__(kind, value, trace)  # each part, whatever the one before says

    def _stop_door(self, server: Server) -> None:
        server.stop(max(self._workers.stop_until, time.monotonic() + LEAST_SECONDS))

    def _anchor(self) -> None:
        if self.services.audit:
            with contextlib.suppress(StoreError):  # the log of events says that it is gone
                self.services.audit.log_anchors()


def _servers(
    settings: Settings,
    soap: WSGIApplication,
    console: WSGIApplication,
    control: Mapping[str, WSGIApplication],
    shared_port: int | None,
) -> tuple[Server | None, Server]:
    """The doors: one for control, if it has a port of its own, and the one for everything else."""
    headers = ((ENVIRONMENT_HEADER, settings.environment.value),)
    tls = context_from_settings(settings)
    of_its_own: Server | None = None
    if settings.console.port is not None:
        of_its_own = Server(
            Mount({"/health": console, **control}),
            settings.console.host,
            settings.console.port,
            threads=CONSOLE_THREADS,
            headers=headers,
            reuse_port=shared_port is not None,
        )
        control = {}
    return of_its_own, Server(
        Mount({"/services": soap, "/health": console, **control}),
        settings.server.host,
        settings.server.port if shared_port is None else shared_port,
        threads=settings.server.threads,
        max_body_bytes=settings.server.max_body_bytes,
        max_waiting=settings.server.max_waiting,
        headers=headers,
        tls=tls,
        reuse_port=shared_port is not None,
    )


def build_app(
    settings: Settings,
    clock: Clock = system_clock,
    *,
    shared_port: int | None = None,
    schemas: Schemas | None = None,
) -> App:
    """
    Build an adapter; entering it starts it.

    Args:
        shared_port: Listen on this port, which other processes share; None: on that of the
            settings, alone.
        schemas: As for `build_services`.

    Raises:
        SettingsError, StoreError: As `build_services`; a certificate type of the
            package is wrong.
    """
    services = build_services(settings, clock, schemas)
    try:
        services.types.all()  # now, and not when the first certificate of a type comes
    except TypeFileError as exc:
        services.store.close()
        raise SettingsError(f"certificate type {exc}") from exc
    try:
        return App(services, shared_port)
    except SettingsError:
        services.store.close()
        raise


def _in_unit(
    key: str, flow: Callable[[Inbound, Services, UnitOfWork], Answer], services: Services
) -> Callable[[Inbound], Answer]:
    """A flow as the door calls it: each call with a unit of work of its own."""
    audit = None if key in NOT_ABOUT_A_PATIENT else services.audit

    def handle(inbound: Inbound) -> Answer:
        record = partial(audit.record_call, inbound) if audit else None
        with UnitOfWork(services.store, record) as unit:
            answer = flow(inbound, services, unit)
            unit.end(answer)
            return answer

    return handle
