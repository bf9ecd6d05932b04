"""One check: a made-up positive answer is handed in, and must reach the inbox and the colleague's phone in time.

It begins where a form has come through its door, and ends where the text is handed over. What is judged is when that
was, not when somebody looked: who looks may be late.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, logging
from intake_links import submissions
from intake_links.models import Screen
from messaging.inbox.models import IN_VIEW, InboxItem
from messaging.models import Clinic, Message
from service.self_check import made_up
from service.self_check.models import SelfCheck

WITHIN = timedelta(seconds=60)
EVERY = timedelta(minutes=5)
LOOK_AGAIN = timedelta(seconds=1)
SOURCE, INSTRUMENT = "self-check", "phq9"
# Nothing but the ninth question, a little: what must never be missed where everything else is well.
ANSWERS = (0, 0, 0, 0, 0, 0, 0, 0, 1)
HANDED_OVER = ("sent", "delivered")


def step(session: Session, check: SelfCheck, within: timedelta = WITHIN) -> str:
    """Begin a check, or look for the one that is on its way. Return begun | waits | seen | late."""
    if check.state == "resting" or check.begun_at is None:
        begin(session, check)
        return "begun"
    return look(session, check, check.begun_at, within)


def begin(session: Session, check: SelfCheck) -> None:
    """Hand in an answer that somebody must be told of, in the caller's transaction."""
    clinic, now = session.get_one(Clinic, check.clinic_id), clock.now()
    made_up.sweep(session, clinic)
    check.state, check.event, check.begun_at = "running", uuid.uuid4().hex, now
    check.try_after = now + LOOK_AGAIN
    submissions.accept(
        session,
        clinic,
        made_up.patient(session, clinic),
        instrument=INSTRUMENT,
        answers=ANSWERS,
        language="en",
        source=SOURCE,
        event=check.event,
    )


def look(session: Session, check: SelfCheck, begun_at: datetime, within: timedelta) -> str:
    """Look what came of the answer; what has come through, or has not in time, is taken away. Return as `step`."""
    now = clock.now()
    handed_over = _handed_over(session, check)
    if handed_over is None and now - begun_at <= within:
        check.try_after = now + LOOK_AGAIN
        return "waits"
    seen = handed_over is not None and handed_over - begun_at <= within
    check.state, check.try_after = "resting", max(now, begun_at + EVERY)
    if not seen or handed_over is None:
        check.late_at = now
        logging.logger().error("a self-check did not come through", seconds=within.seconds)
        return "late"
    check.seen_at, check.took_ms = now, int((handed_over - begun_at) / timedelta(milliseconds=1))
    made_up.sweep(session, session.get_one(Clinic, check.clinic_id))
    return "seen"


def _handed_over(session: Session, check: SelfCheck) -> datetime | None:
    """Return when the text left that tells the colleague of this answer, if it stands in their inbox as well."""
    colleague = made_up.colleague(session, session.get_one(Clinic, check.clinic_id))
    screen = select(Screen.id).where(
        Screen.clinic_id == check.clinic_id, Screen.source == SOURCE, Screen.event == check.event
    )
    screen_id = session.scalar(screen)
    item_id = session.scalar(
        select(InboxItem.id).where(
            InboxItem.clinic_id == check.clinic_id,
            InboxItem.kind == "safety",
            InboxItem.about == f"screen:{screen_id}",
            InboxItem.owner_id == colleague.id,
            IN_VIEW["mine"](InboxItem),
        )
    )
    if item_id is None:
        return None
    text = select(Message.sent_at).where(
        Message.clinic_id == check.clinic_id,
        Message.staff_id == colleague.id,
        Message.dedupe.startswith(f"alert:{item_id}:"),
        Message.state.in_(HANDED_OVER),
    )
    return session.scalar(text.order_by(Message.sent_at).limit(1))
