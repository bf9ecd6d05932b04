"""A month of Collaborative Care in words: how far the next code is, and for how many days yet."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from caseload import billing, episodes
from caseload.codes import proposing
from caseload.models import Episode
from caseload.months import Month
from messaging.models import Clinic
from web import words


@dataclass(frozen=True)
class SoFar:
    """The minutes of this month that count, and what is missing for the next code ("" where none can be reached)."""

    minutes: int
    to_next: str


def this_month(clinic: Clinic) -> Month:
    """Return the month that runs by the clinic's clock."""
    today = episodes.today_of(clinic)
    return Month(today.year, today.month)


def so_far(session: Session, clinic: Clinic, episode: Episode) -> SoFar | None:
    """Return how an episode's month stands; None where the episode begins later."""
    billed = billing.of_episode(session, clinic, episode.id, this_month(clinic))
    if billed is None:
        return None
    month = billed.reckoning
    return SoFar(month.count.minutes, to_next(month.proposal.to_next, clinic, month.month))


def to_next(step: proposing.Next | None, clinic: Clinic, month: Month) -> str:
    """Return how many minutes the next code is away, and while the month runs how many days are left for them, today
    too; "" where there is none."""
    if step is None:
        return ""
    away = words.say("care", "to_next", minutes=step.minutes, code=step.code)
    days = (month.last - episodes.today_of(clinic)).days + 1
    if month != this_month(clinic):
        return away
    return f"{away}, {words.say('care', 'last_day' if days == 1 else 'days_left', days=days)}"
