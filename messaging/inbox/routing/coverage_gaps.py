"""Where an escalation policy has a coverage gap: minutes in which nobody could be told of a positive answer. Pure.

Hours are kept on the wall clock, so that a week in which the clocks change has the minutes of every other week, one
hour of them twice or never: whoever can be reached at each minute of the wall clock can be reached in that week too.
Only absences lie on real dates, and are walked through on the clinic's own clock.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from messaging.inbox.routing import assign, clinic_rules
from messaging.inbox.routing.assign import Need, Rules
from messaging.inbox.routing.escalation_policy import Person, present
from messaging.weekdays import SHORT_NAMES

# A Monday; only weekday and wall clock matter.
MONDAY = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock, of no place
SAFETY = Need("safety")
DAY, WEEK = 1440, 7 * 1440
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Away:
    """An absence: who, who covers if anybody is named, from when until when (aware)."""

    staff_id: UUID
    cover_id: UUID | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Watch:
    """All that decides who can be reached when: the people, the rules, the absences that hold or are planned, and the
    zone of the clinic's clock."""

    people: Sequence[Person]
    rules: Rules
    absences: Sequence[Away]
    zone: str


@dataclass(frozen=True, order=True)
class Gap:
    """Minutes in which nobody can be reached, from `start` until before `end`.

    `when` is week (every week) | holiday (on a day the clinic is closed), both in minutes since Monday 0:00, or away
    (only because somebody is absent), in minutes since 1970 in UTC.
    """

    when: str
    start: int
    end: int


def awake(people: Sequence[Person], rules: Rules, local: datetime, *, closed: bool = False) -> tuple[str, ...]:
    """Return the names of those on the safety policy who can be texted, may open what they are texted about, and expect
    it at this local moment: on duty, on call, the clinic's fallback, or in the place of somebody who is."""
    team = [present(person, local, rules.hours, closed=closed) for person in people]
    return tuple(
        member.name
        for member in assign.ranked(SAFETY, team, rules)
        if member.phone and not member.away and member.role in clinic_rules.ACTING and _expects(member, rules)
    )


def _expects(member: assign.Member, rules: Rules) -> bool:
    return member.on_duty or member.on_call or any(email in rules.fallback for email in member.addresses)


def week(
    people: Sequence[Person], rules: Rules, *, closed: bool = False
) -> list[list[tuple[int, int, tuple[str, ...]]]]:
    """Return seven days of stretches: from which minute of the day until which, and who can be reached throughout.

    No names are a gap. `closed` asks as if every day were a holiday. Whoever is away now counts: a week is for good.
    """
    people, turns = [_here(person) for person in people], turning_points(people, rules)
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
    minutes = {0}
    for hours_of_week in (
        rules.hours.week,
        *(person.hours for person in people),
        *(person.on_call for person in people),
    ):
        for span in (hours_of_week or {}).values():
            for at in span:
                clock = time.fromisoformat(at) if _is_clock(at) else time()
                minutes.add(clock.hour * 60 + clock.minute)
    return sorted(minutes)


def _is_clock(at: object) -> bool:
    try:
        return isinstance(at, str) and time.fromisoformat(at) is not None
    except ValueError:
        return False


def every(watch: Watch, start: datetime) -> list[Gap]:
    """Return every gap: of any week, on the holidays still to come, and because of absences.

    `start` is the aware moment from which on it is asked.
    """
    today = start.astimezone(ZoneInfo(watch.zone)).date()
    return [
        *weekly(watch.people, watch.rules),
        *on_holidays(watch.people, watch.rules, today),
        *while_away(watch, start),
    ]


def weekly(people: Sequence[Person], rules: Rules) -> list[Gap]:
    """Return the gaps of every week."""
    return _weekly("week", week(people, rules))


def _weekly(when: str, days: Sequence[Sequence[tuple[int, int, tuple[str, ...]]]]) -> list[Gap]:
    gaps = [
        Gap(when, day * DAY + begin, day * DAY + end)
        for day, stretches in enumerate(days)
        for begin, end, names in stretches
        if not names
    ]
    return joined(gaps)


def joined(gaps: Iterable[Gap]) -> list[Gap]:
    """Return gaps in order with those made one that touch."""
    merged: list[Gap] = []
    for gap in gaps:
        if merged and merged[-1].when == gap.when and merged[-1].end >= gap.start:
            merged[-1] = Gap(gap.when, merged[-1].start, max(merged[-1].end, gap.end))
        else:
            merged.append(gap)
    return merged


def on_holidays(people: Sequence[Person], rules: Rules, today: date | None = None) -> list[Gap]:
    """Return the gaps of days on which the clinic is closed; a day that comes every year may fall on any weekday."""
    weekdays = weekdays_of(rules.hours.holidays, today)
    return on_weekdays(weekdays, week(people, rules, closed=True)) if weekdays else []


def weekdays_of(holidays: Iterable[str], today: date | None) -> set[int]:
    """Return the weekdays, from Monday as 0, on which these holidays can still fall."""
    weekdays: set[int] = set()
    for holiday in holidays:
        if len(holiday) == len("12-25"):
            return set(range(7))
        if today is None or date.fromisoformat(holiday) >= today:
            weekdays.add(date.fromisoformat(holiday).weekday())
    return weekdays


def on_weekdays(weekdays: set[int], days: Sequence[Sequence[tuple[int, int, tuple[str, ...]]]]) -> list[Gap]:
    """Return the gaps of a week as those of holidays on these weekdays."""
    return _weekly("holiday", [day if place in weekdays else [] for place, day in enumerate(days)])


def while_away(watch: Watch, start: datetime) -> list[Gap]:
    """Return the gaps from `start` on that there are only because somebody is away."""
    reachable = Asked(watch)
    return walk([watch], start, lambda at: not reachable(at) and reachable(at, nobody_away=True))


class Asked:
    """Whether somebody can be reached at a moment in UTC, by the absences or as if nobody were away; it remembers."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.place, self.answers = watch, ZoneInfo(watch.zone), dict[object, bool]()

    def __call__(self, at: datetime, *, nobody_away: bool = False) -> bool:
        watch, local = self.watch, at.astimezone(self.place).replace(tzinfo=None)
        away: dict[UUID, UUID | None] = {}
        if not nobody_away:
            away = {
                absence.staff_id: absence.cover_id
                for absence in watch.absences
                if absence.starts_at <= at < absence.ends_at
            }
        closed = watch.rules.hours.closed_on(local.date())
        key = (local.weekday(), local.hour, local.minute, closed, frozenset(away.items()))
        if key not in self.answers:
            team = [replace(person, away=person.id in away, covered_by=away.get(person.id)) for person in watch.people]
            self.answers[key] = bool(awake(team, watch.rules, local, closed=closed))
        return self.answers[key]


def walk(watches: Sequence[Watch], start: datetime, is_gap: Callable[[datetime], bool]) -> list[Gap]:
    """Return every stretch from `start` on of an absence in any of these in which `is_hole` holds."""
    instants: set[datetime] = set()
    coming = [absence for watch in watches for absence in watch.absences if absence.ends_at > start]
    for watch in watches:
        turns = turning_points(watch.people, watch.rules)
        instants |= _instants(coming, turns, start, ZoneInfo(watch.zone))
    return joined(
        Gap("away", _minute(begin), _minute(end))
        for begin, end in pairwise(sorted(instants))
        if any(absence.starts_at <= begin < absence.ends_at for absence in coming) and is_gap(begin)
    )


def _minute(moment: datetime) -> int:
    return int((moment - EPOCH).total_seconds() // 60)


def _instants(absences: Sequence[Away], turns: Sequence[int], start: datetime, place: ZoneInfo) -> set[datetime]:
    """Every moment, in UTC, at which anything can change while somebody is away."""
    instants: set[datetime] = set()
    for absence in absences:
        begin, end = max(absence.starts_at, start), absence.ends_at
        instants |= {begin.astimezone(UTC), end.astimezone(UTC)}
        day, last = begin.astimezone(place).date(), end.astimezone(place).date()
        while day <= last:
            instants |= {moment for moment in _turns_of(day, turns, place) if begin < moment < end}
            day += timedelta(days=1)
    return instants


def _turns_of(day: date, turns: Sequence[int], place: ZoneInfo) -> set[datetime]:
    midnight = datetime.combine(day, time(), place)
    instants = {
        datetime.combine(day, time(*divmod(minute, 60), fold=fold), place).astimezone(UTC)
        for minute in turns
        for fold in (0, 1)
    }
    if midnight.utcoffset() != datetime.combine(day + timedelta(days=1), time(), place).utcoffset():
        # The clocks change today, and at no other moment than a quarter of an hour.
        instants |= {midnight.astimezone(UTC) + timedelta(minutes=15 * step) for step in range(100)}
    return instants


def made(before: Sequence[Gap], after: Sequence[Gap]) -> list[Gap]:
    """Return what is a gap in `after` and was none in `before`, to the minute."""
    new_gaps = []
    for gap in after:
        rest = [(gap.start, gap.end)]
        for old in (earlier for earlier in before if earlier.when == gap.when):
            rest = [
                part
                for begin, end in rest
                for part in ((begin, min(end, old.start)), (max(begin, old.end), end))
                if part[0] < part[1]
            ]
        new_gaps += [Gap(gap.when, begin, end) for begin, end in sorted(set(rest))]
    return new_gaps


def say(gap: Gap, zone: str) -> str:
    """Return a gap as people write it: "Mon 17:00 to Mon 17:30", for one of an absence with its date."""
    if gap.when != "away":
        return f"{_clock(gap.start)} to {_clock(gap.end)}"
    start, end = ((EPOCH + timedelta(minutes=minute)).astimezone(ZoneInfo(zone)) for minute in (gap.start, gap.end))
    until = f"{end.hour}:{end:%M}" if start.date() == end.date() else _dated(end)
    return f"{_dated(start)} to {until}"


def _clock(minute: int) -> str:
    day, rest = divmod(minute % WEEK, DAY)
    return f"{SHORT_NAMES[day]} {rest // 60}:{rest % 60:02}"


def _dated(moment: datetime) -> str:
    return f"{DAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1]} {moment.year} {moment.hour}:{moment:%M}"
