"""One log line a thing that happened: JSON, an event name and ids as fields.

Field names follow the Elastic Common Schema, as the national platform's do: `@timestamp`,
`log.level`, `message` (the event name), `service.environment`, `trace.id` (the correlation id),
`error.type`, …; our own start with `intyg.`. A line never holds a body, a name or a person number,
so values that a caller chose go through `shown`, and other libraries' log messages are cut down to
their templates. A line that cannot be written is lost, see `lossy_file`: logging never raises.
"""

import logging
import re
from typing import Any, Final, TextIO

import structlog

from intyg.adapter.domain.lossy_file import lossy, lossy_stderr

# spyne is silenced where it is imported, see soap/compat.py.
_WARNINGS_ONLY: Final = ("zeep", "urllib3", "requests", "werkzeug", "sqlalchemy", "xmlschema")

_SHORT_TOKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_LIKE_PERSON_NUMBER: Final = re.compile(
    r"(?<!\d)(?:\d{2})?\d{2}(?:0\d|1[0-2])(?:0[1-9]|[12678]\d|[39][01])[-+]?\d{4}(?!\d)"
)


def looks_like_person_number(text: str) -> bool:
    """
    True when a 10 or 12 digit number in the text could be a personnummer or samordningsnummer; the
    latter may have the month 00 and the day 60.

    Organisation numbers, and so HSA-ids, do not: their third and fourth digits are no month.
    """
    return _LIKE_PERSON_NUMBER.search(text) is not None


def shown(value: str | None) -> str | None:
    """A value that a caller chose, if it can be an address, an HSA-id or another short token."""
    if value is not None and not _SHORT_TOKEN.fullmatch(value):
        return "(not shown)"
    return "(masked)" if value and looks_like_person_number(value) else value


def _ecs_names(environment: str | None) -> structlog.typing.Processor:
    """Rename structlog's own keys, and put what every line has first."""
    where = {"service.environment": environment} if environment else {}

    def renamed(_logger: object, _method: str, event: structlog.typing.EventDict) -> Any:
        first = {
            "@timestamp": event.pop("@timestamp"),
            "log.level": event.pop("level"),
            "message": event.pop("event"),
        }
        return {**first, **where, **event}

    return renamed


class _TemplatesOnly(logging.Handler):
    """Other libraries' lines: who and which template; never arguments, exceptions or tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        fields: dict[str, object] = {"log.logger": record.name, "log.template": template}
        if record.exc_info and record.exc_info[0]:
            fields["error.type"] = record.exc_info[0].__name__
        structlog.get_logger().log(record.levelno, "library", **fields)


def configure(
    stream: TextIO | None = None, level: int = logging.INFO, *, environment: str | None = None
) -> None:
    """
    Set up logging for a process; called once by the command line.

    Args:
        stream: Where lines go; standard error by default, which is lossy from then on.
        level: Least level shown, as in `logging`.
        environment: In which the process runs; named in each line.
    """
    lines = lossy_stderr() if stream is None else lossy(stream)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="@timestamp"),
            _ecs_names(environment),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(lines),
        cache_logger_on_first_use=False,  # so that a test or a second call can set another stream
    )
    logging.basicConfig(handlers=[_TemplatesOnly()], level=logging.WARNING, force=True)
    for name in _WARNINGS_ONLY:
        logging.getLogger(name).setLevel(logging.WARNING)
