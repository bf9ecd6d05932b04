"""Where one goes on after an act: to the next case of the list one works through, once this one has left it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock
from messaging.inbox import views
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Conversation, Patient
from web import ids, layout, sessions, words
from web.account import preferences
from web.inbox import after_action, inbox_page
from web.presenters import filters, short_names


@dataclass(frozen=True)
class Onward:
    """What follows an item that was dealt with: `next_id` None if it was the last one; `name` says whose it was, `rest`
    that something else of theirs still waits."""

    item_id: UUID
    next_id: UUID | None
    name: str
    rest: bool

    def go(self, notice: str, act: ItemEvent | str | None, *, left: bool, **facts: object) -> Response:
        """Go to the next case, or to the list after the last one; where the item has not `left` the list, stay with it.

        The words of the notices `<notice>_next` and `<notice>_last` say so, `.._rest` after either where something
        of theirs still waits; `act` is as in after_action.
        """
        if not left:
            return after_action.to_case(self.item_id, notice, act, **facts)
        if self.next_id is None:
            return after_action.to_list(self.said(f"{notice}_last"), act, name=self.name, **facts)
        return after_action.to_case(self.next_id, self.said(f"{notice}_next"), act, name=self.name, **facts)

    def said(self, notice: str) -> str:
        """Return the notice, or where it has one that tells of what still waits, that one."""
        return f"{notice}_rest" if self.rest and f"{notice}_rest" in words.table_of("notices") else notice


def look(session: Session, dealt_with: Sequence[InboxItem]) -> Onward:
    """Return what follows these, asked before the act: afterwards they have no place in the list any more."""
    first, rest = dealt_with[0], _rest(session, dealt_with)
    # A row is one patient's: what else it holds comes in its turn, and where no other row is left, now.
    next_id = next_of_the_view(session, dealt_with) or next((each.id for each in rest), None)
    return Onward(first.id, next_id, name_of(session, first), bool(rest))


def _rest(session: Session, dealt_with: Sequence[InboxItem]) -> list[InboxItem]:
    """What else of the same patient stands in the list that was left."""
    first, view = dealt_with[0], after_action.view()
    if view == "done":
        return []
    beside = views.beside(session, first.clinic_id, [first.thread_id], view, layout.the_staff())
    return [each for each in beside[first.thread_id] if each not in dealt_with]


def look_from_case(session: Session, item: InboxItem) -> Onward | None:
    """Return what follows, if the form stood on the item's own case (`case`) and not on a page of another list."""
    on_case = ids.uuid_of(request.form.get("case", "")) == item.id and layout.may("inbox.read")
    return look(session, [item]) if on_case else None


def has_left(session: Session, item: InboxItem) -> bool:
    """Whether the item stands no more in the list one works through: an act may leave it where it was."""
    staff, view = layout.the_staff(), after_action.view()
    session.flush()
    stays = views.beside(session, item.clinic_id, [item.thread_id], view, staff)[item.thread_id]
    came = views.came(session, item.clinic_id, staff) if view == "mine" else []
    return item not in stays and item not in came


def next_of_the_view(session: Session, dealt_with: Sequence[InboxItem]) -> UUID | None:
    """Return the item that stands after these in the list that was left, None if they were the only ones.

    What nobody has answered comes before what is in progress, wherever in the list these stood.
    """
    staff, view, clinic_id = layout.the_staff(), after_action.view(), sessions.clinic().id
    if view == "done":
        return None
    # In the order and within the filters in which the person works.
    sort, where = preferences.chosen("sort"), filters.narrowing(inbox_page.the_filter()[0], clock.now())
    rows_of = partial(views.listing, session, clinic_id, view=view, staff=staff, where=where, sort=sort)
    enough = len(dealt_with) + 1
    after, first = rows_of(after=views.cursor(dealt_with[0], sort), limit=enough), rows_of(limit=enough)
    onward = [candidate for candidate in (*after, *first) if candidate not in dealt_with]
    return min(onward, key=lambda candidate: candidate.rank).id if onward else None


def name_of(session: Session, item: InboxItem) -> str:
    """Return whose item it is, as a notice says it."""
    patient = session.get(Patient, item.patient_id) if item.patient_id else None
    conversation = session.get(Conversation, item.conversation_id) if item.conversation_id else None
    return short_names.short_name(patient, conversation)
