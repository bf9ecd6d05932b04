"""Reminders and follow-ups that fell due between a backup and its restore: none is texted a second time.

Whoever was texted by the lost service after a reminder fell due has had it: a service that sends is a service that
reminds. What fell due while it still sent to others, and did not leave, had been decided against; what fell due when
it sent nothing more is left to the ordinary rules of lateness.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config import clock
from intake_links.models import IntakeLink
from messaging.delivery import recovering
from messaging.delivery.restored.models import RestoredSpan
from messaging.models import Conversation, Message, PatientNumber
from messaging.reasons import Reason
from reminders import patient_locks, reasons
from reminders.models import Appointment, FollowUp, Reminder
from reminders.rules import following

Texts = Mapping[UUID, Sequence[Message]]
SENT, PAST = Reason("restored_sent"), Reason("restored_past")


def take_turns(session: Session, span: RestoredSpan) -> None:
    """Wait for the turn of every patient of the clinic for whom a text or a reminder may be settled."""
    waiting = select(Message.patient_id).where(
        Message.clinic_id == span.clinic_id, Message.state.in_(recovering.OPEN), Message.patient_id.is_not(None)
    )
    reminded = session.execute(_due(span)).all()
    patient_locks.take(session, {*filter(None, session.scalars(waiting)), *(patient_id for _, patient_id in reminded)})


def _due(span: RestoredSpan) -> Select[Reminder, UUID]:
    return (
        select(Reminder, Appointment.patient_id)
        .join(Appointment, Appointment.id == Reminder.appointment_id)
        .where(
            Reminder.clinic_id == span.clinic_id,
            Reminder.state == "planned",
            Reminder.try_after <= span.restored_at,
        )
    )


def settle(session: Session, span: RestoredSpan, alive: datetime | None) -> int:
    """Take as sent what was, drop what was decided against, leave the rest planned; return how many were settled.

    `alive` is until when the lost service certainly sent what was due, None where that is not known.
    """
    texts, settled = _remembered(session, span.clinic_id), 0
    for reminder, patient_id in session.execute(_due(span).execution_options(populate_existing=True)).all():
        text = _since(texts, patient_id, reminder.try_after)
        if text is not None:
            reminder.state, reminder.message_id = "queued", text.id
            reminder.why = [*reminder.why, SENT.stored()]
        elif alive is not None and reminder.try_after < alive:
            reminder.state, reminder.why = "dropped", [*reminder.why, reasons.dropped(PAST).stored()]
        settled += reminder.state != "planned"
    return settled + _follow_ups(session, span, texts, alive)


def _follow_ups(session: Session, span: RestoredSpan, texts: Texts, alive: datetime | None) -> int:
    due = select(FollowUp, IntakeLink.patient_id).join(IntakeLink, IntakeLink.id == FollowUp.link_id)
    mine = FollowUp.clinic_id == span.clinic_id, FollowUp.state == "waiting", FollowUp.try_after <= span.restored_at
    settled = 0
    for row, patient_id in session.execute(due.where(*mine)).all():
        text = _since(texts, patient_id, row.try_after)
        if text is not None:
            row.state, row.message_id, row.try_after = "texted", text.id, following.ask_at(clock.now(), None)
        elif alive is not None and row.try_after < alive:
            row.state, row.why = "over", PAST.stored()
        settled += row.state != "waiting"
    return settled


def _remembered(session: Session, clinic_id: UUID) -> Texts:
    """Return the texts that only the carrier's list told of, by the patients who have their numbers, oldest first."""
    rows = (
        select(PatientNumber.patient_id, Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .join(
            PatientNumber,
            (PatientNumber.number_index == Conversation.number_index)
            & (PatientNumber.clinic_id == Conversation.clinic_id),
        )
        .where(Message.clinic_id == clinic_id, Message.dedupe.startswith(recovering.REMEMBERED))
        .order_by(Message.created_at)
    )
    texts: defaultdict[UUID, list[Message]] = defaultdict(list)
    for patient_id, message in session.execute(rows):
        texts[patient_id].append(message)
    return texts


def _since(texts: Texts, patient_id: UUID, due: datetime) -> Message | None:
    return next((text for text in texts.get(patient_id, ()) if text.created_at >= due - recovering.MARGIN), None)
