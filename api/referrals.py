"""Referrals: handoffs that are not warm, to somebody on another day. They are asked for as handoffs are."""

from uuid import UUID

from api import handoffs, pages
from api.handoffs import HandoffOut
from api.operations import Call, Operation
from api.pages import OfPatient, Page
from reminders.models import Handoff

FOR_LATER = Handoff.modality == "later"


def _list(call: Call, query: OfPatient) -> Page[HandoffOut]:
    """List the referrals."""
    return pages.page(call, "referrals", Handoff, query, handoffs.shown, FOR_LATER)


def _get(call: Call, id: UUID) -> HandoffOut:
    """Read one referral, and whether somebody has been in touch since."""
    return handoffs.shown(pages.row(call, Handoff, id, FOR_LATER))


OPERATIONS = (
    Operation(
        "referrals.list", "GET", "/referrals", _list, "referrals.read", "handoff",
        {200: Page[HandoffOut]}, query=OfPatient,
    ),
    Operation("referrals.get", "GET", "/referrals/{id}", _get, "referrals.read", "handoff", {200: HandoffOut}),
)  # fmt: skip
