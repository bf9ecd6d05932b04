"""That somebody in care is to be asked by their phase: kept in the transaction that enrols them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload.models import Asking, Episode
from config import clock


def expect(session: Session, episode: Episode) -> None:
    """Let the patient of an open episode be asked as the clinic's schedule says, from now on."""
    row = session.scalar(select(Asking).where(Asking.episode_id == episode.id))
    if row is None:
        row = Asking(clinic_id=episode.clinic_id, episode_id=episode.id)
        session.add(row)
    row.state, row.try_after = "waiting", clock.now()
