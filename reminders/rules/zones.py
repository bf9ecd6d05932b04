"""Between an instant in UTC and the wall clock of a place."""

import difflib
import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

# "right/" counts leap seconds and the others mean "wherever this machine stands": none of them names a place.
NOT_PLACES = ("right/", "posix/", "localtime", "posixrules", "Factory")

NAIVE = "an instant needs a zone; this datetime is naive"


class UnknownZone(ValueError):
    """The name is not an IANA time zone; the message suggests near ones."""


def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as "America/Denver"; raises UnknownZone."""
    if name and not name.startswith(NOT_PLACES):
        try:
            return ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise UnknownZone(f"unknown time zone {name[:60]!r}: {_suggestion(name[:60])}")


def to_local(at: datetime, place: ZoneInfo) -> datetime:
    """The instant `at` (aware) on the wall clock of `place`, still aware."""
    if at.tzinfo is None:
        raise ValueError(NAIVE)
    return at.astimezone(place)


def local_to_utc(wall: datetime, place: ZoneInfo, *, second: bool = False) -> datetime:
    """The UTC instant at which the clock of `place` shows `wall` (naive).

    A wall time that a change of clocks skips moves forward by the size of the gap (02:30 becomes 03:30); one
    that comes twice means the first, or with `second` the second.
    """
    if wall.tzinfo is not None:
        raise ValueError("a wall time carries no zone of its own")
    return wall.replace(tzinfo=place, fold=int(second)).astimezone(UTC)


def instant(at: datetime) -> datetime:
    """`at` in UTC. Two aware times of one zone compare by wall clock and ignore the fold, so only UTC compares."""
    if at.tzinfo is UTC:
        return at
    if at.tzinfo is None:
        raise ValueError(NAIVE)
    return at.astimezone(UTC)


def whole_second(at: datetime) -> datetime:
    """`at`, or the next whole second after it."""
    return at.replace(microsecond=0) + timedelta(seconds=1) if at.microsecond else at


def change_between(early: datetime, late: datetime, place: ZoneInfo) -> datetime | None:
    """The instant between two UTC instants from which the clock of `place` runs at a new offset, to the second.

    None when both ends have the same offset, which for spans of a day means that the clocks did not change.
    """
    new = to_local(late, place).utcoffset()
    if to_local(early, place).utcoffset() == new:
        return None
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if to_local(middle, place).utcoffset() == new:
            late = middle
        else:
            early = middle
    return late


def next_change(after: datetime, place: ZoneInfo) -> datetime | None:
    """The next instant within a year of `after` at which the clocks of `place` change; None where they never do."""
    begins = instant(after)
    for week in range(53):
        early = begins + timedelta(weeks=week)
        change = change_between(early, early + timedelta(weeks=1), place)
        if change:
            return change
    return None


def _suggestion(name: str) -> str:
    by_name, by_city = _known()
    wanted = name.lower().replace(" ", "_")
    near = [by_name[match] for match in difflib.get_close_matches(wanted, by_name, n=2)]
    near += [by_city[match] for match in difflib.get_close_matches(wanted, by_city, n=1)]
    if not near:
        return 'expected an IANA name such as "America/Denver"'
    return "did you mean " + " or ".join(dict.fromkeys(near)) + "?"


@cache
def _known() -> tuple[dict[str, str], dict[str, str]]:
    """All zones by their name and by their last part, in small letters."""
    names = sorted(zoneinfo.available_timezones(), reverse=True)
    return {name.lower(): name for name in names}, {name.rsplit("/")[-1].lower(): name for name in names}
