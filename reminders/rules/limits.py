"""How many reminders a patient gets at most, and which of a day's visits one text speaks of."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from reminders.rules import anchors, zones

DAY, WEEK = timedelta(days=1), timedelta(days=7)


class Caps(Protocol):
    """At most so many reminders to one patient, whatever the visits.

    The health care exemption of 47 CFR 64.1200(a)(9)(iv) allows one message a day and three a week; texts sent under
    consent are not bound by it, and a clinic may set these figures lower.
    """

    @property
    def cap_per_day(self) -> int: ...
    @property
    def cap_per_week(self) -> int: ...


def over(sent: Iterable[datetime], at: datetime, place: ZoneInfo, caps: Caps) -> str | None:
    """Return why one more reminder at `at` would be too much after those `sent` (in UTC), None if it would not.

    A day is the patient's own, a week the seven of their days that end with it.
    """
    day = zones.to_local(at, place).date()
    ages = [(day - zones.to_local(one, place).date()).days for one in sent]
    today, week = sum(1 for age in ages if age == 0), sum(1 for age in ages if 0 <= age < WEEK.days)
    if today >= caps.cap_per_day:
        return f"cap: the clinic sends a patient at most {_reminders(caps.cap_per_day)} a day"
    if week >= caps.cap_per_week:
        return f"cap: the clinic sends a patient at most {_reminders(caps.cap_per_week)} in seven days"
    return None


def _reminders(count: int) -> str:
    return f"{count} reminder{'' if count == 1 else 's'}"


def would_be(
    moments: Sequence[datetime | None], place: ZoneInfo, caps: Caps, sent: Iterable[datetime] = ()
) -> list[str | None]:
    """Return for each planned moment, in any order, why it would not be sent, None where it would (or has no moment)."""
    gone = list(sent)
    found: list[str | None] = [None] * len(moments)
    in_order = sorted((at, index) for index, at in enumerate(moments) if at is not None)
    for at, index in in_order:
        found[index] = over(gone, at, place, caps)
        if found[index] is None:
            gone.append(at)
    return found


def together(step: anchors.Anchored, due_at: datetime, other: datetime, min_gap: timedelta) -> bool:
    """Whether the same step of two visits of one day goes out as one text.

    A step so many days before speaks of the whole day. One a few hours before would lose its use if it came much
    earlier than its hour, and so goes together only with what would follow it too soon.
    """
    return abs(other - due_at) < (min_gap if anchors.is_stretch(step) else 2 * DAY)
