"""`POST /api/backup`: a copy of the SQLite database, in a folder that the settings name."""

from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from intyg.adapter.console.problem import problem
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import Settings
from intyg.adapter.store import Copied

FOLDER: Final = "backup"
"""In `data_dir`. Nobody chooses another over REST."""


def build_backup_pages(services: Services) -> Blueprint:
    """`/api/backup`."""
    pages = Blueprint("backup", __name__)

    @pages.post("/api/backup")
    def backup() -> ResponseReturnValue:
        if services.store.is_postgresql:
            text = "Only SQLite is copied here: for PostgreSQL use pg_dump."
            return problem(HTTPStatus.CONFLICT, text)
        copied = services.store.upkeep.copy_into(backup_folder(services.settings))
        return jsonify(copied_view(copied))

    return pages


def backup_folder(settings: Settings) -> Path:
    """Where copies go that nobody names a file for."""
    return settings.data_dir / FOLDER


def copied_view(copied: Copied) -> dict[str, Any]:
    """As JSON takes it."""
    at = copied.at.isoformat(timespec="seconds")
    return {"file": str(copied.path), "bytes": copied.bytes, "at": at}
