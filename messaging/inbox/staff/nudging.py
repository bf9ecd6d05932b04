"""Tells a colleague that something concerns them, by the ways that hold for them now (channels).

A text and a mail name nobody and hold a link. What stands on the page, and what an open page says on the desktop, needs
nothing to be sent.
"""

from sqlalchemy.orm import Session

from config import runtime
from messaging import outbox
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import assign, topics
from messaging.inbox.staff import channels, roster
from messaging.mail import spool
from messaging.models import Clinic, Staff
from messaging.wording import text_templates

# What is texted of each kind, where it is not what is said of any item that has come.
TEXTS = {
    "escalated": "staff_escalated",
    "handoff": "staff_handoff",
    "assigned": "staff_assigned",
    "due_soon": "staff_due_soon",
    "answered": "staff_news",
    "access": "staff_access",
    "approval": "staff_approval",
}
ITEM_TEXT = "staff_alert"
# Where the front desk, which does not read the care team's inbox, finds what is theirs.
AT_THE_DESK = {"task": "/tasks/{id}", "note": "/notes", "handoff": "/handoffs"}


def of_item(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    item: InboxItem,
    kind: str,
    *,
    dedupe: str,
    template: str | None = None,
) -> bool:
    """Tell a colleague of an item, as `tell` does of a page."""
    return tell(session, clinic, staff, kind, path=page_of(item, staff), dedupe=dedupe, template=template)


def page_of(item: InboxItem, staff: Staff) -> str:
    """Return the address, without the service's own, at which this colleague may open the item."""
    if staff.role != topics.FRONT_DESK:
        return f"/inbox/{item.id}"
    path = "/desk/{id}" if item.role == topics.FRONT_DESK else AT_THE_DESK.get(item.kind, "/today")
    return path.format(id=item.id)


def tell(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    kind: str,
    *,
    path: str,
    dedupe: str,
    template: str | None = None,
) -> bool:
    """Tell a colleague that something of this kind stands at `path`, once for each `dedupe`.

    `template` is what is texted where that is not what is said of every nudge of the kind; it may hold {link} alone.
    Return whether a text is on its way to their phone: a mail may be read tomorrow, and reaches nobody now.
    """
    if not channels.leaves_the_page(kind, staff.notify):
        return False
    ways = channels.ways(kind, staff.notify, standing(session, clinic, staff))
    link = f"{runtime.settings().staff_address}{path}"
    if channels.EMAIL in ways:
        spool.put(session, staff, kind, dedupe=f"mail:{dedupe}", link=link)
    if channels.TEXT not in ways:
        return False
    template = template or text_templates.texts("en")[TEXTS.get(kind, ITEM_TEXT)]
    body = text_templates.render(template, {"link": link})
    return outbox.text_staff(session, clinic, staff, body=body, dedupe=dedupe) is not None


def wants_text(session: Session, clinic: Clinic, staff: Staff, kind: str) -> bool:
    """Whether this colleague is to be texted of this kind now, whether or not we have a number of theirs."""
    if not channels.leaves_the_page(kind, staff.notify):
        return False
    return channels.TEXT in channels.wanted(kind, staff.notify, standing(session, clinic, staff))


def standing(session: Session, clinic: Clinic, staff: Staff) -> channels.Standing:
    """Return how a colleague stands now. Whom the clinic names as its fallback is expected to answer at any hour."""
    member = roster.member(session, clinic, staff)
    return channels.Standing(
        on_duty=member.on_duty,
        on_call=member.on_call or staff.email in assign.Rules.of(clinic.rules).fallback,
        away=member.away,
        phone=staff.active and staff.number_ct is not None,
        phone_works=staff.phone_fault is None,
        mail=staff.active and spool.takes_mail(session, staff),
    )
