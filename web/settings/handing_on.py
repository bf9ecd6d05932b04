"""To whom goes what a colleague leaves unfinished: asked where there is anything, so that nothing is nobody's."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from messaging.inbox.models import InboxItem
from messaging.inbox.staff import staffing
from messaging.models import Staff
from web import words

TEAM = "team"


def held(session: Session, clinic_id: UUID) -> dict[UUID | None, int]:
    """Return how many unfinished items and tasks each colleague has."""
    holding = select(InboxItem.owner_id, func.count()).where(
        InboxItem.clinic_id == clinic_id, InboxItem.state != "done", InboxItem.owner_id.is_not(None)
    )
    return dict(session.execute(holding.group_by(InboxItem.owner_id)).all())


def offered(session: Session, leaver_id: UUID | None) -> list[tuple[UUID, str, str]]:
    """Return who could take it over, each with name and role; nobody where nobody leaves."""
    leaver = session.get(Staff, leaver_id) if leaver_id else None
    others = staffing.successors(session, leaver) if leaver is not None else []
    return [(each.id, each.name, words.say("roles", each.role)) for each in others]


def successor(session: Session, leaver: Staff, wanted: str) -> Staff | None:
    """Return who gets what a colleague leaves, None for who covers and else the team (TEAM).

    Raises staffing.MayNot where there is something and nobody was named.
    """
    if wanted == TEAM or (not wanted and not held(session, leaver.clinic_id).get(leaver.id, 0)):
        return None
    to = next((each for each in staffing.successors(session, leaver) if str(each.id) == wanted), None)
    if to is None:
        raise staffing.MayNot({"to": "successor"})
    return to
