"""A date or moment as a search names it, with its prefix: a span of time, as wide as it is written."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

PREFIXES = ("eq", "ge", "gt", "le", "lt")
WRITTEN = re.compile(
    r"(?P<prefix>[a-z]{2})?(?P<day>\d{4}-\d{2}-\d{2})(T(?P<time>\d{2}:\d{2}(:\d{2})?)(\.\d+)?(?P<zone>Z|[+-]\d{2}:\d{2})?)?"
)


@dataclass(frozen=True)
class Span:
    """Whatever is at or after `since` and before `until`; None where that side is open."""

    since: datetime | None
    until: datetime | None


def read(text: str, zone: tzinfo) -> Span:
    """Return what is meant by a day or moment such as "ge2026-03-10"; without an offset it is by the clock of `zone`.

    Raises ValueError.
    """
    match = WRITTEN.fullmatch(text)
    prefix = (match["prefix"] or "eq") if match else ""
    if match is None or prefix not in PREFIXES:
        raise ValueError("no date")
    try:
        start, end = _ends(match, zone)
    except OverflowError:
        raise ValueError("no date") from None
    return {
        "eq": Span(start, end),
        "ge": Span(start, None),
        "gt": Span(end, None),
        "le": Span(None, end),
        "lt": Span(None, start),
    }[prefix]


def _ends(match: re.Match[str], zone: tzinfo) -> tuple[datetime, datetime]:
    at = datetime.fromisoformat(f"{match['day']}T{match['time'] or '00:00'}{match['zone'] or ''}")
    at = at if at.tzinfo else at.replace(tzinfo=zone)
    if not match["time"]:  # a day has 23 to 25 hours: by the calendar, not by the clock
        return _utc(at), _utc(at + timedelta(days=1))
    return _utc(at), _utc(at) + timedelta(minutes=1) if match["time"].count(":") == 1 else _utc(at) + timedelta(
        seconds=1
    )


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
