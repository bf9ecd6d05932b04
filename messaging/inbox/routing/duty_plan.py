"""When a colleague is on duty, on call or away in the coming weeks, as stretches of time. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from messaging.inbox.routing.hours import Hours, shift_of, stretch
from messaging.weekdays import WEEKDAYS

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Stretch:
    """A stretch of time, in UTC: kind is duty | call | away | cover."""

    kind: str
    starts_at: datetime
    ends_at: datetime


def plan(
    hours: Mapping[str, Any],
    on_call: Mapping[str, Any],
    clinic: Hours,
    first: date,
    days: int,
    *,
    away: Sequence[Span] = (),
    covers: Sequence[Span] = (),
) -> list[Stretch]:
    """Return what lies in `days` days from `first`, by time; weeks as in Staff.hours, on the clock of `clinic.zone`.

    On a holiday of the clinic only who is on call works, and whoever is away is neither on duty nor on call. Hours
    that cannot be read are left out. Somebody without hours works while the clinic is open.
    """
    duty = _shifts(hours or clinic.week, clinic, first, days, holidays=False)
    call = _shifts(on_call, clinic, first, days, holidays=True)
    ends = _midnight(first + timedelta(days=days), clinic.zone)
    begins = _midnight(first, clinic.zone)
    stretches = {
        *(Stretch("duty", *span) for span in _without(duty, away)),
        *(Stretch("call", *span) for span in _without(call, away)),
        *(Stretch("away", *span) for span in away if span[0] < ends and span[1] > begins),
        *(Stretch("cover", *span) for span in covers if span[0] < ends and span[1] > begins),
    }
    return sorted(stretches, key=lambda stretch: (stretch.starts_at, stretch.kind))


def _shifts(week: Mapping[str, Any], clinic: Hours, first: date, days: int, *, holidays: bool) -> list[Span]:
    place, spans = ZoneInfo(clinic.zone), []
    for day in (first + timedelta(days=number) for number in range(days)):
        shift = _read(week.get(WEEKDAYS[day.weekday()]))
        if shift is None or (clinic.closed_on(day) and not holidays):
            continue
        begins, ends = stretch(day, shift, place)
        if begins < ends:  # a shift may be shorter than the hour that the clock was put forward by
            spans.append((begins, ends))
    return spans


def _read(span: Any) -> tuple[time, time] | None:
    try:
        return shift_of(span)
    except (TypeError, ValueError):
        return None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _without(spans: Iterable[Span], taken: Sequence[Span]) -> list[Span]:
    """What is left of the spans outside of what is taken."""
    left = list(spans)
    for begins, ends in taken:
        left = [
            part
            for span in left
            for part in ((span[0], min(span[1], begins)), (max(span[0], ends), span[1]))
            if part[0] < part[1]
        ]
    return left
