"""When a link that nobody has opened is texted once more, and when a human is asked instead. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from reminders.rules import zones
from reminders.rules.hours import DAY, OpenHours

# Policy, not a standard: the other half of the day, because whoever could not answer then may be able to now.
NOON = time(14)
EARLY_EVENING, LATE_MORNING = time(17, 30), time(10, 30)
# The same day is another time of day only after this long.
APART = timedelta(hours=4)
BEFORE_VISIT = timedelta(hours=3)
BEFORE_CLOSING = timedelta(minutes=30)
ASK_AFTER = timedelta(hours=24)
AT_LEAST = timedelta(hours=1)


def text_again_at(sent: datetime, place: ZoneInfo, hours: OpenHours, latest: datetime | None) -> datetime | None:
    """When a link texted at `sent` is texted once more, in UTC; None where no hour is left before `latest`.

    Sent in the morning: early the next evening, or, where a visit comes before that, early this evening. Sent later:
    late the next morning. Always inside `hours` on the clock of `place`; a closed day moves it to the next open one.
    """
    local = zones.to_local(sent, place)
    other = EARLY_EVENING if local.time() < NOON else LATE_MORNING
    tomorrow = _at(local + DAY, other, place, hours)
    tonight = _at(local, EARLY_EVENING, place, hours)
    choices = [tomorrow, tonight] if tonight - sent >= APART else [tomorrow]
    return next((at for at in choices if latest is None or at <= latest), None)


def _at(day: datetime, wished: time, place: ZoneInfo, hours: OpenHours) -> datetime:
    window = hours.window_on(day.date())
    wall = datetime.combine(day.date(), wished)
    if window is not None and wished >= window[1]:
        earlier = datetime.combine(day.date(), window[1]) - BEFORE_CLOSING
        wall = max(earlier, datetime.combine(day.date(), window[0]))
    return hours.next_open(zones.local_to_utc(wall, place), place)


def latest(visit_at: datetime | None) -> datetime | None:
    """The last moment at which it is of use to text about questions before a visit."""
    return None if visit_at is None else zones.instant(visit_at) - BEFORE_VISIT


def ask_at(texted: datetime, visit_at: datetime | None) -> datetime:
    """When a human is asked, if nothing was answered after the second text:
    a day later, or early enough before the visit."""
    day_later = zones.instant(texted) + ASK_AFTER
    last = latest(visit_at)
    return day_later if last is None else max(min(day_later, last), zones.instant(texted) + AT_LEAST)
