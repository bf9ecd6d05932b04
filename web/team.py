"""Who works at a clinic, by id, and what pages call them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.models import Staff

# Under which name a session holds whom it has read, by clinic.
EVERYONE = "web.team.everyone"


def everyone(session: Session, clinic_id: UUID) -> dict[UUID | None, Staff]:
    """Return all who work or have worked there, in the order of their names; read once in a session."""
    read = session.info.setdefault(EVERYONE, {})
    if clinic_id not in read:
        query = select(Staff).where(Staff.clinic_id == clinic_id).order_by(Staff.name)
        read[clinic_id] = {colleague.id: colleague for colleague in session.scalars(query)}
    return dict(read[clinic_id])


def some(session: Session, ids: Iterable[UUID | None]) -> dict[UUID | None, Staff]:
    """Return these colleagues; whoever was read with everyone is not asked for again."""
    wanted = {staff_id for staff_id in ids if staff_id is not None}
    for read in session.info.get(EVERYONE, {}).values():
        if wanted <= read.keys():
            return {staff_id: read[staff_id] for staff_id in wanted}
    if not wanted:
        return {}
    return {colleague.id: colleague for colleague in session.scalars(select(Staff).where(Staff.id.in_(wanted)))}


def names(session: Session, ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """Return the names of these colleagues."""
    return {staff_id: colleague.name for staff_id, colleague in some(session, ids).items()}


def name_of(team: Mapping[UUID | None, Staff], staff_id: object, otherwise: str) -> str:
    """Return the name of a colleague whose id stands in a line of history, as a UUID or its text."""
    try:
        return team[UUID(str(staff_id))].name
    except (ValueError, KeyError):
        return otherwise
