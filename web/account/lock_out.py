"""What lets somebody in, or acts in their name, ends at once: for whoever leaves, and whom the operator locks out.

Their passkeys and codes stay theirs: they are a second step, and who comes back needs a new link before one counts.
"""

from sqlalchemy.orm import Session

from messaging.models import Staff
from messaging.programs import keys
from web import patient_access, sessions
from web.account import duty_feed, signin


def end_access(session: Session, staff: Staff, actor: str) -> None:
    """End their sessions, unused links, emergency access, API keys in their name and calendar's address, for good.

    None of it comes alive again when they come back.
    """
    sessions.revoke(session, staff.id)
    signin.spend_links(session, staff.id)
    keys.revoke_in_name_of(session, staff, actor=actor)
    duty_feed.end(session, staff, actor)
    patient_access.end_all(session, staff, actor)


def lift(staff: Staff) -> None:
    """Let the clinic's identity provider let them in again, whom the operator had locked out."""
    if staff.sso_state == "locked":
        staff.sso_state = "linked" if staff.sso_subject else None
