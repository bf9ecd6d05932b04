"""How many reminders a patient gets at most, and which of a day's visits one text speaks of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from messaging.reasons import Reason
from reminders.rules import anchors, zones

DAY, WEEK = timedelta(days=1), timedelta(days=7)
# Why a visit's reminder has no text of its own where that about another visit of the day speaks of it too.
COMBINED = Reason("combined")


class Caps(Protocol):
    """At most so many reminders to one patient, whatever the visits.

    The health care exemption of 47 CFR 64.1200(a)(9)(iv) allows one message a day and three a week; texts sent under
    consent are not bound by it, and a clinic may set these figures lower.
    """

    @property
    def cap_per_day(self) -> int: ...
    @property
    def cap_per_week(self) -> int: ...


def over(sent: Iterable[datetime], at: datetime, place: ZoneInfo, caps: Caps) -> Reason | None:
    """Return why one more reminder at `at` would be too much after those `sent` (in UTC), None if it would not.

    A day is the patient's own, a week the seven of their days that end with it.
    """
    day = zones.to_local(at, place).date()
    ages = [(day - zones.to_local(moment, place).date()).days for moment in sent]
    today, week = sum(1 for age in ages if age == 0), sum(1 for age in ages if 0 <= age < WEEK.days)
    if today >= caps.cap_per_day:
        return Reason("cap_day", {"nth": today + 1, "most": caps.cap_per_day})
    if week >= caps.cap_per_week:
        return Reason("cap_week", {"nth": week + 1, "most": caps.cap_per_week})
    return None


def _alone(_one: int, _other: int) -> bool:
    """Each text of one visit stands for itself."""
    return False


def would_be(
    moments: Sequence[datetime | None],
    place: ZoneInfo,
    caps: Caps,
    sent: Iterable[datetime] = (),
    goes_with: Callable[[int, int], bool] = _alone,
) -> list[Reason | None]:
    """Return for each planned moment, in any order, why no text of its own leaves then;
    None where one does (or no moment).

    Decided one after the other, as sending does: the first that may go takes along those that `goes_with` says (by
    their places), and counts once. `sent` are the moments of other reminders to the same patient.
    """
    gone = list(sent)
    objections: list[Reason | None] = [None] * len(moments)
    in_order = [index for _, index in sorted((at, index) for index, at in enumerate(moments) if at is not None)]
    for nth, index in enumerate(in_order):
        at = moments[index]
        if at is None or objections[index]:
            continue
        objections[index] = over(gone, at, place, caps)
        if objections[index] is None:
            gone.append(at)
            for other in in_order[nth + 1 :]:
                if objections[other] is None and goes_with(index, other):
                    objections[other] = COMBINED
    return objections


class Spoken(anchors.Anchored, Protocol):
    """What of a step decides whether two visits can share its text."""

    @property
    def name(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def intake(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Text:
    """A step of one visit that is due `at`: the day of the visit where it takes place, and the state it is in."""

    step: Spoken
    at: datetime
    day: date
    state: str


def shared(text: Text, other: Text, min_gap: timedelta) -> bool:
    """Whether `text` speaks of the visit of `other` too: the same step and words, one day, close enough."""
    step, other_step = text.step, other.step
    return (
        (text.day, text.state) == (other.day, other.state)
        and (step.name, step.text, tuple(step.intake)) == (other_step.name, other_step.text, tuple(other_step.intake))
        and together(step, text.at, other.at, min_gap)
    )


def together(step: anchors.Anchored, due_at: datetime, other: datetime, min_gap: timedelta) -> bool:
    """Whether the same step of two visits of one day goes out as one text.

    A step so many days before speaks of the whole day. One a few hours before would lose its use if it came much
    earlier than its hour, and so goes together only with what would follow it too soon.
    """
    return abs(other - due_at) < (min_gap if anchors.is_stretch(step) else 2 * DAY)
