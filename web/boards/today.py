"""Where a day begins: what waits, who is in the building, and what the reader's role does first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.inbox import counting, views
from messaging.inbox.staff import roster
from messaging.models import Clinic, Staff
from reminders import agenda, appointments, unreached
from reminders.rules import zones
from web import layout, permissions, sessions, times, words
from web.account import preferences
from web.boards import clinician
from web.presenters import board_view, filters, handoff_view, list_rows, visit_rows

today = layout.room("today", __name__)
# How many rows of the reader's list stand here, and how many visits; their own pages have the rest.
NEXT, SHOWN = 5, 40
# What each role does first; everybody else works the inbox.
FIRST = {"clinician": "patients", "front_desk": "desk"}
SAFETY, OVER = filters.Filter(kind="safety"), filters.Filter(over="1")


@dataclass(frozen=True)
class OnDuty:
    """A colleague who is here: name, role, until when ("" where no hours are set)."""

    name: str
    role: str
    until: str


@dataclass(frozen=True)
class BookedDay:
    """Today or tomorrow: its date, what it is called, its visits counted, and how many patients are to be called."""

    day: date
    words: str
    tally: agenda.Tally
    to_call: int


@today.get("/today")
@permissions.signed_in("self")
def show() -> str:
    """Show the day as the reader's role works it. Where names are opened, it is written down."""
    clinic, staff, now = sessions.clinic(), layout.the_staff(), clock.now()
    first = FIRST.get(staff.role, "inbox")
    day = zones.to_local(now, zones.zone(clinic.zone)).date()
    with db.unit_of_work(clinic.id) as session:
        facts: dict[str, Any] = {"first": first, "date": f"{day:%A}, {times.date_of(day, day)}"}
        facts["board"] = board_view.known(session, clinic, staff)
        if layout.may("patients.read"):
            act = "today.refreshed" if "unattended" in request.args else "today.opened"
            audit.record(session, clinic.id, layout.the_actor(), act, f"clinic:{clinic.id}")
            facts |= _visits(session, clinic, staff, day, now)
        if layout.may("inbox.read"):
            facts |= _inbox(session, clinic, staff, now)
        if layout.may("handoffs.read"):
            facts["waiting"] = _waiting(session, clinic, staff, facts.get("asked", {}))
        facts |= {"on_duty": _on_duty(session, clinic, now), "answers": layout.may("handoffs.answer")}
        return layout.page(session, "staff/today.html", here="today", **facts)


def _visits(session: Session, clinic: Clinic, staff: Staff, day: date, now: datetime) -> dict[str, Any]:
    books = agenda.books(session, clinic, day, 2, agenda.Wanted())
    facts: dict[str, Any] = {
        "days": [
            BookedDay(when, said, tally, unreached.to_call(session, clinic, when, now) if tally.all else 0)
            for (when, tally), said in zip(books.days, ("Today", "Tomorrow"), strict=True)
        ]
    }
    if staff.role == "clinician":
        facts |= clinician.facts(session, clinic, staff, day)
    if staff.role == "front_desk":
        facts |= _of_desk(session, clinic, day)
    return facts


def _of_desk(session: Session, clinic: Clinic, day: date) -> dict[str, Any]:
    """Whom the desk expects today, and who wants another time on whatever day."""
    begins, ends = unreached.span(clinic, day)
    expected = agenda.listed(session, clinic, begins, ends, agenda.Wanted(states=appointments.OPEN), limit=SHOWN)
    moving = agenda.reschedules(session, clinic, begins, limit=SHOWN)
    changes = layout.may("patients.change")
    return {
        "expected": visit_rows.rows(session, expected.visits, changes=changes),
        "more_expected": expected.after is not None,
        "moving": visit_rows.rows(session, moving, changes=False),
    }


def _inbox(session: Session, clinic: Clinic, staff: Staff, now: datetime) -> dict[str, Any]:
    shown = (_counting(clinic, staff, filters.narrowing(narrowed, now), now) for narrowed in (SAFETY, OVER))
    counts: Sequence[int] = session.execute(select(*shown)).one()
    reader = list_rows.Reader(staff, layout.sight(session), preferences.chosen("names"))
    first = views.listing(session, clinic.id, view="mine", staff=staff, limit=NEXT)
    facts = {"safety": counts[0], "over": counts[1], "next": list_rows.list_of(session, clinic, reader, first)}
    if staff.role == "clinician":
        facts["panel"] = clinician.open_for_panel(session, clinic, staff, reader, [item.id for item in first])
    return facts


def _counting(clinic: Clinic, staff: Staff, where: views.Narrowing, now: datetime) -> ColumnElement[int]:
    return counting.count(clinic.id, view="everyone", staff=staff, midnight=now, where=where)


def _waiting(
    session: Session, clinic: Clinic, staff: Staff, shown: Mapping[UUID, handoff_view.Entry]
) -> list[handoff_view.Entry]:
    """The open handoffs; a clinician's page has those that concern them, and not again what stands at their patient."""
    waiting = handoff_view.waiting(session, clinic, staff, sight=layout.sight(session))
    listed = [entry for entry in waiting if entry.patient_id not in shown]
    return [entry for entry in listed if staff.role != "clinician" or entry.mine or entry.coming or entry.asked_by_me]


def _on_duty(session: Session, clinic: Clinic, now: datetime) -> list[OnDuty]:
    """Who is here now by their hours and not away, of those who can be given something."""
    away = {absence.staff_id for absence in roster.away(session, clinic.id, now)}
    active = select(Staff).where(Staff.clinic_id == clinic.id, Staff.active).order_by(Staff.name)
    here = [
        (colleague, times.on_duty(colleague.hours, now, clinic.zone))
        for colleague in session.scalars(active)
        if colleague.id not in away and permissions.has_own_items(colleague.role)
    ]
    return [
        OnDuty(colleague.name, words.say("roles", colleague.role), until)
        for colleague, until in here
        if until is not None
    ]
