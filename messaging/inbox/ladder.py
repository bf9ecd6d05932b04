"""The clinic's ladder: whom each rung asks at this moment, what a week of it looks like, and where it has a hole. Pure."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from messaging.inbox import hours, routing
from messaging.inbox.routing import Member, Need, Rules

# Whom a rung may ask: who stands in for the owner by name | who is on call now | one colleague after the other, best
# first | the clinic's fallback, one after the other | the clinic's leads | everyone at once.
ASKED = ("backup", "on_call", "colleagues", "fallback", "lead", "everyone")
THE_END = "end"
# How slow a ladder for patient safety may be. Policy, not a standard; a clinic may only be faster.
SAFETY_ANSWER, SAFETY_WAIT, SAFETY_TOTAL = 30, 30, 120
ONE_BY_ONE = ("colleagues", "fallback")
# A Monday; only weekday and wall clock matter, because hours are kept on the wall clock.
MONDAY = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock, of no place
SAFETY = Need("safety")


@dataclass(frozen=True)
class Person:
    """One of the clinic's people with the hours of their whole week; `phone` whether an alert can be texted to them."""

    id: UUID
    email: str
    name: str
    role: str
    languages: tuple[str, ...] = ()
    panels: tuple[str, ...] = ()
    hours: Mapping[str, Any] | None = None
    on_call: Mapping[str, Any] | None = None
    phone: bool = True
    signs_in: bool = True
    open_items: int = 0
    away: bool = False
    covered_by: UUID | None = None


@dataclass(frozen=True)
class Step:
    """Whom to tell now, by which rung, and how many minutes to wait then. `ask` is "end" where nobody new is left."""

    ask: str
    members: tuple[Member, ...]
    wait: int

    @property
    def last(self) -> bool:
        """Whether everyone has been told: from here on a human must call those who have no account."""
        return self.ask == THE_END


@dataclass(frozen=True)
class Problem:
    """What is wrong with a ladder: the field ("safety.answer"), and in words what to do about it."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def present(person: Person, local: datetime, clinic: hours.Hours, *, closed: bool = False) -> Member:
    """Return a person as routing sees them at a local moment; `closed` on a holiday, when only who is on call works.

    Somebody without hours of their own works while the clinic is open.
    """
    works = person.hours or clinic.week
    return Member(
        id=person.id,
        email=person.email,
        name=person.name,
        role=person.role,
        languages=person.languages,
        panels=person.panels,
        on_duty=not closed and hours.within(works, local),
        open_items=person.open_items,
        reachable=person.phone or person.signs_in,
        on_call=bool(person.on_call) and hours.within(person.on_call or {}, local),
        away=person.away,
        covered_by=person.covered_by,
    )


def at(people: Iterable[Person], moment: datetime, rules: Rules, zone: str) -> list[Member]:
    """Return the team at an aware moment, on the wall clock of `zone`."""
    local = moment.astimezone(ZoneInfo(zone))
    closed = rules.hours.closed_on(local.date())
    return [present(person, local, rules.hours, closed=closed) for person in people]


def steps(
    need: Need, team: Sequence[Member], rules: Rules, owner_id: UUID | None, *, is_open: bool
) -> list[Step]:
    """Return the ladder of an item as it stands now, without the owner, who was told first."""
    ranked = [member for member in routing.ladder(need, team, rules) if member.id != owner_id]
    found = []
    for rung in rules.ladder_of(need.kind, is_open=is_open):
        asked = _asked(rung.ask, ranked, team, rules, owner_id)
        groups = [(member,) for member in asked] if rung.ask in ONE_BY_ONE else [asked]
        found += [Step(rung.ask, group, rung.wait) for group in groups if group]
    return found


def _asked(
    ask: str, ranked: Sequence[Member], team: Sequence[Member], rules: Rules, owner_id: UUID | None
) -> tuple[Member, ...]:
    if ask == "backup":
        backup = _backup(team, rules, owner_id)
        return (backup,) if backup is not None and backup.id != owner_id else ()
    if ask == "fallback":
        return tuple(one for email in rules.fallback for one in ranked if one.email == email)
    if ask == "on_call":
        return tuple(one for one in ranked if one.on_call)
    if ask == "lead":
        return tuple(one for one in ranked if one.role in routing.LEADS)
    return tuple(ranked)


def _backup(team: Sequence[Member], rules: Rules, owner_id: UUID | None) -> Member | None:
    by_id = {member.id: member for member in team}
    owner = by_id.get(owner_id) if owner_id else None
    named = rules.backups.get(owner.email) if owner else None
    backup = next((member for member in team if member.email == named), None)
    return routing.stand_in(backup, by_id) if backup else None


def climb(
    need: Need,
    team: Sequence[Member],
    rules: Rules,
    told: Set[UUID],
    owner_id: UUID | None,
    *,
    is_open: bool = True,
) -> Step:
    """Return the next step: the first with somebody who was not told yet; then everyone again, and again."""
    for step in steps(need, team, rules, owner_id, is_open=is_open):
        fresh = tuple(member for member in step.members if member.id not in told)
        if fresh:
            return Step(step.ask, fresh, step.wait)
    return Step(THE_END, tuple(routing.ladder(need, team, rules)), rules.rung_minutes)


def wait_from(now: datetime, kind: str, minutes: int, rules: Rules) -> datetime:
    """Return when a rung's wait is over: in opening hours for the kinds whose clock stands still at night."""
    if kind in rules.in_business:
        return hours.after(now, minutes, rules.hours)
    return now + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Told:
    """One line of a preview: when, by which rung ("owner", a rung, "end"), and the names of who is told."""

    at: datetime
    ask: str
    names: tuple[str, ...]


def preview(need: Need, people: Sequence[Person], rules: Rules, start: datetime, zone: str) -> list[Told]:
    """Return what would happen to an item that came in at `start` and that nobody acknowledged, until the end."""
    team = at(people, start, rules, zone)
    owner = routing.choose(need, team, rules).owner_id
    names = tuple(member.name for member in team if member.id == owner)
    lines, told = [Told(start, "owner", names)], set[UUID]()
    now = routing.answer_by(need.kind, start, rules)
    while True:
        team = at(people, now, rules, zone)
        step = climb(need, team, rules, told, owner, is_open=rules.hours.open_at(now))
        lines.append(Told(now, step.ask, tuple(member.name for member in step.members)))
        if step.last:
            return lines
        told |= {member.id for member in step.members}
        now = wait_from(now, need.kind, step.wait, rules)


def awake(
    people: Sequence[Person], rules: Rules, local: datetime, *, closed: bool = False
) -> tuple[str, ...]:
    """Return the names of those on the safety ladder who can be texted and expect it at this local moment: on duty,
    on call, or named by the clinic as its fallback."""
    team = [present(person, local, rules.hours, closed=closed) for person in people]
    phones = {person.id for person in people if person.phone}
    return tuple(
        one.name
        for one in routing.ladder(SAFETY, team, rules)
        if one.id in phones and not one.away and (one.on_duty or one.on_call or one.email in rules.fallback)
    )


def week(people: Sequence[Person], rules: Rules, *, closed: bool = False) -> list[list[tuple[str, ...]]]:
    """Return seven days of 24 hours: who can be reached throughout each hour; an empty tuple is a hole.

    `closed` asks as if every day were a holiday. Whoever is away now is counted: a week is for good.
    """
    people = [Person(**{**vars(one), "away": False, "covered_by": None}) for one in people]
    minutes = _turns(people, rules)
    days = []
    for day in range(7):
        cells = []
        for hour in range(24):
            start = MONDAY + timedelta(days=day, hours=hour)
            seen = [awake(people, rules, start + timedelta(minutes=one), closed=closed) for one in minutes]
            cells.append(
                tuple(name for name in seen[0] if all(name in one for one in seen)) if all(seen) else ()
            )
        days.append(cells)
    return days


def _turns(people: Sequence[Person], rules: Rules) -> list[int]:
    """The minutes of an hour at which anybody's hours begin or end: between them nothing changes."""
    found = {0}
    for given in (rules.hours.week, *(one.hours for one in people), *(one.on_call for one in people)):
        for span in (given or {}).values():
            found |= {int(one[3:5]) for one in span if isinstance(one, str) and one[3:5].isdigit()}
    return sorted(found)


def check(rules: Rules, people: Sequence[Person]) -> list[Problem]:
    """Return every reason why this ladder could leave a positive answer unseen; none if it holds all week."""
    return [*_slow(rules), *_nobody(rules, people), *_holes(rules, people)]


def _slow(rules: Rules) -> Iterable[Problem]:
    if rules.answer_within["safety"] > SAFETY_ANSWER:
        yield Problem("safety.answer", f"at most {SAFETY_ANSWER} minutes for patient safety")
    if rules.rung_minutes > SAFETY_WAIT:
        yield Problem("repeat", f"at most {SAFETY_WAIT} minutes: patient safety rings again at this pace")
    for is_open in (True, False):
        field = f"safety.{'open' if is_open else 'closed'}"
        rungs = rules.ladder_of("safety", is_open=is_open)
        if any(rung.wait > SAFETY_WAIT for rung in rungs):
            yield Problem(field, f"no rung for patient safety waits longer than {SAFETY_WAIT} minutes")
        if sum(rung.wait for rung in rungs) > SAFETY_TOTAL:
            yield Problem(field, f"its waits add up to more than {SAFETY_TOTAL} minutes")


def _nobody(rules: Rules, people: Sequence[Person]) -> Iterable[Problem]:
    known = {person.email: person for person in people}
    for email in rules.fallback:
        if email not in known:
            yield Problem("fallback", f"nobody active here has the address {email}")
    if not any(email in known and known[email].phone for email in rules.fallback):
        yield Problem(
            "fallback", "name at least one colleague with a mobile number, for when nobody else is there"
        )
    for owner, backup in rules.backups.items():
        for email in (owner, backup):
            if email not in known:
                yield Problem("backup", f"nobody active here has the address {email}")
        if owner == backup:
            yield Problem("backup", f"{owner} cannot stand in for themselves")
    if not rules.call_list:
        yield Problem(
            "call", "name at least one person to call when everyone has been told and nobody answers"
        )


def _holes(rules: Rules, people: Sequence[Person]) -> Iterable[Problem]:
    found = _ranges(week(people, rules))
    if found:
        yield Problem("on_call", f"nobody with a mobile number is on duty or on call: {', '.join(found)}")
    elif rules.hours.holidays and any(not cell for day in week(people, rules, closed=True) for cell in day):
        yield Problem("on_call", "on a holiday there are hours in which nobody is on call")


def _ranges(days: Sequence[Sequence[tuple[str, ...]]]) -> list[str]:
    cells = [cell for day in days for cell in day]
    if not any(cells):
        return ["at no hour of the week"]
    found, start = [], None
    for place in range(len(cells) + 1):
        empty = place < len(cells) and not cells[place]
        if empty and start is None:
            start = place
        elif not empty and start is not None:
            found.append(f"{_hour(start)} to {_hour(place)}")
            start = None
    return found


def _hour(place: int) -> str:
    day, hour = divmod(place % 168, 24)
    return f"{hours.NAMES[hours.WEEKDAYS[day]]} {hour}:00"
