"""Tasks of the team: asked of a colleague by a time, made and closed in the name of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlalchemy import select

from api import cursors, pages
from api.operations import Answer, Call, Operation
from api.pages import Page
from api.problems import Problem, at
from api.shapes import Line, Listing, Moment, Shape, Words, opened
from config import db
from messaging.inbox import item_state
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from messaging.team import tasks
from messaging.team.models import Task

State = Literal["open", "claimed", "snoozed", "done"]
Outcome = Literal["task_done", "task_not_possible", "task_not_needed"]
# Where on this door stands what the rules of a task call otherwise.
FIELDS = {"due": "due_at", "owner": "owner_id"}


class Wanted(Listing):
    """Which tasks: about a patient, in a state."""

    patient_id: UUID | None = None
    state: State | None = None


class TaskIn(Shape):
    """What is to be done until when; `owner_id` who is asked, else whoever the clinic's routing chooses."""

    title: Line = Field(min_length=1, max_length=tasks.LONGEST_TITLE)
    due_at: AwareDatetime
    patient_id: UUID | None = None
    owner_id: UUID | None = None
    words: Words | None = Field(None, max_length=tasks.LONGEST)


class TaskOut(Shape):
    """A task; `item_id` is its item in the inbox, `outcome` what came of it."""

    id: UUID
    item_id: UUID
    patient_id: UUID | None
    title: str | None
    words: str | None
    state: State
    made: str
    made_by: UUID | None
    owner_id: UUID | None
    due_at: Moment
    created_at: Moment
    done_at: Moment | None
    done_by: UUID | None
    outcome: str | None


class Closing(Shape):
    """What came of it; where it was not possible `words` say why."""

    outcome: Outcome
    words: Words | None = Field(None, max_length=tasks.LONGEST)


def _shown(task: Task, item: InboxItem) -> TaskOut:
    same = {
        name: getattr(item, name) for name in ("patient_id", "state", "owner_id", "created_at", "done_at", "done_by")
    }
    return TaskOut(
        **same,
        id=task.id,
        item_id=item.id,
        title=opened(item, "summary"),
        words=opened(task, "words"),
        made=task.made,
        made_by=task.made_by,
        due_at=item.answer_by,
        outcome=item.disposition,
    )


def _list(call: Call, query: Wanted) -> Page[TaskOut]:
    """List the tasks, done or not."""
    wanted = select(Task, InboxItem).join(InboxItem, InboxItem.id == Task.item_id)
    wanted = wanted.where(Task.clinic_id == call.clinic.id)
    if query.patient_id is not None:
        wanted = wanted.where(InboxItem.patient_id == query.patient_id)
    if query.state is not None:
        wanted = wanted.where(InboxItem.state == query.state)
    if query.after is not None:
        wanted = wanted.where(Task.id > UUID(int=cursors.read(call.clinic.id, "tasks", query.after)))
    rows = call.session.execute(wanted.order_by(Task.id).limit(query.limit + 1)).all()
    shown, more = rows[: query.limit], len(rows) > query.limit
    db.load_keys(call.session, {key for task, item in shown for key in (task.key_id, item.key_id)})
    return pages.cut(call, "tasks", [task.id.int for task, _ in shown], [_shown(*row) for row in shown], more)


def _get(call: Call, id: UUID) -> TaskOut:
    """Read one task."""
    task = pages.row(call, Task, id)
    return _shown(task, call.session.get_one(InboxItem, task.item_id))


def _make(call: Call, body: TaskIn) -> Answer:
    """Make a task in the name of the colleague whom the key acts as; whoever is asked is told."""
    by = call.person()
    patient = pages.patient(call, body.patient_id) if body.patient_id else None
    wanted = tasks.Wanted(
        body.title, body.due_at, _owner(call, body.owner_id), None, patient, body.words or "", once=call.once
    )
    with _refusals():
        item = tasks.make(call.session, call.clinic, by, wanted)
    task = tasks.of_item(call.session, item)
    if task is None:
        raise AssertionError("a task was made without its row")
    return Answer(201, _shown(task, item))


def _owner(call: Call, staff_id: UUID | None) -> Staff | None:
    if staff_id is None:
        return None
    owner = call.session.scalar(select(Staff).where(Staff.clinic_id == call.clinic.id, Staff.id == staff_id))
    if owner is None:
        raise at("/owner_id", "no_colleague")
    return owner


def _close(call: Call, id: UUID, body: Closing) -> TaskOut:
    """Close a task with what came of it, in the name of the colleague whom the key acts as."""
    staff, task = call.person(), pages.row(call, Task, id)
    item = item_state.hold(call.session, call.clinic.id, [task.item_id])[0]
    with _refusals():
        if tasks.end(call.session, call.clinic, item, staff, body.outcome, body.words or "") is None:
            raise Problem("already_done")
    return _shown(task, item)


@contextmanager
def _refusals() -> Iterator[None]:
    """Say in problems why a task is refused."""
    try:
        yield
    except tasks.Refused as refused:
        raise at(f"/{FIELDS.get(refused.field, refused.field)}", refused.why) from None


OPERATIONS = (
    Operation("tasks.list", "GET", "/tasks", _list, "tasks.read", "task", {200: Page[TaskOut]}, query=Wanted),
    Operation(
        "tasks.create", "POST", "/tasks", _make, "tasks.write", "task",
        {201: TaskOut}, body=TaskIn, refuses=("person_needed",),
    ),
    Operation("tasks.get", "GET", "/tasks/{id}", _get, "tasks.read", "task", {200: TaskOut}),
    Operation(
        "tasks.close", "POST", "/tasks/{id}/close", _close, "tasks.write", "task",
        {200: TaskOut}, body=Closing, refuses=("person_needed", "already_done"),
    ),
)  # fmt: skip
