"""How moments and deadlines are said to staff: pure, in the clinic's zone."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from reminders.rules import zones

MINUTE, SOON = timedelta(minutes=1), timedelta(minutes=60)
WITHIN_THE_DAY = timedelta(hours=10)


@dataclass(frozen=True)
class Style:
    """How a clinic writes times: `twelve` hours with AM and PM or 24, `month_first` ("Nov 30") or "30 Nov"."""

    twelve: bool = True
    month_first: bool = True

    @classmethod
    def of(cls, rules: Mapping[str, Any]) -> "Style":
        """Return what a clinic has chosen, by its rules: "clock" 12 | 24, "dates" month_day | day_month."""
        return cls(rules.get("clock", "12") == "12", rules.get("dates", "month_day") == "month_day")


US = Style()
_STYLE: ContextVar[Style] = ContextVar("style", default=US)


def follow(style: Style) -> None:
    """Write every time and date in `style` from now on, for whoever is served in this context."""
    _STYLE.set(style)


def style() -> Style:
    """Return how times and dates are written now."""
    return _STYLE.get()


@dataclass(frozen=True)
class Mark:
    """A deadline as colour (tone safety | soon | plain), shape and words; `late` when it has passed."""

    tone: str
    shape: str
    words: str
    late: bool = False


def mark(*, safety: bool, answer_by: datetime, now: datetime, zone: str) -> Mark:
    """Return the mark of an open item; red belongs to safety alone, however late the others are."""
    left = answer_by - now
    tone, shape = ("safety", "▲") if safety else (("soon", "◆") if left <= SOON else ("plain", ""))
    if left < timedelta(0):
        late = "overdue now" if -left < MINUTE else f"overdue {length(-left)}"
        return Mark(tone, shape, late, late=True)
    if left <= WITHIN_THE_DAY:
        return Mark(tone, shape, "under 1 min left" if left < MINUTE else f"{length(left)} left")
    return Mark(tone, shape, _by(answer_by, now, zone))


def asleep(until: datetime, now: datetime, zone: str) -> Mark:
    """Return the mark of an item that is set aside: when it comes back."""
    back = time_of(until, zone) if is_today(until, now, zone) else _by(until, now, zone)
    return Mark("plain", "☾", f"until {back}")


def length(span: timedelta) -> str:
    """Return a span in the two largest units that matter: "11 min", "1 h 50", "3 h", "2 days"."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {rest:02}" if rest and hours < 10 else f"{hours} h"


def lasted(span: timedelta) -> str:
    """Return for how long something waits or took: "under a minute", "4 min"."""
    return "under a minute" if span < MINUTE else length(span)


def ago(span: timedelta) -> str:
    """Return how long ago: "just now", "4 min ago"."""
    return "just now" if span < MINUTE else f"{length(span)} ago"


def _by(moment: datetime, now: datetime, zone: str) -> str:
    local, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    days = (local.date() - today.date()).days
    if days == 0:
        return f"today {clock_time(local)}"
    if days == 1:
        return f"tomorrow {clock_time(local)}"
    return f"{local:%a} {clock_time(local)}" if days < 7 else date_of(local, today)


def clock_time(local: datetime | time) -> str:
    """Return the wall-clock time of a local moment, "9:05 AM" or "9:05"."""
    if not style().twelve:
        return f"{local.hour}:{local.minute:02}"
    return f"{local.hour % 12 or 12}:{local.minute:02} {'AM' if local.hour < 12 else 'PM'}"


def typed_clock(text: str) -> str:
    """Return a time as a field holds it ("20:00") in the clinic's form; what is no time stays as it is."""
    try:
        return clock_time(time.fromisoformat(text))
    except ValueError:
        return text


def date_of(day: date, today: date | None = None) -> str:
    """Return a day of the calendar, "Nov 30" or "30 Nov"; with its year unless it is that of `today`."""
    short = f"{day:%b} {day.day}" if style().month_first else f"{day.day} {day:%b}"
    if today is not None and day.year == today.year:
        return short
    return f"{short}, {day.year}" if style().month_first else f"{short} {day.year}"


def weekday_date(day: date, today: date | None = None) -> str:
    """Return a day with its weekday, "Mon Nov 30", "Mon 30 Nov 2026"."""
    return f"{day:%a} {date_of(day, today)}"


def exact(moment: datetime, zone: str) -> str:
    """Return a moment to the second, with its year and zone, for what must be proven."""
    local = moment.astimezone(ZoneInfo(zone))
    clock = f"{clock_time(local)}".replace(f":{local.minute:02}", f":{local.minute:02}:{local.second:02}")
    return f"{date_of(local.date())}, {clock} {local:%Z}"


def day(moment: datetime, now: datetime, zone: str) -> str:
    """Return the day of `moment` as it is said: Today, Yesterday, Tomorrow, else "Tue Mar 3"."""
    local, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    near = {0: "Today", -1: "Yesterday", 1: "Tomorrow"}
    return near.get((local.date() - today.date()).days) or weekday_date(local, today)


def midnight(now: datetime, zone: str) -> datetime:
    """Return when the present day began in `zone`."""
    local = now.astimezone(ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def moment(at: datetime, now: datetime, zone: str, *, running: bool = False) -> str:
    """Return day and time, "Today 2:02 PM", "Tue Mar 3 9:00 AM"; `running` in a sentence, "today 2:02 PM"."""
    text = day(at, now, zone)
    if running and text in ("Today", "Yesterday", "Tomorrow"):
        text = text.lower()
    return f"{text} {clock_time(at.astimezone(ZoneInfo(zone)))}"


def until(at: datetime, now: datetime, zone: str) -> str:
    """Return the end of something in a sentence: "2:02 PM" today, "tomorrow 9:00 AM", "Tue Mar 3 9:00 AM"."""
    return time_of(at, zone) if day(at, now, zone) == "Today" else moment(at, now, zone, running=True)


def named(name: str, at: datetime, now: datetime, zone: str) -> str:
    """Return a moment that has a name, "Tomorrow morning, 8:00 AM"; with its day where the name leaves that open."""
    near = day(at, now, zone) in ("Today", "Tomorrow")
    return f"{name}, {time_of(at, zone) if near else moment(at, now, zone)}"


def time_of(at: datetime, zone: str) -> str:
    """Return the time alone, in `zone`."""
    return clock_time(at.astimezone(ZoneInfo(zone)))


def short(at: datetime, now: datetime, zone: str) -> str:
    """Return when something was, as short as a row allows: "14:02", "Yesterday 9:00", "Tue 3 Mar"."""
    said = day(at, now, zone)
    if said == "Today":
        return time_of(at, zone)
    return moment(at, now, zone) if said == "Yesterday" else said


def is_today(at: datetime, now: datetime, zone: str) -> bool:
    """Whether `at` lies on the present day in `zone`."""
    place = ZoneInfo(zone)
    return at.astimezone(place).date() == now.astimezone(place).date()


def month(at: datetime, now: datetime, zone: str) -> str:
    """Return a short date for an axis: "today", "Aug 6", "Aug 2024" when long ago."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    if local.date() == today.date():
        return "today"
    return date_of(local, local) if (today - local).days < 320 else f"{local:%b %Y}"


def roughly(span: timedelta) -> str:
    """Return a long span in words for a title: "6 weeks", "9 months"."""
    days = max(1, round(span / timedelta(days=1)))
    if days < 14:
        return f"{days} day{'s' if days > 1 else ''}"
    if days < 90:
        return f"{round(days / 7)} weeks"
    return f"{round(days / 30.44)} months" if days < 730 else f"{round(days / 365.25)} years"


def age(born: str | None, now: datetime) -> int | None:
    """Return the age in years of someone born on the ISO date `born`, None if it is not known."""
    if not born:
        return None
    year, month_, day_ = (int(part) for part in born[:10].split("-"))
    return now.year - year - ((now.month, now.day) < (month_, day_))


def birth_date(born: str | None, now: datetime) -> str:
    """Return a birth date with the age, as US clinics ask for it: "Mar 2, 1985 (41 years)"; "" if it is not known."""
    if not born:
        return ""
    day_ = date.fromisoformat(born[:10])
    return f"{day_:%b} {day_.day}, {day_.year} ({age(born, now)} years)"


def on_duty(hours: dict[str, list[str]], now: datetime, zone: str) -> str | None:
    """Return until when someone is on duty ("5:00 PM"), "" when always, None when off; hours as in Staff.hours."""
    if not hours:
        return ""
    local = now.astimezone(ZoneInfo(zone))
    today = hours.get(f"{local:%a}".lower())
    if not today or not today[0] <= f"{local:%H:%M}" < today[1]:
        return None
    return clock_time(time.fromisoformat(today[1]))


def day_of(typed: str) -> date | None:
    """Return the day that a field holds ("2026-03-10"), None where that is none."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


def moment_of(typed: str, zone: str) -> datetime | None:
    """Return the moment (UTC) that a field for a day and an hour holds by a zone's clock, None where that is none.

    In UTC, as two moments of one zone compare by what its clock shows. A year far away is a slip of the finger.
    """
    try:
        wall = datetime.fromisoformat(typed)
    except ValueError:
        return None
    if wall.tzinfo is not None or not 2000 <= wall.year <= 2200:
        return None
    return zones.local_to_utc(wall, zones.zone(zone))


def typed_moment(at: datetime, zone: str) -> str:
    """Return a moment as a field for a day and an hour holds it."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
