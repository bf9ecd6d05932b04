"""The lead's page: who has how much, what is past its time and where, what was overlooked, and who is away.

Every number leads to the list of what it counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import abort, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.inbox import counting, views, workload
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import assign, coverage_gaps
from messaging.inbox.staff import roster
from messaging.models import Clinic, Staff
from web import ids, layout, permissions, reading_marks, sessions, team, times, words
from web.account import preferences
from web.presenters import filters, list_rows

lead = layout.room("lead", __name__)
AHEAD = timedelta(days=7)
OVER = filters.Filter(over="1")


@dataclass(frozen=True)
class Row:
    """A colleague: who, whether they are here, and what they have. `gone`: they have left and still hold something."""

    id: UUID
    name: str
    role: str
    here: str
    load: workload.Load
    first_due: times.Mark | None
    overlooked: int
    gone: bool


@dataclass(frozen=True)
class Away:
    """An absence that holds or begins within a week, and how many patients' items stand with that colleague."""

    id: UUID
    name: str
    when: str
    cover: str
    open: int


@lead.get("/workload")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show the load of each colleague, and what is late, overlooked or uncovered."""
    clinic, now = sessions.clinic(), clock.now()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        loads, people = workload.by_owner(session, clinic.id, now), team.everyone(session, clinic.id)
        absences = [each for each in roster.absences(session, clinic.id) if each.starts_at < now + AHEAD]
        kinds, places = workload.overdue(session, clinic.id, now, filters.nearest_place(now, InboxItem))
        return layout.page(
            session,
            "staff/workload.html",
            here="workload",
            rows=_rows(session, clinic, people.values(), loads, now),
            unassigned=_unassigned(session, clinic, now),
            kinds=[(kind, words.say("kinds", kind), count) for kind, count in kinds.most_common()],
            places=places.most_common(),
            away=[_away(absence, people, loads, now, clinic.zone) for absence in absences],
        )


@lead.get("/workload/unread")
@permissions.signed_in("clinic.look")
def unread() -> str:
    """Show what its owner has not opened for a day: all of it, or one colleague's. Names are opened: written down."""
    clinic, reads = sessions.clinic(), layout.may("inbox.read")
    who = request.args.get("who")
    with db.unit_of_work(clinic.id) as session:
        colleague = _colleague(session, clinic, who) if who else None
        overlooked = _overlooked(session, clinic, clock.now(), colleague.id if colleague else None)
        audit.record(session, clinic.id, layout.the_actor(), "workload.opened", f"clinic:{clinic.id}", who=who)
        reader = list_rows.Reader(layout.the_staff(), layout.sight(session), preferences.chosen("names"))
        first = {item.thread_id: item for item in reversed(overlooked)}
        shown = [item for item in overlooked if first[item.thread_id] is item][: list_rows.PAGE]
        rows = list_rows.list_of(session, clinic, reader, shown) if reads else []
        more = len(first) > len(shown)
        return layout.page(session, "staff/unread.html", here="workload", colleague=colleague, rows=rows, more=more)


def _colleague(session: Session, clinic: Clinic, wanted: str) -> Staff:
    staff_id = ids.uuid_of(wanted)
    colleague = session.get(Staff, staff_id) if staff_id else None
    if colleague is None or colleague.clinic_id != clinic.id:
        abort(404)
    return colleague


def _overlooked(session: Session, clinic: Clinic, now: datetime, owner_id: UUID | None = None) -> list[InboxItem]:
    items = workload.long_owed(session, clinic.id, now, owner_id)
    never_opened = reading_marks.unread(session, clinic, items)
    return [item for item in items if item.id in never_opened]


def _rows(
    session: Session,
    clinic: Clinic,
    people: Iterable[Staff],
    loads: dict[UUID, workload.Load],
    now: datetime,
) -> list[Row]:
    """Who works the inbox or still holds something: what is late first, then by how much they have."""
    overlooked: dict[UUID | None, set[UUID]] = {}
    for item in _overlooked(session, clinic, now):
        overlooked.setdefault(item.owner_id, set()).add(item.thread_id)
    team_now = {member.id: member for member in roster.team(session, clinic)}
    rows = [
        _row(
            colleague,
            loads.get(colleague.id, workload.Load()),
            len(overlooked.get(colleague.id, ())),
            _here(colleague, team_now.get(colleague.id), now, clinic.zone),
            now,
            clinic.zone,
        )
        for colleague in people
        if colleague.id in loads or (colleague.active and permissions.may(colleague.role, "inbox.work"))
    ]
    return sorted(rows, key=lambda row: (-row.load.over, -row.load.open, row.name))


def _row(colleague: Staff, load: workload.Load, overlooked: int, here: str, now: datetime, zone: str) -> Row:
    due = load.first_due
    return Row(
        id=colleague.id,
        name=colleague.name,
        role=words.say("roles", colleague.role),
        here=here,
        load=load,
        first_due=times.mark(safety=False, answer_by=due, now=now, zone=zone) if due else None,
        overlooked=overlooked,
        gone=not colleague.active,
    )


def _here(colleague: Staff, member: assign.Member | None, now: datetime, zone: str) -> str:
    """Whether they are here, as routing sees it: no hours are the clinic's, and nobody works on a holiday."""
    if member is None:
        return words.say("workload", "gone")
    if member.away:
        return words.say("workload", "away")
    if not member.on_duty:
        return words.say("workload", "off")
    until = times.on_duty(colleague.hours, now, zone)
    return words.say("workload", "until", until=until) if until else words.say("workload", "here")


def _unassigned(session: Session, clinic: Clinic, now: datetime) -> tuple[int, int]:
    """How many patients' items are nobody's, and how many of those are past their time."""
    me, midnight = layout.the_staff(), times.midnight(now, clinic.zone)
    every, late = (
        counting.count(clinic.id, view="unassigned", staff=me, midnight=midnight, where=where)
        for where in (views.everything, filters.narrowing(OVER, now))
    )
    unassigned, over = session.execute(select(every, late)).one()
    return unassigned, over


def _away(
    absence: coverage_gaps.Away,
    people: dict[UUID | None, Staff],
    loads: dict[UUID, workload.Load],
    now: datetime,
    zone: str,
) -> Away:
    starts, ends = (times.moment(at, now, zone, running=True) for at in (absence.starts_at, absence.ends_at))
    key = "away_until" if absence.starts_at <= now else "away_from"
    cover = people.get(absence.cover_id) if absence.cover_id else None
    return Away(
        id=absence.staff_id,
        name=people[absence.staff_id].name,
        when=words.say("workload", key, starts=starts, ends=ends),
        cover=cover.name if cover else "",
        open=loads.get(absence.staff_id, workload.Load()).open,
    )
