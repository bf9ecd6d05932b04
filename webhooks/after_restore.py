"""What happens once after a restore, before any patient of the clinic is texted: first what came in since the backup is
read and obeyed, a STOP above all, then what left is learnt, and then what was due waits no longer.
"""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, logging, queue
from messaging import outbox
from messaging.delivery import recovering
from messaging.delivery.restored import holding
from messaging.delivery.restored.models import RestoredSpan
from messaging.gateways.base import OutcomeUnknown, Refused, Taken
from messaging.models import Clinic
from reminders.sending import after_restore
from webhooks import missed_texts
from webhooks.models import InboundCheck, Receipt

WAITING = RestoredSpan.state == "waiting"
SOON, LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=1)
LEASE = timedelta(minutes=2)


class _Ready(NamedTuple):
    """A span whose carrier's list may be read now."""

    claim: db.Claim
    clinic: Clinic
    span: RestoredSpan


def drain() -> int:
    """Bring on each clinic that waits since a restore; return how many were looked at."""
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, RestoredSpan, WAITING, limit=5, lease=LEASE)
    for ready in [ready for claim in claims if (ready := _heard(claim)) is not None]:
        try:
            _finish(ready, recovering.listed(ready.clinic, ready.span))
        except (OutcomeUnknown, Refused) as error:
            logging.logger().warning("the carrier's list cannot be read", error_type=type(error).__name__)
            with db.unit_of_work(db.EVERY) as session:
                for span in db.still_mine(session, RestoredSpan, [ready.claim]):
                    db.retry_later(span, type(error).__name__)
                    span.try_after = min(span.try_after, clock.now() + LONGEST_WAIT)
    return len(claims)


def _heard(claim: db.Claim) -> _Ready | None:
    """Return the span if all that came in since its backup has been read and worked on; look again soon if not."""
    with db.unit_of_work(db.EVERY) as session:
        for span in db.still_mine(session, RestoredSpan, [claim]):
            if span.inbound_at is None and _listed(session, span):
                span.inbound_at = clock.now()
            if span.inbound_at is not None and not _unread(session, span):
                return _Ready(claim, session.get_one(Clinic, span.clinic_id), span)
            span.lease_until, span.attempts, span.try_after = None, 0, clock.now() + SOON
    return None


def _listed(session: Session, span: RestoredSpan) -> bool:
    """Whether the lane "missed" has read the carrier's list of what came in up to the restore."""
    check = session.scalar(select(InboundCheck).where(InboundCheck.clinic_id == span.clinic_id).with_for_update())
    if check is None:
        return False
    if check.looked_until < span.restored_at:  # its next look is brought forward to when it can see that far
        check.try_after = min(check.try_after, span.restored_at + missed_texts.YOUNG + SOON)
    return check.owed_from is None and check.looked_until >= span.restored_at


def _unread(session: Session, span: RestoredSpan) -> bool:
    waiting = select(Receipt.id).where(
        Receipt.clinic_id == span.clinic_id,
        Receipt.source == missed_texts.SOURCE,
        Receipt.state == "received",
        Receipt.received_at <= span.inbound_at,
    )
    return session.scalar(waiting.limit(1)) is not None


def _finish(ready: _Ready, taken: list[Taken]) -> None:
    with db.unit_of_work(db.EVERY) as session:
        for span in db.still_mine(session, RestoredSpan, [ready.claim]):
            clinic = session.get_one(Clinic, span.clinic_id)
            after_restore.take_turns(session, span)
            span.found = recovering.take_in(session, clinic, span, taken)
            settled = after_restore.settle(session, span, recovering.alive_until(taken, span))
            span.state, span.ended_at, span.lease_until, span.attempts = "over", clock.now(), None, 0
            about = f"restored_span:{span.id}"
            system = audit.Actor.system("restore")
            audit.record(session, clinic.id, system, "restore.caught_up", about, found=span.found, settled=settled)
            for lane in (*outbox.LANES.values(), "reminders", "followups"):
                queue.ring(session, lane)


LANE = queue.Lane("restored", "default", drain, holding.oldest)
