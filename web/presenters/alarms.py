"""The bar over every page: safety items whose time has passed, or that were escalated, with nobody's answer; and before
that, for whoever has one to answer, from when it came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from config import clock, db
from messaging.delivery.brakes import braking
from messaging.inbox import on_it
from messaging.inbox.models import UNSEEN_SAFETY, InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.second_reading import faults
from web import team, times, words
from web.presenters import attention, short_names

# More than these are a number: each of them is in the list.
SHOWN = 4
READ = 50
# How names stand for whoever does not read the inbox: they can fetch somebody who does, and need not know for whom.
HIDDEN = "hidden"
Found = tuple[InboxItem, Patient | None]


@dataclass(frozen=True)
class Alarm:
    """One patient whom nobody has answered. `who` is never a whole name: others see the screen too.

    `since` is how long ago its time passed, or while it has not (`pending`) how much is left; `held` says who is on it,
    else `owner` whose silence it is.
    """

    id: UUID
    who: str
    since: str
    owner: str
    owner_id: UUID | None
    held: str
    mine: bool
    pending: bool


@dataclass(frozen=True)
class Bar:
    """What the bar says: the alarms, how many more there are, and which of them nobody is on."""

    alarms: Sequence[Alarm]
    more: int

    @property
    def loud(self) -> list[UUID]:
        """What may be heard: alarms that nobody is on."""
        return [alarm.id for alarm in self.alarms if not alarm.held]


def bar(session: Session, clinic: Clinic, staff: Staff, names: str) -> Bar:
    """Return the bar for `staff`, who lets `names` stand openly, as initials or not at all (web.account.preferences).

    One query over a short index where nothing is wrong.
    """
    now = clock.now()
    ours = select(InboxItem, Patient).outerjoin(Patient, Patient.id == InboxItem.patient_id)
    ours = ours.where(InboxItem.clinic_id == clinic.id, UNSEEN_SAFETY, _concerns(staff, now))
    by_thread: dict[UUID, Found] = {}
    for item, patient in session.execute(ours.order_by(InboxItem.answer_by, InboxItem.id).limit(READ)):
        known = by_thread.get(item.thread_id)
        # Of several of one patient the one that nobody is on: it must not be quiet because of another.
        if known is None or (on_it.is_held(known[0], now) and not on_it.is_held(item, now)):
            by_thread[item.thread_id] = item, patient
    found = list(by_thread.values())
    return Bar(_alarms(session, clinic, staff, found[:SHOWN], names), len(found[SHOWN:])) if found else Bar([], 0)


def _concerns(staff: Staff, now: datetime) -> ColumnElement[bool]:
    """What everybody is shown, and what its owner is: nobody need look at a list to know that a crisis came to them.

    Whoever has tried and says when they will again knows of it."""
    missed = or_(InboxItem.answer_by <= now, InboxItem.escalated_at.is_not(None))
    return or_(missed, and_(InboxItem.owner_id == staff.id, InboxItem.disposition.is_(None)))


def _alarms(session: Session, clinic: Clinic, staff: Staff, found: Sequence[Found], names: str) -> list[Alarm]:
    people = team.names(session, (staff_id for item, _ in found for staff_id in (item.owner_id, item.held_by)))
    db.load_keys(session, (patient.key_id for _, patient in found if patient))
    return [
        Alarm(
            id=item.id,
            who=_who(patient, names),
            since=_since(item, clock.now()),
            owner=_owner(item, people, staff, clinic.zone),
            owner_id=item.owner_id,
            held=attention.on_it(item, people, staff, clinic.zone),
            mine=item.owner_id == staff.id,
            pending=_pending(item, clock.now()),
        )
        for item, patient in found
    ]


def _who(patient: Patient | None, names: str) -> str:
    hidden = patient is None or names == HIDDEN
    return words.say("alarms", "hidden") if hidden or patient is None else short_names.initials(patient)


def _pending(item: InboxItem, now: datetime) -> bool:
    return item.answer_by > now and item.escalated_at is None


def _since(item: InboxItem, now: datetime) -> str:
    if _pending(item, now):
        return words.say("alarms", "left", length=times.length(item.answer_by - now))
    if item.answer_by > now:
        return words.say("alarms", "came")
    late = now - item.answer_by
    return words.say("alarms", "late_now" if late < times.MINUTE else "late", length=times.length(late))


def _owner(item: InboxItem, people: dict[UUID | None, str], staff: Staff, zone: str) -> str:
    if _pending(item, clock.now()):
        return words.say("alarms", "yours")
    name, own = people.get(item.owner_id, ""), "own_" if item.owner_id == staff.id else ""
    if item.disposition and item.answer_by > clock.now():
        return words.say("alarms", f"{own}tried", owner=name, at=times.time_of(item.answer_by, zone))
    return words.say("alarms", f"{own}owned" if name else "unowned", owner=name)


def reading_off(session: Session, clinic: Clinic) -> str:
    """Return that the second reading is off, and what that means; empty while it is on, or acts nowhere here."""
    fault = faults.seen_by_staff(session, clinic)
    return words.say("second_reading", "off_bar", fault=words.say("reading_faults", fault)) if fault else ""


def held_back(session: Session, clinic: Clinic) -> str:
    """Return which kinds of texts a brake holds back; empty while none does."""
    kinds = [words.say("brake_kinds", kind) for kind in braking.pulled(session, clinic.id)]
    return words.say("brakes", "bar", kinds=", ".join(sorted(kinds))) if kinds else ""
