"""Times as EHRs write them, on the wall clock of a zone or with an offset, as instants in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from interchange.problems import Problems
from reminders.rules import zones

# Zone data is guesswork far from today.
YEARS = range(1970, 2101)
# No clock on earth is further from UTC: what says so was written wrongly.
FURTHEST = timedelta(hours=14)


@dataclass(frozen=True)
class Stamp:
    """A time as it was written: its wall clock, its offset where there is one, and whether it has an hour."""

    wall: datetime
    offset: timedelta | None
    has_hour: bool = True

    @property
    def local(self) -> str:
        """Return the wall clock in words of ISO 8601."""
        return f"{self.wall:%Y-%m-%dT%H:%M}" if self.has_hour else f"{self.wall:%Y-%m-%d}"

    @property
    def is_plausible(self) -> bool:
        """Whether a visit may be then."""
        return self.wall.year in YEARS


def offset(sign: str, hours: str, minutes: str) -> timedelta:
    """Return how far a clock is ahead of UTC, "-", "07", "30" being seven and a half hours behind. Raises ValueError
    for what no clock is."""
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    if ahead > FURTHEST or int(minutes) > 59:
        raise ValueError(f"no clock is {hours}:{minutes} from UTC")
    return -ahead if sign == "-" else ahead


def instant(stamp: Stamp, zone: str, problems: Problems, where: str) -> datetime | None:
    """Return the moment in UTC; None where there is neither offset nor zone.

    A wall time that comes twice, or never, when the clocks change is told: see the glossary's zones.
    """
    if stamp.offset is not None:
        return (stamp.wall - stamp.offset).replace(tzinfo=UTC)
    if not zone:
        problems.note("no_zone", where)
        return None
    place = zones.zone(zone)
    first, second = (zones.local_to_utc(stamp.wall, place, second=later) for later in (False, True))
    if first != second:
        comes = zones.to_local(first, place).replace(tzinfo=None) == stamp.wall
        problems.note("clock_repeats" if comes else "clock_skips", where)
    return first


def since(as_of: object, kept_at: datetime) -> datetime:
    """Return since when something is so: as its EHR says (`utc`), but never after it was kept: where a clock goes
    ahead, whatever comes next would be taken for older."""
    return min(parsed(as_of), kept_at) if as_of else kept_at


def parsed(written: object) -> datetime:
    """Return an instant as `utc` writes it."""
    return datetime.strptime(str(written), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def answered(stamp: Stamp | None, zone: str) -> datetime | None:
    """Return when a form was answered, noon where only its day is known; None for what cannot be."""
    if stamp is None or not stamp.is_plausible:
        return None
    return instant(stamp if stamp.has_hour else Stamp(stamp.wall.replace(hour=12), stamp.offset), zone, Problems(), "")


def edge(stamp: Stamp | None, zone: str, *, ends: bool = False) -> datetime | None:
    """Return when a stay begins, or ends; where only a day is known its first moment, or the first after it, so that
    all of the day belongs to the stay. None for what cannot be."""
    if stamp is None or not stamp.is_plausible:
        return None
    whole = ends and not stamp.has_hour
    return instant(Stamp(stamp.wall + timedelta(days=whole), stamp.offset), zone, Problems(), "")


def utc(at: datetime | None) -> str | None:
    """Return an instant as answers show it: "2026-03-10T15:00:00Z"."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None
