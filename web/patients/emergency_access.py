"""Emergency access ("break-glass"): one patient read for a limited time by whoever does not reach them by their role.

It is opened with a reason, told at once to those who care for the patient and to the administrators, and looked at
afterwards by somebody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from caseload.models import Episode
from config import audit, clock, db
from messaging import second_people
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import nudging
from messaging.models import Clinic, Patient, Staff
from reminders import merging
from web import patient_access, words
from web.models import EmergencyAccess

LEAST, LONGEST = 20, 500
# For how many minutes somebody may choose to open a record.
MINUTES = (15, 30, 60)
PATH = "/emergency-access"
MOST = 100
# Of two records that become one.
merging.FOLLOWS["emergencies"] = EmergencyAccess


class Refused(ValueError):
    """Not so; `field` names what is wrong, and is a key of [emergency]."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True)
class Asked:
    """What the form says: why (a key of [emergency_reasons]), in words, and for how many minutes."""

    why: str
    reason: str
    minutes: int | None

    @classmethod
    def of_form(cls, form: Mapping[str, str]) -> "Asked":
        """Read a form."""
        minutes = form.get("minutes", "")
        chosen = int(minutes) if minutes.isascii() and minutes.isdecimal() and len(minutes) < 4 else None
        return cls(form.get("why", ""), " ".join(form.get("reason", "").split())[:LONGEST], chosen)

    def problem(self) -> str:
        """Return the field that is wrong, "" where none is."""
        if self.why not in words.table_of("emergency_reasons"):
            return "why"
        if len(self.reason) < LEAST:
            return "reason"
        return "" if self.minutes in MINUTES else "minutes"


def open_record(session: Session, clinic: Clinic, staff: Staff, patient: Patient, asked: Asked) -> EmergencyAccess:
    """Open a patient to `staff`, tell those concerned, and write it down. Raises Refused."""
    problem = asked.problem()
    if problem or asked.minutes is None:
        raise Refused(problem)
    # One at a time: of two presses of the button the second finds what the first has opened.
    session.get_one(Staff, staff.id, with_for_update=True)
    lasting = patient_access.lasting(session, staff, patient.id)
    if lasting is not None:
        return lasting
    now = clock.now()
    row = EmergencyAccess(
        clinic_id=clinic.id,
        key_id=patient.key_id,
        staff_id=staff.id,
        patient_id=patient.id,
        why=asked.why,
        began_at=now,
        ends_at=now + timedelta(minutes=asked.minutes),
    )
    db.load_keys(session, [patient.key_id])
    row.reason = asked.reason
    session.add(row)
    session.flush()
    _audit(session, row, staff, "opened", why=asked.why, minutes=asked.minutes)
    for colleague in _concerned(session, clinic, staff, patient):
        nudging.tell(session, clinic, colleague, "access", path=PATH, dedupe=f"access:{row.id}:{colleague.id}")
    return row


def end(session: Session, staff: Staff, patient: Patient) -> bool:
    """Close what `staff` has opened of a patient; return whether anything was open."""
    row = patient_access.lasting(session, staff, patient.id)
    if row is None:
        return False
    row.ended_at = clock.now()
    _audit(session, row, staff, "ended")
    return True


def look_at(session: Session, row: EmergencyAccess, staff: Staff, finding: str, note: str) -> None:
    """Write down what a second person found. Raises Refused."""
    session.refresh(row, with_for_update=True)
    if row.staff_id == staff.id:
        raise Refused("yourself")
    if second_people.refusal(session, "review", audit.Actor.staff(staff.id), None, row.staff_id):
        raise Refused("new")
    if row.reviewed_at is not None:
        raise Refused("done")
    if is_open(row):
        raise Refused("over")
    if finding not in words.table_of("emergency_findings"):
        raise Refused("finding")
    db.load_keys(session, [row.key_id])
    row.reviewed_by, row.reviewed_at, row.finding = staff.id, clock.now(), finding
    row.note = note.strip()[:LONGEST] or None
    _audit(session, row, staff, "reviewed", finding=finding)


def is_open(row: EmergencyAccess) -> bool:
    """Whether it lasts now."""
    return row.ended_at is None and row.ends_at > clock.now()


def unseen(session: Session, clinic: Clinic) -> list[EmergencyAccess]:
    """Return what nobody has looked at yet, the oldest first."""
    rows = select(EmergencyAccess).where(EmergencyAccess.clinic_id == clinic.id, EmergencyAccess.reviewed_at.is_(None))
    return list(session.scalars(rows.order_by(EmergencyAccess.began_at).limit(MOST)))


def seen(session: Session, clinic: Clinic) -> list[EmergencyAccess]:
    """Return what was looked at, the newest first."""
    rows = select(EmergencyAccess).where(
        EmergencyAccess.clinic_id == clinic.id, EmergencyAccess.reviewed_at.is_not(None)
    )
    return list(session.scalars(rows.order_by(EmergencyAccess.began_at.desc()).limit(MOST)))


def of_staff(session: Session, staff: Staff) -> list[EmergencyAccess]:
    """Return what `staff` has opened and is open now."""
    rows = select(EmergencyAccess).where(EmergencyAccess.staff_id == staff.id, EmergencyAccess.ended_at.is_(None))
    return [row for row in session.scalars(rows.order_by(EmergencyAccess.began_at.desc()).limit(MOST)) if is_open(row)]


def pages_read(session: Session, row: EmergencyAccess) -> int:
    """Return how many pages were opened by it, as the audit has them."""
    entries = select(audit.AuditEntry.detail).where(
        audit.AuditEntry.clinic_id == row.clinic_id,
        audit.AuditEntry.actor == audit.Actor.staff(row.staff_id),
        audit.AuditEntry.at >= row.began_at,
        audit.AuditEntry.at <= row.ends_at,
        audit.AuditEntry.act.not_like("emergency.%"),
    )
    return sum(detail.get("emergency") == str(row.id) for detail in session.scalars(entries))


def _concerned(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> list[Staff]:
    """Who is told: whoever cares for the patient (else every care manager) and every administrator but the opener."""
    episodes = select(Episode.manager_id).where(Episode.patient_id == patient.id, Episode.ended_on.is_(None))
    items = select(InboxItem.owner_id).where(InboxItem.patient_id == patient.id, InboxItem.state != "done")
    caring = {staff_id for staff_id in session.scalars(episodes.union(items)) if staff_id is not None}
    working = select(Staff).where(
        Staff.clinic_id == clinic.id,
        Staff.active,
        Staff.id != staff.id,
        or_(Staff.role.in_(("care_manager", "clinic_admin")), Staff.id.in_(caring)),
    )
    people = session.scalars(working.order_by(Staff.id)).all()
    managers = [each for each in people if each.role == "care_manager"]
    near = [each for each in people if each.id in caring or (patient.panel and patient.panel in each.panels)]
    told = [*(near or managers), *(each for each in people if each.role == "clinic_admin")]
    return list({each.id: each for each in told}.values())


def _audit(session: Session, row: EmergencyAccess, staff: Staff, act: str, **detail: str | int) -> None:
    facts = {"emergency": str(row.id), **detail}
    actor, about = audit.Actor.staff(staff.id), f"patient:{row.patient_id}"
    audit.record(session, row.clinic_id, actor, f"emergency.{act}", about, **facts)
