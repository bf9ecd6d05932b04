"""What waits for a human. Nothing closes an alert but a named human: so only a key that acts as one moves an item."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from api import pages
from api.operations import Call, Operation
from api.pages import OfPatient, Page
from api.problems import Place, Problem, at, reasons
from api.shapes import Line, Moment, Nothing, Shape, Words, opened
from messaging.inbox import item_state, items, outcomes
from messaging.inbox.models import InboxItem
from messaging.team import outcome_tasks

State = Literal["open", "claimed", "snoozed", "done"]
# What an item says when it refuses, as a place of the answer; all else is a conflict of its own name.
PLACES = {
    "note_owed": "/note",
    "next_try": "/next_at",
    "reached_before": "/disposition",
    "outcome_owed": "/disposition",
}


class Wanted(OfPatient):
    """Which items: of a patient, in a state, of a kind."""

    state: State | None = None
    kind: Line | None = Field(None, max_length=10)


class Item(Shape):
    """Something that waits for a human: `answer_by` until when, `disposition` what was done."""

    id: UUID
    kind: str
    state: State
    patient_id: UUID | None
    conversation_id: UUID | None
    about: str
    summary: str | None
    topic: str | None
    role: str | None
    owner_id: UUID | None
    answer_by: Moment
    snoozed_until: Moment | None
    created_at: Moment
    acknowledged_at: Moment | None
    acknowledged_by: UUID | None
    disposition: str | None
    done_at: Moment | None
    done_by: UUID | None


class Acknowledgement(Shape):
    """What was done; a clinical judgement says in `note` what it rests on, and who was not reached is tried again."""

    disposition: Line = Field(min_length=1, max_length=30)
    note: Words | None = Field(None, max_length=2000)
    next_at: AwareDatetime | None = None


class Resolution(Shape):
    """How it ended, where that was not said before."""

    disposition: Line | None = Field(None, max_length=30)


def _shown(item: InboxItem) -> Item:
    facts = {name: getattr(item, name) for name in Item.model_fields if name != "summary"}
    return Item(**facts, summary=opened(item, "summary"))


def _list(call: Call, query: Wanted) -> Page[Item]:
    """List the items, done or not."""
    narrowed = [
        getattr(InboxItem, name) == value for name in ("state", "kind") if (value := getattr(query, name)) is not None
    ]
    return pages.page(call, "inbox", InboxItem, query, _shown, *narrowed)


def _get(call: Call, id: UUID) -> Item:
    """Read one item."""
    return _shown(pages.row(call, InboxItem, id))


def _claim(call: Call, id: UUID, body: Nothing) -> Item:  # noqa: ARG001 - a body without a field
    """Take an item that nobody has, in the name of the colleague whom the key acts as."""
    staff, item = call.person(), _held(call, id)
    with _refusals():
        items.claim_as_shown(call.session, item, staff, None)
    return _shown(item)


def _acknowledge(call: Call, id: UUID, body: Acknowledgement) -> Item:
    """Say, in the name of the colleague whom the key acts as, what was done."""
    staff, item = call.person(), _held(call, id)
    if item.state == "done":
        raise Problem("already_done")
    with _refusals():
        outcome = outcomes.Outcome(body.disposition, body.note or "", body.next_at, call.once)
        outcomes.record(call.session, call.clinic, staff, [item], outcome)
        outcome_tasks.after_outcome(call.session, call.clinic, staff, item, item.disposition or "", body.next_at)
    return _shown(item)


def _resolve(call: Call, id: UUID, body: Resolution) -> Item:
    """Settle an item, in the name of the colleague whom the key acts as, unless a person is still owed."""
    staff, item = call.person(), _held(call, id)
    with _refusals():
        if items.resolve(call.session, item, staff, body.disposition) is None:
            raise Problem("already_done")
    return _shown(item)


def _held(call: Call, item_id: UUID) -> InboxItem:
    there = item_state.hold(call.session, call.clinic.id, [item_id])
    if not there:
        raise Problem("not_found")
    return there[0]


@contextmanager
def _refusals() -> Iterator[None]:
    """Say in problems why an item refuses."""
    try:
        yield
    except items.NotYet:
        raise Problem("not_yet") from None
    except items.Taken:
        raise Problem("taken") from None
    except items.Refused as refused:
        if refused.why in PLACES:
            raise Problem("not_now", Place(pointer=PLACES[refused.why], detail=reasons()[refused.why])) from None
        raise Problem("already_done") from None
    except ValueError:
        raise at("/disposition", "disposition") from None


OPERATIONS = (
    Operation("inbox.list", "GET", "/inbox/items", _list, "inbox.read", "inbox_item", {200: Page[Item]}, query=Wanted),
    Operation("inbox.get", "GET", "/inbox/items/{id}", _get, "inbox.read", "inbox_item", {200: Item}),
    Operation(
        "inbox.claim", "POST", "/inbox/items/{id}/claim", _claim, "inbox.write", "inbox_item",
        {200: Item}, body=Nothing, refuses=("person_needed", "taken", "already_done"),
    ),
    Operation(
        "inbox.acknowledge", "POST", "/inbox/items/{id}/acknowledge", _acknowledge, "inbox.write", "inbox_item",
        {200: Item}, body=Acknowledgement, refuses=("person_needed", "already_done", "not_now"),
    ),
    Operation(
        "inbox.resolve", "POST", "/inbox/items/{id}/resolve", _resolve, "inbox.write", "inbox_item",
        {200: Item}, body=Resolution, refuses=("person_needed", "already_done", "not_yet", "not_now"),
    ),
)  # fmt: skip
