"""Between an instant in UTC and the wall clock of a place."""

import difflib
import re
import zoneinfo
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

# "right/" counts leap seconds and the others mean "wherever this machine stands": none of them names a place.
NOT_PLACES = ("right/", "posix/", "localtime", "posixrules", "Factory")

# Clocks without a place keep one offset all year, and a text planned by them is an hour wrong all summer.
OFFSETS = {
    "EST",
    "MST",
    "HST",
    "GMT",
    "GMT0",
    "GMT+0",
    "GMT-0",
    "UTC",
    "UCT",
    "Universal",
    "Zulu",
    "Greenwich",
}
ETC = "Etc/"
# By the hours west of Greenwich in winter: a place whose clock it is, and one where it is so all year.
PLACES = {
    -10: ("Pacific/Guam",),
    4: ("America/Puerto_Rico",),
    5: ("America/New_York", "America/Panama"),
    6: ("America/Chicago", "America/Costa_Rica"),
    7: ("America/Denver", "America/Phoenix"),
    8: ("America/Los_Angeles",),
    9: ("America/Anchorage",),
    10: ("Pacific/Honolulu",),
    11: ("Pacific/Pago_Pago",),
}
CALLED = {
    "ch": -10, "a": 4, "e": 5, "c": 6, "m": 7, "p": 8, "ak": 9, "h": 10, "s": 11, "chamorro": -10, "atlantic": 4,
    "eastern": 5, "central": 6, "mountain": 7, "pacific": 8, "alaska": 9, "alaskan": 9, "hawaii": 10,
    "hawaiian": 10, "samoa": 11,
}  # fmt: skip
ABBREVIATED = re.compile(r"(ak|ch|[acehmps])[sd]?t")
NAMED = re.compile(r"(?:us/|u\.?s\.? )?([a-z]+?)(?: (?:standard|daylight))?(?: time)?(?: zone)?")
BY_OFFSET = re.compile(r"(etc/)?(?:gmt|utc)?([+-])0?(\d{1,2})(?::?00)?")

EXPECTED = 'expected an IANA name such as "America/Denver"'
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


def of_place(name: str) -> ZoneInfo:
    """The zone of an IANA name that somebody gives for a clinic, a site, a patient or a visit: of a place, whose clock
    changes when theirs does. "EST" and "Etc/GMT+5" name none. Raises UnknownZone with the names that may be meant."""
    if name in OFFSETS or name.startswith(ETC):
        raise UnknownZone(f"time zone {name[:60]!r} names no place and has no summer time: {_suggestion(name[:60])}")
    return zone(name)


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


def next_midnight(after: datetime, place: ZoneInfo) -> datetime:
    """The instant after `after` at which the clock of `place` begins its next day, also where that has no midnight."""
    tomorrow = to_local(after, place).date() + timedelta(days=1)
    return local_to_utc(datetime.combine(tomorrow, time()), place)


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
    if offered := _offered(name.strip().lower()):
        return f"did you mean {offered}?"
    by_name, by_city = _known()
    if name in OFFSETS or name.startswith(ETC):
        return EXPECTED
    wanted = name.lower().replace(" ", "_")
    near = [by_name[match] for match in difflib.get_close_matches(wanted, by_name, n=2)]
    near += [by_city[match] for match in difflib.get_close_matches(wanted, by_city, n=1)]
    if not near:
        return EXPECTED
    return "did you mean " + " or ".join(dict.fromkeys(near)) + "?"


def _offered(name: str) -> str | None:
    """The places whose clock goes by this abbreviation, name or offset, in words."""
    west = _west(name)
    places = PLACES.get(west, ()) if west is not None else ()
    if not places:
        return None
    return f"{places[0]}, or {places[1]} where the clocks never change" if len(places) > 1 else places[0]


def _west(name: str) -> int | None:
    """The hours west of Greenwich in winter."""
    by_offset = BY_OFFSET.fullmatch(name)
    if by_offset:
        # POSIX counts the hours west, everybody else those east.
        sign = 1 if (by_offset[2] == "+") == bool(by_offset[1]) else -1
        return sign * int(by_offset[3])
    called = ABBREVIATED.fullmatch(name) or NAMED.fullmatch(name)
    return CALLED.get(called[1]) if called else None


@cache
def _known() -> tuple[dict[str, str], dict[str, str]]:
    """All zones by their name and by their last part, in small letters."""
    names = sorted(zoneinfo.available_timezones(), reverse=True)
    return {name.lower(): name for name in names}, {name.rsplit("/")[-1].lower(): name for name in names}
