"""Where a ladder has a hole: minutes in which nobody could be told of a positive answer. Pure.

Hours are kept on the wall clock, so that a week in which the clocks change has the minutes of every other week, one hour
of them twice or never: whoever can be reached at each minute of the wall clock can be reached in that week too.
Only absences lie on real dates, and are walked through on the clinic's own clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from messaging.inbox import hours, routing
from messaging.inbox.ladder import Person, present
from messaging.inbox.routing import Need, Rules

# A Monday; only weekday and wall clock matter.
MONDAY = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock, of no place
SAFETY = Need("safety")
DAY, WEEK = 1440, 7 * 1440
AHEAD = timedelta(days=366)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Away:
    """An absence: who, who covers if anybody is named, from when until when (aware)."""

    staff_id: UUID
    cover_id: UUID | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, order=True)
class Hole:
    """Minutes in which nobody can be reached, from `start` until before `end`.

    `when` is week (every week) | holiday (on a day the clinic is closed), both in minutes since Monday 0:00, or away
    (only because somebody is absent), in minutes since 1970 in UTC.
    """

    when: str
    start: int
    end: int


def awake(
    people: Sequence[Person], rules: Rules, local: datetime, *, closed: bool = False
) -> tuple[str, ...]:
    """Return the names of those on the safety ladder who can be texted and expect it at this local moment: on duty,
    on call, or named by the clinic as its fallback."""
    team = [present(person, local, rules.hours, closed=closed) for person in people]
    return tuple(
        one.name
        for one in routing.ladder(SAFETY, team, rules)
        if one.phone and not one.away and (one.on_duty or one.on_call or one.email in rules.fallback)
    )


def week(
    people: Sequence[Person], rules: Rules, *, closed: bool = False
) -> list[list[tuple[int, int, tuple[str, ...]]]]:
    """Return seven days of stretches: from which minute of the day until which, and who can be reached throughout.

    No names are a hole. `closed` asks as if every day were a holiday. Whoever is away now is counted: a week is for good.
    """
    people, turns = [_here(one) for one in people], turning_points(people, rules)
    days = []
    for day in range(7):
        stretches: list[tuple[int, int, tuple[str, ...]]] = []
        for begin, end in pairwise([*turns, DAY]):
            names = awake(people, rules, MONDAY + timedelta(days=day, minutes=begin), closed=closed)
            if stretches and stretches[-1][2] == names:
                stretches[-1] = (stretches[-1][0], end, names)
            else:
                stretches.append((begin, end, names))
        days.append(stretches)
    return days


def _here(person: Person) -> Person:
    return replace(person, away=False, covered_by=None)


def turning_points(people: Sequence[Person], rules: Rules) -> list[int]:
    """Return the minutes of a day, from 0, at which anybody's hours begin or end: between them nothing changes."""
    found = {0}
    for given in (rules.hours.week, *(one.hours for one in people), *(one.on_call for one in people)):
        for span in (given or {}).values():
            for at in span:
                clock = time.fromisoformat(at) if _is_clock(at) else time()
                found.add(clock.hour * 60 + clock.minute)
    return sorted(found)


def _is_clock(at: object) -> bool:
    try:
        return isinstance(at, str) and time.fromisoformat(at) is not None
    except ValueError:
        return False


def every(
    people: Sequence[Person], rules: Rules, absences: Sequence[Away], *, start: datetime, zone: str
) -> list[Hole]:
    """Return every hole: of any week, on the holidays still to come, and in the next twelve months because of absences.

    `start` is the aware moment from which on it is asked.
    """
    today = start.astimezone(ZoneInfo(zone)).date()
    return [
        *weekly(people, rules),
        *on_holidays(people, rules, today),
        *while_away(people, rules, absences, start=start, zone=zone),
    ]


def weekly(people: Sequence[Person], rules: Rules) -> list[Hole]:
    """Return the holes of every week."""
    return _weekly("week", week(people, rules))


def _weekly(when: str, days: Sequence[Sequence[tuple[int, int, tuple[str, ...]]]]) -> list[Hole]:
    found = [
        Hole(when, day * DAY + begin, day * DAY + end)
        for day, stretches in enumerate(days)
        for begin, end, names in stretches
        if not names
    ]
    return _joined(found)


def _joined(found: Iterable[Hole]) -> list[Hole]:
    joined: list[Hole] = []
    for hole in found:
        if joined and joined[-1].when == hole.when and joined[-1].end == hole.start:
            joined[-1] = Hole(hole.when, joined[-1].start, hole.end)
        else:
            joined.append(hole)
    return joined


def on_holidays(people: Sequence[Person], rules: Rules, today: date | None = None) -> list[Hole]:
    """Return the holes of days on which the clinic is closed; a day that comes every year may fall on any weekday."""
    weekdays: set[int] = set()
    for one in rules.hours.holidays:
        dated = len(one) > len("12-25")
        if not dated:
            weekdays = set(range(7))
        elif today is None or date.fromisoformat(one) >= today:
            weekdays.add(date.fromisoformat(one).weekday())
    if not weekdays:
        return []
    closed = week(people, rules, closed=True)
    return _weekly("holiday", [day if place in weekdays else [] for place, day in enumerate(closed)])


def while_away(
    people: Sequence[Person], rules: Rules, absences: Sequence[Away], *, start: datetime, zone: str
) -> list[Hole]:
    """Return the holes that there are only because somebody is away, in the twelve months after `start`."""
    coming = [one for one in absences if one.starts_at < start + AHEAD and one.ends_at > start]
    place, known, found = ZoneInfo(zone), dict[object, bool](), []

    def holds(local: datetime, away: Mapping[UUID, UUID | None]) -> bool:
        closed = rules.hours.closed_on(local.date())
        key = (local.weekday(), local.hour, local.minute, closed, frozenset(away.items()))
        if key not in known:
            team = [replace(one, away=one.id in away, covered_by=away.get(one.id)) for one in people]
            known[key] = bool(awake(team, rules, local, closed=closed))
        return known[key]

    for begin, end in pairwise(_instants(coming, turning_points(people, rules), start, place)):
        away = {one.staff_id: one.cover_id for one in coming if one.starts_at <= begin < one.ends_at}
        local = begin.astimezone(place).replace(tzinfo=None)
        if away and not holds(local, away) and holds(local, {}):
            found.append(Hole("away", _minute(begin), _minute(end)))
    return _joined(found)


def _minute(moment: datetime) -> int:
    return int((moment - EPOCH).total_seconds() // 60)


def _instants(
    absences: Sequence[Away], turns: Sequence[int], start: datetime, place: ZoneInfo
) -> list[datetime]:
    """Every moment, in UTC, at which anything can change while somebody is away, in order."""
    found: set[datetime] = set()
    for one in absences:
        begin, end = max(one.starts_at, start), min(one.ends_at, start + AHEAD)
        found |= {begin.astimezone(UTC), end.astimezone(UTC)}
        day, last = begin.astimezone(place).date(), end.astimezone(place).date()
        while day <= last:
            found |= {moment for moment in _turns_of(day, turns, place) if begin < moment < end}
            day += timedelta(days=1)
    return sorted(found)


def _turns_of(day: date, turns: Sequence[int], place: ZoneInfo) -> set[datetime]:
    midnight = datetime.combine(day, time(), place)
    found = {
        datetime.combine(day, time(*divmod(minute, 60), fold=fold), place).astimezone(UTC)
        for minute in turns
        for fold in (0, 1)
    }
    if midnight.utcoffset() != datetime.combine(day + timedelta(days=1), time(), place).utcoffset():
        # The clocks change today, and at no other moment than a quarter of an hour.
        found |= {midnight.astimezone(UTC) + timedelta(minutes=15 * step) for step in range(100)}
    return found


def made(before: Sequence[Hole], after: Sequence[Hole]) -> list[Hole]:
    """Return what is a hole in `after` and was none in `before`, to the minute."""
    found = []
    for hole in after:
        rest = [(hole.start, hole.end)]
        for old in (one for one in before if one.when == hole.when):
            rest = [
                part
                for begin, end in rest
                for part in ((begin, min(end, old.start)), (max(begin, old.end), end))
                if part[0] < part[1]
            ]
        found += [Hole(hole.when, begin, end) for begin, end in sorted(set(rest))]
    return found


def say(hole: Hole, zone: str) -> str:
    """Return a hole as people write it: "Mon 17:00 to Mon 17:30", for one of an absence with its date."""
    if hole.when != "away":
        return f"{_clock(hole.start)} to {_clock(hole.end)}"
    start, end = (
        (EPOCH + timedelta(minutes=one)).astimezone(ZoneInfo(zone)) for one in (hole.start, hole.end)
    )
    return f"{_dated(start)} to {_dated(end)}"


def _clock(minute: int) -> str:
    day, rest = divmod(minute % WEEK, DAY)
    return f"{hours.NAMES[hours.WEEKDAYS[day]]} {rest // 60}:{rest % 60:02}"


def _dated(moment: datetime) -> str:
    return f"{hours.NAMES[hours.WEEKDAYS[moment.weekday()]]} {moment:%Y-%m-%d} {moment.hour}:{moment:%M}"
