"""A visit's life: saved from the clinic's books, confirmed, changed, cancelled, arrived; each change is planned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging import models as messaging
from messaging.ehr_outbox import allowances, owing
from messaging.reasons import Reason
from reminders import in_building, planner, same_moment, snoozed_for_visits
from reminders.models import Appointment, Reminder
from reminders.rules import zones

Saved = Literal["created", "updated", "unchanged"]
CONFIRMED, CHANGE_ASKED = Reason("patient_confirmed"), Reason("change_asked")
# What can still be moved or cancelled; and what can only be known of a visit on its day.
OPEN, CAME = ("booked", "confirmed", "change_asked"), ("arrived", "no_show")
# How long after its start a visit still counts as the one a patient speaks of who says "I am here" or "I am late".
STILL_TODAY = timedelta(hours=4)
STILL_TO_COME = snoozed_for_visits.STILL_TO_COME


@dataclass(frozen=True)
class VisitRecord:
    """A visit as the books have it, its moments aware; state: booked | cancelled | arrived | no_show."""

    external_id: str
    record: str
    starts_at: datetime
    zone: str
    booked_at: datetime
    place: str | None = None
    clinician: str | None = None
    state: str = "booked"
    kind: str | None = None

    @property
    def too_early(self) -> bool:
        """Whether it says that somebody came, or did not, on a day that has not begun where the visit is: nobody can
        know that yet, and a patient taken to be here would not be reminded."""
        zone = ZoneInfo(self.zone)
        return self.state in CAME and self.starts_at.astimezone(zone).date() > clock.now().astimezone(zone).date()


def save(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    visit: VisitRecord,
    *,
    source: str = "import",
    actor: str = audit.OPERATOR,
) -> tuple[Appointment, Saved]:
    """Create or update the visit with this external id of this source, and plan it again if what matters changed.

    Who is said to have come before its day (`too_early`) is booked. What the patient said by text
    outlives a book that does not know it: a confirmed visit stays confirmed while the book says "booked" at the same
    time. A new time asks anew.
    """
    return save_many(session, clinic, [(patient, visit)], source=source, actor=actor)[0]


def save_many(
    session: Session,
    clinic: messaging.Clinic,
    visits: Sequence[tuple[messaging.Patient, VisitRecord]],
    *,
    source: str = "import",
    actor: str = audit.OPERATOR,
) -> list[tuple[Appointment, Saved]]:
    """Do what `save` does for many visits with one read and one plan."""
    existing = _known(session, clinic, source, [visit.external_id for _, visit in visits])
    had_come = {visit.id: visit.patient_id for visit in existing.values() if visit.state == "arrived"}
    saved: list[tuple[Appointment, Saved]] = []
    to_plan: dict[UUID, Appointment] = {}
    for patient, record in visits:
        visit = replace(record, state="booked") if record.too_early else record
        appointment = existing.get(visit.external_id)
        if appointment is None:
            appointment = existing[visit.external_id] = _create(clinic, patient, visit, source)
            session.add(appointment)
            changed, matters = True, True
            saved.append((appointment, "created"))
        else:
            changed, matters = _update(appointment, patient, visit)
            saved.append((appointment, "updated" if changed else "unchanged"))
        if matters:
            to_plan[appointment.id] = appointment
        if changed:
            _write_down(session, appointment, actor, f"appointment.{saved[-1][1]}")
    _follow_what_was_said(session, list(to_plan.values()), actor)
    have_come = {visit.id: visit.patient_id for visit in to_plan.values() if visit.state == "arrived"}
    in_building.follow(session, {had_come[each] for each in to_plan.keys() & had_come.keys()} | {*have_come.values()})
    planner.plan_many(session, to_plan.values())
    known_before = {visit.id for visit, what in saved if what == "updated"}
    snoozed_for_visits.follow(session, [visit for visit in to_plan.values() if visit.id in known_before])
    return saved


def _follow_what_was_said(session: Session, visits: Sequence[Appointment], actor: str) -> None:
    """A visit that the books have under another id too is as the patient has said: one moment is one visit to them."""
    booked = [visit for visit in visits if visit.state == "booked"]
    twins = same_moment.already_said(session, booked)
    for visit in booked:
        if visit.id in twins:
            visit.state, visit.confirmed_at = twins[visit.id].state, twins[visit.id].confirmed_at
            _write_down(session, visit, actor, f"appointment.{visit.state}", why="same_moment")


def _known(session: Session, clinic: messaging.Clinic, source: str, ids: Iterable[str]) -> dict[str, Appointment]:
    wanted = select(Appointment).where(
        Appointment.clinic_id == clinic.id,
        Appointment.source == source,
        db.among(session, Appointment.external_id, set(ids)),
    )
    return {row.external_id: row for row in session.scalars(wanted.with_for_update(key_share=True))}


def _create(clinic: messaging.Clinic, patient: messaging.Patient, visit: VisitRecord, source: str) -> Appointment:
    now = clock.now()
    return Appointment(
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        patient_id=patient.id,
        source=source,
        external_id=visit.external_id,
        starts_at=visit.starts_at,
        zone=visit.zone,
        booked_at=visit.booked_at,
        place=visit.place,
        clinician=visit.clinician,
        kind=visit.kind,
        state=visit.state,
        revision=1,
        arrived_at=now if visit.state == "arrived" else None,
        created_at=now,
        updated_at=now,
    )


def _update(appointment: Appointment, patient: messaging.Patient, visit: VisitRecord) -> tuple[bool, bool]:
    """Write the record over the visit; whether anything changed, and whether the plan must."""
    # booked_at stays what it was first: a file without that column would say another one each time.
    moved = (appointment.starts_at, appointment.zone, appointment.patient_id) != (
        visit.starts_at,
        visit.zone,
        patient.id,
    )
    state = _state_after(appointment.state, visit.state, moved)
    reopened = state != appointment.state and "cancelled" in (state, appointment.state)
    elsewhere = appointment.place != visit.place
    matters = moved or elsewhere or state != appointment.state or appointment.kind != visit.kind
    if not matters and appointment.clinician == visit.clinician:
        return False, False
    if moved or elsewhere or reopened:
        appointment.revision += 1
    if state == "booked":
        appointment.confirmed_at = None
    if state == "arrived" and appointment.state != "arrived":
        appointment.arrived_at = clock.now()
    if appointment.patient_id != patient.id:
        appointment.quiet_at, appointment.quiet_by = None, None
    appointment.patient_id = patient.id
    appointment.starts_at, appointment.zone = visit.starts_at, visit.zone
    appointment.place, appointment.clinician, appointment.kind = visit.place, visit.clinician, visit.kind
    appointment.state, appointment.updated_at = state, clock.now()
    return True, matters


def _state_after(ours: str, in_books: str, moved: bool) -> str:
    said_to_us = ours in ("confirmed", "change_asked", "arrived")
    return ours if in_books == "booked" and said_to_us and not moved else in_books


def awaiting_answer(session: Session, patient_id: UUID, now: datetime) -> list[Appointment]:
    """Return the patient's future, unanswered visits whose present time they have been texted, soonest first; one of
    each moment.

    Not those of which they want to hear no more: no text lists them beside another visit.
    """
    visits = texted(session, patient_id, now)
    return same_moment.one_each(visit for visit in visits if visit.state == "booked" and visit.quiet_at is None)


def texted(session: Session, patient_id: UUID, now: datetime) -> list[Appointment]:
    """Return the patient's future visits of whose present revision a reminder went out, soonest first."""
    sent = select(Reminder.appointment_id).where(
        Reminder.appointment_id == Appointment.id,
        Reminder.revision == Appointment.revision,
        Reminder.state.in_(("queued", "done")),
    )
    visits = select(Appointment).where(Appointment.patient_id == patient_id, Appointment.starts_at > now, sent.exists())
    return list(session.scalars(visits.order_by(Appointment.starts_at, Appointment.id)))


def asked_in(session: Session, appointment: Appointment) -> UUID | None:
    """Return the id of the conversation to which the last reminder of this visit went; None before the first."""
    last = (
        select(messaging.Message.conversation_id)
        .join(Reminder, Reminder.message_id == messaging.Message.id)
        .where(Reminder.appointment_id == appointment.id, Reminder.state.in_(("queued", "done")))
        .order_by(messaging.Message.created_at.desc(), messaging.Message.id.desc())
        .limit(1)
    )
    return session.scalar(last)


def today(session: Session, patient_id: UUID, now: datetime) -> list[Appointment]:
    """Return today's visits, by their own clock, that a patient may arrive at or be late for; one of each moment."""
    near = select(Appointment).where(
        Appointment.patient_id == patient_id,
        Appointment.state.in_((*STILL_TO_COME, "arrived")),
        Appointment.starts_at > now - STILL_TODAY,
        Appointment.starts_at < now + timedelta(days=1),
    )
    visits = session.scalars(near.order_by(Appointment.starts_at, Appointment.id))
    return same_moment.one_each(
        visit
        for visit in visits
        if zones.to_local(visit.starts_at, zones.zone(visit.zone)).date()
        == zones.to_local(now, zones.zone(visit.zone)).date()
    )


def confirm(session: Session, appointment: Appointment, actor: str) -> None:
    """Note that the patient comes; no nudge follows for this visit (a booked visit only, else nothing happens).

    What a patient says holds for every visit that the books have at that moment, here and below.
    """
    for visit in (appointment, *same_moment.others_of(session, appointment)):
        if visit.state == "booked":
            visit.state, visit.confirmed_at = "confirmed", clock.now()
            _write_down(session, visit, actor, "appointment.confirmed")
            owing.owe(session, visit.clinic_id, "visit", visit.id, visit.source)
            planner.silence(session, visit, CONFIRMED)


def ask_change(session: Session, appointment: Appointment, actor: str, why: str | None = None) -> None:
    """Note that the patient wants another time, and stop speaking of this one until the clinic has settled it.

    `why` names how they said it: "keyword" is a word that ended texts too (CANCEL, END, QUIT).
    """
    for visit in (appointment, *same_moment.others_of(session, appointment)):
        if visit.state in planner.SPOKEN_OF:
            visit.state, visit.confirmed_at = "change_asked", None
            _write_down(session, visit, actor, "appointment.change_asked", why=why)
            owing.owe(session, visit.clinic_id, "visit", visit.id, visit.source, allowances.CHANGES)
            planner.silence(session, visit, CHANGE_ASKED, also_kept=True)


def cancel(session: Session, appointment: Appointment, actor: str) -> None:
    """Cancel the visit: whatever was planned for it is superseded."""
    cancel_many(session, [appointment], actor)


def cancel_many(session: Session, visits: Iterable[Appointment], actor: str, *, why: str | None = None) -> int:
    """Cancel these visits with one plan; return how many were not cancelled before."""
    standing = [visit for visit in visits if visit.state != "cancelled"]
    had_come = {visit.patient_id for visit in standing if visit.state == "arrived"}
    for visit in standing:
        visit.state, visit.revision = "cancelled", visit.revision + 1
        _write_down(session, visit, actor, "appointment.cancelled", why=why)
    in_building.follow(session, had_come)
    planner.plan_many(session, standing)
    snoozed_for_visits.follow(session, standing)
    return len(standing)


def arrive(session: Session, appointment: Appointment, actor: str) -> None:
    """Note that the patient is here: whatever was planned for the visit is superseded."""
    if appointment.state == "arrived":
        return
    visits = [appointment, *same_moment.others_of(session, appointment)]
    for visit in visits:
        visit.state, visit.arrived_at = "arrived", visit.arrived_at or clock.now()
        _write_down(session, visit, actor, "appointment.arrived")
    in_building.follow(session, {appointment.patient_id})
    planner.plan_many(session, visits)
    snoozed_for_visits.follow(session, visits)


def next_visit(session: Session, patient_id: UUID, now: datetime) -> Appointment | None:
    """Return the patient's next visit that is still to come."""
    still = Appointment.state.in_(STILL_TO_COME), Appointment.starts_at > now
    visits = select(Appointment).where(Appointment.patient_id == patient_id, *still)
    return session.scalar(visits.order_by(Appointment.starts_at, Appointment.id).limit(1))


def _write_down(session: Session, appointment: Appointment, actor: str, act: str, *, why: str | None = None) -> None:
    appointment.updated_at = clock.now()
    facts = {"revision": appointment.revision} | ({"why": why} if why else {})
    audit.record(session, appointment.clinic_id, actor, act, f"appointment:{appointment.id}", **facts)
