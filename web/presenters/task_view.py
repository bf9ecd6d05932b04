"""What colleagues ask of each other, as a case and the pages of the team show it: tasks, mentions, notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging.inbox import item_state, items
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.team import colleague_notes, mentions, tasks
from messaging.team.models import ColleagueNote, Task
from web import permissions, team, times, words
from web.presenters import item_marks, patient_view

Team = Mapping[UUID | None, Staff]


@dataclass(frozen=True)
class Card:
    """A task in words. `ended` is how and when it ended and `said` what who did it wrote then, else empty; `news` that
    the reader wanted to know and has not opened it since."""

    id: UUID
    title: str
    words: str
    patient_id: UUID | None
    patient: str
    owner: str
    watcher: str
    due: str
    mark: times.Mark | None
    made: str
    ended: str
    news: bool
    said: str
    mine: bool
    withdraws: bool


@dataclass(frozen=True)
class Asked:
    """What a case of this room asks: `kind` task | mention | note, its words, by whom; `outcomes` it can end with.

    `note_id` is the note to answer, `closed` where it may not be read. A mention leads to its patient's thread.
    """

    kind: str
    words: str
    author: str
    at: str
    outcomes: list[tuple[str, str]]
    task: Card | None = None
    note_id: UUID | None = None
    patient_id: UUID | None = None
    closed: bool = False


def cards(session: Session, clinic: Clinic, staff: Staff, listed: Sequence[tuple[InboxItem, Task]]) -> list[Card]:
    """Return tasks in words; what they need is read at once for all."""
    colleagues = team.everyone(session, clinic.id)
    wanted = {item.patient_id for item, _ in listed if item.patient_id}
    patients: dict[UUID | None, Patient] = {
        each.id: each for each in session.scalars(select(Patient).where(Patient.id.in_(wanted)))
    }
    db.load_keys(session, (each.key_id for each in patients.values()))
    said = _said(session, [item for item, _ in listed if item.state == "done"])
    return [
        _card(item, task, patients.get(item.patient_id), colleagues, staff, clinic, said.get(item.id, ""))
        for item, task in listed
    ]


def card(session: Session, clinic: Clinic, staff: Staff, item: InboxItem) -> Card | None:
    """Return one task in words, None for an item that is none."""
    task = tasks.of_item(session, item)
    return cards(session, clinic, staff, [(item, task)])[0] if task is not None else None


def _said(session: Session, ended: Sequence[InboxItem]) -> dict[UUID | None, str]:
    """What was written when each of these tasks was closed, by item: the last note that was not struck."""
    notes = session.scalars(
        select(Contact)
        .where(
            Contact.item_id.in_([item.id for item in ended]),
            Contact.kind == "note",
            Contact.struck_at.is_(None),
        )
        .order_by(Contact.at, Contact.id)
    ).all()
    db.load_keys(session, (note.key_id for note in notes))
    return {note.item_id: note.words or "" for note in notes}


def _card(
    item: InboxItem,
    task: Task,
    patient: Patient | None,
    colleagues: Team,
    staff: Staff,
    clinic: Clinic,
    said: str,
) -> Card:
    now, zone, nobody = clock.now(), clinic.zone, words.say("team", "nobody")
    by = team.name_of(colleagues, task.made_by, nobody)
    return Card(
        id=item.id,
        title=words.one_line(item.summary) or words.say("keeping", "emptied"),
        words=task.words or "",
        patient_id=patient.id if patient else None,
        patient=patient_view.full_name(patient) if patient else "",
        owner=team.name_of(colleagues, item.owner_id, nobody),
        watcher=team.name_of(colleagues, task.watcher_id, "") if task.watcher_id else "",
        due=times.moment(item.answer_by, now, zone, running=True),
        mark=item_marks.until(item, now, zone),
        made=words.say("task_made", task.made, who=by, at=times.moment(item.created_at, now, zone, running=True)),
        ended=_ended(item, colleagues, now, zone),
        news=tasks.is_news(item, task, staff),
        said=said,
        mine=item.owner_id == staff.id,
        withdraws=tasks.may_withdraw(item, task, staff),
    )


def _ended(item: InboxItem, colleagues: Team, now: datetime, zone: str) -> str:
    if item.state != "done" or item.done_at is None:
        return ""
    who = team.name_of(colleagues, item.done_by, words.say("history", "somebody"))
    outcome = items.dispositions().get(item.disposition or "", "")
    return f"{outcome}, {who}, {times.moment(item.done_at, now, zone, running=True)}"


def asked(session: Session, clinic: Clinic, staff: Staff, item: InboxItem) -> Asked | None:
    """Return what a case of this room asks; None for every other item, and for whoever colleagues ask nothing of."""
    read = {"task": _of_task, "mention": _of_mention, "note": _of_note}.get(item.kind)
    reads = permissions.may(staff.role, "colleagues.ask")
    return read(session, clinic, staff, item) if read and reads else None


def _outcomes(session: Session, item: InboxItem, staff: Staff) -> list[tuple[str, str]]:
    if item.state == "done" or item_state.between_others(item, staff):
        return []
    return [(key, items.dispositions()[key]) for key in tasks.outcomes_of(session, item)]


def _of_task(session: Session, clinic: Clinic, staff: Staff, item: InboxItem) -> Asked | None:
    shown = card(session, clinic, staff, item)
    if shown is None:
        return None
    return Asked(
        "task", shown.words, "", shown.made, _outcomes(session, item, staff), task=shown, patient_id=item.patient_id
    )


def _of_mention(session: Session, clinic: Clinic, staff: Staff, item: InboxItem) -> Asked | None:
    mention = mentions.of_item(session, item)
    note = session.get(Contact, mention.contact_id) if mention else None
    if note is None:
        return None
    db.load_keys(session, {note.key_id})
    at = times.moment(note.at, clock.now(), clinic.zone, running=True)
    name = team.names(session, [note.staff_id]).get(note.staff_id, "")
    gone = words.say("team", "retracted_short") if note.struck_at else ""
    said = gone or note.words or words.say("keeping", "emptied")
    return Asked(
        "mention", said, name, at, _outcomes(session, item, staff), note_id=note.id, patient_id=item.patient_id
    )


def _of_note(session: Session, clinic: Clinic, staff: Staff, item: InboxItem) -> Asked | None:
    note = colleague_notes.of_item(session, item)
    if note is None:
        return None
    at = times.moment(note.at, clock.now(), clinic.zone, running=True)
    name = team.names(session, [note.from_id]).get(note.from_id, "")
    if not colleague_notes.may_read(note, item, staff):
        return Asked("note", "", name, at, [], closed=True)
    return Asked("note", note.words or "", name, at, _outcomes(session, item, staff), note_id=note.id)


@dataclass(frozen=True)
class NoteCard:
    """A note between two colleagues in words. `mine` says that it waits for the reader."""

    id: UUID
    words: str
    author: str
    to: str
    at: str
    receipt: str
    sent_by_me: bool
    mine: bool


def notes(
    session: Session, clinic: Clinic, staff: Staff, listed: Sequence[tuple[ColleagueNote, InboxItem]]
) -> list[NoteCard]:
    """Return notes between colleagues in words."""
    colleagues, now = team.everyone(session, clinic.id), clock.now()
    return [
        NoteCard(
            id=note.id,
            words=note.words or "",
            author=team.name_of(colleagues, note.from_id, ""),
            to=team.name_of(colleagues, note.to_id, ""),
            at=times.moment(note.at, now, clinic.zone),
            receipt=_receipt(note, colleagues, now, clinic.zone),
            sent_by_me=note.from_id == staff.id,
            mine=item.owner_id == staff.id and item.state != "done",
        )
        for note, item in listed
    ]


def _receipt(note: ColleagueNote, colleagues: Team, now: datetime, zone: str) -> str:
    if note.read_at is None:
        return words.say("team", "unread")
    at = times.moment(note.read_at, now, zone, running=True)
    if note.read_by == note.to_id:
        return words.say("team", "read", at=at)
    return words.say("team", "read_by", at=at, who=team.name_of(colleagues, note.read_by, ""))
