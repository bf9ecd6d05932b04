"""Whether the reader of this request reaches one patient: by role and caseload, or by emergency access while it lasts.

What follows from that is one rule, web.permissions.reaches; here are the facts it is asked with, read once a request.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import g, request
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from caseload.models import Episode
from config import audit, clock, db
from messaging.inbox.models import Absence, InboxItem
from messaging.models import Patient, Staff
from web import permissions, sessions, times
from web.models import EmergencyAccess

# How long somebody stays on a caseload after their episode has ended, or what was asked about them is done.
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Opened:
    """Emergency access that lasts: whose record, until when by the clinic's clock, and for how many seconds yet."""

    id: UUID
    patient_id: UUID
    until: str
    left: int


@dataclass(frozen=True)
class Sight:
    """Whose words and names a reader may see in a list. `only` are the patients they reach, None: every one."""

    words: bool
    named: bool
    only: frozenset[UUID] | None = None

    def reads(self, patient_id: UUID | None) -> bool:
        """Whether what this patient said may be shown."""
        return self.words and (self.only is None or patient_id in self.only)

    def names(self, patient_id: UUID) -> bool:
        """Whether this patient's name may be shown."""
        return self.named and (self.only is None or patient_id in self.only)


def allows(staff: Staff, act: str, patient_id: UUID | None) -> bool:
    """Whether `staff` may do `act`, in this request; about one patient if it names one."""
    may = permissions.may(staff.role, act)
    asked = patient_id is not None and act in permissions.ABOUT_ONE
    bound = may and staff.role in permissions.CASELOAD_BOUND
    if not asked or (may and not bound) or patient_id is None:
        return may
    own, _ = _facts(staff, patient_id)
    if permissions.reaches(staff.role, act, own=own, opened=False):
        return True
    opened = _opening(staff, act, patient_id)
    if opened is None:
        return False
    g.emergency = opened
    audit.mark_also(emergency=str(opened.id))
    return True


def _opening(staff: Staff, act: str, patient_id: UUID) -> Opened | None:
    """Return the emergency access by which alone `staff` may do `act` in this request."""
    if permissions.reaches(staff.role, act, own=False, opened=False):
        return None  # whoever they are
    own, opened = _facts(staff, patient_id)
    alone = not permissions.reaches(staff.role, act, own=own, opened=False)
    gained = permissions.reaches(staff.role, act, own=own, opened=request.method in ("GET", "HEAD"))
    return opened if alone and gained else None


def mark_emergency(staff: Staff, patient_id: UUID | None) -> None:
    """Mark what this request writes into the audit, where emergency access opens this patient's words.

    Asking marks it too (`allows`), but a page may write its line before it asks. Each page about one patient is marked
    before its view runs (layout); one that finds out itself whom it is about says so here.
    """
    opened = _opening(staff, "inbox.words", patient_id) if patient_id is not None else None
    if opened is not None:
        audit.mark_also(emergency=str(opened.id))


def reads_nobodys(staff: Staff) -> bool:
    """Whether `staff` may read what came from a number that is nobody's: not who reads a caseload alone."""
    return permissions.may(staff.role, "inbox.words") and staff.role not in permissions.CASELOAD_BOUND


def sight(session: Session, staff: Staff) -> Sight:
    """Return what `staff` may see of patients in a list."""
    role = staff.role
    bound = role in permissions.CASELOAD_BOUND
    only = caseload(session, staff) if bound else None
    return Sight(permissions.may(role, "inbox.words"), permissions.may(role, "patients.names"), only)


def emergency() -> Opened | None:
    """Return the emergency access by which something of this request was opened."""
    found: Opened | None = g.get("emergency")
    return found


def write_down(staff: Staff, act: str, **detail: str | int) -> None:
    """Audit that `staff` looked at a list of the clinic's, in a transaction of its own."""
    with db.unit_of_work(staff.clinic_id) as session:
        actor, about = audit.Actor.staff(staff.id), f"clinic:{staff.clinic_id}"
        audit.record(session, staff.clinic_id, actor, act, about, **detail)


def caseload(session: Session, staff: Staff) -> frozenset[UUID]:
    """Return the patients of a consultant: in an episode of theirs or nobody's, or asked about by a colleague."""
    now = clock.now()
    away = select(Absence.staff_id).where(Absence.cover_id == staff.id, Absence.starts_at <= now, Absence.ends_at > now)
    since = now - KEPT
    episodes = select(Episode.patient_id).where(
        Episode.clinic_id == staff.clinic_id,
        or_(Episode.ended_on.is_(None), Episode.ended_on >= since.date()),
        or_(Episode.consultant_id.is_(None), Episode.consultant_id == staff.id, Episode.consultant_id.in_(away)),
    )
    asked = select(InboxItem.patient_id).where(
        InboxItem.clinic_id == staff.clinic_id,
        InboxItem.owner_id == staff.id,
        or_(InboxItem.state != "done", InboxItem.done_at >= since),
    )
    return frozenset(found for found in session.scalars(episodes.union(asked)) if found is not None)


def lasting(session: Session, staff: Staff, patient_id: UUID) -> EmergencyAccess | None:
    """Return the emergency access of `staff` to a patient that lasts now."""
    now = clock.now()
    theirs = select(EmergencyAccess).where(
        EmergencyAccess.staff_id == staff.id,
        EmergencyAccess.patient_id == patient_id,
        EmergencyAccess.ended_at.is_(None),
        EmergencyAccess.ends_at > now,
    )
    return session.scalars(theirs.order_by(EmergencyAccess.ends_at.desc()).limit(1)).first()


def end_all(session: Session, staff: Staff, actor: str) -> None:
    """End every emergency access of `staff` that lasts now."""
    now = clock.now()
    theirs = (EmergencyAccess.staff_id == staff.id, EmergencyAccess.ended_at.is_(None), EmergencyAccess.ends_at > now)
    for row in session.scalars(select(EmergencyAccess).where(*theirs)):
        row.ended_at = now
        about, facts = f"patient:{row.patient_id}", {"emergency": str(row.id)}
        audit.record(session, row.clinic_id, actor, "emergency.ended", about, **facts)


def _facts(staff: Staff, patient_id: UUID) -> tuple[bool, Opened | None]:
    known: dict[UUID, tuple[bool, Opened | None]] = g.setdefault("patient_access", {})
    if patient_id not in known:
        with db.unit_of_work(staff.clinic_id, read_only=True) as session:
            patient = session.get(Patient, patient_id)
            # Of a merged record the one that stays is read.
            whose = patient.merged_into or patient_id if patient is not None else patient_id
            bound = staff.role in permissions.CASELOAD_BOUND
            own = bound and whose in caseload(session, staff)
            row = lasting(session, staff, whose)
            opened = _opened(row, whose, sessions.clinic().zone) if row is not None else None
            known[patient_id] = own, opened
    return known[patient_id]


def _opened(row: EmergencyAccess, whose: UUID, zone: str) -> Opened:
    left = (row.ends_at - clock.now()).total_seconds()
    return Opened(row.id, whose, times.time_of(row.ends_at, zone), max(0, int(left)))
