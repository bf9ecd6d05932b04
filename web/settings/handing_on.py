"""To whom goes what a colleague leaves unfinished: asked where there is anything, so that nothing is nobody's."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from caseload import episodes, leaving
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
    theirs = (held(session, leaver.clinic_id), episodes.managed(session, leaver.clinic_id))
    if wanted == TEAM or (not wanted and not any(each.get(leaver.id) for each in theirs)):
        return None
    to = next((each for each in staffing.successors(session, leaver) if str(each.id) == wanted), None)
    if to is None:
        raise staffing.MayNot({"to": "successor"})
    return to


def in_words(name: str, left: leaving.Left) -> str:
    """Return what is said once somebody is deactivated: how much moved on, and whose care nobody manages now."""
    said = [words.say("colleagues", "left", name=name, count=left.items)]
    if left.people:
        said.append(words.say("colleagues", "left_care", count=left.people))
    if left.unmanaged:
        said.append(words.say("colleagues", "left_unmanaged", count=left.unmanaged))
    return " ".join(said)
