"""A file that holds every visit of its days: those of ours that it lacks are cancelled, unless they are too many.

What is cancelled is settled when the import begins, from what somebody was shown, and looked at once more at the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.models import Clinic, Patient
from reminders import appointments, clinic_profile, same_moment
from reminders.models import Appointment
from reminders.rules import zones

# What a file may be complete for: every place of the clinic, or those that it names.
SCOPES = ("clinic", "places")
SOURCE, BATCH = "import", 200
MISSING = "missing_in_file"


class Held(Exception):
    """Too many visits would be cancelled, and nobody has said how many: nothing is."""


@dataclass
class Content:
    """What a file holds, as far as it matters for what it does not hold: ids of visits, their patients' moments (the
    index of the record number, UTC), first and last day by the clinic's clock, places in small letters, and how many
    rows have no id."""

    ids: set[str] = field(default_factory=set)
    moments: set[tuple[bytes, datetime]] = field(default_factory=set)
    days: list[date] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    nameless: int = 0

    def add(
        self, session: Session, clinic: Clinic, values: Mapping[str, str], visit: appointments.VisitRecord | None
    ) -> None:
        """Take note of a row: of its id even where the rest could not be read."""
        name = values.get("visit", "").strip()
        self.ids.add(name)
        self.nameless += not name
        if visit is None:
            return
        day = zones.to_local(visit.starts_at, zones.zone(clinic.zone)).date()
        self.days = [min([day, *self.days]), max([day, *self.days])]
        self.places.add((visit.place or "").casefold())
        self.moments.add((db.clinic_index(session, clinic.key_id, "record", visit.record), visit.starts_at))


@dataclass
class Missing:
    """Of `total` visits that are still to come in the file's days those that it does not hold, by their ids: `gone`,
    and `renumbered`, whose patient has another visit in it at that moment."""

    total: int = 0
    gone: list[str] = field(default_factory=list)
    renumbered: list[str] = field(default_factory=list)

    def too_many(self, share: int) -> bool:
        """Whether more than this share of them, in percent, would vanish for their patients."""
        return 100 * len(self.gone) > share * self.total


def missing(session: Session, clinic: Clinic, content: Content, scope: str, now: datetime) -> Missing:
    """Return which visits of ours the file does not hold, in its days and this scope."""
    result = Missing()
    if not content.days:
        return result
    zone = zones.zone(clinic.zone)
    begin = zones.local_to_utc(datetime.combine(content.days[0], time()), zone)
    end = zones.local_to_utc(datetime.combine(content.days[-1] + timedelta(days=1), time()), zone)
    ours = (
        select(Appointment, Patient.record_index)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(
            Appointment.clinic_id == clinic.id,
            Appointment.source == SOURCE,
            Appointment.starts_at >= max(begin, now),
            Appointment.starts_at < end,
            Appointment.state.in_(appointments.STILL_TO_COME),
        )
        .order_by(Appointment.starts_at, Appointment.id)
    )
    for visit, record in session.execute(ours):
        if scope == "places" and (visit.place or "").casefold() not in content.places:
            continue
        result.total += 1
        if visit.external_id not in content.ids:
            again = (record, visit.starts_at) in content.moments
            (result.renumbered if again else result.gone).append(str(visit.id))
    return result


def share_of(clinic: Clinic) -> int:
    """Return from which share on, in percent, nothing is cancelled unless somebody types how many it would be."""
    return clinic_profile.about(clinic).most_missing


def decide(clinic: Clinic, scope: str, found: Missing, nameless: int, typed: str) -> dict[str, Any]:
    """Return what is to be cancelled at the end of an import (JSON), {} where the file is not said to be complete.

    Raises Held where it is too much and `typed` is not their number, or where rows have no id to be told apart by.
    """
    if scope not in SCOPES:
        return {}
    confirmed = typed.strip() == str(len(found.gone))
    if nameless or (found.too_many(share_of(clinic)) and not confirmed):
        raise Held
    again = found.renumbered
    return {"scope": scope, "left": [*found.gone, *again], "again": again, "confirmed": confirmed, "cancelled": 0}


def why_held(clinic: Clinic, found: Missing, nameless: int) -> str:
    """Return in words why nothing is cancelled, and nothing imported."""
    if nameless:
        return f"{nameless} rows have no visit number: nobody can tell which visits are missing"
    counted = f"{len(found.gone)} of {found.total} visits to come would be cancelled"
    return f"{counted}, more than {share_of(clinic)} %: nothing was done; if that is right, give their number"


def withdraw(session: Session, clinic_id: UUID, todo: dict[str, Any], since: datetime, actor: str) -> dict[str, Any]:
    """Cancel the next of the visits that a complete file does not hold; return what is left to do.

    One that has changed `since` it was shown, or has begun, stays; so does one whose moment came under another id and
    could not be stored.
    """
    ids = [UUID(each) for each in todo["left"][:BATCH]]
    visits = _still_standing(session, ids, since)
    again = set(todo["again"])
    visits = [visit for visit in visits if str(visit.id) not in again or same_moment.others_of(session, visit)]
    count = appointments.cancel_many(session, visits, actor, why=MISSING)
    left = {**todo, "left": todo["left"][BATCH:], "cancelled": todo["cancelled"] + count}
    if not left["left"]:
        audit.record(
            session, clinic_id, actor, "import.missing_cancelled", f"clinic:{clinic_id}", count=left["cancelled"]
        )
    return left


def _still_standing(session: Session, ids: Sequence[UUID], since: datetime) -> Sequence[Appointment]:
    return session.scalars(
        select(Appointment)
        .where(
            Appointment.id.in_(ids),
            Appointment.state.in_(appointments.STILL_TO_COME),
            Appointment.starts_at > clock.now(),
            Appointment.updated_at <= since,
        )
        .order_by(Appointment.id)
        .with_for_update(key_share=True)
    ).all()
