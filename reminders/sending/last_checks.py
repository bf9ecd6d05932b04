"""What keeps a patient's reminders few: conditions asked a last time, caps over all visits,
one text for the visits of a day."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from intake_links.models import Screen
from messaging import models as messaging
from messaging.reasons import Reason
from reminders import appointments, planner, same_moment
from reminders.models import Appointment, Reminder
from reminders.rules import conditions, limits, zones
from reminders.sending.composing import Case

TOLD = Reason("same_moment")
LISTED = Reason("listed_today")
NOT_SENT = ("cancelled", "held")
NOT_ARRIVED = (*NOT_SENT, "undelivered", "failed")
# Questions answered so long before a visit, and since it was booked, were answered for it.
ANSWERED_FOR = timedelta(days=14)


def objection(session: Session, case: Case, now: datetime) -> Reason | None:
    """Return why this reminder is not to be sent any more, None if it still holds."""
    after = conditions.outcome(case.step.when) if case.step else None
    if case.visit.state not in ((after,) if after else planner.SPOKEN_OF):
        return Reason("visit_state", {"state": case.visit.state})
    their_wish = _their_wish(case)
    if their_wish:
        return their_wish
    if case.step is None:
        return Reason("no_step")
    if case.visit.state == "confirmed" and case.step.unless_confirmed:
        return appointments.CONFIRMED
    facts = conditions.Facts(
        language=case.patient.language,
        place=case.visit.place,
        kind=case.visit.kind,
        confirmed=case.visit.state == "confirmed",
        intake_done=_answered(session, case, now) if conditions.INTAKE_OPEN in case.step.when else None,
    )
    return conditions.objection(case.step.when, facts)


def _their_wish(case: Case) -> Reason | None:
    """Why the patient is not to be texted about this visit at all, None if they may be."""
    if case.patient.state != "active":
        return Reason("patient_state", {"state": case.patient.state})
    if case.visit.quiet_at is not None:
        return planner.QUIET
    return planner.NO_HOUR if case.silent else None


def _answered(session: Session, case: Case, now: datetime) -> bool:
    last = last_answers(session, [case.patient.id], now).get(case.patient.id)
    return answered_for(case.visit, last)


def last_answers(session: Session, patients: Iterable[UUID], now: datetime) -> dict[UUID, datetime]:
    """By patient, when they last answered questions: by link, on the tablet, on paper or read out."""
    latest = select(Screen.patient_id, func.max(Screen.submitted_at)).group_by(Screen.patient_id)
    of_patients = latest.where(Screen.patient_id.in_(set(patients)), Screen.submitted_at <= now)
    return {patient_id: at for patient_id, at in session.execute(of_patients) if at is not None}


def answered_for(visit: Appointment, last: datetime | None) -> bool:
    """Whether the patient's `last` answers were given for this visit."""
    return last is not None and last >= max(visit.booked_at, visit.starts_at - ANSWERED_FOR)


class Told:
    """How many reminders the patients of a batch have had of late, whatever visit they were about."""

    def __init__(self, session: Session, patients: Iterable[UUID], now: datetime) -> None:
        text = messaging.Message
        lately = select(text.patient_id, text.created_at).where(
            text.patient_id.in_(set(patients)),
            text.kind == "reminder",
            text.direction == "out",
            text.state.not_in(NOT_SENT),
            # A day more than a week, for the hours by which a patient's day may differ from ours.
            text.created_at > now - limits.WEEK - limits.DAY,
        )
        self._moments: defaultdict[UUID | None, list[datetime]] = defaultdict(list)
        for patient_id, at in session.execute(lately):
            self._moments[patient_id].append(at)

    def objection(self, case: Case, now: datetime) -> Reason | None:
        """Return why one more reminder would be too much for this patient, None if it would not."""
        return limits.over(self.moments(case.patient.id), now, case.zone, case.cadence)

    def moments(self, patient_id: UUID) -> Sequence[datetime]:
        """When they had them, in no order."""
        return self._moments[patient_id]

    def note(self, case: Case, now: datetime) -> None:
        """Count one more."""
        self._moments[case.patient.id].append(now)


def fellows(session: Session, case: Case, now: datetime) -> list[Case]:
    """Return the same step of the patient's other visits of that day that this text can speak of too, by their hours.

    Those of the same moment always are, whatever their steps are called: they are one visit to the patient.
    Rows that another process works on now are left to it.
    """
    if case.step is None:
        return []
    at_once = Appointment.starts_at == case.visit.starts_at
    same = and_(at_once, same_moment.as_good_as(case.reminder, case.cadence.min_gap))
    others = (
        select(Reminder, Appointment)
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .where(
            Appointment.patient_id == case.patient.id,
            Appointment.id != case.visit.id,
            Appointment.state == case.visit.state,
            Appointment.starts_at > case.visit.starts_at - limits.DAY,
            Appointment.starts_at < case.visit.starts_at + limits.DAY,
            or_(Reminder.step == case.step.name, same),
            Reminder.revision == Appointment.revision,
            Reminder.state == "planned",
        )
        .order_by(Appointment.starts_at, Appointment.id)
        .with_for_update(skip_locked=True, of=Reminder)
    )
    candidates = [
        replace(case, reminder=row, visit=visit, step=case.cadence.step(row.step, visit.kind))
        for row, visit in session.execute(others).all()
    ]
    return [candidate for candidate in candidates if _goes_with(session, case, candidate, now)]


def _goes_with(session: Session, case: Case, other: Case, now: datetime) -> bool:
    if not (same_moment.same(case.visit, other.visit) or _shares(case, other)):
        return False
    return objection(session, other, now) is None


def _shares(case: Case, other: Case) -> bool:
    text, other_text = _text(case), _text(other)
    if not case.cadence.combine_day or text is None or other_text is None:
        return False
    return limits.shared(text, other_text, case.cadence.min_gap)


def _text(case: Case) -> limits.Text | None:
    if case.step is None:
        return None
    return limits.Text(case.step, case.due_at, day_of(case.visit), case.visit.state)


def day_of(visit: Appointment) -> date:
    """The day on which a visit takes place, where it does."""
    return zones.to_local(visit.starts_at, zones.zone(visit.zone)).date()


def was_told(session: Session, case: Case) -> bool:
    """Whether the patient was told this step already, of the same moment under another id;
    then the reminder goes with it."""
    text = same_moment.told(session, case.visit, case.reminder, case.cadence.min_gap)
    if text is not None:
        _go_with(text, case.reminder, TOLD)
    return text is not None


def was_listed(session: Session, case: Case, codes: dict[str, str], now: datetime) -> bool:
    """Whether a text of this day, by the patient's clock, gave these very visits these numbers; then the reminder goes
    with it: the words would be the same."""
    midnight = datetime.combine(zones.to_local(now, case.zone), time.min)
    text = messaging.Message
    lists = (
        select(text.id, Reminder.codes)
        .join(Reminder, Reminder.message_id == text.id)
        .where(
            text.patient_id == case.patient.id,
            text.created_at >= zones.local_to_utc(midnight, case.zone),
            text.state.not_in(NOT_ARRIVED),
        )
    )
    listed = next((told for told, given in session.execute(lists) if given == codes), None)
    if listed is not None:
        _go_with(listed, case.reminder, LISTED)
    return listed is not None


def share(case: Case, others: Sequence[Case]) -> None:
    """Let the reminders of the others go with the text of this one, which has one."""
    assert case.reminder.message_id is not None
    at = zones.to_local(case.visit.starts_at, zones.zone(case.visit.zone))
    for other in others:
        _go_with(case.reminder.message_id, other.reminder, Reason("combined_at", {"at": f"{at:%H:%M}"}))


def _go_with(text_id: UUID, reminder: Reminder, why: Reason) -> None:
    """Let a reminder go with a text that is on its way or has left."""
    reminder.state, reminder.message_id = "queued", text_id
    reminder.why = [*reminder.why, why.stored()]
