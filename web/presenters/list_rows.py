"""The rows of the list: who, how soon, what in one line, and why it came here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging.inbox import items, views
from messaging.inbox import on_it as holding
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import topics
from messaging.models import Clinic, Conversation, Patient, Staff
from web import drafts, patient_access, reading_marks, team, times, words
from web.presenters import attention, item_marks, patient_view, short_names

# How many rows a page has, and how many beside an open case, where they are a way onward and not what is read.
PAGE, BESIDE = 50, 20
# How many other items stand in a patient's row; the case lists them all.
ALSO = 3
# What several may be dealt with at once; everything else needs a person's judgement, one by one.
TOGETHER = ("reply", "delivery")
Named = TypeVar("Named", Patient, Conversation)


@dataclass(frozen=True)
class Reason:
    """Another item of the patient, below the one that leads their row; `stands` says that it is in hand or sleeps."""

    kind: str
    tone: str
    mark: times.Mark | None
    summary: str
    stands: str


@dataclass(frozen=True)
class Row:
    """One patient in the list, by the item that leads their row; `also` are the first of their others, `further` says
    how many more there are, `ids` are all of them.

    `mark` is None once it is done, `aside` says whose it is where that is not plain. `why` is why it came here, in
    short words. `came` says that it came to the reader by escalation, `on_it` who is on it. `draft` says that the
    reader has begun to write there, `picks` are the items that may be dealt with together with other rows, none where
    one of them needs a person's judgement. `arrived` is when it came in; `unread` says that whose it is has not opened
    it since the last text in. `topic` is what the text is about, in words, where the reader may know it; `worry` that
    it may be a crisis, and how that was read.
    """

    id: UUID
    ids: list[UUID]
    also: list[Reason]
    further: int
    came: str
    on_it: str
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
    picks: list[UUID]
    acknowledged: bool
    arrived: str
    unread: bool
    topic: str = ""
    worry: str = ""


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
    """Who looks at a list: whose it is, whose words and names they may see, and how openly names stand there.

    `names`: full ("Teresa Q.") | initials ("T. Q.") | hidden (until opened). `opened` is the case that is open.
    """

    staff: Staff
    sight: patient_access.Sight
    names: str = "full"
    opened: UUID | None = None


def page(
    session: Session,
    clinic: Clinic,
    reader: Reader,
    view: str,
    after: UUID | None,
    *,
    where: views.Narrowing = views.everything,
    sort: str = "urgent",
) -> Page:
    """Return a page of `view`, narrowed by `where`; an `after` that is not there begins at the top."""
    last = session.get(InboxItem, after) if after else None
    cursor = views.cursor(last, sort) if last and last.clinic_id == clinic.id else None
    most = BESIDE if reader.opened else PAGE
    # One more than is shown says whether there are more.
    rows = views.listing(
        session,
        clinic.id,
        view=view,
        staff=reader.staff,
        after=cursor,
        limit=most + 1,
        where=where,
        sort=sort,
    )
    shown = rows[:most]
    more = shown[-1].id if len(rows) > most else None
    threads = {item.thread_id for item in shown} if view != "done" else set()
    beside = views.beside(session, clinic.id, threads)
    return Page(list_of(session, clinic, reader, shown, beside), more, first=cursor is None)


def list_of(
    session: Session,
    clinic: Clinic,
    reader: Reader,
    shown: Sequence[InboxItem],
    beside: Mapping[UUID, Sequence[InboxItem]] = MappingProxyType({}),
) -> list[Row]:
    """Return items as rows, each with what stands `beside` it by thread; what they need is read at once for all."""
    stacks = {item.id: _stack(item, beside) for item in shown}
    every = [item for stack in stacks.values() for item in stack]
    patients = _by_id(session, Patient, (item.patient_id for item in shown))
    conversations = _by_id(session, Conversation, (item.conversation_id for item in shown))
    people = team.some(session, (staff_id for item in every for staff_id in (item.owner_id, item.held_by)))
    sealed: list[db.SealedRow] = [*every, *patients.values(), *conversations.values()]
    db.load_keys(session, (row.key_id for row in sealed))
    now = clock.now()
    about = _About(
        clinic,
        reader,
        now,
        people,
        begun=drafts.threads(session, reader.staff) if shown else set(),
        present=patient_view.in_the_building(session, patients, now),
        told=views.told_at(session, reader.staff, [item.id for item in shown if item.escalated_at]),
        unread=reading_marks.unread(session, clinic, shown),
    )
    return [
        _row(stacks[item.id], patients.get(item.patient_id), conversations.get(item.conversation_id), about)
        for item in shown
    ]


def _stack(item: InboxItem, beside: Mapping[UUID, Sequence[InboxItem]]) -> list[InboxItem]:
    return [item, *(each for each in beside.get(item.thread_id, ()) if each.id != item.id)]


@dataclass(frozen=True)
class _About:
    """What all rows of a page share."""

    clinic: Clinic
    reader: Reader
    now: datetime
    people: dict[UUID | None, Staff]
    begun: set[str]
    present: set[UUID | None]
    told: dict[UUID, datetime]
    unread: set[UUID]

    @property
    def names(self) -> dict[UUID | None, str]:
        return {staff_id: staff.name for staff_id, staff in self.people.items()}


def _row(stack: Sequence[InboxItem], patient: Patient | None, conversation: Conversation | None, about: _About) -> Row:
    item, now, zone, staff = stack[0], about.now, about.clinic.zone, about.reader.staff
    return Row(
        id=item.id,
        ids=[each.id for each in stack],
        also=[_also(each, about) for each in stack[1 : 1 + ALSO]],
        further=max(0, len(stack) - 1 - ALSO),
        came=attention.came_to(item, about.told, about.names, staff, zone),
        on_it=attention.on_it(holding.latest(stack, now), about.names, staff, zone),
        thread=item.thread,
        name=_name(patient, conversation, about.reader, stack),
        kind=item_marks.kind_words(item),
        tone=item_marks.tone(item, now, zone),
        mark=item_marks.earliest(stack, now, zone),
        summary=_summary(item, about.reader),
        why=_why(item, patient, staff),
        here=item.patient_id in about.present and item.state != "done",
        aside=_aside(item, about.people, staff, now, zone),
        draft=item.thread in about.begun and item.state != "done",
        picks=_picks(stack),
        acknowledged=item.acknowledged_at is not None,
        arrived=times.short(item.created_at, now, zone),
        unread=any(each.id in about.unread for each in stack),
        topic=_topic(stack, about.reader),
        worry=item_marks.worry(stack),
    )


def _topic(stack: Sequence[InboxItem], reader: Reader) -> str:
    topic = next((each.topic for each in stack if each.topic), None)
    return items.words()["topics"].get(topic or "", "") if reader.sight.reads(stack[0].patient_id) else ""


def _also(item: InboxItem, about: _About) -> Reason:
    now, zone = about.now, about.clinic.zone
    return Reason(
        kind=item_marks.kind_words(item),
        tone=item_marks.tone(item, now, zone),
        mark=item_marks.until(item, now, zone),
        summary=_summary(item, about.reader),
        stands=item_marks.stands(item, now, zone),
    )


def _summary(item: InboxItem, reader: Reader) -> str:
    if not reader.sight.reads(item.patient_id) and not item_marks.is_notice(item):
        return words.say("kinds", item.kind)
    return words.one_line(item.summary) or words.say("keeping", "emptied")


def _picks(stack: Sequence[InboxItem]) -> list[UUID]:
    if any(each.state == "done" or each.kind not in TOGETHER or topics.is_worry(each.reason) for each in stack):
        return []
    return [each.id for each in stack if (each.state == "snoozed") == (stack[0].state == "snoozed")]


def _by_id(session: Session, model: type[Named], ids: Iterable[UUID | None]) -> dict[UUID | None, Named]:
    wanted = {row_id for row_id in ids if row_id}
    if not wanted:
        return {}
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(wanted)))}


def _name(
    patient: Patient | None, conversation: Conversation | None, reader: Reader, stack: Sequence[InboxItem]
) -> str:
    if patient is None:
        return short_names.of_nobody(stack[0].kind, conversation)
    if not reader.sight.names(patient.id):
        return short_names.initials(patient)
    if reader.names == "full" or any(each.id == reader.opened for each in stack):
        return short_names.short_name(patient, conversation)
    return words.say("names", "hidden_row") if reader.names == "hidden" else short_names.initials(patient)


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
        return item_marks.stands(item, now, zone)
    if item.owner_id is None:
        return items.words()["roles"].get(item.role or "", "nobody yet")
    owner = people.get(item.owner_id)
    return "" if owner is None or owner.id == staff.id else owner.name
