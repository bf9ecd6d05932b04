"""What a colleague has set aside until a visit goes with it, and wakes if the visit will not be or is now."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from messaging.inbox import snoozing
from reminders import planner
from reminders.models import Appointment

STILL_TO_COME = (*planner.SPOKEN_OF, "change_asked")


def follow(session: Session, visits: Sequence[Appointment]) -> None:
    """Let what waits for these visits follow them, as they stand now."""
    for clinic_id in {visit.clinic_id for visit in visits}:
        starts = {
            visit.id: visit.starts_at if visit.state in STILL_TO_COME else None
            for visit in visits
            if visit.clinic_id == clinic_id
        }
        snoozing.follow_visits(session, clinic_id, starts)
