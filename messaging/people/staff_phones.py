"""Whether a colleague's phone takes our texts: what the carrier and the phone itself have said of it.

Alerts are tried all the same. But whoever's phone is known to take none is nobody who could be reached, and they and
whoever decides for the clinic can read so.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, db
from messaging.models import PROGRAMMES, Clinic, Staff

# What a carrier's error says for good; a phone that is switched off for a night comes back by itself.
FOR_GOOD = ("opt_out", "landline", "dead")


def refused(session: Session, staff: Staff, meaning: str, *, actor: str = audit.Actor.system("carrier")) -> None:
    """Take in why a text to this colleague did not arrive (messaging.delivery.carrier_status.meaning)."""
    if meaning in FOR_GOOD and staff.phone_fault != meaning:
        staff.phone_fault = meaning
        audit.record(session, staff.clinic_id, actor, "staff.phone_lost", f"staff:{staff.id}", why=meaning)


def arrived(session: Session, staff: Staff, *, actor: str = audit.Actor.system("carrier")) -> None:
    """Take in that the phone takes texts: one arrived, or it said START."""
    if staff.phone_fault is not None:
        staff.phone_fault = None
        audit.record(session, staff.clinic_id, actor, "staff.phone_back", f"staff:{staff.id}")


def said(session: Session, clinic: Clinic, number: str, event: str, programmes: Sequence[str] = PROGRAMMES) -> None:
    """Take in that a phone has stopped everything (event "revoked") or wants it again ("granted").

    Where it is a colleague's, their alerts have stopped with the rest: the carrier knows one sender and one phone.
    """
    if set(programmes) != set(PROGRAMMES):
        return
    for staff in whose(session, clinic, number):
        if event == "revoked":
            refused(session, staff, "opt_out", actor=audit.Actor.staff(staff.id))
        elif staff.phone_fault == "opt_out":
            arrived(session, staff, actor=audit.Actor.staff(staff.id))


def whose(session: Session, clinic: Clinic, number: str) -> list[Staff]:
    """Return the colleagues whose phone has this number."""
    db.load_keys(session, {clinic.key_id})
    here = select(Staff).where(Staff.clinic_id == clinic.id, Staff.active, Staff.number_ct.is_not(None))
    return [staff for staff in session.scalars(here.order_by(Staff.id)) if staff.number == number]
