"""What a patient's word takes back at once: all texts, those about one visit, or those that say more than they want."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock
from intake_links import links
from intake_links.models import IntakeLink
from messaging import models as messaging
from messaging import outbox
from messaging.people import directory
from reminders import planner, same_moment
from reminders.models import Appointment, Reminder


@dataclass(frozen=True)
class Pending:
    """How much would still reach a patient: planned reminders, texts that wait to leave, open forms."""

    reminders: int
    texts: int
    forms: int


def pending(session: Session, patient_id: UUID) -> Pending:
    """Count what closing the record would take back."""
    planned = (
        select(func.count())
        .select_from(Reminder)
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .where(Appointment.patient_id == patient_id, Reminder.state == "planned")
    )
    return Pending(
        session.scalar(planned) or 0,
        len(_waiting(session, patient_id)),
        len(_open_links(session, patient_id)),
    )


def set_state(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    state: directory.State,
    *,
    actor: str,
) -> bool:
    """Close the record (inactive, deceased) or open it again (active); False, and nothing done, if it already is so.

    Closing cancels reminders, queued and scheduled texts and open forms in the same transaction. Opened again, the
    visits to come are planned anew; what was taken back besides stays taken back. Items in the inbox stay a human's.
    """
    if not directory.set_state(session, clinic, patient, state, actor=actor):
        return False
    session.flush()
    if state != "active":
        outbox.cancel(session, _waiting(session, patient.id))
        for link in _open_links(session, patient.id):
            links.withdraw(session, link, actor=actor)
    ahead = select(Appointment).where(Appointment.patient_id == patient.id, Appointment.starts_at > clock.now())
    planner.plan_many(session, session.scalars(ahead).all())
    return True


def set_privacy(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    level: directory.Privacy,
    *,
    actor: str,
    source: str,
) -> bool:
    """Keep how much the patient wants texts to say, as people.set_privacy does; False if that was said before.

    Where it is less than before, reminders that were written by the old level and have not left are written anew.
    """
    session.flush()
    session.refresh(patient, with_for_update=True)  # two may choose at once, and what was before decides
    before = directory.LEVELS.index(patient.privacy)
    if not directory.set_privacy(session, clinic, patient, level, actor=actor, source=source):
        return False
    if directory.LEVELS.index(level) < before:
        planner.write_anew(session, patient)
    return True


def quiet(session: Session, visit: Appointment, actor: str) -> None:
    """Text no more about this visit, which stays what it is: the patient asked for that and nothing else.

    The wish is kept with the visit and asked in planning, at sending and by whatever follows a link. It stays when the
    visit moves, is booked again or has happened, whatever the cadence says by then, until `text_again` lifts it. Only
    a file that gives the visit to another patient ends it too: they have wished nothing.
    """
    for same in (visit, *same_moment.others_of(session, visit)):
        if same.quiet_at is None:
            same.quiet_at, same.quiet_by = clock.now(), actor
            audit.record(session, same.clinic_id, actor, "appointment.quiet", f"appointment:{same.id}")
        planner.silence(session, same, planner.QUIET, also_kept=True)


def text_again(session: Session, patient: messaging.Patient, actor: str, *, only: UUID | None = None) -> int:
    """Lift that wish from the patient's visits to come, or `only` from this one; return from how many.

    A patient does so with START and on their own page, a colleague on the patient's page. The visits are planned anew:
    what fell due meanwhile is over, unless its step is sent all the same (`if_past = "send"`).
    """
    silenced = select(Appointment).where(
        Appointment.patient_id == patient.id,
        Appointment.starts_at > clock.now(),
        Appointment.quiet_at.is_not(None),
    )
    if only is not None:
        silenced = silenced.where(Appointment.id == only)
    visits = session.scalars(silenced.with_for_update(key_share=True)).all()
    for visit in visits:
        visit.quiet_at, visit.quiet_by = None, None
        about = f"appointment:{visit.id}"
        audit.record(session, visit.clinic_id, actor, "appointment.quiet_lifted", about)
    planner.plan_many(session, visits)
    return len(visits)


def follow_file(
    session: Session,
    clinic: messaging.Clinic,
    patient: messaging.Patient,
    state: directory.State | None,
    *,
    actor: str = audit.OPERATOR,
) -> bool:
    """Do what the clinic's file says of a record; return whether anything changed.

    A file may close any record. It opens only what a file has closed: what a person said outlives every file.
    """
    if state in (None, patient.state):
        return False
    said_by_a_person = patient.state_by not in (None, actor)
    if said_by_a_person and patient.state != "active":
        return False
    return set_state(session, clinic, patient, state, actor=actor)


def _waiting(session: Session, patient_id: UUID) -> list[UUID]:
    text = messaging.Message
    waits = select(text.id).where(
        text.patient_id == patient_id,
        text.direction == "out",
        text.state == "queued",
        text.staff_id.is_(None),
    )
    return list(session.scalars(waits))


def _open_links(session: Session, patient_id: UUID) -> list[IntakeLink]:
    return list(
        session.scalars(select(IntakeLink).where(IntakeLink.patient_id == patient_id, IntakeLink.state.in_(links.LIVE)))
    )
