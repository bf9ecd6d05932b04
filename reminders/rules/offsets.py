"""A length of time as a clinic writes it: "72 hours", "3 days", "90 minutes"."""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, lru_cache

FORM = re.compile(r"(\d{1,5}) ?(minute|hour|day|week)s?")
MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60, "week": 7 * 24 * 60}
LONGEST = timedelta(days=366)
EXPECTED = 'expected a length such as "72 hours", "3 days" or "90 minutes"'


# No slots: what follows from the two fields is worked out once for a step, and not for each of its visits.
@dataclass(frozen=True)
class Offset:
    """`count` of `unit` ("minute", "hour", "day" or "week")."""

    count: int
    unit: str

    @cached_property
    def elapsed(self) -> timedelta:
        """The length on a stopwatch, a day being 24 hours."""
        return timedelta(minutes=self.count * MINUTES[self.unit])

    @cached_property
    def days(self) -> int | None:
        """Whole days on the wall clock, or None when the offset is a stretch on the stopwatch.

        "24 hours" and "1 day" before nine o'clock both mean nine o'clock the day before, also in the week in which
        that is 23 or 25 hours away; "1440 minutes" is how to ask for the stopwatch.
        """
        days, rest = divmod(self.elapsed, timedelta(days=1))
        return None if rest or self.unit == "minute" else days

    def __str__(self) -> str:
        return self._said

    @cached_property
    def _said(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


def parse(text: str) -> Offset:
    """Reads a length; raises ValueError saying what is expected."""
    match = FORM.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(EXPECTED)
    offset = Offset(int(match[1]), match[2])
    if offset.elapsed > LONGEST:
        raise ValueError(f"expected at most {LONGEST.days} days")
    return offset


@lru_cache(maxsize=1024)
def in_words(length: timedelta) -> str:
    """A length in the largest unit that leaves no rest, days aside: "2 hours", "90 minutes"."""
    minutes = length // timedelta(minutes=1)
    return str(Offset(minutes // 60, "hour") if minutes and minutes % 60 == 0 else Offset(minutes, "minute"))
