"""A colleague puts a stay right that a feed tells wrongly, or whose end it never tells."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from caseload.episodes import Refused
from caseload.stays import standing
from caseload.stays.models import StayCorrection
from config import audit, clock
from messaging.models import Patient, Staff
from reminders.models import InpatientStay

SAYS = ("ended", "none", "as_told")
REASON = 200


@dataclass(frozen=True)
class Said:
    """What a colleague says: one of SAYS, the end (UTC) where it has ended, and why, in 1 to 200 characters."""

    says: str
    ended_at: datetime | None
    reason: str


def correct(session: Session, by: Staff, patient: Patient, told: InpatientStay, said: Said) -> StayCorrection:
    """Let a colleague's word hold over the feed's from now on, or the feed's again. Raises Refused, nothing written."""
    now, reason = clock.now(), " ".join(said.reason.split())
    stay, _ = standing.of_stay(session, told)
    if said.says not in SAYS or (said.says == "as_told" and stay.correction is None) or told.admitted_at is None:
        raise Refused("care_stay_says", "says")
    if said.says == "ended":
        if said.ended_at is None or said.ended_at > now:
            raise Refused("care_stay_end", "ended_at")
        if said.ended_at < told.admitted_at:
            raise Refused("care_stay_before", "ended_at")
    if not 1 <= len(reason) <= REASON:
        raise Refused("care_stay_reason", "reason")
    row = StayCorrection(
        clinic_id=told.clinic_id,
        key_id=patient.key_id,
        stay_id=told.id,
        by_id=by.id,
        at=now,
        says=said.says,
        ended_at=said.ended_at if said.says == "ended" else None,
        told_state=told.state,
        admitted_at=told.admitted_at,
        told_end=told.discharged_at,
        reason=reason,
    )
    session.add(row)
    session.flush()
    actor = audit.Actor.staff(by.id)
    audit.record(session, told.clinic_id, actor, "care.stay_corrected", f"inpatient_stay:{told.id}", says=said.says)
    return row
