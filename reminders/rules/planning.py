"""Which reminders a visit gets, when, and why: facts in, plan out.

Steps are placed from the visit backwards, so that of two that would come too close the one nearer to the visit
stays. `Step` and `Cadence` say what the rules need to know; `reminders.cadence` reads them from a clinic's file.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from messaging.reasons import Fact, Reason
from reminders.reasons import dropped
from reminders.rules import anchors, conditions, hours, offsets, zones

# A step moved back goes a little before closing time, so that the last text of a long queue still leaves in time.
ROOM_TO_SEND = timedelta(minutes=15)
NO_HOURS = Reason("no_common_hours")
# What a busy queue takes is not held against a step that was planned with just enough notice.
ORDINARY_DELAY = timedelta(minutes=5)
NOW = timedelta(0)
NOTHING_KNOWN = conditions.Facts()


class Step(anchors.Anchored, Protocol):
    """One reminder of a cadence: when (see anchors), for whom (see conditions), in which hours of its own.

    `if_past` rules a step whose time is over when the visit is booked; `deliver_by` is how long after its time the
    text may still arrive; `open_window` narrows the hours in which it may leave, on the patient's clock.
    """

    @property
    def name(self) -> str: ...
    @property
    def when(self) -> Sequence[str]: ...
    @property
    def if_past(self) -> Literal["drop", "send"]: ...
    @property
    def unless_confirmed(self) -> bool: ...
    @property
    def deliver_by(self) -> timedelta | None: ...
    @property
    def open_window(self) -> hours.Window | None: ...


class Cadence(Protocol):
    """The steps of a clinic and the limits that hold for all of them.

    `min_notice`: what a step must leave before the visit once it is not sent at its own time; `min_gap`: the least
    distance of two steps; `catch_up`: how late a step may still be sent after an outage.
    """

    def steps_for(self, kind: str | None) -> Sequence[Step]: ...
    @property
    def open_hours(self) -> hours.OpenHours: ...
    @property
    def min_notice(self) -> timedelta: ...
    @property
    def min_gap(self) -> timedelta: ...
    @property
    def catch_up(self) -> timedelta: ...


@dataclass(frozen=True, slots=True)
class Visit:
    """What planning knows of a visit: aware instants, the clinic's zone, the patient's own zone if it is known.

    `outcome` is how the visit went ("no_show", "arrived"), None while it is still to come: a visit has either the
    steps before it or those that follow this outcome. `facts` decide the conditions, and its `kind` the steps.
    """

    starts_at: datetime
    zone: ZoneInfo
    booked_at: datetime
    patient_zone: ZoneInfo | None = None
    confirmed: bool = False
    outcome: str | None = None
    facts: conditions.Facts = NOTHING_KNOWN


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with its UTC moment, or `at` None when it is dropped; `why` tells it, one reason for each rule.

    `place` is the patient's zone, None for a dropped step; after `deliver_by` the text is of no use.
    """

    step: str
    at: datetime | None
    place: ZoneInfo | None
    why: tuple[Reason, ...]
    deliver_by: datetime | None = None

    @property
    def local(self) -> str | None:
        """The moment in the patient's zone (ISO 8601 with offset)."""
        return zones.to_local(self.at, self.place).isoformat() if self.at and self.place else None


def plan(visit: Visit, cadence: Cadence, now: datetime | None = None) -> list[PlannedStep]:
    """Every step for such a visit once, in the order of their own times, dropped ones included.

    `now` is given when a visit is planned again: what lies before it is past, as what lies before the booking is.
    """
    frame = _Frame(visit, cadence, now)
    steps = [
        (anchors.own_time(step, frame.visit_at, visit.zone), step)
        for step in cadence.steps_for(visit.facts.kind)
        if conditions.outcome(step.when) == visit.outcome
    ]
    in_order = sorted(steps, key=lambda each: each[0])
    planned: list[PlannedStep] = []
    following: datetime | None = None
    for own, step in reversed(in_order):
        at, why = _place(step, own, frame, following)
        planned.append(_planned(step, at, why, frame))
        following = at or following
    return planned[::-1]


@lru_cache(maxsize=1024)
def _narrowed(open_hours: hours.OpenHours, window: hours.Window) -> hours.OpenHours:
    return open_hours.within(hours.OpenHours(*window))


def hours_of(cadence: Cadence, step: Step | None) -> hours.OpenHours:
    """The hours in which this step may leave: the clinic's, and inside them the step's own."""
    window = step.open_window if step else None
    return _narrowed(cadence.open_hours, window) if window else cadence.open_hours


def hours_left(cadence: Cadence, step: Step | None) -> hours.OpenHours | None:
    """The hours in which this step may leave, None where its window and the hours it lies in have no minute in common.

    A clinic's file cannot say so; the clinic's and the patient's own hours, which come on top, may.
    """
    try:
        return hours_of(cadence, step)
    except ValueError:
        return None


def still_useful(
    planned_at: datetime,
    now: datetime,
    visit_at: datetime,
    cadence: Cadence,
    zone: ZoneInfo,
    deliver_by: datetime | None = None,
    step: Step | None = None,
) -> tuple[bool, Reason]:
    """Whether a step that fell due at `planned_at` may be sent `now`, and the rule that says so.

    `zone` is where the patient is, else the clinic. Asked at send time, because an outage or a long queue may have
    passed since planning. `step` is asked for its own hours, and whether it follows the visit.
    """
    now = zones.instant(now)
    late, notice = now - zones.instant(planned_at), zones.instant(visit_at) - now
    comes_after = step is not None and step.after is not None
    if notice <= NOW and not comes_after:
        return False, Reason("visit_begun")
    if late > cadence.catch_up:
        return False, Reason("over_catch_up", {"length": offsets.in_words(cadence.catch_up)})
    if deliver_by is not None and now >= zones.instant(deliver_by):
        return False, Reason("over_deliver_by")
    if late > ORDINARY_DELAY and notice < cadence.min_notice and not comes_after:
        return False, Reason("notice_left", {"length": offsets.in_words(cadence.min_notice)})
    open_hours = hours_left(cadence, step)
    opens = open_hours.next_open(now, zone) if open_hours else None
    if opens == now:
        return True, Reason("in_time")
    closed = Reason("quiet_until", {"until": f"{zones.to_local(opens, zone):%H:%M}"}) if opens else NO_HOURS
    return False, closed


class _Frame:
    """What all steps of one plan have in common."""

    def __init__(self, visit: Visit, cadence: Cadence, now: datetime | None) -> None:
        self.visit_at = zones.instant(visit.starts_at)
        self.visit = visit
        self.cadence = cadence
        self.zone = visit.patient_zone or visit.zone
        self.booked_at = zones.instant(visit.booked_at)
        self.earliest = self.booked_at if now is None else max(self.booked_at, zones.instant(now))

    @cached_property
    def facts(self) -> conditions.Facts:
        """What the conditions are asked about."""
        return dataclasses.replace(self.visit.facts, confirmed=self.visit.confirmed)

    def objection(self, at: datetime, following: datetime | None, notice: timedelta) -> Reason | None:
        """Why a step cannot go out at `at`, or None."""
        if at < self.earliest:
            return Reason("before_booking" if at < self.booked_at else "has_passed")
        misplaced = self.misplaced(at)
        if misplaced:
            return misplaced
        if self.visit.outcome is None and self.visit_at - at < notice:
            return Reason("short_notice", {"notice": offsets.in_words(notice)})
        if following is not None and at + self.cadence.min_gap > following:
            return Reason("too_close", {"gap": offsets.in_words(self.cadence.min_gap)})
        return None

    def misplaced(self, at: datetime) -> Reason | None:
        """Why a moment lies on the wrong side of the visit, or None."""
        ahead = self.visit.outcome is None
        if at >= self.visit_at if ahead else at <= self.visit_at:
            return Reason("not_before_visit" if ahead else "not_after_visit")
        return None

    def unwanted(self, step: Step, own: datetime) -> Reason | None:
        """Why a step is not for this visit at all, whatever the hour, or None."""
        if self.visit.confirmed and step.unless_confirmed:
            return Reason("confirmed")
        unmet = conditions.objection(step.when, self.facts) if step.when else None
        misplaced = self.misplaced(own)
        return unmet or (Reason("own_time", {"objection": misplaced}) if misplaced else None)


def _place(
    step: Step, own: datetime, frame: _Frame, following: datetime | None
) -> tuple[datetime | None, list[Reason]]:
    why = [anchors.asked_for(step, own, frame.visit_at, frame.visit.zone)]
    unwanted = frame.unwanted(step, own)
    if unwanted:
        return None, [*why, dropped(unwanted)]
    open_hours = hours_left(frame.cadence, step)
    if open_hours is None:
        return None, [*why, dropped(NO_HOURS)]
    if own >= frame.earliest:
        # A clinic that asks for "30 minutes before" means it; only a time that came about otherwise owes notice.
        notice = NOW if anchors.is_stretch(step) else frame.cadence.min_notice
        return _settle(own, frame, following, why, notice, open_hours)
    past = _past(own, frame)
    if step.if_past == "drop":
        return None, [*why, dropped(past)]
    why.append(Reason("moved_to_now", {"past": past}))
    wanted = zones.whole_second(frame.earliest)
    return _settle(wanted, frame, following, why, frame.cadence.min_notice, open_hours)


def _past(own: datetime, frame: _Frame) -> Reason:
    if own < frame.booked_at:
        return Reason("booked_after")
    return Reason("passed_planning" if frame.visit.outcome is None else "passed_outcome")


def _settle(
    wanted: datetime,
    frame: _Frame,
    following: datetime | None,
    why: list[Reason],
    notice: timedelta,
    open_hours: hours.OpenHours,
) -> tuple[datetime | None, list[Reason]]:
    """The wanted moment if the patient's hours allow it, else the next opening, else the evening before, else none."""
    if open_hours.is_open(wanted, frame.zone):
        objection = frame.objection(wanted, following, notice)
        if objection is None:
            return wanted, why
        return None, [*why, dropped(Reason("at_time", {"at": _clock(wanted, frame), "objection": objection}))]
    forward = open_hours.next_open(wanted, frame.zone)
    until: dict[str, Fact] = {"until": _clock(forward, frame)}
    too_late = frame.objection(forward, following, frame.cadence.min_notice)
    if too_late is None:
        return forward, [*why, Reason("moved_to_opening", until)]
    back = _before_closing(wanted, frame, open_hours)
    too_early = frame.objection(back, following, frame.cadence.min_notice)
    if too_early is None:
        return back, [*why, Reason("moved_before_closing", until | {"late": too_late})]
    until |= {"late": too_late, "back": _clock(back, frame), "early": too_early}
    return None, [*why, dropped(Reason("only_quiet_hours", until))]


def _before_closing(wanted: datetime, frame: _Frame, open_hours: hours.OpenHours) -> datetime:
    """The last open moment before `wanted` that leaves room to send, or the very last if booked after that."""
    last = open_hours.previous_open(wanted, frame.zone)
    roomy = max(last + hours.MINUTE - ROOM_TO_SEND, zones.whole_second(frame.earliest))
    return roomy if open_hours.is_open(roomy, frame.zone) else last


def _planned(step: Step, at: datetime | None, why: list[Reason], frame: _Frame) -> PlannedStep:
    if at is None:
        return PlannedStep(step.name, None, None, tuple(why))
    ends = [frame.visit_at] if step.after is None else []
    ends += [at + step.deliver_by] if step.deliver_by else []
    return PlannedStep(step.name, at, frame.zone, tuple(why), min(ends, default=None))


def _clock(at: datetime, frame: _Frame) -> Fact:
    """The patient's wall time, with its zone where that is not the clinic's."""
    local = zones.to_local(at, frame.zone)
    wall_time = f"{local.hour:02}:{local.minute:02}"  # strftime takes three times as long
    if frame.zone.key == frame.visit.zone.key:
        return wall_time
    return Reason("clock_in", {"at": wall_time, "zone": frame.zone.key})
