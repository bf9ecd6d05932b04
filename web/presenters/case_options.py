"""What the action area of a case offers: what can be said of it, when the next try may be, how long it may sleep."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import dispositions, items, snooze_times, snoozing
from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from reminders import appointments
from reminders.models import Appointment
from web import times, words

Choice = tuple[str, str]


@dataclass(frozen=True)
class Offer:
    """The choices of one case in words.

    `groups` are dispositions by group, `unreached` those that ask for a next try; `sleeps` presets with their moment,
    empty where the item cannot be set aside (`awake` says why). `again` and `visit` are moments in words; `earliest`
    and `latest` limit the date field.
    """

    groups: list[tuple[str, list[Choice]]]
    unreached: list[str]
    tries: list[Choice]
    tried: str | None
    sleeps: list[tuple[str, str, str]]
    again: str | None
    visit: str | None
    earliest: str
    latest: str
    awake: str | None
    asleep_until: str | None


def read(session: Session, clinic: Clinic, item: InboxItem) -> Offer:
    """Return what can be chosen for `item` now."""
    now, zone = clock.now(), clinic.zone
    why, last = snoozing.may_sleep(item), snooze_times.latest(item.kind, now)
    again, visit = again_at(session, clinic, item), visit_at(session, item)
    return Offer(
        groups=_groups() if item.kind in items.NEEDS_ACKNOWLEDGEMENT else [],
        unreached=[
            disposition for disposition in items.dispositions() if dispositions.needs_next_try(item.kind, disposition)
        ],
        tries=[(name, f"{words.say('later', name)}, {_said(at, zone)}") for name, at in tries(clinic, item).items()],
        tried=_tried(item, zone),
        sleeps=[]
        if why
        else [
            (name, words.say("later", name), _said(at, zone))
            for name, at in snooze_times.presets(now, zone).items()
            if at <= last
        ],
        again=_said(again, zone) if again and not why and again <= last else None,
        visit=_said(visit[1], zone) if visit and not why and visit[1] <= last else None,
        earliest=_field(now, zone),
        latest=_field(last, zone),
        awake=words.say("refusals", why) if why else None,
        asleep_until=_said(item.snoozed_until, zone) if item.snoozed_until else None,
    )


def tries(clinic: Clinic, item: InboxItem) -> dict[str, datetime]:
    """Return when the next try to reach the patient may be, by name."""
    at_most = dispositions.LATEST_TRY.get(item.kind)
    return dict(snooze_times.tries(clock.now(), clinic.zone, at_most)) if at_most else {}


def again_at(session: Session, clinic: Clinic, item: InboxItem) -> datetime | None:
    """Return the same time of day as the sleep the item has just woken from, if it has."""
    last = snoozing.last_sleep(items.history(session, item))
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


def _groups() -> list[tuple[str, list[Choice]]]:
    labels = items.dispositions()
    return [
        (words.say("disposition_groups", name), [(disposition, labels[disposition]) for disposition in group])
        for name, group in dispositions.GROUPS.items()
    ]


def _tried(item: InboxItem, zone: str) -> str | None:
    if item.state == "done" or not item.disposition or item.acknowledged_at is not None:
        return None
    if not dispositions.needs_next_try(item.kind, item.disposition):
        return None
    return f"{items.dispositions()[item.disposition]}. Next try {_said(item.answer_by, zone)}."


def _said(at: datetime, zone: str) -> str:
    return times.moment(at, clock.now(), zone, running=True)


def _field(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
