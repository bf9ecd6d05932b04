"""Which stays in a hospital a month reckons with: a colleague's word over the feed's, and both are shown."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload.codes.intervals import Interval
from caseload.stays.models import StayCorrection
from config import db
from config.db.sets import among
from reminders import stays
from reminders.models import InpatientStay


@dataclass(frozen=True)
class Stay:
    """A stay as a feed tells it, and the newest that a colleague has said of it, None where the feed's word holds."""

    told: InpatientStay
    correction: StayCorrection | None = None

    @property
    def span(self) -> Interval | None:
        """From when to when it lasts, open ones for ever; None where there was none."""
        said = self.correction
        if said is None:
            return self.told_span
        return (said.admitted_at, said.ended_at) if said.ended_at is not None else None

    @property
    def told_span(self) -> Interval | None:
        """The same as the feed has it by now."""
        if self.told.state != "kept" or self.told.admitted_at is None:
            return None
        return stays.span(self.told)

    @property
    def told_anew(self) -> bool:
        """Whether the feed has said something else since it was corrected."""
        said, told = self.correction, self.told
        if said is None:
            return False
        then = said.told_state, said.admitted_at, said.told_end
        return then != (told.state, told.admitted_at, told.discharged_at)


def of_patients(
    session: Session, patient_ids: Collection[UUID], begins: datetime, ends: datetime
) -> dict[UUID, list[Stay]]:
    """Return by patient the stays that share time with a stretch, as they hold or as they are told, in their order."""
    told = {each.id: each for own in stays.within(session, patient_ids, begins, ends).values() for each in own}
    corrected = _corrected(session, patient_ids)
    told |= {stay_id: stay for stay_id, (stay, said) in corrected.items() if _shares(said, begins, ends)}
    result: dict[UUID, list[Stay]] = {}
    for row in sorted(told.values(), key=lambda row: (row.admitted_at or stays.EVER, row.id)):
        said = corrected[row.id][1] if row.id in corrected else None
        result.setdefault(row.patient_id, []).append(Stay(row, said))
    return result


def of_stay(session: Session, told: InpatientStay) -> tuple[Stay, Sequence[StayCorrection]]:
    """Return one stay, and all that colleagues have said of it, the latest first."""
    own = select(StayCorrection).where(StayCorrection.stay_id == told.id).order_by(StayCorrection.id.desc())
    said = session.scalars(own).all()
    db.load_keys(session, {each.key_id for each in said})
    return Stay(told, said[0] if said and said[0].says != "as_told" else None), said


def _corrected(session: Session, patient_ids: Collection[UUID]) -> dict[UUID, tuple[InpatientStay, StayCorrection]]:
    """Return what holds of those stays of which colleagues have said something, by the id of the stay."""
    rows = session.execute(
        select(InpatientStay, StayCorrection)
        .join(StayCorrection, StayCorrection.stay_id == InpatientStay.id)
        .where(among(session, InpatientStay.patient_id, patient_ids))
        .order_by(StayCorrection.id)
    ).all()
    newest = {stay.id: (stay, said) for stay, said in rows}
    db.load_keys(session, {said.key_id for _, said in newest.values()})
    return {stay_id: pair for stay_id, pair in newest.items() if pair[1].says != "as_told"}


def _shares(said: StayCorrection, begins: datetime, ends: datetime) -> bool:
    return said.ended_at is not None and said.admitted_at < ends and said.ended_at > begins
