"""What hooks are told, as JSON, and whether somebody is named in it."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from intyg.adapter.domain.hook import HookEvent
from intyg.adapter.domain.log import looks_like_person_number, shown
from intyg.adapter.domain.uuids import is_uuid

_SOURCE: Final = "/intygsadapter/{environment}"
_TYPE: Final = "intygsadapter.{name}"


def write_event(event: HookEvent, event_id: str, environment: str, at: datetime) -> bytes:
    """
    An event as a structured CloudEvent in JSON.

    Source: CloudEvents 1.0.2, and its JSON event format, sections 2 and 3.
    """
    told = {
        "specversion": "1.0",
        "id": event_id,
        "source": _SOURCE.format(environment=environment),
        "type": _TYPE.format(name=event.type.value),
        "subject": id_shown(event.subject),
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": dict(event.data),
    }
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def id_shown(value: str | None) -> str | None:
    """An id as hooks are told it: a UUID as it stands, anything else as in the log."""
    return value if value is not None and is_uuid(value) else shown(value)


def names_somebody(message: bytes) -> bool:
    """Whether a number that could be a person's stands in a message to a hook."""
    return any(map(_could_be_a_person, _texts(json.loads(message))))


# --- inside ---------------------------------------------------------------------------------------

_HEX: Final = re.compile(r"[0-9a-f]{32}")


def _could_be_a_person(text: str) -> bool:
    return not is_uuid(text) and not _HEX.fullmatch(text) and looks_like_person_number(text)


def _texts(value: object) -> Iterator[str]:
    match value:
        case dict():
            for name, one in value.items():
                yield name
                yield from _texts(one)
        case list():
            for one in value:
                yield from _texts(one)
        case None | bool():
            return
        case _:
            yield str(value)
