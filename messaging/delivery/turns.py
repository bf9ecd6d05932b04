"""Which queued texts leave next where several clinics wait: each has its share of a batch, whoever came first."""

import random
from datetime import timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, literal_column, select
from sqlalchemy.orm import Session

from config import db
from messaging.models import Clinic, Message

# Of so many clinics a batch takes texts; where more wait, chance says which, so that none waits for another's last.
CLINICS = 16
# Written out, as an index of the queued texts alone holds them by clinic (ix_message_turns).
QUEUED = Message.state == literal_column("'queued'")


def claim(session: Session, due: ColumnElement[bool], lane: str, *, limit: int, lease: timedelta) -> list[db.Claim]:
    """Claim up to `limit` queued texts that are `due` in `lane`: of each clinic that waits an equal share, and what is
    left of the batch by age. One clinic's fifty thousand do not stand before another's two."""
    clinics = waiting(session, lane)
    if len(clinics) < 2:
        return db.claim(session, Message, due, limit=limit, lease=lease)
    chosen = random.sample(clinics, min(len(clinics), CLINICS))
    claims: list[db.Claim] = []
    for clinic_id in chosen:
        share = max(1, limit // len(chosen))
        claims += db.claim(session, Message, due & (Message.clinic_id == clinic_id), limit=share, lease=lease)
    left = limit - len(claims)
    return claims + (db.claim(session, Message, due, limit=left, lease=lease) if left > 0 else [])


def waiting(session: Session, lane: str) -> list[UUID]:
    """Return the clinics of which something could be claimed now."""
    return list(session.scalars(waiting_query(lane)))


@cache
def waiting_query(lane: str) -> Select[UUID]:
    """Return the query for clinics of which a text waits in `lane` whose time has come and that nobody holds."""
    theirs = and_(Message.clinic_id == Clinic.id, QUEUED, Message.lane == lane)
    return select(Clinic.id).where(exists().where(db.ripe(Message, theirs)))
