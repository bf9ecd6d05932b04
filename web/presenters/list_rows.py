"""The rows of the list: who, how soon, what in one line, and why it came here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import clock, db
from messaging import phone
from messaging.inbox import items, views
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Patient, Staff
from reminders.models import Appointment
from web import drafts, reading_marks, times, words
from web.presenters import patient_view

PAGE = 50
# What several may be dealt with at once; everything else needs a person's judgement, one by one.
TOGETHER = ("reply", "delivery")
Named = TypeVar("Named", Patient, Conversation, Staff)


@dataclass(frozen=True)
class Row:
    """One item in the list. `mark` is None once it is done, `aside` says whose it is where that is not plain.

    `why` is why it came here, in short words. `draft` says that the reader has begun to write there, `picks` that
    the item may be dealt with together with others: what needs a person's judgement may not. `came` is when it came in;
    `unread` says that whose it is has not opened it since the last text in. `topic` is what the text is about, in
    words, where the reader may know it.
    """

    id: UUID
    thread: str
    name: str
    kind: str
    tone: str
    mark: times.Mark | None
    summary: str
    why: list[str]
    here: bool
    aside: str
    draft: bool
    picks: bool
    acknowledged: bool
    came: str
    unread: bool
    topic: str = ""


@dataclass(frozen=True)
class Page:
    """A page of rows and the item to go on after, if there are more."""

    rows: list[Row]
    more_after: UUID | None
    first: bool = True

    @property
    def picks(self) -> bool:
        """Whether any of the rows may be dealt with together with others."""
        return any(row.picks for row in self.rows)


@dataclass(frozen=True)
class Reader:
    """Who looks at a list: whose it is, whether they may read what patients said, and how openly names stand there.

    `names`: full ("Teresa Q.") | initials ("T. Q.") | hidden (until opened). `opened` is the case that is open.
    """

    staff: Staff
    readable: bool
    names: str = "full"
    opened: UUID | None = None


def page(
    session: Session,
    clinic: Clinic,
    reader: Reader,
    view: str,
    after: UUID | None,
    *,
    where: Sequence[ColumnElement[bool]] = (),
    sort: str = "urgent",
) -> Page:
    """Return a page of `view`, narrowed by `where`; an `after` that is not there begins at the top."""
    last = session.get(InboxItem, after) if after else None
    cursor = views.cursor(last, sort) if last and last.clinic_id == clinic.id else None
    # One more than is shown says whether there are more.
    rows = views.listing(
        session,
        clinic.id,
        view=view,
        staff=reader.staff,
        after=cursor,
        limit=PAGE + 1,
        where=where,
        sort=sort,
    )
    shown = rows[:PAGE]
    more = shown[-1].id if len(rows) > PAGE else None
    return Page(list_of(session, clinic, reader, shown), more, first=cursor is None)


def rows(session: Session, clinic: Clinic, staff: Staff, shown: Sequence[InboxItem], *, readable: bool) -> list[Row]:
    """Return items as rows with names in full, for a page where the patient is open already."""
    return list_of(session, clinic, Reader(staff, readable), shown)


def list_of(session: Session, clinic: Clinic, reader: Reader, shown: Sequence[InboxItem]) -> list[Row]:
    """Return items as rows; what they need is read at once for all of them."""
    patients = _by_id(session, Patient, (item.patient_id for item in shown))
    conversations = _by_id(session, Conversation, (item.conversation_id for item in shown))
    people = _by_id(session, Staff, (item.owner_id for item in shown))
    sealed: list[db.SealedRow] = [*shown, *patients.values(), *conversations.values()]
    db.load_keys(session, (row.key_id for row in sealed))
    now = clock.now()
    begun = drafts.threads(session, reader.staff) if shown else set()
    present = _in_the_building(session, patients, now)
    unread = reading_marks.unread(session, clinic, shown)
    return [
        Row(
            id=item.id,
            thread=item.thread,
            name=_name(patients.get(item.patient_id), conversations.get(item.conversation_id), reader, item),
            kind=words.say("kinds", item.kind),
            tone=tone(item, now, clinic.zone),
            mark=_until(item, now, clinic.zone),
            summary=(words.one_line(item.summary) or words.say("keeping", "emptied"))
            if reader.readable
            else words.say("kinds", item.kind),
            why=_why(item, patients.get(item.patient_id), reader.staff),
            here=item.patient_id in present and item.state != "done",
            aside=_aside(item, people, reader.staff, now, clinic.zone),
            draft=item.thread in begun,
            picks=item.state != "done" and item.kind in TOGETHER,
            acknowledged=item.acknowledged_at is not None,
            came=times.short(item.created_at, now, clinic.zone),
            unread=item.id in unread,
            topic=items.words()["topics"].get(item.topic or "", "") if reader.readable else "",
        )
        for item in shown
    ]


def _by_id(session: Session, model: type[Named], ids: Iterable[UUID | None]) -> dict[UUID | None, Named]:
    wanted = {row_id for row_id in ids if row_id}
    if not wanted:
        return {}
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(wanted)))}


def _in_the_building(session: Session, patients: dict[UUID | None, Patient], now: datetime) -> set[UUID | None]:
    """Return which of the patients have come for a visit that is not long over."""
    if not patients:
        return set()
    arrived = select(Appointment.patient_id).where(
        Appointment.patient_id.in_(patients),
        Appointment.state == "arrived",
        Appointment.starts_at > now - patient_view.STAYS,
        Appointment.starts_at < now + patient_view.STAYS,
    )
    return set(session.scalars(arrived))


def short_name(patient: Patient | None, conversation: Conversation | None) -> str:
    """Return "Teresa Q.", or the number's last digits where it belongs to nobody or to several."""
    if patient is not None:
        last = (patient.last_name or "")[:1]
        return f"{patient.first_name} {last}." if last else f"{patient.first_name}"
    if conversation is not None:
        return f"Unknown number {phone.mask(conversation.number or '')}"
    return "Nobody on file"


def _name(patient: Patient | None, conversation: Conversation | None, reader: Reader, item: InboxItem) -> str:
    if patient is None or reader.names == "full" or item.id == reader.opened:
        return short_name(patient, conversation)
    if reader.names == "hidden":
        return words.say("names", "hidden_row")
    return " ".join(f"{name[0]}." for name in (patient.first_name, patient.last_name) if name)


def mark(item: InboxItem, now: datetime, zone: str) -> times.Mark | None:
    """Return the deadline's mark; an item that is acknowledged or done has no clock any more."""
    if item.state == "done" or item.acknowledged_at is not None:
        return None
    return times.mark(safety=item.kind == "safety", answer_by=item.answer_by, now=now, zone=zone)


def _until(item: InboxItem, now: datetime, zone: str) -> times.Mark | None:
    if item.state == "snoozed" and item.snoozed_until:
        return times.asleep(item.snoozed_until, now, zone)
    return mark(item, now, zone)


def tone(item: InboxItem, now: datetime, zone: str) -> str:
    """Return the colour of the row's edge: safety while it is open, soon by its clock, else plain."""
    if item.state == "done":
        return "plain"
    if item.kind == "safety":
        return "safety"
    ticking = mark(item, now, zone) if item.state != "snoozed" else None
    return ticking.tone if ticking else "plain"


def _why(item: InboxItem, patient: Patient | None, staff: Staff) -> list[str]:
    """Return why it came to its owner, as short as a row allows: the whole path stands in the case."""
    reasons = []
    if patient is not None and patient.panel:
        reasons.append("your panel" if patient.panel in staff.panels else f"{patient.panel}'s panel")
    if patient is not None and patient.language != "en":
        reasons.append(words.say("languages", patient.language))
    short = words.table_of("short_reasons")
    for reason in item.reason:
        name, _, value = reason.partition(":")
        if name in short:
            said = words.say("languages", value) if name == "no_reader" else value
            reasons.append(short[name].replace("{value}", said))
    return reasons


def _aside(item: InboxItem, people: dict[UUID | None, Staff], staff: Staff, now: datetime, zone: str) -> str:
    done = items.dispositions().get(item.disposition or "", "")
    if item.state == "done" and item.done_at:
        return f"{done} · {times.moment(item.done_at, now, zone, running=True)}"
    if item.acknowledged_at is not None:
        return f"{done or 'Acknowledged'} · {times.moment(item.acknowledged_at, now, zone, running=True)}"
    if item.owner_id is None:
        return items.words()["roles"].get(item.role or "", "nobody yet")
    owner = people.get(item.owner_id)
    return "" if owner is None or owner.id == staff.id else owner.name
