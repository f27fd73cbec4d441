"""The overview: what is true now, what waits for somebody, and each receiver on a row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from intyg.adapter.console.pages.causes import cause_of, code_of
from intyg.adapter.console.pages.visit import PREFIX, Visit, visitor
from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.delivery import DeliveryState, OutcomeKind
from intyg.adapter.domain.destination import DestinationKind, DestinationRole
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.way import ANY, Stop, Way, WayCause
from intyg.adapter.routing.recipients import RecipientRegister
from intyg.adapter.settings.settings import ConsoleRole
from intyg.adapter.store.overview_rows import HOURS, MOST, Failure, Hour, Waiting
from intyg.pages.signs import chip
from intyg.pages.site import words
from intyg.pages.sparkline import sparkline
from intyg.pages.words import Words
from intyg.schemas.codes import Part

LATE: Final = timedelta(minutes=1)
"""What has waited longer than this is late, though nothing has stopped it."""


@dataclass(frozen=True)
class Day:
    """What the database says of the day until now."""

    now: datetime
    received: int
    received_before: int  # until the same time yesterday
    outcomes: dict[OutcomeKind, int]
    waiting: Sequence[Waiting]
    blocked: Sequence[tuple[str | None, int]]
    hours: Sequence[Hour]
    failures: Sequence[Failure]
    stops: Sequence[Stop]


@dataclass(frozen=True)
class Receiver:
    """One row of the table."""

    part: str
    name: str
    colour: str
    word: str
    chip: Markup
    longest: str
    queued: int
    sending: int
    spark: Markup
    code: str
    fault: str


def build_overview_pages(visit: Visit) -> Blueprint:
    """`/console`."""
    pages = Blueprint("overview", __name__)

    @pages.get(PREFIX, strict_slashes=False)
    def overview() -> ResponseReturnValue:
        if visitor().role == ConsoleRole.CARE:
            return redirect(f"{PREFIX}/arenden")
        say, day = words(), _read(visit)
        receivers = list(_receivers(visit, say, day))
        shown = {
            "day": day,
            "receivers": receivers,
            "lede": _lede(say, receivers, len(day.stops)),
            "figures": list(_figures(say, day)),
            "waits": list(_waits(say, day, {each.part: each.name for each in receivers})),
            "blocked": _bars(day.blocked),
            "parts": list(_parts(visit, say)),
            "refreshing": request.args.get("refresh") != "off",
        }
        return render_template("overview.html", **shown)

    return pages


def _read(visit: Visit) -> Day:
    now = visit.services.clock()
    midnight = now.astimezone(SWEDEN).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = timedelta(days=1)
    with visit.services.store.read() as rows:
        of = rows.overview
        return Day(
            now=now,
            received=of.received_since(midnight, now),
            received_before=of.received_since(midnight - yesterday, now - yesterday),
            outcomes=of.outcomes_since(midnight),
            waiting=of.waiting(),
            blocked=of.blocked_since(midnight),
            hours=of.hours(now),
            failures=of.last_failures(midnight),
            stops=[each for each in rows.ways.stopped() if each.cause is not None],
        )


def _figures(say: Words, day: Day) -> Iterator[tuple[str, str, str]]:
    """Label, figure and what to compare it with."""
    waiting = sum(each.count for each in day.waiting)
    oldest = min((each.oldest for each in day.waiting), default=None)
    blocked = sum(count for _, count in day.blocked)
    refused = day.outcomes[OutcomeKind.REFUSED]
    yield (
        say("figure.received"),
        _capped(say, day.received),
        say("figure.yesterday", n=day.received_before),
    )
    yield (
        say("figure.delivered"),
        say.number(day.outcomes[OutcomeKind.DELIVERED]),
        say("figure.attempts", n=sum(day.outcomes.values())),
    )
    yield (
        say("figure.waiting"),
        say.number(waiting),
        say("figure.oldest", length=say.duration(day.now - oldest))
        if oldest
        else say("figure.none"),
    )
    yield say("figure.refused"), say.number(refused), say("figure.refused.means")
    yield say("figure.blocked"), say.number(blocked), say("figure.blocked.means")


def _capped(say: Words, count: int) -> str:
    return say("figure.more", n=count) if count >= MOST else say.number(count)


def _receivers(visit: Visit, say: Words, day: Day) -> Iterator[Receiver]:
    register = RecipientRegister(visit.services.settings)
    names = {known.part: known.name for known in register.all() if known.part != Part.INVANA}
    names.pop(Part.HSVARD, None)
    names[Part.HSVARD] = say("party.ehr")  # stands last
    seen = {each.part for each in day.waiting} | {each.part for each in day.hours}
    stopped = _stopped(visit, day)
    for part in (*names, *sorted(seen - names.keys())):
        yield _receiver(say, day, part, names.get(part, part), stopped.get(part))


def _stopped(visit: Visit, day: Day) -> dict[str, WayCause]:
    """Why nothing goes to a recipient, as far as certificates are concerned."""
    found: dict[str, WayCause] = {}
    for part, recipient in visit.services.settings.recipients.items():
        address = recipient.logical_address
        there = visit.services.routes.find("RegisterCertificate", 3, address)
        for each in day.stops:
            of_this = each.way.logical_address in (ANY, address)
            if there is not None and each.way.destination == there.name and of_this and each.cause:
                found[part] = each.cause
    return found


def _receiver(say: Words, day: Day, part: str, name: str, stopped: WayCause | None) -> Receiver:
    waiting = [each for each in day.waiting if each.part == part]
    hours = [each for each in day.hours if each.part == part]
    colour, word = _state(waiting, bool(hours), day.now)
    if stopped is not None:
        colour, word = "parked", "paused" if stopped is WayCause.PAUSED else "parked"
    queued = [each for each in waiting if each.state is not DeliveryState.SENDING]
    oldest = min((each.oldest for each in queued), default=None)
    code, fault = _last_fault(say, [each for each in day.failures if each.part == part])
    return Receiver(
        part=part,
        name=name,
        colour=colour,
        word=say(f"state.{word}"),
        chip=chip(colour, say(f"state.{word}")),
        longest=say.duration(day.now - oldest) if oldest else "–",
        queued=sum(each.count for each in queued),
        sending=sum(each.count for each in waiting if each.state is DeliveryState.SENDING),
        spark=_spark(say, hours),
        code=code,
        fault=fault,
    )


def _state(waiting: Sequence[Waiting], busy: bool, now: datetime) -> tuple[str, str]:
    """Colour and word: the worst that is true of a receiver."""
    kinds = {each.kind for each in waiting if each.tried}
    if any(each.state is DeliveryState.HELD for each in waiting):
        return "held", "held"
    if OutcomeKind.UNKNOWN in kinds:
        return "unknown", "unknown"
    if kinds:
        return "retrying", "retrying"
    if any(each.due + LATE < now for each in waiting):
        return "waiting", "waiting"
    return ("delivered", "running") if busy or waiting else ("waiting", "quiet")


def _last_fault(say: Words, failures: Sequence[Failure]) -> tuple[str, str]:
    if not failures:
        return "", ""
    last = max(failures, key=lambda each: each.at)
    cause = cause_of(say, last.kind, last.detail, last.http_status, last.error_id)
    code = code_of(last.detail, last.http_status, last.error_id)
    return code or cause, say("fault.at", time=say.minute(last.at), cause=cause if code else "")


def _spark(say: Words, hours: Sequence[Hour]) -> Markup:
    bars = [(0, 0)] * HOURS
    for each in hours:
        count, failed = bars[HOURS - 1 - each.ago]
        no = 0 if each.kind is OutcomeKind.DELIVERED else each.count
        bars[HOURS - 1 - each.ago] = (count + each.count, failed + no)
    total, failed = sum(count for count, _ in bars), sum(no for _, no in bars)
    return sparkline(bars, say("spark.title", n=total, failed=failed))


def _lede(say: Words, receivers: Sequence[Receiver], stops: int) -> str:
    if stops:
        return say("overview.stops", n=stops)
    troubled = [each for each in receivers if each.colour in ("held", "unknown", "retrying")]
    if not troubled:
        return say("overview.all", n=len(receivers))
    values = {"ok": len(receivers) - len(troubled), "all": len(receivers)}
    return say("overview.some", n=len(troubled), name=troubled[0].name, **values)


@dataclass(frozen=True)
class Wait:
    """Something that waits for somebody."""

    chip: Markup
    title: str
    text: str


def _stops(say: Words, day: Day) -> Iterator[Wait]:
    """Ways that nothing goes, whatever waits for them."""
    for each in day.stops:
        assert each.cause is not None
        cause = cause_of(say, None, each.detail, None, None)
        code = code_of(each.detail, None, None)
        again = say("stop.probe", time=say.short(each.probe_at)) if each.probe_at else ""
        text = say(f"stop.{each.cause.value}.text", cause=cause, code=f" ({code})" if code else "")
        since = say.short(each.since)
        yield Wait(
            chip=chip("parked", say(f"stop.{each.cause.value}")),
            title=say("stop.title", to=_way(each.way), since=since),
            text=" ".join(part for part in (text, again, each.reason or "") if part),
        )


def _way(way: Way) -> str:
    """A destination, or what of it."""
    parts = (way.contract, way.logical_address)
    return " ".join([way.destination, *(part for part in parts if part != ANY)])


def _waits(say: Words, day: Day, names: dict[str, str]) -> Iterator[Wait]:
    yield from _stops(say, day)
    for each in day.waiting:
        if not each.tried or each.state is DeliveryState.SENDING:
            continue
        colour, word = _state([each], busy=True, now=day.now)
        name = names.get(each.part, each.part)
        since = say.short(each.oldest)
        cause = cause_of(say, each.kind, each.detail, each.http_status, each.error_id)
        code = code_of(each.detail, each.http_status, each.error_id)
        yield Wait(
            chip=chip(colour, say(f"state.{word}")),
            title=say("wait.title", n=each.count, name=name, since=since),
            text=say("wait.text", cause=cause, code=f" ({code})" if code else "",
                     time=say.short(each.due)),
        )  # fmt: skip


def _bars(blocked: Sequence[tuple[str | None, int]]) -> list[tuple[str, int, int]]:
    """Signal, how many, and how long its bar is in hundredths."""
    most = max((count for _, count in blocked), default=1)
    return [(signal or "–", count, max(count * 100 // most, 1)) for signal, count in blocked]


def _parts(visit: Visit, say: Words) -> Iterator[tuple[str, Markup]]:
    """What the adapter itself says of its parts."""
    services = visit.services
    yield say("part.database"), chip("delivered", say("part.answers"))
    yield say("part.clock"), Markup("{}").format(say.exact(services.clock()))
    current = services.routes.is_current
    yield (
        say("part.routes"),
        chip("delivered" if current else "refused", say("part.current" if current else "part.old")),
    )
    damage = services.guard.patients.damage()
    yield (
        say("part.signals"),
        chip("refused" if damage else "delivered", say("part.damaged" if damage else "part.whole")),
    )
    if mocks := _mocks(visit):
        link = Markup('<a href="{}">{}</a>')
        shown = (link.format(f"{origin}/mock", names) for origin, names in mocks.items())
        yield say("part.mocks"), Markup(" ").join(shown)


def _mocks(visit: Visit) -> dict[str, str]:
    """Where mocks have their pages, by origin, and what routes call them; none in production."""
    if visit.services.settings.environment is Environment.PRODUCTION:
        return {}
    found: dict[str, list[str]] = {}
    for name, to in sorted(visit.services.routes.table.routing.destinations.items()):
        if to.kind is DestinationKind.MOCK and to.role is not DestinationRole.HOOK:
            at = urlsplit(to.url)
            found.setdefault(f"{at.scheme}://{at.netloc}", []).append(name)
    return {origin: ", ".join(names) for origin, names in found.items()}
