"""Reads times of HL7: YYYYMMDD, with hour, minute, second, fraction and offset as far as they were written."""

import re
from datetime import date, datetime, timedelta

from interchange import moments
from interchange.moments import Stamp

# The fraction stands behind a dot, or, in what some feeds send, right behind the seconds.
STAMP = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d{1,9}|\d{1,4})?)?)?)?)?)?(?:([+-])(\d\d)(\d\d)|(Z))?",
    re.ASCII,
)
DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(?:\d{4}(?:\d\d)?(?:\.?\d{1,6})?(?:[+-]\d{4})?)?", re.ASCII)


def stamp(written: str) -> Stamp | None:
    """Return a time, None for what is none. Without a day it is none either."""
    parts = STAMP.fullmatch(written)
    if parts is None or parts[3] is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups()[:6])
    try:
        wall = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001 - a wall clock
        return Stamp(wall, _offset(parts), parts[4] is not None)
    except ValueError:
        return None


def _offset(parts: re.Match[str]) -> timedelta | None:
    if parts[10]:
        return timedelta(0)
    if not parts[7]:
        return None
    return moments.offset(parts[7], parts[8], parts[9])


def day(written: str) -> date | None:
    """Return a date, whatever time stands behind it; None for what is none."""
    parts = DATE.fullmatch(written)
    try:
        return date(*map(int, parts.groups())) if parts else None
    except ValueError:
        return None
