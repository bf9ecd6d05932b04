"""The front desk's own inbox: texts about scheduling and bills, and nothing else. No other door of the inbox is theirs.

Every page and act here asks `role_inboxes.may_read` of the one item it is about, and shows the texts of that item
alone: no screens, no safety items, no conversation of the care team's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.inbox import item_state, items, role_inboxes, views
from messaging.inbox.models import Contact, InboxItem
from messaging.inbox.routing import topics
from messaging.models import Clinic, Conversation, Message, Patient, Staff
from web import ids, layout, permissions, reading_marks, sessions, team, times, words
from web.compose import send_reply
from web.presenters import assignment, composer, item_marks, patient_view, short_names, visit_view

desk = layout.room("desk", __name__)
Answer = Response | tuple[str, int]


@dataclass(frozen=True)
class Row:
    """One item of the desk's list; `owner` is empty while it is anybody's."""

    id: UUID
    name: str
    topic: str
    summary: str
    mark: times.Mark | None
    came: str
    owner: str
    mine: bool


@dataclass(frozen=True)
class Text:
    """One text of an item: whose, when, what."""

    ours: bool
    who: str
    at: str
    words: str


@desk.get("/desk")
@permissions.signed_in("desk.read")
def show() -> str:
    """Show what waits for the front desk: mine and nobody's first, then what a colleague of the desk has."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic, staff = sessions.clinic(), layout.the_staff()
        listed = role_inboxes.desk_listing(session, clinic.id)
        rows = _rows(session, clinic, staff, listed)
        return layout.page(
            session,
            "staff/desk.html",
            here="desk",
            mine=[row for row in rows if row.mine or not row.owner],
            others=[row for row in rows if row.owner and not row.mine],
        )


@desk.get("/desk/<uuid:item_id>")
@permissions.signed_in("desk.read")
def case(item_id: UUID) -> str:
    """Show one item with its own texts. That it was read is written down; its state does not change."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _the_item(session, item_id)
        about, patient = f"inbox_item:{item.id}", str(item.patient_id) if item.patient_id else None
        audit.record(session, item.clinic_id, layout.the_actor(), "case.opened", about, patient=patient)
        reading_marks.put_item(session, layout.the_staff(), item.id)
        return _page(session, item)


@desk.post("/desk/<uuid:item_id>/take")
@permissions.signed_in("desk.work")
def take(item_id: UUID) -> Answer:
    """Take the item, unless a colleague has taken it since the page was drawn."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _the_item(session, item_id, lock=True)
        try:
            items.claim_as_shown(session, item, layout.the_staff(), ids.uuid_of(request.form.get("owner", "")))
        except items.Refused as refused:
            return _page(session, item, problem=words.say("desk", refused.why)), 409
    return _back(item_id, "claimed")


@desk.post("/desk/<uuid:item_id>/reply")
@permissions.signed_in("desk.work")
def reply(item_id: UUID) -> Answer:
    """Send a text, once; whatever is refused stays in the box. `then` settles the item or waits for an answer."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _the_item(session, item_id, lock=True)
        _notice, refused = send_reply.send(session, sessions.clinic(), layout.the_staff(), item, request.form)
        if refused is not None:
            return _page(session, item, typed=refused), 422
        done = item.state == "done"
    return _to_list("desk_sent") if done else _back(item_id, "sent")


@desk.post("/desk/<uuid:item_id>/settle")
@permissions.signed_in("desk.work")
def settle(item_id: UUID) -> Answer:
    """Settle an item that needs no text, or that was settled by a call."""
    with db.unit_of_work(sessions.clinic().id) as session:
        items.resolve(session, _the_item(session, item_id, lock=True), layout.the_staff())
    return _to_list("resolved")


@desk.post("/desk/<uuid:item_id>/handover")
@permissions.signed_in("desk.work")
def hand_over(item_id: UUID) -> Answer:
    """Give the item to the care team, with the reason (`why`) as a note."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        item = _the_item(session, item_id, lock=True)
        event = role_inboxes.hand_over(session, clinic, item, staff, topics.CARE_TEAM)
        role_inboxes.keep_reason(session, clinic, item, staff, request.form.get("why", ""), event)
    return _to_list("handed_over")


def _the_item(session: Session, item_id: UUID, *, lock: bool = False) -> InboxItem:
    """Return an item of the desk's, or answer that there is none: whatever else it may be is not said."""
    clinic_id = sessions.clinic().id
    held = item_state.hold(session, clinic_id, [item_id]) if lock else [session.get(InboxItem, item_id)]
    item = held[0] if held else None
    if item is None or item.clinic_id != clinic_id or not role_inboxes.may_read(item, layout.the_staff().role):
        abort(404)
    if item.state == "done" and lock:
        abort(404)
    return item


def _rows(session: Session, clinic: Clinic, staff: Staff, listed: Sequence[InboxItem]) -> list[Row]:
    people, now = team.everyone(session, clinic.id), clock.now()
    rows = []
    for item in listed:
        said = role_inboxes.texts(session, item)
        db.load_keys(session, {message.key_id for message in said} | {item.key_id})
        owner = people.get(item.owner_id)
        rows.append(
            Row(
                id=item.id,
                name=_name(session, item),
                topic=items.words()["topics"].get(item.topic or "", ""),
                summary=_summary(item, said),
                mark=item_marks.mark(item, now, clinic.zone),
                came=times.moment(item.created_at, now, clinic.zone, running=True),
                owner=owner.name if owner else "",
                mine=item.owner_id == staff.id,
            )
        )
    return rows


def _summary(item: InboxItem, said: Sequence[Message]) -> str:
    """What they wrote last; of a handoff, what the desk is asked to do."""
    if item.kind == "handoff":
        return item.summary or ""
    return next((message.body or "" for message in reversed(said) if message.direction == "in"), "")


def _name(session: Session, item: InboxItem) -> str:
    patient = session.get(Patient, item.patient_id) if item.patient_id else None
    conversation = session.get(Conversation, item.conversation_id) if item.conversation_id else None
    db.load_keys(session, {row.key_id for row in (patient, conversation) if row is not None})
    return patient_view.full_name(patient) if patient else short_names.short_name(None, conversation)


def _page(
    session: Session, item: InboxItem, *, typed: send_reply.Typed | None = None, problem: str | None = None
) -> str:
    clinic, staff = sessions.clinic(), layout.the_staff()
    (row,) = _rows(session, clinic, staff, [item])
    patient = session.get(Patient, item.patient_id) if item.patient_id else None
    conversation = session.get(Conversation, item.conversation_id) if item.conversation_id else None
    return layout.page(
        session,
        "staff/desk_case.html",
        here="desk",
        one=row,
        due=times.moment(item.answer_by, clock.now(), clinic.zone, running=True),
        open=item.state != "done",
        care_team=_is_with_the_care_team(session, item),
        owner_id=item.owner_id,
        patient_id=patient.id if patient else None,
        why=[assignment.reason_words(reason) for reason in item.reason],
        reasons=_reasons(session, item),
        texts=[_text(session, message, row.name) for message in role_inboxes.texts(session, item)],
        composer=composer.composer(session, conversation, patient, said_in=topics.language(item.reason)),
        visits=[visit for visit in visit_view.planned_visits(session, patient) if not visit.past][::-1]
        if patient
        else [],
        compose=typed.compose_id if typed else str(uuid4()),
        typed=typed,
        problem=problem,
    )


def _is_with_the_care_team(session: Session, item: InboxItem) -> bool:
    """Whether the same patient waits for a person of the care team: then nobody at the desk texts unasked."""
    beside = views.beside(session, item.clinic_id, [item.thread_id])[item.thread_id]
    return any(item_state.is_owed(each) for each in beside)


def _text(session: Session, message: Message, patient: str) -> Text:
    ours = message.direction == "out"
    author = session.get(Staff, message.author_id) if message.author_id else None
    at = times.moment(message.created_at, clock.now(), sessions.clinic().zone)
    return Text(ours, author.name if author else patient, at, message.body or words.say("keeping", "emptied"))


def _reasons(session: Session, item: InboxItem) -> list[tuple[str, str]]:
    """Why colleagues handed the item over: who, and their words."""
    named = [event.detail.get("note") for event in items.history(session, item) if event.event == "given_to_role"]
    notes = session.scalars(select(Contact).where(Contact.id.in_([UUID(str(note)) for note in named if note]))).all()
    db.load_keys(session, {note.key_id for note in notes})
    standing = [note for note in notes if note.struck_at is None]
    return [(session.get_one(Staff, note.staff_id).name, note.words or "") for note in standing]


def _back(item_id: UUID, notice: str) -> Response:
    flash(words.say("notices", notice))
    return redirect(url_for("desk.case", item_id=item_id), 303)


def _to_list(notice: str) -> Response:
    flash(words.say("notices", notice))
    return redirect(url_for("desk.show"), 303)
