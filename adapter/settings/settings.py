"""The one `Settings`, read from a TOML file and the environment, refused loudly when wrong.

Environment variables start with `INTYG_` and use `__` between levels: `INTYG_SERVER__PORT=8443`.
Relative paths are read from the folder of the TOML file, or the working folder without one.
"""

import difflib
import ipaddress
import os
import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, Self

import pydantic
import pydantic_settings
from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.person import PatientKind
from intyg.adapter.domain.recipient import RecipientKind
from intyg.adapter.settings.field_faults import faults_of
from intyg.adapter.settings.files import (
    TomlFile,
    TomlFileError,
    anchored,
    open_toml,
    read_routing,
)
from intyg.adapter.settings.guard_answers import MAY_BE_TOLD, BlockReply
from intyg.adapter.settings.routing import DestinationSettings as DestinationSettings
from intyg.adapter.settings.routing import PermissionSettings as PermissionSettings
from intyg.adapter.settings.routing import RouteSettings as RouteSettings
from intyg.adapter.settings.routing import RoutingSettings
from intyg.adapter.settings.routing import SettingsPart as _Part
from intyg.adapter.settings.secrets import secrets_of, secrets_said
from intyg.adapter.settings.toml_lines import Place
from intyg.adapter.settings.web_address import check_web_address

ENV_PREFIX: Final = "INTYG_"

NOT_SETTINGS: Final = re.compile(
    f"{ENV_PREFIX}(KEY_PASSWORD|TEST_(?!PATIENT)|MOCKS_|NATIONAL_|DOCS_)"
)
"""Variables of the command line, the mocks and the tests, which are no settings."""


USUAL_CUTOFF: Final = 5
LOWEST_CUTOFF: Final = 3
"""No setting shows smaller numbers of a nation or region, outside a demonstration."""

NO_SETTINGS: Final = (
    "no settings: name a file with --config, or set INTYG_ENVIRONMENT and what else differs"
)


class SettingsError(Exception):
    """The settings are wrong; the text has a line for each fault, with what would be right."""


def _file_or_url(file: Path | None, url: str | None) -> None:
    if file is not None and url is not None:
        raise ValueError("give file or url, not both")
    if url is not None:
        check_web_address(url)


class SignaturePolicy(StrEnum):
    """Policy of RegisterCertificate on the signature."""

    REQUIRE = "require"  # refuse a certificate without one
    ACCEPT = "accept"  # check one that is there; take a certificate without
    SIGN = "sign"  # check one that is there; sign a certificate without, with the adapter's key

    def fits(self, environment: Environment) -> bool:
        """True where an environment may run with it."""
        return environment is not Environment.PRODUCTION or self is SignaturePolicy.REQUIRE


class SignerRolePolicy(StrEnum):
    """Policy on a signer of whom nothing says what they are, where there is no staff directory."""

    REQUIRE = "require"  # refuse
    ACCEPT = "accept"  # take


class ServerTlsSettings(_Part):
    """The server's own certificate, and whose client certificates count."""

    cert: Path = Field(description="PEM, with the chain if it has one")
    key: Path | None = Field(default=None, description="PEM; not needed with the key in cert")
    key_password: pydantic.SecretStr | None = None
    client_ca: tuple[Path, ...] = Field(
        default=(),
        description="PEM: who issues client certificates; without any, none is asked for",
    )
    client_crl: tuple[Path, ...] = Field(
        default=(),
        description="PEM: which client certificates are revoked; with any, each issuer needs one",
    )

    @pydantic.model_validator(mode="after")
    def _revoked_by_somebody(self) -> Self:
        if self.client_crl and not self.client_ca:
            raise ValueError("client_crl without client_ca")
        return self


class ServerSettings(_Part):
    """Address and limits of the door."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535, description="0 takes a free port")
    threads: int = Field(default=16, ge=1)
    max_waiting: int = Field(
        default=256, ge=1, description="requests that may wait for a thread; the next gets HTTP 429"
    )
    max_body_bytes: int = Field(
        default=15 * 1024 * 1024, ge=1024, description="larger requests get HTTP 413"
    )
    trust_proxy: bool = Field(
        default=False,
        description="believe X-Forwarded-Proto, -Host, -Port and -Prefix when writing addresses "
        "into WSDLs",
    )
    public_url: str | None = Field(
        default=None,
        description="what callers know this server as, e.g. https://intyg.example/adapter; in "
        "WSDLs, whatever the call and its headers say",
    )
    validate_answers: bool = Field(
        default=True, description="check every answer against its contract before it leaves"
    )
    most_listed: int = Field(
        default=2000, ge=1, description="certificates in one answer; a list of more is refused"
    )
    tls: ServerTlsSettings | None = Field(default=None, description="None: plain HTTP")

    @pydantic.field_validator("public_url")
    @classmethod
    def _base_of_addresses(cls, url: str | None) -> str | None:
        if url is not None:
            check_web_address(url)
            if "?" in url or "#" in url:
                raise ValueError("must be a host, with or without a path")
        return url


class ConsoleRole(StrEnum):
    """What somebody may do in the console and at `/api`."""

    VIEWER = "viewer"  # looks, changes nothing
    OPERATOR = "operator"  # does everything; sees contents of test patients, outside production all
    AUDITOR = "auditor"  # looks, at the audit log too
    CARE = "care"  # its own unit's certificates and questions, with their contents


class ConsoleTokenSettings(_Part):
    """Somebody who may use the console."""

    name: str = Field(min_length=1, description="who it is, as the audit log has it")
    role: ConsoleRole
    unit: str | None = Field(default=None, description="HSA-id; for care, and for care alone")
    token_file: Path = Field(description="holds the token, 16 characters or more")

    @pydantic.model_validator(mode="after")
    def _unit_of_care(self) -> Self:
        if (self.role is ConsoleRole.CARE) != (self.unit is not None):
            raise ValueError("unit: care has one, and nobody else")
        return self


class ConsoleUnitSettings(_Part):
    """A care unit with units of its own: who works at it follows up theirs, too."""

    sub_units: tuple[str, ...] = Field(min_length=1, description="HSA-ids")


class ConsoleSettings(_Part):
    """The control interface: `/console`, `/api` and `/metrics`."""

    token: pydantic.SecretStr | None = Field(
        default=None, description="16 characters or more; of an operator"
    )
    token_file: Path | None = None
    tokens: tuple[ConsoleTokenSettings, ...] = Field(
        default=(), description="more people, each with a role"
    )
    units: Mapping[str, ConsoleUnitSettings] = Field(
        default={}, description="by HSA-id: units that have units of their own"
    )
    hosts: tuple[str, ...] = Field(
        default=(), description="names that browsers know /console by, beside addresses"
    )
    port: int | None = Field(
        default=None, ge=0, le=65535, description="a port of its own; None: on the server's"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on, with a port")


class SigningSettings(_Part):
    """The adapter's own key, for `signature = "sign"` and `intyg sign`."""

    key: Path | None = Field(default=None, description="PEM key, or PKCS#12 with key and chain")
    cert: Path | None = Field(default=None, description="PEM certificate; not needed with PKCS#12")
    password: pydantic.SecretStr | None = None


class TrustSettings(_Part):
    """Whose signatures count."""

    anchors: tuple[Path, ...] = Field(default=(), description="PEM files with CA certificates")
    intermediates: tuple[Path, ...] = ()
    pinned: tuple[Path, ...] = Field(default=(), description="leaf certificates taken as they are")
    require_author: bool = Field(
        default=True, description="the signer's serialNumber must be skapadAv/personal-id"
    )
    accept_digital_signature: bool = Field(
        default=False, description="take key usage digitalSignature beside contentCommitment"
    )
    accept_time_unsigned: bool = Field(
        default=False, description="take TIME_UNSIGNED: signed before signeringstidpunkt was set"
    )
    max_signed_bytes: int = Field(
        default=2 * 1024 * 1024, ge=1024, description="larger messages have no signature checked"
    )


class StaffSettings(_Part):
    """The staff directory that signers are looked up in: a file or an address, or none."""

    file: Path | None = Field(default=None, description="JSON list of people")
    url: str | None = Field(default=None, description="GET <url>/<HSA-id> answers with one")
    ca: Path | None = Field(default=None, description="CA certificates (PEM) for https")
    token: pydantic.SecretStr | None = None
    timeout_seconds: float = Field(default=5.0, gt=0)
    cache_seconds: float = Field(default=300.0, ge=0)

    @pydantic.model_validator(mode="after")
    def _one(self) -> Self:
        _file_or_url(self.file, self.url)
        return self


class RegisterSettings(_Part):
    """The population register that is asked for its test flag: a file or an address, or none."""

    file: Path | None = Field(default=None, description="CSV, JSON or YAML, by its name's ending")
    url: str | None = Field(default=None, description="asked by POST, never with a number in it")
    ca: Path | None = Field(default=None, description="CA certificates (PEM) for https")
    token: pydantic.SecretStr | None = None
    timeout_seconds: float = Field(default=2.0, gt=0)
    cache_seconds: float = Field(
        default=60.0, ge=1, le=3600, description="how old an answer may be that is used again"
    )
    down_seconds: float = Field(
        default=5.0, gt=0, le=60, description="how long a register that failed is left alone"
    )
    unknown: PatientKind = Field(
        default=PatientKind.CANNOT_TELL, description="what somebody is whom it does not know"
    )

    @pydantic.model_validator(mode="after")
    def _one(self) -> Self:
        _file_or_url(self.file, self.url)
        return self


class CodesSettings(_Part):
    """Lists of codes that are not part of the package."""

    icd10_file: Path | None = Field(
        default=None,
        description="ICD-10-SE: on each line a code and its name, with a tab, ; or , between them; "
        "None: of diagnoses only the form is checked",
    )


class StatisticsSettings(_Part):
    """Statistics."""

    cutoff: int | None = Field(
        default=None,
        ge=0,
        description="smaller figures of a nation or region are not shown; None: 5, in demo 0",
    )


class AuditSettings(_Part):
    """The secret of the audit log: a key, or a file with one."""

    key: pydantic.SecretStr | None = Field(default=None, description="32 characters or more")
    key_file: Path | None = Field(
        default=None, description="None: audit.key in data_dir, made when it is not there"
    )


class TestPatientSettings(_Part):
    """The signals that a patient is a test patient; any one is enough."""

    __test__ = False

    list_files: tuple[Path, ...] = Field(
        default=(), description="Skatteverket's CSV, or one 12-digit number a line"
    )
    ehr_list_files: tuple[Path, ...] = Field(
        default=(), description="the EHR's own test patients, same formats"
    )
    reserved_numbers: bool = Field(
        default=True, description="birth numbers 980 to 999 are test patients'"
    )
    population_register: RegisterSettings = RegisterSettings()


class GuardSettings(_Part):
    """Answers of the guard where it blocks. Its blocking cannot be set."""

    told: Mapping[str, BlockReply] = Field(
        default={}, description="by contract; those that are not named: as nationally"
    )

    @pydantic.field_validator("told")
    @classmethod
    def _possible(cls, told: Mapping[str, BlockReply]) -> Mapping[str, BlockReply]:
        for contract, way in told.items():
            ways = MAY_BE_TOLD.get(contract)
            if ways is None:
                raise ValueError(f"{contract}: give one of {', '.join(MAY_BE_TOLD)}")
            if way not in ways:
                raise ValueError(f"{contract}: give one of {', '.join(sorted(ways))}")
        return told


class CallerIdentity(StrEnum):
    """Way in which the doors know who calls."""

    TLS = "tls"  # HSA-id in the subject of the client certificate
    PROXY = "proxy"  # a header of a listed proxy; from elsewhere, the client certificate
    NONE = "none"  # anybody may call, and nobody is known; in demo alone


class CallerSettings(_Part):
    """Callers, and what they may say of themselves."""

    identity: CallerIdentity | None = Field(
        default=None, description="None: none in demo, otherwise tls"
    )
    proxies: tuple[str, ...] = Field(
        default=(), description="addresses (CIDR) whose headers are believed"
    )
    sender_header: str = Field(default="x-vp-sender-id", description="holds the caller's HSA-id")
    cert_header: str = Field(
        default="x-vp-auth-cert",
        description="holds the caller's certificate, if there is no sender_header",
    )
    instance_id: str | None = Field(
        default=None, description="what x-vp-instance-id must say for the headers to be believed"
    )
    original_senders: tuple[str, ...] = Field(
        default=("*",), description="HSA-ids that may set x-rivta-original-serviceconsumer-hsaid"
    )

    @pydantic.field_validator("proxies")
    @classmethod
    def _ranges(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for text in proxies:
            ipaddress.ip_network(text)
        return proxies

    @pydantic.model_validator(mode="after")
    def _someone_listed(self) -> Self:
        if self.identity is CallerIdentity.PROXY and not self.proxies:
            raise ValueError('identity = "proxy" needs proxies')
        return self


class RecipientSettings(_Part):
    """One authority, as `mottagare` names it."""

    name: str = Field(min_length=1)
    logical_address: str
    types: tuple[str, ...] = Field(default=("*",), description="certificate type codes it takes")
    active: bool = True
    callers: tuple[str, ...] = Field(
        default=(),
        description="HSA-ids of the systems that may speak for it; empty: all in demo, otherwise "
        "none",
    )
    kind: RecipientKind | None = Field(
        default=None, description="None: as nationally for the authorities, otherwise MOTTAGARE"
    )
    trusted: bool | None = Field(
        default=None,
        description="may get certificates of patients with protected identity; "
        "None: the national authorities alone",
    )


class DeliverySettings(_Part):
    """
    Attempts: how often, and for how long.

    The default is the national schedule towards EHRs: 30 attempts, 1 min, 5 min, 1 h, 6 h, 12 h and
    then a day apart.
    """

    waits_seconds: tuple[float, ...] = Field(
        default=(60, 300, 3600, 21600, 43200, 86400), min_length=1, description="last one repeats"
    )
    max_attempts: int = Field(default=30, ge=1)
    hold_seconds: float = Field(
        default=60.0, gt=0, description="until the guard is asked again what it could not tell"
    )
    jitter: float = Field(
        default=0.1, ge=0, le=0.5, description="each wait is so much longer or shorter, by chance"
    )
    probe_seconds: tuple[float, ...] = Field(
        default=(60, 120, 300, 600, 900),
        min_length=1,
        description="before each try of a way that somebody must repair; last one repeats",
    )
    breaker_failures: int = Field(
        default=5, ge=1, description="so many attempts in a row without an answer stop a contract"
    )
    breaker_seconds: tuple[float, ...] = Field(
        default=(30, 60, 120, 300, 600),
        min_length=1,
        description="before each try of one that does not answer; last one repeats",
    )
    workers: int = Field(
        default=4, ge=0, description="threads; more when receivers are slow, so that none waits"
    )
    poll_seconds: float = Field(default=0.5, gt=0)
    lease_seconds: float = Field(default=120.0, gt=0)
    archive_after_days: int = Field(
        default=30,
        ge=1,
        description="what was delivered leaves the table of the queue then; it is shown as before",
    )
    stop_seconds: float = Field(
        default=8.0, ge=0, description="for what is under way when it is stopped"
    )


class CareUnitSettings(_Part):
    """What stands in drafts of a care unit beside its HSA-id and name."""

    vardgivare_id: str = Field(description="HSA-id of its care provider")
    vardgivarnamn: str = ""
    arbetsplatskod: str = ""
    postadress: str = ""
    postnummer: str = ""
    postort: str = ""
    telefonnummer: str = ""


class DraftSettings(_Part):
    """Drafts: when they are locked and disposed of, and what their units are told."""

    locking_ends: date | Literal["never"] | None = Field(
        default=None,
        description="from this day on no more drafts are locked; "
        "None: never in demo, otherwise 2024-09-05 as nationally",
    )
    lock_after_days: int = Field(default=14, ge=1)
    dispose_after_months: int = Field(
        default=3, ge=0, description="0: unsigned drafts are kept for ever"
    )
    andrat_seconds: float = Field(
        default=300.0, ge=0, description="changes of a draft within this time are told as one"
    )
    report_prefill: bool = Field(
        default=False, description="say in resultText what became of each answer sent along"
    )
    units: Mapping[str, CareUnitSettings] = Field(
        default={}, description="by HSA-id: what a staff directory does not know of a unit"
    )


LOCKING_ENDED: Final = date(2024, 9, 5)
"""From this day on the national editor locks no more drafts."""


def _folder_of_its_own(values: dict[str, Any]) -> Path:
    """No environment finds another's database, keys or routes by accident."""
    return Path("data", values.get("environment", ""))


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__"
    )

    environment: Environment
    data_dir: Path = Field(
        default_factory=_folder_of_its_own, description="default is data/<environment>"
    )
    database_url: str | None = Field(
        default=None, repr=False, description="SQLAlchemy URL; default is SQLite in data_dir"
    )
    logical_address: str = Field(default="INTYGSADAPTER", description="the adapter's own")
    contracts_dir: Path | None = Field(default=None, description="an official archive, unpacked")
    types_dir: Path | None = Field(default=None, description="more certificate types")
    strict_rules: bool = Field(default=False, description="rules of severity warning refuse too")
    strict_duplicates: bool = Field(
        default=False, description="same id with other content is an ERROR instead of INFO"
    )
    signature: SignaturePolicy = SignaturePolicy.REQUIRE
    signer_role: SignerRolePolicy | None = Field(
        default=None, description="None: require in production, otherwise accept"
    )
    server: ServerSettings = ServerSettings()
    console: ConsoleSettings = ConsoleSettings()
    signing: SigningSettings = SigningSettings()
    trust: TrustSettings = TrustSettings()
    staff: StaffSettings = StaffSettings()
    audit: AuditSettings = AuditSettings()
    codes: CodesSettings = CodesSettings()
    statistics: StatisticsSettings = StatisticsSettings()
    test_patients: TestPatientSettings = TestPatientSettings()
    guard: GuardSettings = GuardSettings()
    caller: CallerSettings = CallerSettings()
    recipients: Mapping[str, RecipientSettings] = {}
    routes_file: Path | None = Field(
        default=None,
        description="TOML with destinations, routes and permissions; read again when it changes",
    )
    destinations: Mapping[str, DestinationSettings] = {}
    routes: tuple[RouteSettings, ...] = ()
    permissions: tuple[PermissionSettings, ...] = ()
    delivery: DeliverySettings = DeliverySettings()
    drafts: DraftSettings = DraftSettings()
    _file: Path | None = pydantic.PrivateAttr(default=None)
    _secrets: dict[str, Path] = pydantic.PrivateAttr(default={})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the four come by position
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings

    @pydantic.field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("sqlite://", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:// or postgresql+psycopg://")
        return url

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        if self.routes_file is not None and self.routing != RoutingSettings():
            raise ValueError(
                "destinations, routes and permissions stand in routes_file, and nowhere else"
            )
        faults = list(self.routing.faults(self.environment))
        if faults:
            raise ValueError("; ".join(faults))
        if self.caller_identity is CallerIdentity.NONE and self.environment is not Environment.DEMO:
            raise ValueError('caller.identity = "none" is for demo alone')
        if self.cutoff < LOWEST_CUTOFF and self.environment is not Environment.DEMO:
            raise ValueError(f"statistics.cutoff is at least {LOWEST_CUTOFF}, but for demo")
        if not self.signature.fits(self.environment):
            raise ValueError('signature must be "require" in production')
        return self

    @property
    def routing(self) -> RoutingSettings:
        """The three tables that say what goes where, and who may call."""
        return RoutingSettings(
            destinations=self.destinations, routes=self.routes, permissions=self.permissions
        )

    @property
    def secrets_in_files(self) -> Mapping[str, Path]:
        """Setting to file, of every secret that was written into a file of settings."""
        return self._secrets

    @property
    def rows_file(self) -> Path | None:
        """The file that the three tables stand in; None where variables alone say everything."""
        return self.routes_file or self._file

    @property
    def file(self) -> Path | None:
        """What they were read from; None where variables alone say everything."""
        return self._file

    @property
    def caller_identity(self) -> CallerIdentity:
        """Way in which the doors know who calls."""
        in_demo = self.environment is Environment.DEMO
        return self.caller.identity or (CallerIdentity.NONE if in_demo else CallerIdentity.TLS)

    @property
    def signer_role_required(self) -> bool:
        """A signer must have a licence, or a position that gives a role."""
        in_production = self.environment is Environment.PRODUCTION
        usual = SignerRolePolicy.REQUIRE if in_production else SignerRolePolicy.ACCEPT
        return (self.signer_role or usual) is SignerRolePolicy.REQUIRE

    @property
    def locking_ends(self) -> date | None:
        """From this day on no more drafts are locked; None: they always are."""
        ends = self.drafts.locking_ends
        if ends is None:
            return None if self.environment is Environment.DEMO else LOCKING_ENDED
        return None if ends == "never" else ends

    @property
    def cutoff(self) -> int:
        """Smaller figures of a nation or region are not shown in statistics."""
        if self.statistics.cutoff is not None:
            return self.statistics.cutoff
        return 0 if self.environment is Environment.DEMO else USUAL_CUTOFF

    @property
    def effective_database_url(self) -> str:
        """The database to open: SQLite in `data_dir` unless `database_url` is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'adapter.sqlite'}"


def load_settings(path: Path | None = None, **overrides: Any) -> Settings:
    """
    Read the settings once.

    Args:
        path: TOML file; None reads the environment alone.
        overrides: Top-level values that win over the file (not over the environment).

    Raises:
        SettingsError: The file cannot be read, or a value is missing, unknown or wrong.
    """
    file = None if path is None else _open(path)
    _refuse_unknown_variables()
    try:
        settings = Settings(**{**(file.values if file else {}), **overrides})
    except pydantic_settings.SettingsError as exc:  # a list or table that is no JSON
        raise SettingsError(f"environment: {exc}") from None
    except pydantic.ValidationError as exc:
        raise SettingsError(_told(exc, file)) from exc
    settings._file = path
    if path is not None and file is not None:
        settings._secrets = dict.fromkeys(secrets_said(settings, file.values), path)
    return _with_routes_file(anchored(settings, path.parent if path else Path()))


def _open(path: Path) -> TomlFile:
    try:
        return open_toml(path)
    except TomlFileError as exc:
        raise SettingsError(str(exc)) from exc


def _told(exc: pydantic.ValidationError, file: TomlFile | None) -> str:
    """Each fault on a line that begins with where it was said: file and line, or variable."""
    faults = list(faults_of(exc, Settings))
    nothing_said = file is None and not any(map(_is_setting, os.environ))
    if nothing_said and any(place == ("environment",) for place, _ in faults):
        return NO_SETTINGS
    if file is not None:
        faults.sort(key=lambda fault: file.lines.line(fault[0]) or 0)
    return "\n".join(f"{_where(place, file)}: {text}" for place, text in faults)


def _where(place: Place, file: TomlFile | None) -> str:
    for length in range(len(place), 0, -1):
        name = ENV_PREFIX + "__".join(map(str, place[:length])).upper()
        if name in os.environ:  # it wins over the file
            return name
    return file.at(place) if file else "environment"


def _with_routes_file(settings: Settings) -> Settings:
    """The settings with what stands in `routes_file`, as if it stood in the settings file."""
    if settings.routes_file is None:
        return settings
    try:
        routing = read_routing(settings.routes_file)
    except TomlFileError as exc:
        raise SettingsError(str(exc)) from exc
    faults = list(routing.faults(settings.environment))
    if faults:
        raise SettingsError(f"{settings.routes_file}: {'; '.join(faults)}")
    tables = {name: getattr(routing, name) for name in RoutingSettings.model_fields}
    whole = settings.model_copy(update=tables)
    whole._secrets = settings._secrets | dict.fromkeys(secrets_of(routing), settings.routes_file)
    return whole


def _is_setting(variable: str) -> bool:
    return variable.upper().startswith(ENV_PREFIX) and not NOT_SETTINGS.match(variable)


def _refuse_unknown_variables() -> None:
    """A misspelt variable must not go unnoticed."""
    known = set(Settings.model_fields)
    for name in filter(_is_setting, os.environ):
        if name != name.upper():  # it would count, and perhaps beside another
            raise SettingsError(f"environment: write {name} in capitals")
        top = name.removeprefix(ENV_PREFIX).split("__")[0].lower()
        if top not in known:
            near = difflib.get_close_matches(top, known, n=1)
            hint = f"; did you mean {ENV_PREFIX}{near[0].upper()}?" if near else ""
            raise SettingsError(f"environment: {name} is no setting{hint}")
