"""That somebody in care is to be asked, by their phase and how the clinic did: kept in the transaction that enrols."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload.models import Asking, Episode, SatisfactionWatch
from config import clock

Watch = TypeVar("Watch", Asking, SatisfactionWatch)


def expect(session: Session, episode: Episode) -> None:
    """Let the patient of an open episode be asked as the clinic's schedule says, and how it did, from now on."""
    _wait(session, Asking, episode)
    _wait(session, SatisfactionWatch, episode)


def look_at_discharge(session: Session, episode: Episode) -> None:
    """Have an episode that was just ended looked at now, so that the day after it is not missed."""
    row = session.scalar(select(SatisfactionWatch).where(SatisfactionWatch.episode_id == episode.id))
    if row is not None:
        row.try_after = clock.now()


def _wait(session: Session, model: type[Watch], episode: Episode) -> None:
    row = session.scalar(select(model).where(model.episode_id == episode.id))
    if row is None:
        row = model(clinic_id=episode.clinic_id, episode_id=episode.id)
        session.add(row)
    row.state, row.try_after = "waiting", clock.now()
