"""When a visit begins and how long it takes, from the many places in which HL7 may say it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from interchange import moments
from interchange.hl7 import timestamps
from interchange.hl7.er7 import Message, Segment, Value
from interchange.moments import Stamp
from interchange.problems import Problems
from interchange.profiles import Profile

# The order in which the places are asked, where the profile does not choose.
ORDER = ("SCH-11.4", "TQ1-7", "AIS-4", "AIL-6", "AIP-6")
LENGTH = re.compile(r"(\d{1,6})(?:\.\d+)?\s*([A-Za-z]*)", re.ASCII)


@dataclass(frozen=True)
class Start:
    """When a visit begins: the moment in UTC, or None, and the clock as it was written."""

    at: datetime | None = None
    local: str | None = None


@dataclass(frozen=True)
class _Told:
    where: str
    stamp: Stamp
    at: datetime | None


def start(message: Message, profile: Profile, problems: Problems) -> Start:
    """Return when the visit begins. Where places disagree it is told, and nothing is guessed but by the profile."""
    told = list(_told(message, profile, problems))
    chosen = next((place for where in profile.start for place in told if place.where == where), None)
    differ = len({place.at or place.stamp.wall for place in told}) > 1
    if differ:
        problems.note("start_by_profile" if chosen else "start_times_differ", ", ".join(place.where for place in told))
    first = chosen or (told[0] if told and not differ else None)
    if first is None:
        return Start()
    return Start(moments.instant(first.stamp, profile.zone, problems, first.where), first.stamp.local)


def is_shifted(message: Message) -> bool:
    """Whether the fields of SCH stand one place beside where they belong: the time of SCH-11 stands in 10 or 12."""
    sch = message.first("SCH")
    return bool(sch and not sch.part(11, 4) and any(_has_time(sch.value(number)) for number in (10, 12)))


def _has_time(value: Value) -> bool:
    stamp = timestamps.stamp(value.part(4))
    return stamp is not None and stamp.has_hour


def _told(message: Message, profile: Profile, problems: Problems) -> Iterator[_Told]:
    """The earliest time of each place, as far as it can be read."""
    for where in ORDER:
        stamps = []
        for written in _written(message, where):
            stamp = timestamps.stamp(written)
            if stamp is None or not stamp.is_plausible:
                problems.note("time_unreadable", where)
            elif not stamp.has_hour:
                problems.note("start_without_hour", where)
            else:
                stamps.append(stamp)
        if stamps:
            first = min(stamps, key=lambda stamp: stamp.wall)
            yield _Told(where, first, moments.instant(first, profile.zone, Problems(), where))


def _written(message: Message, where: str) -> Iterator[str]:
    name, _, place = where.partition("-")
    number, _, component = place.partition(".")
    for segment in message.all(name):
        if written := segment.part(int(number), int(component or 1)):
            yield written


def minutes(message: Message, profile: Profile, problems: Problems, *, shifted: bool = False) -> int | None:
    """Return how long the visit takes; the first place that says so, and a word where another says otherwise."""
    lengths = [length for length in _lengths(message, profile, problems, shifted) if length]
    if len(set(lengths)) > 1:
        problems.note("minutes_differ", "SCH-9")
    return lengths[0] if lengths else None


def _lengths(message: Message, profile: Profile, problems: Problems, shifted: bool) -> Iterator[int | None]:
    sch = message.first("SCH")
    if sch and not shifted:
        unit = sch.part(10) or sch.part(9, 2) or _unit(sch.part(11, 6), profile)
        yield _length(sch.part(9), unit, "SCH-9", profile, problems)
        yield _length(sch.part(11, 3), "", "SCH-11.3", profile, Problems())
        yield _between(sch)
    services = list(message.all("AIS"))
    for segment, number in [*((ais, 7) for ais in services[: len(services) == 1]), *_beside(message)]:
        yield _length(segment.part(number), segment.part(number + 1), f"{segment.name}-{number}", profile, problems)


def _beside(message: Message) -> list[tuple[Segment, int]]:
    """Who and what else is booked: as long as the visit where it is booked once."""
    segments = (list(message.all(name)) for name in ("AIL", "AIP"))
    return [(booked[0], 9) for booked in segments if len(booked) == 1]


def _unit(written: str, profile: Profile) -> str:
    return written if written.lower() in profile.units else ""


def _length(number: str, unit: str, where: str, profile: Profile, problems: Problems) -> int | None:
    parts = LENGTH.fullmatch(number)
    if not number:
        return None
    seconds = profile.units.get((unit or (parts[2] if parts else "") or "min").lower())
    if parts is None or seconds is None:
        problems.note("minutes_unreadable", where)
        return None
    return ceil(int(parts[1]) * seconds / 60)


def _between(sch: Segment) -> int | None:
    begins, ends = timestamps.stamp(sch.part(11, 4)), timestamps.stamp(sch.part(11, 5))
    if begins is None or ends is None or not (begins.has_hour and ends.has_hour):
        return None
    seconds = (ends.wall - begins.wall).total_seconds()
    return ceil(seconds / 60) if 0 < seconds <= 86_400 else None
