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
Standing, standing = unassigned.Standing, unassigned.standing


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
    names = {one.name for one in assign.Rules.of(clinic.rules).call_list}
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
    found = unassigned.listing(session, clinic)
    if readable and found:
        actor = layout.the_actor()
        audit.record(session, clinic.id, actor, "board.opened", f"clinic:{clinic.id}", count=len(found))
    return layout.page(
        session,
        "staff/board.html",
        here="board",
        entries=_entries(session, clinic, found, readable),
        call_list=[
            (one.name, one.phone, phone.display(one.phone), one.when) for one in assign.Rules.of(clinic.rules).call_list
        ],
        outcomes=[(one, words.say("board_outcomes", one)) for one in unassigned.OUTCOMES],
        problem_of=problem_of,
        notes_calls=layout.may("inbox.assign"),
        works=layout.may("inbox.work"),
        decides=layout.may("clinic.settings"),
    )


def _entries(session: Session, clinic: Clinic, found: list[InboxItem], readable: bool) -> list[Entry]:
    now, ids = clock.now(), [one.id for one in found]
    colleagues = team.everyone(session, clinic.id)
    tries, alerts = unassigned.tries(session, ids), unassigned.alerts(session, clinic, ids)
    names = _names(session, found) if readable else {}
    return [
        Entry(
            id=one.id,
            name=names.get(one.patient_id, ""),
            kind=words.say("kinds", one.kind),
            safety=one.urgency == 0,
            mark=times.mark(safety=one.urgency == 0, answer_by=one.answer_by, now=now, zone=clinic.zone),
            owner=colleagues[one.owner_id].name if one.owner_id in colleagues else "",
            owner_id=one.owner_id,
            ended=one.exhausted_at is not None and one.acknowledged_at is None,
            tries=[line for event in tries[one.id] for line in _tries(event, colleagues, alerts, now, clinic.zone)],
        )
        for one in found
    ]


def _names(session: Session, found: list[InboxItem]) -> dict[UUID | None, str]:
    ids = {one.patient_id for one in found if one.patient_id}
    patients = session.scalars(select(Patient).where(Patient.id.in_(ids))).all()
    db.load_keys(session, (one.key_id for one in patients))
    return {one.id: patient_view.full_name(one) for one in patients}


def _tries(
    event: ItemEvent, colleagues: dict[UUID | None, Staff], alerts: object, now: datetime, zone: str
) -> list[Try]:
    """What one line of an item's history says of whom somebody tried to reach."""
    at, detail = times.moment(event.at, now, zone), event.detail
    name = partial(team.name_of, colleagues, otherwise=words.say("board", "somebody"))
    if event.event == "call_list":
        by = name(audit.Actor(event.actor).staff_id)
        said = words.say("board", "called", by=by, who=detail["who"])
        return [Try(at, said, words.say("board_outcomes", detail["outcome"]), detail["outcome"] != "reached")]
    if event.event == "alert_failed":
        said = words.say("board", "told", who=name(detail.get("staff")))
        return [Try(at, said, words.say("board", "failed"), True)]
    lines = []
    for one in detail.get("told", ()) or ([detail["to"]] if event.event == "offered" and "to" in detail else []):
        state = _state(alerts, event, one)
        said = words.say("board", "told", who=name(one))
        lines.append(Try(at, said, words.say("board_states", state), state in ("failed", "undelivered", "held")))
    for one in detail.get("untold", ()):
        said = words.say("board", "not_told", who=name(one))
        lines.append(Try(at, said, words.say("board", "no_phone"), True))
    if event.event == "nobody_reached" and not detail.get("untold"):
        lines.append(Try(at, words.say("board", "nobody"), "", True))
    return lines


def _state(alerts: object, event: ItemEvent, staff_id: str) -> str:
    level = event.detail.get("level", 0)
    known = alerts.get((f"alert:{event.item_id}:{level}", UUID(staff_id))) if isinstance(alerts, dict) else None
    return known or "unknown"
