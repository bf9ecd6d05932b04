"""Whether somebody came: said at the desk, and taken back where it was said of the wrong one."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from config import audit, clock
from reminders import appointments, in_building, planner, same_moment, snoozed_for_visits
from reminders.models import Appointment


def no_show(session: Session, appointment: Appointment, actor: str) -> None:
    """Note that the patient did not come; what the cadence has for that is planned (a visit still to come only)."""
    visits = _said_together(session, appointment, appointments.STILL_TO_COME)
    for visit in visits:
        visit.state = "no_show"
    _keep(session, visits, actor, "appointment.no_show")


def take_back(session: Session, appointment: Appointment, actor: str) -> None:
    """Take "arrived" or "did not come" back: the visit is as it was before, and is planned again."""
    visits = _said_together(session, appointment, appointments.CAME)
    for visit in visits:
        visit.state, visit.arrived_at = "confirmed" if visit.confirmed_at else "booked", None
    in_building.follow(session, {visit.patient_id for visit in visits})
    _keep(session, visits, actor, "appointment.attendance_taken_back")


def _said_together(session: Session, appointment: Appointment, states: Sequence[str]) -> list[Appointment]:
    both = (appointment, *same_moment.others_of(session, appointment))
    return [visit for visit in both if visit.state in states]


def _keep(session: Session, visits: Sequence[Appointment], actor: str, act: str) -> None:
    for visit in visits:
        visit.updated_at = clock.now()
        audit.record(session, visit.clinic_id, actor, act, f"appointment:{visit.id}", revision=visit.revision)
    snoozed_for_visits.follow(session, visits)
    planner.plan_many(session, visits)
