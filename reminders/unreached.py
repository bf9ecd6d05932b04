"""Who of a day's patients was not reached, and why:
the decision is pure, the facts come in a fixed number of queries."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import clock, runtime
from messaging import contactability, reachable
from messaging import models as messaging
from messaging.inbox.models import Contact
from reminders.models import Appointment, Reminder
from reminders.rules import zones

Fate = Literal[
    "undelivered", "held", "shared", "unanswered", "on_its_way", "quiet_hours", "not_sent_yet", "nothing_sent",
]  # fmt: skip
# The key of its words: what became of the texts (a Fate), or a contactability.Refusal's.
Reason = str
# These may still be answered by themselves: nobody need call yet.
UNDER_WAY: tuple[Fate, ...] = ("on_its_way", "quiet_hours", "not_sent_yet")
ANSWERED = ("confirmed", "change_asked", "arrived", "no_show", "cancelled")
REACHED = "reached"
# A day of one clinic; whoever has more sees the first of them and is told so.
LONGEST_DAY = 500
COUNT_SECONDS = 15
DAYS_COUNTED = 60
HOW_FAR_AHEAD = timedelta(days=21)
# Calls are about the coming visit when they were made this long before it or later.
CALLED_WITHIN = timedelta(days=3)


@dataclass(frozen=True)
class Text:
    """A reminder of the visit as it stands: its state, its text's (None: no text), when it was due and may go."""

    state: str
    text: str | None
    due_at: datetime | None
    try_after: datetime


@dataclass(frozen=True)
class Facts:
    """What decides whether a patient was reached for a visit: its state, how they can be texted, what was."""

    visit: str
    contact: contactability.Facts
    texts: Sequence[Text] = ()


@dataclass(frozen=True)
class Call:
    """A call that was logged: when, by whom, how it ended."""

    at: datetime
    staff_id: UUID
    outcome: str


@dataclass(frozen=True)
class Entry:
    """A visit of the day with its facts, the calls about it (latest first) and why its patient was not reached."""

    visit: Appointment
    facts: Facts
    calls: Sequence[Call]
    reason: Reason | None

    @property
    def reached(self) -> bool:
        """Whether the patient has answered, or was spoken with."""
        return self.reason is None or any(call.outcome == REACHED for call in self.calls)


@dataclass(frozen=True)
class Day:
    """The visits of one local day by time; `more` says that there were more than could be looked at."""

    entries: list[Entry] = field(default_factory=list)
    more: bool = False

    @property
    def to_call(self) -> list[Entry]:
        """Whom only a call can reach; who was called already without success stands last."""
        owed = [entry for entry in self.entries if not entry.reached and entry.reason not in UNDER_WAY]
        return sorted(owed, key=lambda entry: (bool(entry.calls), entry.visit.starts_at, entry.visit.id))


def cannot(contact: contactability.Facts) -> Reason | None:
    """Return why this patient cannot be texted reminders at all, whatever visit it is about."""
    refused = contactability.refusal(contact, "reminders")
    return refused.key if refused else None


def why_not(facts: Facts, now: datetime) -> Reason | None:
    """Return why nobody has heard from this patient about the visit, None if they have answered."""
    if facts.visit in ANSWERED:
        return None
    barred = cannot(facts.contact)
    if barred:
        return barred
    sent = [text for text in facts.texts if text.text is not None]
    if not sent:
        return _not_sent(facts.texts, now)
    number = contactability.number_meant(facts.contact)
    return _fate(max(sent, key=_when).text or "", shared=number is not None and number.shared)


def _when(text: Text) -> datetime:
    return text.due_at or text.try_after


def _fate(state: str, *, shared: bool) -> Fate:
    if state in ("undelivered", "failed"):
        return "undelivered"
    if state in ("held", "cancelled"):
        return "held"
    if state in ("sent", "delivered"):
        return "shared" if shared else "unanswered"
    return "on_its_way"


def _not_sent(texts: Sequence[Text], now: datetime) -> Fate:
    planned = [text for text in texts if text.state == "planned"]
    if not planned:
        return "nothing_sent"
    late = any(text.due_at is not None and text.due_at <= now < text.try_after for text in planned)
    return "quiet_hours" if late else "not_sent_yet"


def next_day(session: Session, clinic: messaging.Clinic, now: datetime) -> date:
    """Return the next local date after today on which the clinic has visits, else tomorrow."""
    place = zones.zone(clinic.zone)
    tomorrow = zones.to_local(now, place).date() + timedelta(days=1)
    begins, _ = span(clinic, tomorrow)
    first = session.scalar(
        select(func.min(Appointment.starts_at)).where(
            Appointment.clinic_id == clinic.id,
            Appointment.starts_at >= begins,
            Appointment.starts_at < begins + HOW_FAR_AHEAD,
            Appointment.state != "cancelled",
        )
    )
    return zones.to_local(first, place).date() if first else tomorrow


def span(clinic: messaging.Clinic, day: date) -> tuple[datetime, datetime]:
    """Return when a local day of the clinic begins and when the next one does, in UTC."""
    place = zones.zone(clinic.zone)
    ends = day + timedelta(days=1)
    return (
        zones.local_to_utc(datetime.combine(day, time()), place),
        zones.local_to_utc(datetime.combine(ends, time()), place),
    )


def of_day(session: Session, clinic: messaging.Clinic, day: date, now: datetime) -> Day:
    """Return everybody who has a visit on that day and what became of reaching them; nothing sealed is opened."""
    begins, ends = span(clinic, day)
    wanted = (
        select(Appointment)
        .where(
            Appointment.clinic_id == clinic.id,
            Appointment.starts_at >= begins,
            Appointment.starts_at < ends,
            Appointment.state != "cancelled",
        )
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(LONGEST_DAY + 1)
    )
    visits = list(session.scalars(wanted))
    return Day(of_visits(session, visits[:LONGEST_DAY], begins, now), len(visits) > LONGEST_DAY)


def of_visits(session: Session, visits: Sequence[Appointment], begins: datetime, now: datetime) -> list[Entry]:
    """Return what became of reaching the patients of these visits, whose day begins at `begins`."""
    ids = {visit.patient_id for visit in visits}
    contacts, texts = reachable.of_patients(session, ids), _texts(session, visits)
    calls = _calls(session, ids, begins)
    entries = []
    for visit in visits:
        facts = Facts(visit.state, contacts[visit.patient_id], texts.get(visit.id, ()))
        entries.append(Entry(visit, facts, calls.get(visit.patient_id, ()), why_not(facts, now)))
    return entries


def count(session: Session, clinic: messaging.Clinic, now: datetime) -> int:
    """Return how many patients of the next clinic day only a call can reach and nobody has tried yet.

    It stands on every page, so one process counts a clinic at most every `COUNT_SECONDS`.
    """

    def untried() -> int:
        listed = of_day(session, clinic, next_day(session, clinic, now), now)
        return sum(not entry.calls for entry in listed.to_call)

    return _cached(clinic.id, None, untried)


def to_call(session: Session, clinic: messaging.Clinic, day: date, now: datetime) -> int:
    """Return how many patients of a day only a call can reach, tried or not; as fresh as `count` is."""
    return _cached(clinic.id, day, lambda: len(of_day(session, clinic, day, now).to_call))


def _cached(clinic_id: UUID, day: date | None, counting: Callable[[], int]) -> int:
    counted = _counted().setdefault(clinic_id, {})
    cached = counted.get(day)
    if cached and clock.monotonic() - cached[0] < COUNT_SECONDS:
        return cached[1]
    if len(counted) >= DAYS_COUNTED:
        counted.clear()
    counted[day] = (clock.monotonic(), counting())
    return counted[day][1]


def count_anew(clinic_id: UUID) -> None:
    """Forget the counts of a clinic, after something of it has changed."""
    _counted().pop(clinic_id, None)


def _counted() -> dict[UUID, dict[date | None, tuple[float, int]]]:
    return runtime.once("reach.counted", dict)


def _texts(session: Session, visits: Sequence[Appointment]) -> dict[UUID, list[Text]]:
    text = messaging.Message
    steps = (
        select(
            Reminder.appointment_id,
            Reminder.revision,
            Reminder.state,
            Reminder.due_at,
            Reminder.try_after,
            text.state,
        )
        .outerjoin(text, text.id == Reminder.message_id)
        .where(Reminder.appointment_id.in_([visit.id for visit in visits]))
    )
    present = {visit.id: visit.revision for visit in visits}
    by_visit: dict[UUID, list[Text]] = {}
    for visit_id, revision, state, due_at, try_after, fate in session.execute(steps):
        if revision == present[visit_id]:
            by_visit.setdefault(visit_id, []).append(Text(state, fate, due_at, try_after))
    return by_visit


def _calls(session: Session, ids: Collection[UUID], begins: datetime) -> dict[UUID, list[Call]]:
    made = (
        select(Contact.patient_id, Contact.at, Contact.staff_id, Contact.outcome)
        .where(
            Contact.patient_id.in_(ids),
            Contact.kind == "call",
            Contact.struck_at.is_(None),
            Contact.at >= begins - CALLED_WITHIN,
        )
        .order_by(Contact.at.desc(), Contact.id.desc())
    )
    by_patient: dict[UUID, list[Call]] = {}
    for patient_id, at, staff_id, outcome in session.execute(made):
        if patient_id is not None:
            by_patient.setdefault(patient_id, []).append(Call(at, staff_id, outcome or ""))
    return by_patient
