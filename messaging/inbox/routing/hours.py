"""Hours of a week, the clinic's and a person's: who works when, and how many minutes of opening time lie ahead. Pure.

How people write them and read them is `written_hours`.

A week maps a weekday ("mon" .. "sun") to [start, end], such as ["08:00", "17:00"]. An end that is not after its start
lies on the next day, so ["00:00", "00:00"] is the whole day.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from messaging.inbox.routing.written_hours import NAMES, BadHours, read, say
from messaging.weekdays import WEEKDAYS

__all__ = [
    "NAMES", "BadHours", "Hours", "after", "is_day", "overlap", "read", "say", "shift_of", "spans", "stretch", "within",
]  # fmt: skip

# A clinic that is never open would have no deadline at all; after this many days the plain minutes hold.
LONGEST_CLOSED = 30
_DAY = re.compile(r"(\d{4}-)?\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class Hours:
    """When the clinic is open: a week on the wall clock of `zone`, and days on which it is closed. No week: always."""

    zone: str = "UTC"
    week: Mapping[str, Sequence[str]] = field(default_factory=dict)
    holidays: tuple[str, ...] = ()

    def open_at(self, moment: datetime) -> bool:
        """Whether the clinic is open at this aware moment."""
        local = moment.astimezone(ZoneInfo(self.zone))
        return not self.closed_on(local.date()) and within(self.week, local)

    def closed_on(self, day: date) -> bool:
        """Whether this day is a holiday; "12-25" is one every year, "2027-11-25" once."""
        return f"{day:%Y-%m-%d}" in self.holidays or f"{day:%m-%d}" in self.holidays


def within(week: Mapping[str, Sequence[str]], local: datetime) -> bool:
    """Whether a local moment lies in these hours; no hours at all means always.

    Hours that cannot be read count as always: an alert too many is better than one too few.
    """
    if not week:
        return True
    now, day = local.time().replace(tzinfo=None), local.weekday()
    try:
        today, yesterday = (shift_of(week.get(WEEKDAYS[weekday])) for weekday in (day, day - 1))
    except (TypeError, ValueError):
        return True
    if yesterday and yesterday[1] <= yesterday[0] and now < yesterday[1]:
        return True
    return today is not None and today[0] <= now and (now < today[1] or today[1] <= today[0])


def shift_of(span: Sequence[str] | None) -> tuple[time, time] | None:
    """Return when a day's shift begins and ends, None without one. Raises ValueError or TypeError for another span."""
    if not span:
        return None
    start, end = (time.fromisoformat(at) for at in span)
    return start, end


def spans(week: Mapping[str, Sequence[str]]) -> list[tuple[int, int]]:
    """Return a week's stretches in minutes since Monday 0:00, in order, joined where they touch or overlap; a stretch
    that goes past Sunday's end goes on at the beginning. Raises ValueError for hours that cannot be read."""
    stretches: list[tuple[int, int]] = []
    for place, day in enumerate(WEEKDAYS):
        shift = shift_of(week.get(day))
        if shift is None:
            continue
        begin, end = (place * 1440 + at.hour * 60 + at.minute for at in shift)
        end += 1440 if end <= begin else 0
        stretches += [(begin, min(end, 10080)), *([(0, end - 10080)] if end > 10080 else [])]
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(stretches):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def is_day(text: str) -> bool:
    """Whether the calendar has this day, "2027-11-25" or "12-25"; "02-29" is one, though not of every year."""
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text if len(text) > len("12-25") else f"2028-{text}")
    except ValueError:
        return False
    return True


def overlap(week: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """Return the first two days whose stretches overlap, the night of one reaching past the beginning of the next."""
    for place, day in enumerate(WEEKDAYS):
        tonight, following = shift_of(week.get(day)), WEEKDAYS[(place + 1) % 7]
        tomorrow = shift_of(week.get(following))
        if tonight and tomorrow and tonight[1] <= tonight[0] and tonight[1] > tomorrow[0]:
            return day, following
    return None


def after(start: datetime, minutes: int, hours: Hours) -> datetime:
    """Return the moment when the clinic has been open for `minutes` since `start`; without a week, plain minutes."""
    left, plain = timedelta(minutes=minutes), start + timedelta(minutes=minutes)
    if not hours.week:
        return plain
    try:
        for opens, closes in _openings(start, hours):
            begin = max(opens, start)
            if closes - begin >= left:
                return begin + left
            left -= max(closes - begin, timedelta(0))
            start = max(start, closes)  # where two shifts overlap, their minutes count once
    except (TypeError, ValueError):
        return plain
    return plain


def stretch(day: date, shift: tuple[time, time], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return a shift that begins on `day`, in UTC, so that a clock put forward shortens its night; an end that is not
    after its start lies on the next day."""
    begins, ends = shift
    last = day if ends > begins else day + timedelta(days=1)
    return datetime.combine(day, begins, zone).astimezone(UTC), datetime.combine(last, ends, zone).astimezone(UTC)


def _openings(start: datetime, hours: Hours) -> list[tuple[datetime, datetime]]:
    """The stretches of opening time that end after `start`."""
    zone = ZoneInfo(hours.zone)
    first = start.astimezone(zone).date() - timedelta(days=1)
    openings = []
    for offset in range(LONGEST_CLOSED + 2):
        day = first + timedelta(days=offset)
        shift = shift_of(hours.week.get(WEEKDAYS[day.weekday()]))
        if shift is None or hours.closed_on(day):
            continue
        opens, closes = stretch(day, shift, zone)
        if closes > start:
            openings.append((opens, closes))
    return openings
