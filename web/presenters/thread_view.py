"""A patient's thread among colleagues as they read it: notes with answers, who has read them, files, pinned facts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import notes_and_calls
from messaging.inbox.models import Contact
from messaging.media import file_types
from messaging.models import Clinic, Patient, Staff
from messaging.team import files, mentions, readers, thread
from messaging.team.models import Mention, TeamFile
from web import team, times, words

Team = Mapping[UUID | None, Staff]


@dataclass(frozen=True)
class Fact:
    """A pinned fact, and who pinned it when."""

    id: UUID
    words: str
    by: str


@dataclass(frozen=True)
class Asked:
    """A colleague who was asked to look, and whether it was read, in words."""

    name: str
    state: str
    read: bool


@dataclass(frozen=True)
class File:
    """A file beside a note: what its author called it, how large it is, whether a page may show it."""

    id: UUID
    name: str
    size: str
    picture: bool


@dataclass(frozen=True)
class Post:
    """A note in words. `struck` says when and why, else empty; `gone` where its words are no longer kept."""

    id: UUID
    words: str
    gone: str
    author: str
    role: str
    at: str
    struck: str
    corrects: bool
    pinned: bool
    retracts: bool
    corrected_by_me: bool
    asked: list[Asked]
    files: list[File]
    answers: "list[Post]" = field(default_factory=list)


@dataclass(frozen=True)
class Thread:
    """A page of a thread; `before` is the cursor of the page with older notes."""

    posts: list[Post]
    before: UUID | None


@dataclass(frozen=True)
class _About:
    """What all notes of a page share."""

    staff: Staff
    team: Team
    zone: str
    now: datetime
    mentions: Mapping[UUID, Sequence[Mention]]
    files: Mapping[UUID, Sequence[TeamFile]]
    corrected: set[UUID | None]


def pinned(session: Session, clinic: Clinic, patient_id: UUID | None) -> list[Fact]:
    """Return the pinned facts of a patient."""
    notes = thread.pinned(session, patient_id) if patient_id else []
    names, now = team.names(session, (note.pinned_by for note in notes)), clock.now()
    return [
        Fact(note.id, note.words or "", _by(names.get(note.pinned_by, ""), note.pinned_at, now, clinic.zone))
        for note in notes
    ]


def _by(name: str, at: datetime | None, now: datetime, zone: str) -> str:
    return f"{name}, {times.moment(at, now, zone, running=True)}" if at else name


def read(session: Session, clinic: Clinic, staff: Staff, patient: Patient, before: UUID | None = None) -> Thread:
    """Return a page of the thread, the latest note first: the notes older than the one `before`, if it is given."""
    posts = thread.page(session, patient, before)
    every = posts.every()
    ids = [note.id for note in every]
    about = _About(
        staff,
        team.everyone(session, clinic.id),
        clinic.zone,
        clock.now(),
        mentions.of_contacts(session, ids),
        files.of_contacts(session, ids),
        thread.corrected(session, [note.id for note in every if note.struck_at is not None]),
    )
    shown = [_post(note, about, [_post(answer, about) for answer in answers]) for note, answers in posts.notes]
    return Thread(shown, posts.notes[-1][0].id if posts.more else None)


def _post(note: Contact, about: _About, answers: Sequence[Post] = ()) -> Post:
    author = about.team.get(note.staff_id)
    mine = note.staff_id == about.staff.id and note.struck_at is None
    return Post(
        id=note.id,
        words=note.words or "",
        gone="" if note.words or note.next_try_at else words.say("keeping", "emptied"),
        author=author.name if author else words.say("history", "somebody"),
        role=words.say("roles", author.role) if author else "",
        at=times.moment(note.at, about.now, about.zone),
        struck=_struck(note, about),
        corrects=note.corrects_id is not None,
        pinned=note.pinned_at is not None,
        retracts=notes_and_calls.may_strike(note, about.staff, about.now),
        corrected_by_me=mine and note.patient_id is not None,
        asked=[_asked(mention, about) for mention in about.mentions.get(note.id, ())],
        files=[file_of(row) for row in about.files.get(note.id, ())],
        answers=list(answers),
    )


def _struck(note: Contact, about: _About) -> str:
    if note.struck_at is None:
        return ""
    how = "corrected" if note.id in about.corrected else "retracted"
    return words.say("team", how, at=times.moment(note.struck_at, about.now, about.zone, running=True))


def _asked(mention: Mention, about: _About) -> Asked:
    name = team.name_of(about.team, mention.staff_id, words.say("history", "somebody"))
    if mention.read_at is None:
        return Asked(name, words.say("team", "unread"), read=False)
    at = times.moment(mention.read_at, about.now, about.zone, running=True)
    if mention.read_by == mention.staff_id:
        return Asked(name, words.say("team", "read", at=at), read=True)
    who = team.name_of(about.team, mention.read_by, words.say("history", "somebody"))
    return Asked(name, words.say("team", "read_by", at=at, who=who), read=True)


def file_of(row: TeamFile) -> File:
    """Return a file in words."""
    return File(row.id, row.name or "", size(row.size), file_types.kind_named(row.type).picture)


def size(count: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{count / 1024 / 1024:.1f} MB" if count >= 1024 * 1024 else f"{max(1, count // 1024)} KB"


def may_be_mentioned(colleagues: Team, reader: Staff) -> list[tuple[UUID, str, str]]:
    """Return who can be asked to look at a note, each with the name and the role."""
    return _offered(colleagues, reader, readers.may_read_threads)


def may_be_asked(colleagues: Team, reader: Staff | None, *, patient: bool) -> list[tuple[UUID, str, str]]:
    """Return who can be given a task, about a patient or about none."""
    return _offered(colleagues, reader, lambda each: readers.may_be_asked(each, patient=patient))


def _offered(colleagues: Team, reader: Staff | None, able: Callable[[Staff], bool]) -> list[tuple[UUID, str, str]]:
    return [
        (each.id, each.name, words.say("roles", each.role))
        for each in colleagues.values()
        if able(each) and (reader is None or each.id != reader.id)
    ]
