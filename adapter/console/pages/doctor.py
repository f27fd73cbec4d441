"""`/console/doctor`: what `intyg doctor` looks at, shown step by step while it looks.

The page is sent in pieces, so that each step is there as soon as it is known, without JavaScript,
too. The doctor stands above the console: whoever builds the adapter hands it over.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from intyg.adapter.console.pages.visit import PREFIX, Visit
from intyg.pages.site import error_page

PATH: Final = f"{PREFIX}/doctor"
STEPS: Final = "<!-- steps -->"
"""Where they stand in the page."""

CHECKS: Final = "check"
WAY: Final = "way"


@dataclass(frozen=True)
class Looked:
    """
    One thing that was looked at.

    Attributes:
        name: Of the check or step, as `intyg doctor` has it.
        verdict: `ok`, `note` or `fails`.
        text, todo: What is so, and what to do about it; English, no person data.
    """

    name: str
    verdict: str
    text: str = ""
    todo: str = ""


@dataclass(frozen=True)
class Doctor:
    """
    What can be looked at.

    Attributes:
        checks: Everything that must hold in this environment.
        way: The way to a destination; raises ValueError where it has no address.
        destinations: Their names.
    """

    checks: Callable[[], Iterable[Looked]]
    way: Callable[[str], Iterable[Looked]]
    destinations: tuple[str, ...] = field(default=())


def build_doctor_pages(visit: Visit, doctor: Doctor) -> Blueprint:
    """`/console/doctor`, for operators; POST looks."""
    pages = Blueprint("doctor", __name__)

    @pages.get(PATH)
    def ask() -> str:
        return render_template("doctor.html", **_page(doctor, None, None))

    @pages.post(PATH)
    def look() -> ResponseReturnValue:
        name = request.form.get("destination")
        if name is not None and name not in doctor.destinations:
            return error_page(HTTPStatus.NOT_FOUND)
        visit.record("doctor", "")
        kind, looked = (CHECKS, doctor.checks()) if name is None else (WAY, doctor.way(name))
        pieces = _pieces(
            render_template("doctor.html", **_page(doctor, kind, name)), looked, kind
        )  # fmt: skip
        return Response(stream_with_context(pieces), content_type="text/html; charset=utf-8")

    return pages


def _page(doctor: Doctor, kind: str | None, name: str | None) -> dict[str, object]:
    return {
        "path": PATH,
        "destinations": doctor.destinations,
        "kind": kind,
        "name": name,
        "steps": STEPS,
    }


def _pieces(page: str, looked: Iterable[Looked], kind: str) -> Iterator[str]:
    """The page up to its steps, each of them when it is known, what they come to, and the rest."""
    before, _, after = page.partition(STEPS)
    yield before
    counts = {"ok": 0, "note": 0, "fails": 0}
    for each in looked:
        counts[each.verdict] += 1
        yield render_template("doctor_step.html", each=each, kind=kind)
    yield render_template("doctor_end.html", counts=counts)
    yield after
