"""A month of Collaborative Care in words: how far the next code is, and for how many days yet."""

from datetime import date

from caseload import episodes, months
from caseload.codes import minutes, proposing
from caseload.months import Month
from messaging.models import Clinic
from web import words


def this_month(clinic: Clinic) -> Month:
    """Return the month that runs by the clinic's clock."""
    return months.of(episodes.today_of(clinic))


def excluded(count: minutes.Count) -> list[str]:
    """Return how many minutes of a month do not count, and why, a reason each."""
    return [words.say("care_excluded", why, minutes=number) for why, number in count.excluded.items()]


def to_next(step: proposing.Next | None, month: Month, today: date) -> str:
    """Return how many minutes the next code is away, and while the month runs how many days are left for them, today
    too; "" where there is none."""
    if step is None:
        return ""
    away = words.say("care", "to_next", minutes=step.minutes, code=step.code)
    if month != months.of(today):
        return away
    days = (month.last - today).days + 1
    return f"{away}, {words.say('care', 'last_day' if days == 1 else 'days_left', days=days)}"
