"""Tasks: asked of a colleague by a time, in the inbox like everything else that is owed, closed by what came of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.inbox import counting, dispositions, items, notes_and_calls, outcomes, views
from messaging.inbox.models import BY_DEADLINE, IN_VIEW, InboxItem, ItemEvent
from messaging.inbox.staff import roster
from messaging.models import Clinic, Patient, Staff
from messaging.team import asking, readers
from messaging.team.models import Task, TaskTemplate

LONGEST_TITLE, LONGEST = 120, 2000
FURTHEST = outcomes.LATEST
# How long an ended task still stands in the lists of who made or watches it.
SHOWN = timedelta(days=14)
MOST = 200


class Refused(ValueError):
    """This task cannot be made or ended so: `why` is a key of the page's refusals, `field` where it was typed."""

    def __init__(self, why: str, field: str = "") -> None:
        super().__init__(why)
        self.why, self.field = why, field


@dataclass(frozen=True)
class Wanted:
    """What a task is to be. `owner` None: whoever routing chooses. `made`: as in Task."""

    title: str
    due: datetime | None
    owner: Staff | None = None
    watcher: Staff | None = None
    patient: Patient | None = None
    words: str = ""
    template: TaskTemplate | None = None
    made: str = "hand"
    source: str | None = None
    once: UUID | None = None


def make(session: Session, clinic: Clinic, by: Staff | None, wanted: Wanted) -> InboxItem:
    """Make a task, by a colleague or by a rule (None), and open its item. Raises Refused, with nothing made."""
    check(wanted)
    if (made := _made_by_this_form(session, clinic, wanted)) is not None:
        return made
    once = wanted.once if wanted.once and session.get(Task, wanted.once) is None else db.new_id()
    item = asking.open_for(
        session,
        clinic,
        wanted.owner,
        kind="task",
        about=f"task:{once}",
        dedupe=f"task:{once}",
        summary=wanted.title.strip(),
        patient_id=wanted.patient.id if wanted.patient else None,
        answer_by=wanted.due,
    )
    if by is not None and item.owner_id == by.id:
        item.notified_at = clock.now()  # whoever makes a task for themselves knows of it
    keep(session, clinic, by, wanted, once, item)
    session.flush()
    return item


def keep(session: Session, clinic: Clinic, by: Staff | None, wanted: Wanted, new_id: UUID, item: InboxItem) -> None:
    """Write a checked task beside its item, and into both histories; nothing is flushed."""
    key_id = wanted.patient.key_id if wanted.patient else clinic.key_id
    db.load_keys(session, {key_id})
    task = Task(
        id=new_id, clinic_id=clinic.id, key_id=key_id, item_id=item.id, made=wanted.made, source=wanted.source,
        template_id=wanted.template.id if wanted.template else None, made_by=by.id if by else None,
        watcher_id=wanted.watcher.id if wanted.watcher else None, words=wanted.words.strip()[:LONGEST] or None,
    )  # fmt: skip
    session.add(task)
    actor = audit.Actor.staff(by.id) if by else audit.Actor.system("tasks")
    owner = str(item.owner_id) if item.owner_id else None
    items.note_event(session, item, actor, "task_made", made=wanted.made)
    audit.record(session, clinic.id, actor, "task.made", f"task:{task.id}", owner=owner, made=wanted.made)


def _made_by_this_form(session: Session, clinic: Clinic, wanted: Wanted) -> InboxItem | None:
    """The task that the same form has made before; one whose title was changed since makes another."""
    task = session.get(Task, wanted.once) if wanted.once else None
    item = session.get(InboxItem, task.item_id) if task is not None else None
    if item is None or item.clinic_id != clinic.id:
        return None
    db.load_keys(session, {item.key_id})
    return item if item.summary == wanted.title.strip() else None


def check(wanted: Wanted) -> None:
    """Raise Refused where a task cannot be as it is wanted."""
    title, now = wanted.title.strip(), clock.now()
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        raise Refused("task_title", "title")
    if wanted.due is None or not now < wanted.due <= now + FURTHEST:
        raise Refused("task_due", "due")
    about_somebody = wanted.patient is not None
    if wanted.owner is not None and not readers.may_be_asked(wanted.owner, patient=about_somebody):
        raise Refused("task_owner", "owner")
    if wanted.watcher is not None and not readers.may_be_asked(wanted.watcher, patient=about_somebody):
        raise Refused("task_watcher", "watcher")


def of_item(session: Session, item: InboxItem) -> Task | None:
    """Return what an item asks for, its key loaded; None for an item that is no task."""
    task = session.scalar(select(Task).where(Task.item_id == item.id)) if item.kind == "task" else None
    if task is not None:
        db.load_keys(session, {task.key_id})
    return task


def outcomes_of(session: Session, item: InboxItem) -> tuple[str, ...]:
    """Return how an item of this room can end."""
    is_need = (task := of_item(session, item)) is not None and task.made == "social_need"
    return dispositions.OF_NEED if is_need else dispositions.OF_TEAM[item.kind]


def end(
    session: Session, clinic: Clinic, item: InboxItem, staff: Staff, outcome: str, words: str = ""
) -> ItemEvent | None:
    """Close a task with what came of it, and a note where there are words; None if it was closed before.

    Raises Refused without an outcome, or without words where it could not be done.
    """
    if outcome not in outcomes_of(session, item):
        raise Refused("outcome_owed", "outcome")
    if outcome == "task_not_possible" and not words.strip():
        raise Refused("outcome_words", "words")
    if item.state == "done":
        return None
    who, note = item.patient_id, None
    if words.strip():
        note = notes_and_calls.write_note(session, clinic, staff, words=words, patient_id=who, item_id=item.id)
    done = _ended(session, item, staff, outcome)
    if done is not None and note is not None:
        done.detail = {**done.detail, "note": str(note.id)}
    return done


def _ended(session: Session, item: InboxItem, staff: Staff, outcome: str) -> ItemEvent | None:
    """End a task's item; that it has ended is said of the task too, by which programs know it."""
    done, task = items.resolve(session, item, staff, outcome), of_item(session, item)
    if done is not None and task is not None:
        audit.record(session, item.clinic_id, audit.Actor.staff(staff.id), "task.ended", f"task:{task.id}")
    return done


def may_withdraw(item: InboxItem, task: Task, staff: Staff) -> bool:
    """Whether this colleague may take the task back: who made it, while it is open."""
    return item.state != "done" and task.made_by == staff.id


def withdraw(session: Session, item: InboxItem, staff: Staff) -> None:
    """Take a task back that one has made oneself. Raises Refused."""
    task = of_item(session, item)
    if task is None or not may_withdraw(item, task, staff):
        raise Refused("task_not_yours")
    _ended(session, item, staff, dispositions.WITHDRAWN)


def withdraw_made_with(session: Session, event: ItemEvent, staff: Staff) -> None:
    """Take back the tasks that an outcome had made by itself, now that the outcome is taken back."""
    for item_id in event.detail.get("tasks", []):
        item = session.get(InboxItem, UUID(item_id), with_for_update=True)
        if item is not None and item.state != "done":
            withdraw(session, item, staff)


def hand_on(session: Session, item: InboxItem, staff: Staff, to: Staff) -> ItemEvent:
    """Give a task to a colleague, who is told of it, with its clock.

    Raises Refused for one who may not have it, or once it is done.
    """
    if item.state == "done":
        raise Refused("already_done")
    if not readers.may_be_asked(to, patient=item.patient_id is not None):
        raise Refused("task_owner", "owner")
    return items.hand_over(session, item, staff, to)


def seen(session: Session, staff: Staff, item: InboxItem) -> None:
    """Write down that who watches a task has seen how it ended."""
    session.execute(
        update(Task)
        .where(Task.item_id == item.id, Task.watcher_id == staff.id, Task.seen_at.is_(None))
        .values(seen_at=clock.now())
    )


def owned(session: Session, staff: Staff) -> list[tuple[InboxItem, Task]]:
    """Return the open tasks of a colleague, by deadline."""
    return _listed(session, staff.clinic_id, InboxItem.owner_id == staff.id, InboxItem.state != "done")


def watched(session: Session, staff: Staff) -> list[tuple[InboxItem, Task]]:
    """Return what a colleague watches: open, or ended at somebody else's hands and not seen since."""
    return _listed(
        session, staff.clinic_id, Task.watcher_id == staff.id, or_(InboxItem.state != "done", _unseen_end(staff.id))
    )


def is_news(item: InboxItem, task: Task, staff: Staff) -> bool:
    """Whether a task has ended that this colleague watches, and they have not seen it: _unseen_end of a row in hand."""
    ended = item.state == "done" and item.done_by != staff.id
    return ended and task.watcher_id == staff.id and task.seen_at is None


def _unseen_end(staff_id: views.Id) -> ColumnElement[bool]:
    return and_(InboxItem.state == "done", InboxItem.done_by.is_distinct_from(staff_id), Task.seen_at.is_(None))


def made_by(session: Session, staff: Staff) -> list[tuple[InboxItem, Task]]:
    """Return what a colleague has asked of others: open, or ended of late."""
    late = or_(InboxItem.state != "done", InboxItem.done_at > clock.now() - SHOWN)
    others = or_(InboxItem.owner_id.is_(None), InboxItem.owner_id != staff.id)
    return _listed(session, staff.clinic_id, Task.made_by == staff.id, others, late)


def of_patient(session: Session, patient: Patient) -> list[tuple[InboxItem, Task]]:
    """Return the open tasks about a patient, by deadline."""
    return _listed(session, patient.clinic_id, InboxItem.patient_id == patient.id, InboxItem.state != "done")


def _listed(session: Session, clinic_id: UUID, *where: ColumnElement[bool]) -> list[tuple[InboxItem, Task]]:
    rows = (
        select(InboxItem, Task)
        .join(Task, Task.item_id == InboxItem.id)
        .where(InboxItem.clinic_id == clinic_id, *where)
        .order_by(*BY_DEADLINE)
        .limit(MOST)
    )
    listed = [(item, task) for item, task in session.execute(rows)]
    db.load_keys(session, (key for item, task in listed for key in (item.key_id, task.key_id)))
    return listed


def waiting(scope: counting.Scope) -> ColumnElement[int]:
    """Count the tasks and notes that wait for a colleague."""
    mine = select(func.count()).where(
        InboxItem.clinic_id == scope.clinic,
        InboxItem.owner_id == scope.staff,
        InboxItem.kind.in_(("task", "note")),
        IN_VIEW["mine"](InboxItem),
    )
    return mine.scalar_subquery()


def unseen_ends(scope: counting.Scope) -> ColumnElement[int]:
    """Count the tasks that a colleague watches which have ended at somebody else's hands and were not seen since."""
    ended = select(func.count()).select_from(Task).join(InboxItem, InboxItem.id == Task.item_id)
    return ended.where(Task.watcher_id == scope.staff, _unseen_end(scope.staff)).scalar_subquery()


def leave_watching(session: Session, staff: Staff, to: Staff | None = None) -> None:
    """Let `to` watch what somebody who leaves has watched, else who covers for them, else nobody."""
    heir = to or roster.covering(session, staff.id, clock.now())
    open_ones = select(InboxItem.id).where(InboxItem.clinic_id == staff.clinic_id, InboxItem.state != "done")
    session.execute(
        update(Task)
        .where(Task.watcher_id == staff.id, Task.item_id.in_(open_ones))
        .values(watcher_id=heir.id if heir else None)
    )
