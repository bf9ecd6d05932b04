"""Which colleagues count as the second person (messaging.two_person_rule), read from the clinic's staff."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import two_person_rule
from messaging.models import Staff
from messaging.two_person_rule import Kind, Person, Refusal


def person(staff: Staff) -> Person:
    """Return a colleague as the rule sees them."""
    return Person(staff.id, staff.role, staff.active, staff.settling_since)


def others(session: Session, clinic_id: UUID, kind: Kind, actor: str, concerned: UUID | None = None) -> list[Staff]:
    """Return who could agree to what `actor` asks about `concerned`, by name; an operator is none of them."""
    aside = {audit.Actor(actor).staff_id, concerned}
    there = _working(session, clinic_id, kind)
    return [
        staff
        for staff in there
        if staff.id not in aside and two_person_rule.may_agree(kind, person(staff), clock.now())
    ]


def refusal(session: Session, kind: Kind, by: str, asked_by: str | None, concerned: UUID | None = None) -> Refusal:
    """Return why `by` is not the second person for what `asked_by` asked, "" where they are.

    `asked_by` is None where it was nobody's question; an operator who asked stands for themselves.
    """
    who, asked = (_of(session, actor) for actor in (by, asked_by))
    return two_person_rule.refusal(kind, asked, who, concerned, clock.now()) if who is not None else "role"


def begin_to_settle(staff: Staff, actor: str) -> None:
    """Let somebody count as the second person only after a while, unless an operator has seen to them."""
    staff.settling_since = None if audit.Actor(actor).kind == audit.OPERATOR else clock.now()


def _of(session: Session, actor: str | None) -> Person | None:
    staff_id = audit.Actor(actor).staff_id if actor else None
    staff = session.get(Staff, staff_id) if staff_id else None
    return person(staff) if staff is not None else None


def _working(session: Session, clinic_id: UUID, kind: Kind) -> Sequence[Staff]:
    roles = [role for role, kinds in two_person_rule.MAY_AGREE.items() if kind in kinds]
    there = select(Staff).where(Staff.clinic_id == clinic_id, Staff.active, Staff.role.in_(roles))
    return session.scalars(there.order_by(Staff.name, Staff.id)).all()
