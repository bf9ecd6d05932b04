"""Days by a clinic's clock, and spans of them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from caseload.months import Month
from reminders.rules import zones

ONE = timedelta(days=1)
LENGTH = 90


@dataclass(frozen=True, slots=True)
class Day:
    """A day that is counted, its ends in UTC, and the day on which somebody counts it."""

    on: date
    zone: ZoneInfo
    today: date

    @property
    def begins(self) -> datetime:
        """When it begins."""
        return self.moment(0)

    @property
    def ends(self) -> datetime:
        """When the next one begins."""
        return self.moment(1)

    def moment(self, days: int) -> datetime:
        """When the day so many days later (negative: earlier) begins, whatever the clocks do between."""
        return zones.local_to_utc(datetime.combine(self.on + days * ONE, time()), self.zone)

    def days_since(self, at: datetime) -> int:
        """How many days the day of a moment lies after this one."""
        return (at.astimezone(self.zone).date() - self.on).days

    def over(self, days: int) -> bool:
        """Whether so many whole days after this one are over."""
        return self.on + days * ONE < self.today

    @property
    def month(self) -> Month | None:
        """The month that ends with this day."""
        return Month(self.on.year, self.on.month) if (self.on + ONE).day == 1 else None


@dataclass(frozen=True, slots=True)
class Span:
    """Days in a row, both ends included."""

    first: date
    last: date

    @property
    def length(self) -> int:
        """How many days there are."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Span":
        """As many days just before."""
        return Span(self.first - self.length * ONE, self.first - ONE)

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def ending(last: date, length: int = LENGTH) -> Span:
    """Return so many days of which this is the last."""
    return Span(last - (length - 1) * ONE, last)


def years_between(born: date, on: date) -> int:
    """Return the age in whole years; who was born on a 29 February is a year older on the 1 March."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
