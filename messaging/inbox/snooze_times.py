"""When "later" is: the presets of a snooze and of a next try, by the clinic's wall clock; facts in, moments out."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

AFTERNOON, MORNING, EVENING, LAST_MINUTE = time(16), time(8), time(18), time(23, 59)
# Awake in time to look before the patient sits there.
BEFORE_A_VISIT = timedelta(minutes=30)
# Nothing sleeps longer: a date beyond is a slip of the finger. What is about safety is looked at again within a day.
LONGEST_SLEEP = {"safety": timedelta(hours=24)}
LONGEST_SLEEP_OF_OTHERS = timedelta(days=60)
TRIES = ("15_min", "30_min", "1_hour", "2_hours", "4_hours", "tomorrow")
_SPANS = {
    "15_min": timedelta(minutes=15),
    "30_min": timedelta(minutes=30),
    "1_hour": timedelta(hours=1),
    "2_hours": timedelta(hours=2),
    "4_hours": timedelta(hours=4),
}


def presets(now: datetime, zone: str) -> dict[str, datetime]:
    """Return what a snooze offers, in order: all in the future, no moment twice, in UTC."""
    local = now.astimezone(ZoneInfo(zone))
    today, tomorrow = local.date(), local.date() + timedelta(days=1)
    monday = today + timedelta(days=7 - today.weekday())
    offered = {
        "1_hour": now + timedelta(hours=1),
        "afternoon": at(today, AFTERNOON, zone),
        "tomorrow": at(tomorrow, MORNING, zone),
        "monday": at(monday, MORNING, zone),
    }
    kept: dict[str, datetime] = {}
    for name, moment in offered.items():
        if moment > now and moment not in kept.values():
            kept[name] = moment
    return kept


def ends_of_days(now: datetime, zone: str) -> dict[str, datetime]:
    """Return the ends of the present day and of the following ones, by name, in UTC: evening, then last minutes."""
    today = now.astimezone(ZoneInfo(zone)).date()
    offered = {
        "this_evening": at(today, EVENING, zone),
        "tonight": at(today, LAST_MINUTE, zone),
        "tomorrow_night": at(today + timedelta(days=1), LAST_MINUTE, zone),
        "in_a_week": at(today + timedelta(days=7), LAST_MINUTE, zone),
    }
    return {name: moment for name, moment in offered.items() if moment > now}


def tries(now: datetime, zone: str, at_most: timedelta) -> Mapping[str, datetime]:
    """Return when the next try may be, in order, none further off than `at_most`."""
    tomorrow = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    offered = {name: now + span for name, span in _SPANS.items()} | {"tomorrow": at(tomorrow, MORNING, zone)}
    return {name: moment for name, moment in offered.items() if moment - now <= at_most}


def same_time_again(woke_at: datetime, now: datetime, zone: str) -> datetime:
    """Return the next moment at which the clinic's clock shows what it showed at `woke_at`."""
    shown = woke_at.astimezone(ZoneInfo(zone)).time().replace(second=0, microsecond=0)
    today = now.astimezone(ZoneInfo(zone)).date()
    days = (at(today + timedelta(days=ahead), shown, zone) for ahead in range(3))
    return next(moment for moment in days if moment > now)


def typed(text: str, zone: str) -> datetime | None:
    """Read what a date-and-time field sends ("2026-03-08T09:30"), by the clinic's clock; None if it cannot be read."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if moment.tzinfo is None else None
    except (ValueError, OverflowError):
        return None


def before_visit(starts_at: datetime) -> datetime:
    """Return when an item that sleeps until a visit wakes."""
    return starts_at - BEFORE_A_VISIT


def latest(kind: str, now: datetime) -> datetime:
    """Return until when an item of this kind may sleep at most."""
    return now + LONGEST_SLEEP.get(kind, LONGEST_SLEEP_OF_OTHERS)


def at(day: date, hour: time, zone: str) -> datetime:
    """Return the moment at which the clinic's clock shows `hour` on `day`, in UTC."""
    return datetime.combine(day, hour, ZoneInfo(zone)).astimezone(UTC)
