"""Who works at the clinic and when, who stands in for whom, and hours that change without leaving a hole."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox import holes, ladder, routing
from messaging.inbox.models import Absence, InboxItem
from messaging.models import Clinic, Staff

# What somebody may decide for themselves, and how it is where they have decided nothing.
NOTIFIED = {"screen": "text", "reply": "inbox", "delivery": "inbox"}


class MakesHole(ValueError):
    """A change after which nobody could be reached in the minutes of `holes`."""

    def __init__(self, made: Sequence[holes.Hole]) -> None:
        super().__init__(f"{len(made)} holes")
        self.holes = list(made)


def people(session: Session, clinic: Clinic) -> list[ladder.Person]:
    """Return the clinic's active people with the hours of their week, three queries in all."""
    held = (
        select(InboxItem.owner_id, func.count())
        .where(InboxItem.clinic_id == clinic.id, InboxItem.state.in_(("open", "claimed")))
        .group_by(InboxItem.owner_id)
    )
    load = dict(session.execute(held).all())
    covers = {one.staff_id: one.cover_id for one in away(session, clinic.id, clock.now())}
    active = select(Staff).where(Staff.clinic_id == clinic.id, Staff.active).order_by(Staff.name)
    return [
        ladder.Person(
            id=one.id,
            email=one.email,
            name=one.name,
            role=one.role,
            languages=tuple(one.languages),
            panels=tuple(one.panels),
            hours=one.hours,
            on_call=one.on_call,
            phone=one.number_ct is not None,
            signs_in=one.password_hash is not None,
            open_items=load.get(one.id, 0),
            away=one.id in covers,
            covered_by=covers.get(one.id),
        )
        for one in session.scalars(active)
    ]


def team(session: Session, clinic: Clinic) -> list[routing.Member]:
    """Return the clinic's active people as routing sees them at this moment."""
    return ladder.at(people(session, clinic), clock.now(), routing.Rules.of(clinic.rules), clinic.zone)


def away(session: Session, clinic_id: UUID, now: datetime) -> Sequence[Absence]:
    """Return the absences that hold at this moment, whether or not their items have moved yet."""
    return session.scalars(
        select(Absence)
        .where(
            Absence.clinic_id == clinic_id,
            Absence.ended_at.is_(None),
            Absence.starts_at <= now,
            Absence.ends_at > now,
        )
        .order_by(Absence.starts_at)
    ).all()


def wants_text(staff: Staff, kind: str) -> bool:
    """Whether this colleague is texted when an item of this kind comes to them.

    Patient safety and warm handoffs always text: nobody can switch them off. An item that is overdue always does too.
    """
    return kind not in NOTIFIED or staff.notify.get(kind, NOTIFIED[kind]) == "text"


def absences(session: Session, clinic_id: UUID) -> list[holes.Away]:
    """Return every absence that holds or is planned."""
    coming = select(Absence).where(
        Absence.clinic_id == clinic_id, Absence.ended_at.is_(None), Absence.ends_at > clock.now()
    )
    return [
        holes.Away(one.staff_id, one.cover_id, one.starts_at, one.ends_at)
        for one in session.scalars(coming.order_by(Absence.starts_at))
    ]


def set_hours(
    session: Session,
    clinic_id: UUID,
    staff_id: UUID,
    *,
    hours: Mapping[str, Sequence[str]],
    on_call: Mapping[str, Sequence[str]],
    actor: str,
) -> None:
    """Change when a colleague works and is on call, from now on; a change that says nothing new is no change.

    Raises MakesHole for the minutes in which nobody could be reached any more, and LookupError for somebody who does
    not work here.
    """
    clinic = session.get_one(Clinic, clinic_id, with_for_update=True, populate_existing=True)
    staff = session.get(Staff, staff_id, populate_existing=True)
    if staff is None or staff.clinic_id != clinic_id or not staff.active:
        raise LookupError("nobody active here")
    if staff.hours == dict(hours) and staff.on_call == dict(on_call):
        return
    made = holes.made(
        coming_holes(session, clinic), coming_holes(session, clinic, {staff_id: (hours, on_call)})
    )
    if made:
        raise MakesHole(made)
    for name, wanted in (("hours", dict(hours)), ("on_call", dict(on_call))):
        if getattr(staff, name) != wanted:
            setattr(staff, name, wanted)
            audit.record(session, clinic_id, actor, f"staff.{name}", f"staff:{staff_id}")


def coming_holes(
    session: Session,
    clinic: Clinic,
    changed: Mapping[UUID, tuple[Mapping[str, Any], Mapping[str, Any]]] | None = None,
) -> list[holes.Hole]:
    """Return every hole of any week, of the holidays to come and of planned absences, with these hours and on-call
    hours in the place of those on file."""
    team = [
        one
        if one.id not in (changed or {})
        else replace(one, hours=(changed or {})[one.id][0], on_call=(changed or {})[one.id][1])
        for one in people(session, clinic)
    ]
    rules = routing.Rules.of(clinic.rules)
    coming = absences(session, clinic.id)
    return holes.every(team, rules, coming, start=clock.now(), zone=clinic.zone)
