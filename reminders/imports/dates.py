"""Reads days and moments as people and spreadsheets write them:
2027-03-10T09:00, 3/10/27 9:00 AM, 10-MAR-2027 0900. Pure."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone

SEPARATOR = r"(?:T|,? (?:at )?|$)"
ISO = re.compile(rf"(?P<year>\d{{4}})([-/.]?)(?P<month>\d\d?)\2(?P<day>\d\d?){SEPARATOR}", re.ASCII)
MONTH_FIRST = re.compile(rf"(?P<month>\d\d?)([-/])(?P<day>\d\d?)\2(?P<year>\d{{4}}|\d\d){SEPARATOR}", re.ASCII)
DAY_FIRST = re.compile(r"(\d\d?)([-/.])(\d\d?)\2(\d{4}|\d\d)(?=$|[T ,])", re.ASCII)
WEEKDAY = r"(?:[a-z]{2,9}\.?,? )?"
DAY_NAMED = re.compile(
    rf"{WEEKDAY}(?P<day>\d\d?)[- ](?P<name>[a-z]{{3,10}})\.?[-, ] ?(?P<year>\d{{4}}|\d\d){SEPARATOR}",
    re.ASCII | re.IGNORECASE,
)
NAMED_DAY = re.compile(
    rf"{WEEKDAY}(?P<name>[a-z]{{3,10}})\.? (?P<day>\d\d?)(?:st|nd|rd|th)?,? (?P<year>\d{{4}}){SEPARATOR}",
    re.ASCII | re.IGNORECASE,
)
TIME = re.compile(
    r"(?P<hour>\d\d?)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?)? ?(?:(?P<half>[ap])\.? ?m\.?)?"
    r" ?(?P<offset>Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?",
    re.ASCII | re.IGNORECASE,
)
# As clocks in hospitals are read: 0900, 1430.
MILITARY = re.compile(r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?(?P<half>)(?P<offset>)", re.ASCII)
MONTHS = {
    "jan": 1, "ene": 1, "feb": 2, "mar": 3, "apr": 4, "abr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "ago": 8,
    "sep": 9, "oct": 10, "nov": 11, "dec": 12, "dic": 12,
}  # fmt: skip
CENTURY = 2000


def day(text: str, *, until: date) -> date | None:
    """Return the day that is written, whatever hour stands beside it; None if it is none. Of a year in two digits the
    century is the last in which the day is not after `until`."""
    parts = _split(text)
    if parts is None or (parts[1] and _time(parts[1]) is None):
        return None
    (year, month, day_), short = parts[0], parts[2]
    read = _date(year, month, day_)
    if short and (read is None or read > until):
        return _date(year - 100, month, day_)
    return read


def moment(text: str, *, whole_days: bool = False) -> datetime | None:
    """Return the moment that is written, aware where an offset stands there; None if it is none.

    A year in two digits is one of this century. A day alone is its midnight with `whole_days`, else no moment.
    """
    parts = _split(text)
    if parts is None or not (parts[1] or whole_days):
        return None
    on, at = _date(*parts[0]), _time(parts[1] or "00:00")
    if on is None or at is None:
        return None
    return datetime(on.year, on.month, on.day, *at[0], tzinfo=at[1])


def month_first(text: str) -> str:
    """Return what is written with the day first with the month first; anything else as it is."""
    return DAY_FIRST.sub(r"\3/\1/\4", _plain(text), count=1) if DAY_FIRST.match(_plain(text)) else text


def iso(text: str) -> str:
    """Return a moment as 2026-03-10T14:30, with its offset where it has one; what is none as it is."""
    read = moment(text)
    return text if read is None else read.isoformat(timespec="seconds" if read.second else "minutes")


def joined(day_: str, hour: str) -> str:
    """Return the day of one column and the hour of another as one moment; as they are where they make none.

    Spreadsheets write midnight beside a day and a day beside an hour ("1899-12-30 09:00"): neither counts. An hour that
    has lost its nought (900) has it again.
    """
    together = " ".join(filter(None, (day_.strip(), hour.strip())))
    on, at = _split(day_), _split(hour)
    if on is None or not hour.strip():
        return together
    clock = at[1] if at else _plain(hour)
    clock = f"0{clock}" if len(clock) == 3 and clock.isdecimal() else clock
    year, month, number = on[0]
    read = moment(f"{year:04}-{month:02}-{number:02} {clock}")
    return together if read is None else read.isoformat(timespec="seconds" if read.second else "minutes")


def _plain(text: str) -> str:
    # Browsers put a narrow space before AM, spreadsheets one that does not break.
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _split(text: str) -> tuple[tuple[int, int, int], str, bool] | None:
    """Year, month and day as numbers, what follows them, and whether the year was short."""
    plain = _plain(text)
    for pattern in (ISO, MONTH_FIRST, DAY_NAMED, NAMED_DAY):
        match = pattern.match(plain)
        if match:
            named = match.groupdict()
            month = MONTHS.get(named["name"][:3].lower(), 0) if "name" in named else int(named["month"])
            short = len(named["year"]) == 2
            year = int(named["year"]) + (CENTURY if short else 0)
            return (year, month, int(named["day"])), plain[match.end() :], short
    return None


def _date(year: int, month: int, day_: int) -> date | None:
    try:
        return date(year, month, day_)
    except ValueError:
        return None


def _time(text: str) -> tuple[tuple[int, int, int], timezone | None] | None:
    """Hour, minute and second, and the offset where one is written."""
    match = MILITARY.fullmatch(text) or TIME.fullmatch(text)
    if match is None:
        return None
    hour, half = int(match["hour"]), (match["half"] or "").lower()
    if (half and not 1 <= hour <= 12) or not (half or match["minute"]):
        return None
    hour = hour % 12 + 12 * (half == "p") if half else hour
    minute, second = int(match["minute"] or 0), int(match["second"] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return (hour, minute, second), _offset(match["offset"] or "")


def _offset(text: str) -> timezone | None:
    """The zone of "Z" or "+05:30"; None where nothing is written."""
    if not text:
        return None
    if text in "Zz":
        return UTC
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-ahead if text[0] == "-" else ahead)
