"""On which occasions somebody in care is asked how the clinic did. Pure.

Every 90 days while the episode is open, and some days after a discharge; each occasion once. A day that has passed is
not made up for: whoever could not be texted for a month is asked on the next occasion.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

EVERY, WINDOW = 90, 30
# Nobody is asked twice within so long, whatever the occasions and however many episodes.
APART = 30
WEEK = 7
DISCHARGE = "discharge"
# Whoever was lost has not been heard from for 90 days, and a text would be the first they hear.
ASKED_AFTER = ("goals_met", "referred", "declined", "moved")


@dataclass(frozen=True, slots=True)
class Facts:
    """An episode's days by the clinic's clock: `asked` are its occasions that have been, `last_asked` is the day on
    which this person was last asked in any episode. `elsewhere` says that another episode of theirs is open."""

    enrolled: date
    today: date
    after_days: int
    ended: date | None = None
    reason: str | None = None
    asked: Collection[str] = ()
    last_asked: date | None = None
    elsewhere: bool = False


def due(facts: Facts) -> str | None:
    """Return the occasion on which they are to be asked today, None if there is none."""
    if facts.elsewhere or (facts.last_asked is not None and (facts.today - facts.last_asked).days < APART):
        return None
    occasion = _after_discharge(facts) if facts.ended else _while_in_care(facts)
    return None if occasion in facts.asked else occasion


def over(facts: Facts) -> bool:
    """Return whether no occasion of this episode is to come."""
    if facts.ended is None:
        return False
    late = (facts.today - facts.ended).days >= facts.after_days + WINDOW
    return late or facts.reason not in ASKED_AFTER or DISCHARGE in facts.asked


def days_until_look(facts: Facts) -> int:
    """Return in how many days there may be something to do: tomorrow while an occasion lasts or a discharge waits for
    its day; else when the next begins, and weekly at least, whatever has changed meanwhile."""
    if facts.ended is not None or _while_in_care(facts) not in (None, *facts.asked):
        return 1
    return min(EVERY - (facts.today - facts.enrolled).days % EVERY, WEEK)


def _while_in_care(facts: Facts) -> str | None:
    times, since = divmod((facts.today - facts.enrolled).days, EVERY)
    return f"day-{times * EVERY}" if times > 0 and since < WINDOW else None


def _after_discharge(facts: Facts) -> str | None:
    since = (facts.today - facts.ended).days - facts.after_days if facts.ended else -1
    return DISCHARGE if facts.reason in ASKED_AFTER and 0 <= since < WINDOW else None
