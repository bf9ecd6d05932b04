"""A calendar month, as a clinic's clock shows it. Pure."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from reminders.rules import zones

WRITTEN = re.compile(r"(\d{4})-(\d\d)")
# Zone data is guesswork far from today.
YEARS = range(1970, 2101)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """Year and month (1 to 12)."""

    year: int
    month: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


def of(day: date) -> Month:
    """Return the month of a day."""
    return Month(day.year, day.month)


def parse(text: str) -> Month:
    """Return the month that is written "2026-03". Raises ValueError."""
    match = WRITTEN.fullmatch(text)
    if match is None or int(match[2]) not in range(1, 13) or int(match[1]) not in YEARS:
        raise ValueError(f'expected a month such as "2026-03", from {YEARS[0]} to {YEARS[-1]}')
    return Month(int(match[1]), int(match[2]))


@cache
def span(month: Month, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when the month begins and ends in the zone: the UTC instants of two local midnights."""
    begins, ends = (zones.local_to_utc(datetime.combine(each.first, time()), zone) for each in (month, month.next))
    return begins, ends
