"""One check: a made-up positive answer is handed in, and must reach the inbox and the colleague's phone in time.

It begins with a link as a patient gets it, goes in by the web server's own door, and ends where the text is handed
over. What is judged is when that was, not when somebody looked: who looks may be late.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, logging
from intake_links import links
from intake_links.models import Screen
from messaging.inbox.models import IN_VIEW, InboxItem
from messaging.models import Clinic, Message
from service.self_check import made_up
from service.self_check.models import SelfCheck

WITHIN = timedelta(seconds=60)
EVERY = timedelta(minutes=5)
LOOK_AGAIN = timedelta(seconds=1)
INSTRUMENT = "phq9"
HANDED_OVER = ("sent", "delivered")


@dataclass(frozen=True)
class Begun:
    """A check that has begun: the event it goes by, and the link on which its answer is to be handed in."""

    check_id: UUID
    event: str
    url: str


def is_due(check: SelfCheck) -> bool:
    """Whether a new one may begin."""
    return check.state == "resting" or check.begun_at is None


def begin(session: Session, check: SelfCheck) -> Begun:
    """Hand a link out as to a patient, in the caller's transaction; after it, the answer goes in by the web door."""
    clinic, now = session.get_one(Clinic, check.clinic_id), clock.now()
    made_up.sweep(session, clinic)
    link, url = links.issue(session, clinic, made_up.patient(session, clinic), [INSTRUMENT], valid=EVERY)
    check.state, check.event, check.begun_at = "running", str(link.id), now
    check.try_after = now + LOOK_AGAIN
    return Begun(check.id, check.event, url)


def shut_out(check: SelfCheck, fault: str) -> None:
    """End a check whose answer was not taken at the web door: nothing more will come of it."""
    now = clock.now()
    check.door_error, check.late_at = fault, now
    check.state, check.try_after = "resting", max(now, (check.begun_at or now) + EVERY)


def look(session: Session, check: SelfCheck, within: timedelta = WITHIN) -> str:
    """Look what came of the answer; what has come through is taken away. Return waits | seen | late."""
    now, begun_at = clock.now(), check.begun_at or clock.now()
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
    link_id = UUID(check.event) if check.event else None
    screen_id = session.scalar(select(Screen.id).where(Screen.clinic_id == check.clinic_id, Screen.link_id == link_id))
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
