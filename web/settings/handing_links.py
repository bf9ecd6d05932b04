"""Sends a colleague the link by which they come in: to their own phone, else to their own mail.

Whoever makes a link for somebody else does not see it where there is a way that only they read: by it they would choose
the password, and be the other.
"""

from sqlalchemy.orm import Session

from messaging import outbox
from messaging.mail import spool
from messaging.models import Clinic, Staff
from messaging.wording import text_templates

TEMPLATE, MAIL = "staff_sign_in_link", "sign_in_link"


def way(session: Session, staff: Staff) -> str | None:
    """Return the way that leads to a colleague alone, "text" or "email", or None where a link would be shown."""
    if staff.number and staff.phone_fault is None:
        return "text"
    return "email" if spool.takes_mail(session, staff) else None


def send(session: Session, clinic: Clinic, staff: Staff, address: str) -> str | None:
    """Send a link; return the way it went (`way`), None where there is none and it has to be shown."""
    dedupe, by = f"link:{address.rsplit('/', 1)[-1][:6]}:{staff.id}", way(session, staff)
    if by == "text":
        body = text_templates.render(text_templates.texts("en")[TEMPLATE], {"link": address})
        outbox.text_staff(session, clinic, staff, body=body, dedupe=dedupe)
    if by == "email":
        spool.put(session, staff, MAIL, dedupe=dedupe, link=address)
    return by
