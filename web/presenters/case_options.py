"""What the action area of a case offers: what can be said of it, when the next try may be, how long it may sleep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import dispositions, items, snooze_times, snoozing
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.inbox.routing import assign
from messaging.models import Clinic
from reminders import appointments
from reminders.models import Appointment
from web import times, words

Choice = tuple[str, str]
# How far ahead the next contact is offered by name; any day can be typed.
NEXT_CONTACTS = timedelta(days=3)


@dataclass(frozen=True)
class Outcome:
    """What can be said of an item. `notes`: it needs a note; `retries`: nobody was reached, so it needs a next try."""

    key: str
    words: str
    notes: bool
    retries: bool


@dataclass(frozen=True)
class Sleep:
    """Until when an item can be set aside: `key` is what the form sends; `late`: the answer is due before."""

    key: str
    words: str
    at: str
    late: bool


@dataclass(frozen=True)
class Offer:
    """The choices of one case in words.

    `groups` are outcomes by group, `nexts` when the next contact may be; `sleeps` until when it can be set aside, the
    nearest first, empty where that cannot be (`awake` says why). `again` is a moment in words;
    `earliest` and `latest` limit the date field. `hold`: for how many minutes whoever is on it holds the escalation.
    """

    groups: list[tuple[str, list[Outcome]]]
    nexts: list[Choice]
    tried: str | None
    sleeps: list[Sleep]
    again: str | None
    earliest: str
    latest: str
    awake: str | None
    asleep_until: str | None
    hold: int


def read(session: Session, clinic: Clinic, item: InboxItem, history: Sequence[ItemEvent]) -> Offer:
    """Return what can be chosen for `item`, whose `history` is given, now."""
    now, zone = clock.now(), clinic.zone
    why, last = snoozing.may_sleep(item), snooze_times.latest(item.kind, now)
    again, visit = again_at(clinic, history), visit_at(session, item)
    return Offer(
        groups=_groups(item.kind) if item.kind in items.NEEDS_ACKNOWLEDGEMENT else [],
        nexts=[(name, f"{words.say('later', name)}, {_said(at, zone)}") for name, at in next_contacts(clinic).items()],
        tried=_tried(item, zone),
        sleeps=[] if why else _sleeps(item, zone, last, visit[1] if visit else None),
        again=_said(again, zone) if again and not why and again <= last else None,
        earliest=times.typed_moment(now, zone),
        latest=times.typed_moment(last, zone),
        awake=words.say("refusals", why) if why else None,
        asleep_until=times.until(item.snoozed_until, clock.now(), zone) if item.snoozed_until else None,
        hold=assign.Rules.of(clinic.rules).on_it_minutes,
    )


def next_contacts(clinic: Clinic) -> dict[str, datetime]:
    """Return when the next contact may be, by name."""
    return dict(snooze_times.tries(clock.now(), clinic.zone, NEXT_CONTACTS))


def _sleeps(item: InboxItem, zone: str, last: datetime, visit: datetime | None) -> list[Sleep]:
    now, waits = clock.now(), item.acknowledged_at is None
    offered = snooze_times.presets(now, zone) | ({"visit": visit} if visit else {})
    nearest_first = sorted(offered.items(), key=lambda moment: moment[1])
    return [
        Sleep(name, words.say("later", name), _said(at, zone), late=waits and now < item.answer_by < at)
        for name, at in nearest_first
        if at <= last
    ]


def again_at(clinic: Clinic, history: Sequence[ItemEvent]) -> datetime | None:
    """Return the same time of day as the sleep an item of this history has just woken from, if it has."""
    last = snoozing.last_sleep(history)
    return snooze_times.same_time_again(last, clock.now(), clinic.zone) if last else None


def visit_at(session: Session, item: InboxItem) -> tuple[Appointment, datetime] | None:
    """Return the patient's next visit and when an item that sleeps until it wakes; None without one far enough off."""
    if item.patient_id is None:
        return None
    now = clock.now()
    visit = appointments.next_visit(session, item.patient_id, now)
    if visit is None or snooze_times.before_visit(visit.starts_at) <= now:
        return None
    return visit, snooze_times.before_visit(visit.starts_at)


def _groups(kind: str) -> list[tuple[str, list[Outcome]]]:
    return [
        (words.say("disposition_groups", name), [_outcome(kind, disposition) for disposition in group])
        for name, group in dispositions.GROUPS.items()
    ]


def _outcome(kind: str, disposition: str) -> Outcome:
    notes, retries = dispositions.needs_note(disposition), dispositions.needs_next_try(kind, disposition)
    return Outcome(disposition, items.dispositions()[disposition], notes, retries)


def _tried(item: InboxItem, zone: str) -> str | None:
    if item.state == "done" or not item.disposition or item.acknowledged_at is not None:
        return None
    if not dispositions.needs_next_try(item.kind, item.disposition):
        return None
    return f"{items.dispositions()[item.disposition]}. Next try {_said(item.answer_by, zone)}."


def _said(at: datetime, zone: str) -> str:
    return times.moment(at, clock.now(), zone, running=True)
