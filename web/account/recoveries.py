"""Lets a colleague in who has lost phone and recovery codes: asked by one administrator and agreed by another.

None of them sees a code or sets one. The colleague comes in by their password or link, sets up another second step, and
what they do is marked in the audit until an administrator says that it was them.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import second_people
from messaging.models import Staff
from web.account import account_news, factors
from web.models import AccessRecovery, CodeDevice, Passkey, StaffSession

# How long a request waits for the second administrator, and the colleague has after that.
VALID = timedelta(hours=24)


class Refused(ValueError):
    """Not so; `why` is a key of [recovery_refusals]."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def waiting(session: Session, staff_id: UUID) -> AccessRecovery | None:
    """Return the request for somebody that still may be agreed to."""
    return _newest(session, staff_id, AccessRecovery.agreed_at.is_(None), AccessRecovery.asked_at > clock.now() - VALID)


def agreed(session: Session, staff_id: UUID) -> AccessRecovery | None:
    """Return what two administrators have agreed to and somebody has not used yet."""
    return _newest(session, staff_id, AccessRecovery.used_at.is_(None), AccessRecovery.agreed_at > clock.now() - VALID)


def unconfirmed(session: Session, staff_id: UUID) -> AccessRecovery | None:
    """Return by what somebody came in whom nobody has confirmed since."""
    return _newest(session, staff_id, AccessRecovery.used_at.is_not(None), AccessRecovery.confirmed_at.is_(None))


def ask(session: Session, staff: Staff, by: Staff) -> bool:
    """Ask for somebody to be let in, or agree to what another asked; return whether it is agreed. Raises Refused."""
    session.get_one(Staff, staff.id, with_for_update=True)
    if by.id == staff.id:
        raise Refused("yourself")
    if not factors.has(session, staff.id):
        raise Refused("nothing_lost")
    if agreed(session, staff.id) is not None:
        raise Refused("agreed")
    asked, now = waiting(session, staff.id), clock.now()
    if asked is None:
        row = AccessRecovery(clinic_id=staff.clinic_id, staff_id=staff.id, asked_by=by.id, asked_at=now)
        session.add(row)
        _note(session, staff, audit.Actor.staff(by.id), "recovery_asked")
        return False
    me, asker = audit.Actor.staff(by.id), audit.Actor.staff(asked.asked_by)
    if refusal := second_people.refusal(session, "recovery", me, asker, staff.id):
        raise Refused(refusal)
    asked.agreed_by, asked.agreed_at = by.id, now
    _note(session, staff, audit.Actor.staff(by.id), "recovery_agreed")
    return True


def use(session: Session, staff: Staff) -> bool:
    """Come in by what was agreed: whatever somebody proved themselves by before proves nothing any more."""
    now, open_one = clock.now(), agreed(session, staff.id)
    if open_one is None:
        return False
    spent = update(AccessRecovery).where(AccessRecovery.id == open_one.id, AccessRecovery.used_at.is_(None))
    if session.execute(spent.values(used_at=now).returning(AccessRecovery.id)).first() is None:
        return False
    for kept in (CodeDevice, Passkey):
        session.execute(delete(kept).where(kept.staff_id == staff.id))
    factors.forget_codes(session, staff.id)
    second_people.begin_to_settle(staff, audit.Actor.staff(staff.id))
    _note(session, staff, audit.Actor.staff(staff.id), "recovery_used")
    return True


def confirm(session: Session, staff: Staff, by: Staff) -> None:
    """Say that whoever came in was them: their acts are marked no more. Raises Refused."""
    row = unconfirmed(session, staff.id)
    if by.id == staff.id:
        raise Refused("yourself")
    if row is None:
        raise Refused("nothing_open")
    if refusal := second_people.refusal(session, "recovery", audit.Actor.staff(by.id), None, staff.id):
        raise Refused(refusal)
    row.confirmed_by, row.confirmed_at = by.id, clock.now()
    session.execute(update(StaffSession).where(StaffSession.recovery_id == row.id).values(recovery_id=None))
    _note(session, staff, audit.Actor.staff(by.id), "recovery_confirmed")


def _newest(session: Session, staff_id: UUID, *where: object) -> AccessRecovery | None:
    theirs = select(AccessRecovery).where(AccessRecovery.staff_id == staff_id, *where)  # type: ignore[arg-type]
    return session.scalars(theirs.order_by(AccessRecovery.asked_at.desc()).limit(1)).first()


def _note(session: Session, staff: Staff, actor: audit.Actor, what: str) -> None:
    audit.record(session, staff.clinic_id, actor, f"staff.{what}", f"staff:{staff.id}")
    account_news.tell(session, staff, what, actor)
