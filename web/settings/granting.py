"""Lets a colleague in and changes what they may: what an administrator does, at once or when a second person agreed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy.orm import Session

from config import audit
from messaging.inbox.staff import staffing
from messaging.models import Clinic, Staff
from web import patient_access, sessions
from web.account import account_news, lock_out, signin
from web.settings import handing_links

VALID = timedelta(days=3)


@dataclass(frozen=True)
class Link:
    """A link that was made: for whom, by which `way` it went ("text" or "email"), or where none leads to them alone,
    the `address` itself, to be shown once."""

    name: str
    way: str
    address: str


def link(session: Session, clinic: Clinic, staff: Staff, actor: str) -> Link:
    """Make a new link for a colleague and send it; those that were not used end."""
    signin.spend_links(session, staff.id)
    lock_out.lift(staff)
    kind: Literal["invite", "reset"] = "reset" if staff.password_hash else "invite"
    address = signin.make_link(session, staff, kind, VALID)
    way = handing_links.send(session, clinic, staff, address) or ""
    audit.record(session, staff.clinic_id, actor, "staff.invited", f"staff:{staff.id}", sent=way or "shown")
    if kind == "reset":
        account_news.tell(session, staff, "link", actor)
    return Link(staff.name, way, "" if way else address)


def could_change(session: Session, clinic: Clinic, staff: Staff, facts: staffing.Facts) -> None:
    """Change nothing, and raise what `change` would: whoever asks learns it, and not whoever agrees."""
    with session.begin_nested() as tried:
        staffing.change(session, clinic, staff, facts, audit.Actor.staff(staff.id))
        tried.rollback()


def change(session: Session, clinic: Clinic, staff: Staff, facts: staffing.Facts, actor: str) -> None:
    """Change what the clinic says of a colleague, and tell them. Raises as staffing.change does."""
    was, number = staff.role, staff.number
    staffing.change(session, clinic, staff, facts, actor)
    if was != facts.role and actor != audit.Actor.staff(staff.id):
        sessions.revoke(session, staff.id)
    if facts.number != number:  # a link that waits must not go to the new one
        signin.spend_links(session, staff.id)
        account_news.tell(session, staff, "number", actor)
    if was != facts.role:
        patient_access.end_all(session, staff, actor)  # the role that could open it is no longer theirs
        account_news.tell(session, staff, "role", actor)
