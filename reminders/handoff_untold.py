"""Handoffs of which the patient turns out not to know: the text did not arrive, or they want no more of them."""

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config import db
from messaging.models import Clinic, Message, Patient
from reminders import handoffs, phrasing
from reminders.handoff import bringing, decision, standing, telling
from reminders.models import Handoff

BATCH = 50


def drain() -> int:
    """Have somebody walk with whoever was told by a text that did not arrive; return how many."""
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(_untold().limit(BATCH).with_for_update(of=Handoff, skip_locked=True)).all()
        for handoff in rows:
            _walk(session, handoff, "handoff_no_delivery")
        return len(rows)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return `now` where somebody was told by a text that did not arrive, None where nobody was."""
    return now if session.scalar(_untold().limit(1)) is not None else None


def _untold() -> Select[Handoff]:
    text = (Message.id == Handoff.message_id) & Message.state.in_(telling.NOT_REACHED)
    return select(Handoff).join(Message, text).where(Handoff.follows.is_not(None), Handoff.state == "told")


def stopped(session: Session, patient: Patient) -> None:
    """They want no more texts, on their way to a colleague: what they have read they know, and nothing else comes."""
    handoff = handoffs.expected(session, patient)
    if handoff is not None:
        standing.lock(session, handoff)
        if handoff.state == "told":
            _walk(session, handoff, "handoff_no_texts")


def _walk(session: Session, handoff: Handoff, why: str) -> None:
    """Go on as where they could not be texted from the first: the desk is asked, and whoever comes hears of it."""
    clinic = session.get_one(Clinic, handoff.clinic_id)
    standing.hold_items(session, handoff)
    handoff.told_at = handoff.told_at if why == "handoff_no_texts" else None
    standing.move(session, handoff, "untold", decision.of_clinic(session, clinic))
    telling.say_untold(handoff, standing.item_of(session, handoff), str(phrasing.texts("en")["staff"][why]))
    standing.note(session, handoff, standing.SYSTEM, "untold", why=why)
    bringing.walk_with_them(session, handoff)
    telling.tell_colleague(session, handoff, handoff.colleague_id, standing.SYSTEM, "handoff_untold")
