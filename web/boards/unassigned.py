"""The board: what nobody owns and what everyone was told of in vain, with who must be called now."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import phone
from messaging.inbox import unassigned
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.inbox.routing import assign
from messaging.models import Clinic, Patient, Staff
from web import layout, permissions, sessions, team, times, words
from web.presenters import patient_view

unowned = layout.room("ladder", __name__)


@dataclass(frozen=True)
class Try:
    """One try to reach somebody: when, whom, and what came back."""

    at: str
    words: str
    result: str
    worrying: bool


@dataclass(frozen=True)
class Entry:
    """An item on the board: who it is about, until when, whose it is, why it stands here, and every try so far."""

    id: UUID
    name: str
    kind: str
    safety: bool
    mark: times.Mark
    owner: str
    owner_id: UUID | None
    ended: bool
    tries: list[Try]


@unowned.get("/board")
@permissions.signed_in("inbox.read")
def board() -> str:
    """Show every item that nobody owns or that has come to the end of its escalation, and whom to call."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session)


@unowned.post("/board/<uuid:item_id>/called")
@permissions.signed_in("inbox.assign")
def called(item_id: UUID) -> Response | tuple[str, int]:
    """Write down a call. Only an acknowledgement stops the escalation."""
    clinic = sessions.clinic()
    names = {call.name for call in assign.Rules.of(clinic.rules).call_list}
    who, outcome = request.form.get("who", ""), request.form.get("outcome", "")
    with db.unit_of_work(clinic.id) as session:
        item = session.get(InboxItem, item_id, with_for_update=True)
        if item is None or item.clinic_id != clinic.id:
            abort(404)
        if who not in names or outcome not in unassigned.OUTCOMES:
            return _page(session, problem_of=item_id), 422
        unassigned.note_call(session, item, layout.the_staff(), who, outcome)
    flash(words.say("board", "noted"))
    return redirect(url_for("ladder.board") + f"#item-{item_id}", 303)


def _page(session: Session, problem_of: UUID | None = None) -> str:
    clinic, readable = sessions.clinic(), layout.may("inbox.words")
    inbox_items = unassigned.listing(session, clinic)
    if readable and inbox_items:
        actor = layout.the_actor()
        audit.record(session, clinic.id, actor, "board.opened", f"clinic:{clinic.id}", count=len(inbox_items))
    return layout.page(
        session,
        "staff/board.html",
        here="board",
        entries=_entries(session, clinic, inbox_items, readable),
        call_list=[
            (call.name, call.phone, phone.display(call.phone), call.when)
            for call in assign.Rules.of(clinic.rules).call_list
        ],
        outcomes=[(outcome, words.say("board_outcomes", outcome)) for outcome in unassigned.OUTCOMES],
        problem_of=problem_of,
        notes_calls=layout.may("inbox.assign"),
        works=layout.may("inbox.work"),
        decides=layout.may("clinic.settings"),
    )


def _entries(session: Session, clinic: Clinic, inbox_items: list[InboxItem], readable: bool) -> list[Entry]:
    now, ids = clock.now(), [item.id for item in inbox_items]
    colleagues = team.everyone(session, clinic.id)
    tries, alerts = unassigned.tries(session, ids), unassigned.alerts(session, clinic, ids)
    sight = layout.sight(session)
    named = [item for item in inbox_items if item.patient_id and sight.names(item.patient_id)] if readable else []
    names = _names(session, named)
    return [
        Entry(
            id=item.id,
            name=names.get(item.patient_id, ""),
            kind=words.say("kinds", item.kind),
            safety=item.urgency == 0,
            mark=times.mark(safety=item.urgency == 0, answer_by=item.answer_by, now=now, zone=clinic.zone),
            owner=colleagues[item.owner_id].name if item.owner_id in colleagues else "",
            owner_id=item.owner_id,
            ended=item.exhausted_at is not None and item.acknowledged_at is None,
            tries=[line for event in tries[item.id] for line in _tries(event, colleagues, alerts, now, clinic.zone)],
        )
        for item in inbox_items
    ]


def _names(session: Session, inbox_items: list[InboxItem]) -> dict[UUID | None, str]:
    ids = {item.patient_id for item in inbox_items if item.patient_id}
    patients = session.scalars(select(Patient).where(Patient.id.in_(ids))).all()
    db.load_keys(session, (patient.key_id for patient in patients))
    return {patient.id: patient_view.full_name(patient) for patient in patients}


def _tries(
    event: ItemEvent, colleagues: dict[UUID | None, Staff], alerts: object, now: datetime, zone: str
) -> list[Try]:
    """What one line of an item's history says of whom somebody tried to reach."""
    at, detail = times.moment(event.at, now, zone), event.detail
    name = partial(team.name_of, colleagues, otherwise=words.say("board", "somebody"))
    if event.event == "call_list":
        by = name(audit.Actor(event.actor).staff_id)
        sentence = words.say("board", "called", by=by, who=detail["who"])
        return [Try(at, sentence, words.say("board_outcomes", detail["outcome"]), detail["outcome"] != "reached")]
    if event.event == "alert_failed":
        sentence = words.say("board", "told", who=name(detail.get("staff")))
        return [Try(at, sentence, words.say("board", "failed"), True)]
    lines = []
    for staff_id in detail.get("told", ()) or ([detail["to"]] if event.event == "offered" and "to" in detail else []):
        state = _state(alerts, event, staff_id)
        sentence = words.say("board", "told", who=name(staff_id))
        lines.append(Try(at, sentence, words.say("board_states", state), state in ("failed", "undelivered", "held")))
    for staff_id in detail.get("untold", ()):
        sentence = words.say("board", "not_told", who=name(staff_id))
        lines.append(Try(at, sentence, words.say("board", "no_phone"), True))
    if event.event == "nobody_reached" and not detail.get("untold"):
        lines.append(Try(at, words.say("board", "nobody"), "", True))
    return lines


def _state(alerts: object, event: ItemEvent, staff_id: str) -> str:
    level = event.detail.get("level", 0)
    state = alerts.get((f"alert:{event.item_id}:{level}", UUID(staff_id))) if isinstance(alerts, dict) else None
    return state or "unknown"
