"""The clinic's policy: whom each step asks now, and what would happen to an item nobody acknowledges. Pure."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from messaging.inbox.routing import assign, hours
from messaging.inbox.routing.assign import Member, Need, Rules

# Whom a step may ask: who stands in for the owner by name | who is on call now | one colleague after the other, best
# first | the clinic's fallback, one after the other | the clinic's leads | everyone at once.
ASKED = ("backup", "on_call", "colleagues", "fallback", "lead", "everyone")
THE_END = "end"
ONE_BY_ONE = ("colleagues", "fallback")


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
class Round:
    """Whom to tell now, by which step, and how many minutes to wait then. `ask` is "end" where nobody new is left."""

    ask: str
    members: tuple[Member, ...]
    wait: int

    @property
    def last(self) -> bool:
        """Whether everyone has been told: from here on a human must call those who have no account."""
        return self.ask == THE_END


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
        phone=person.phone,
    )


def at(people: Iterable[Person], moment: datetime, rules: Rules, zone: str) -> list[Member]:
    """Return the team at an aware moment, on the wall clock of `zone`."""
    local = moment.astimezone(ZoneInfo(zone))
    closed = rules.hours.closed_on(local.date())
    return [present(person, local, rules.hours, closed=closed) for person in people]


def rounds(need: Need, team: Sequence[Member], rules: Rules, owner_id: UUID | None, *, is_open: bool) -> list[Round]:
    """Return the policy of an item as it stands now, without the owner, who was told first."""
    ranked = [member for member in assign.ranked(need, team, rules) if member.id != owner_id]
    ladder = []
    for step in rules.steps_of(need.kind, is_open=is_open):
        members = _asked(step.ask, ranked, team, rules, owner_id)
        groups = [(member,) for member in members] if step.ask in ONE_BY_ONE else [members]
        ladder += [Round(step.ask, group, step.wait) for group in groups if group]
    return ladder


def _asked(
    ask: str, ranked: Sequence[Member], team: Sequence[Member], rules: Rules, owner_id: UUID | None
) -> tuple[Member, ...]:
    if ask == "backup":
        backup = _backup(team, rules, owner_id)
        return (backup,) if backup is not None and backup.id != owner_id else ()
    if ask == "fallback":
        return tuple(member for email in rules.fallback for member in ranked if email in member.addresses)
    if ask == "on_call":
        return tuple(member for member in ranked if member.on_call)
    if ask == "lead":
        return tuple(member for member in ranked if member.role in assign.LEADS)
    return tuple(ranked)


def _backup(team: Sequence[Member], rules: Rules, owner_id: UUID | None) -> Member | None:
    by_id = {member.id: member for member in team}
    owner = by_id.get(owner_id) if owner_id else None
    named = rules.backups.get(owner.email) if owner else None
    backup = next((member for member in team if member.email == named), None)
    return assign.stand_in(backup, by_id) if backup else None


def climb(
    need: Need,
    team: Sequence[Member],
    rules: Rules,
    told: Set[UUID],
    owner_id: UUID | None,
    *,
    is_open: bool = True,
) -> Round:
    """Return the next step: the first with somebody who was not told yet; then everyone again, and again."""
    for round_ in rounds(need, team, rules, owner_id, is_open=is_open):
        fresh = tuple(member for member in round_.members if member.id not in told)
        if fresh:
            return Round(round_.ask, fresh, round_.wait)
    return Round(THE_END, tuple(assign.ranked(need, team, rules)), rules.rung_minutes)


def wait_from(now: datetime, kind: str, minutes: int, rules: Rules) -> datetime:
    """Return when a step's wait is over: in opening hours for the kinds whose clock stands still at night."""
    if kind in rules.in_business:
        return hours.after(now, minutes, rules.hours)
    return now + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Told:
    """One line of a preview: when, by which step ("owner", a step, "end"), and the names of who is told."""

    at: datetime
    ask: str
    names: tuple[str, ...]


def preview(need: Need, people: Sequence[Person], rules: Rules, start: datetime, zone: str) -> list[Told]:
    """Return what would happen to an item that came in at `start` and that nobody acknowledged, until the end."""
    team = at(people, start, rules, zone)
    owner = assign.choose(need, team, rules).owner_id
    names = tuple(member.name for member in team if member.id == owner)
    lines, told = [Told(start, "owner", names)], set[UUID]()
    now = assign.answer_by(need.kind, start, rules)
    while True:
        team = at(people, now, rules, zone)
        round_ = climb(need, team, rules, told, owner, is_open=rules.hours.open_at(now))
        lines.append(Told(now, round_.ask, tuple(member.name for member in round_.members)))
        if round_.last:
            return lines
        told |= {member.id for member in round_.members}
        now = wait_from(now, need.kind, round_.wait, rules)
