"""In what the adapter runs."""

from enum import StrEnum


class Environment(StrEnum):
    """Which world this adapter runs in."""

    PRODUCTION = "production"
    TEST = "test"
    DEMO = "demo"
