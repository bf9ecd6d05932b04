"""Tells a colleague that something about how they sign in is new, or that somebody else changed when they are asked.

At any hour, and no word of what. What it was stands on their own page (web.account.account_page), behind the door.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox.staff import nudging
from messaging.models import Clinic, Staff
from messaging.wording import text_templates
from web.models import AccountChange

PATH = "/account"
# Who did what the word of a clinic's identity provider brought about.
PROVIDER = audit.Actor.system("sso")
# What is texted of a change, where it is not what is said of any.
TEXTS = {"new_browser": "staff_new_browser", "hours": "staff_asked_when", "away": "staff_asked_when"}


def recent(session: Session, staff_id: UUID, most: int = 10) -> list[AccountChange]:
    """Return the last changes, newest first."""
    theirs = select(AccountChange).where(AccountChange.staff_id == staff_id)
    return list(session.scalars(theirs.order_by(AccountChange.at.desc(), AccountChange.id.desc()).limit(most)))


def tell(session: Session, staff: Staff, what: str, actor: str) -> None:
    """Tell a colleague of something new about their account (a key of [account_changes]) that `actor` did."""
    facts = {"at": clock.now(), "what": what, "actor": actor}
    change = AccountChange(clinic_id=staff.clinic_id, staff_id=staff.id, **facts)
    session.add(change)
    session.flush()
    clinic, dedupe = session.get_one(Clinic, staff.clinic_id), f"account:{change.id}"
    words = text_templates.texts("en")[TEXTS.get(what, "staff_account")]
    nudging.tell(session, clinic, staff, "account", path=PATH, dedupe=dedupe, template=words)


def tell_of_another(session: Session, staff: Staff, what: str, actor: str) -> None:
    """Tell a colleague of a change that somebody else made for them; what they do themselves needs no word.

    Whoever decides for the clinic could otherwise take all alerts to themselves, and nobody would know.
    """
    if actor != audit.Actor.staff(staff.id):
        tell(session, staff, what, actor)
