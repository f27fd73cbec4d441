"""What REST answers, in the command line's words."""

import re
from typing import Any


def in_snake_case(value: Any) -> Any:
    """The same with names as the command line has them: `dueAt`, `due_at`; in whatever depth."""
    if isinstance(value, list):
        return [in_snake_case(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name): in_snake_case(one)
        for name, one in value.items()
    }


def second(time: object) -> str:
    """ISO 8601 without fractions, for people."""
    return f"{str(time)[:19]}Z"
