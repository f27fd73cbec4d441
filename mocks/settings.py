"""What a mock can be told when it is made."""

from dataclasses import dataclass, field
from pathlib import Path

from intyg.mocks.wire.tls import AdapterTls

ANY = "*"


@dataclass(frozen=True)
class MockSettings:
    """
    One mock.

    Attributes:
        name: What it is called in its description and in faults.
        logical_address: What the header of a call must say; `*` takes any.
        part: Its code in `types:Part`, e.g. `FKASSA`.
        adapter_url: Where it sends its own messages: a base address, to
            which the contract's national path is added. None: it cannot send.
        adapter_tls: Whom it believes there, and what it shows.
        adapter_token: What the adapter's REST wants as Bearer, for drafts;
            None: nothing.
        adapter_logical_address: What the header of those messages says. It
            names the national store (the first hop); the care unit stands
            in `logiskAdressMottagare`.
        recipient_address: Logical address that the EHR writes to.
        ca_files: PEM files with the CA certificates whose signers count,
            intermediates too, since a certificate carries its leaf alone.
            Without any, signatures are recorded as `not_checked`.
        require_signature: Refuse a certificate without one. Nationally one
            may be missing (private practitioners who sign with BankID).
        checks: Look at XSD, type and rules, person number and signature;
            without, whatever is well-formed is taken, as load tests want.
        types: Codes of the certificate types it takes (`LISJP`); None takes
            every type whose recipient is `part`.
        kontakt_info: Lines of `skickatAv/kontaktInfo` in its messages.
        timeout_seconds: For each message it sends.
        max_body_bytes: Larger calls get HTTP 413; the limit of the national
            platform.
        journal_max_calls, journal_max_bytes, journal_max_age_seconds: The
            journal drops its oldest calls beyond any of them, and counts
            them; None: however old.
        journal_file: SQLite file that keeps the journal, which several mocks
            may share; None: it is kept in memory.
        run: The run that the mock is made for (see `runs`); None: it is
            shared.
        max_runs, run_idle_seconds: So many runs at once, and how long one is
            kept that nobody calls.
        run_max_bytes: What `journal_max_bytes` is for a run.
        run_by_client_certificate: Each client certificate has a run of its
            own, where nothing else names one.
        control_token: What the control interface wants as Bearer; None:
            nothing, as fits a mock inside the process that tests with it.
        pass_through_to: Base addresses beyond loopback to which rules may
            pass calls through; never of a real authority.
    """

    name: str
    logical_address: str
    part: str
    adapter_url: str | None = None
    adapter_tls: AdapterTls = field(default_factory=AdapterTls)
    adapter_token: str | None = field(default=None, repr=False)
    adapter_logical_address: str = "INTYGSADAPTER"
    recipient_address: str = "FKASSA"
    ca_files: tuple[Path, ...] = ()
    require_signature: bool = False
    checks: bool = True
    types: frozenset[str] | None = None
    kontakt_info: tuple[str, ...] = ()
    timeout_seconds: float = 30.0
    max_body_bytes: int = 15 * 1024 * 1024
    journal_max_calls: int = 10_000
    journal_max_bytes: int = 256 * 1024 * 1024
    journal_max_age_seconds: float | None = 7 * 24 * 3600.0
    journal_file: Path | None = None
    run: str | None = None
    max_runs: int = 200
    run_idle_seconds: float = 3600.0
    run_max_bytes: int = 16 * 1024 * 1024
    run_by_client_certificate: bool = False
    control_token: str | None = field(default=None, repr=False)
    pass_through_to: tuple[str, ...] = ()
