"""The conversation with a patient on their own page: said, noted and called, and the first words of ours to them."""

from uuid import UUID

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from messaging.inbox import notes_and_calls
from messaging.inbox.models import InboxItem
from messaging.models import Patient
from web import layout, permissions, sessions
from web.compose import composer_page, send_reply
from web.patients import patient_page
from web.presenters import case_side, composer, conversation_view, known

firstwords = layout.room("firstwords", __name__)


@firstwords.get("/patients/<uuid:patient_id>/messages")
@permissions.signed_in("inbox.words")
def messages(patient_id: UUID) -> str:
    """Show the conversation with a patient and what begins one; that it was read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return page(session, patient_page.opened(session, patient_id))


def page(
    session: Session, patient: Patient, *, problem: str | None = None, typed: send_reply.Typed | None = None
) -> str:
    """Render the conversation; `typed` is a text that was refused, with why."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    here = send_reply.place(session, clinic, send_reply.FirstWords(patient.id))
    thread, shared = patient_page.thread_of(patient, here.conversation)
    whom = known.read(session, clinic, patient, here.conversation)
    sent = case_side.sent_forms(session, patient)
    return patient_page.page(
        session,
        patient,
        "messages",
        "staff/patient_messages.html",
        whom.reach,
        thread=conversation_view.page(session, clinic, staff, thread, request.args.get("before")),
        shared=shared,
        composer=composer.composer(session, here.conversation, patient, whom.reach),
        writing=composer_page.show(session, clinic, staff, here, whom, typed),
        waits=_waits(session, patient),
        forms=case_side.forms(sent, clinic.zone, readable=True),
        sending=case_side.sending(patient, clinic.zone, whom.reach, sent),
        calls=notes_and_calls.outcomes(),
        once=db.new_id(),
        problem=problem,
        works=layout.may("inbox.work"),
        texts=layout.may("inbox.text"),
        may_save=layout.may("replies.save"),
    )


def _waits(session: Session, patient: Patient) -> UUID | None:
    """Return the reply of theirs that waits for an answer: it is answered where it stands, and so settled."""
    waiting = select(InboxItem.id).where(
        InboxItem.patient_id == patient.id, InboxItem.kind == "reply", InboxItem.state != "done"
    )
    return session.scalar(waiting.order_by(InboxItem.id).limit(1))
