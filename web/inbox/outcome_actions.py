"""Who is on a patient's alarm, and what came of it: for all of what the page showed, and nothing that came in since."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session

from config import clock, db
from messaging.inbox import item_state, items, on_it, outcomes, snooze_times, undoing, views
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from messaging.team import outcome_tasks
from web import ids, layout, permissions, sessions
from web.inbox import actions, after_action
from web.presenters import case_options

outcome = layout.room("outcome", __name__)


@outcome.post("/inbox/<uuid:item_id>/on-it")
@permissions.signed_in("inbox.work")
def be_on_it(item_id: UUID) -> actions.Answer:
    """Hold the escalation for a while, because this person is calling or on their way (`how`)."""
    staff, how = layout.the_staff(), request.form.get("how", "")
    with db.unit_of_work(sessions.clinic().id) as session:
        reasons = actions.held_together(session, item_id)
        try:
            done = undoing.bind([on_it.take_up(session, item, staff, how) for item in reasons])
        except ValueError:
            return actions.refused(session, reasons[0], "on_it_how")
        except items.Refused as why:
            return actions.refused(session, reasons[0], why.why)
        until = reasons[0].held_until or clock.now()
    return after_action.to_case(item_id, "on_it", done, at=actions.said(until))


@outcome.post("/inbox/<uuid:item_id>/acknowledge")
@permissions.signed_in("inbox.work")
def acknowledge(item_id: UUID) -> actions.Answer:
    """Say what was done (`disposition`), in a note (`words`), and when the next contact or try is (`next`, `next_at`).

    It is said of every item that the page showed (`shown`) and that belongs together.
    """
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        reasons = actions.held_together(session, item_id)
        if reasons[0].state == "done":
            return actions.refused(session, reasons[0], "already_done")
        try:
            said = _outcome()
            done = outcomes.record(session, clinic, staff, reasons, said)
        except ValueError:
            return actions.refused(session, reasons[0], "disposition")
        except items.Refused as why:
            return actions.refused(session, reasons[0], why.why, **why.facts)
        made = outcome_tasks.after_outcome(session, clinic, staff, reasons[0], said.disposition, said.next_at)
        if made:
            done.detail = {**done.detail, "tasks": [str(task.id) for task in made]}
        meanwhile = _came_meanwhile(session, reasons)
        owner = session.get(Staff, reasons[0].owner_id) if reasons[0].owner_id != staff.id else None
        # When it is to be tried again, or the next contact is.
        at = reasons[0].answer_by if done.event == "not_reached" else said.next_at
    if meanwhile is not None:
        return after_action.to_case(meanwhile, "acknowledged_more", done)
    whose = f"{done.event}_theirs" if owner is not None else done.event
    notice = f"{whose}_contact" if at is not None and done.event == "acknowledged" else whose
    facts = {"owner": owner.name if owner else "", "at": actions.said(at) if at else ""}
    return after_action.to_case(item_id, notice, done, **facts)


def _outcome() -> outcomes.Outcome:
    form = request.form
    words, once = form.get("words", ""), ids.uuid_of(form.get("once", ""))
    return outcomes.Outcome(form.get("disposition", ""), words, _next_at(), once)


def _next_at() -> datetime | None:
    """Read when the next contact is: a moment by name, or a date and time, which counts where it is filled in.

    Raises items.Refused.
    """
    wanted, typed, clinic = request.form.get("next", ""), request.form.get("next_at", "").strip(), sessions.clinic()
    if not wanted and not typed:
        return None
    named = case_options.next_contacts(clinic).get(wanted)
    chosen = snooze_times.typed(typed, clinic.zone) if typed else named
    if chosen is None or chosen <= clock.now():
        raise items.Refused("next_unread")
    return chosen


def _came_meanwhile(session: Session, reasons: Sequence[InboxItem]) -> UUID | None:
    """Return what is owed to the same patient and was not on the page that was answered."""
    first = reasons[0]
    if first.kind not in items.NEEDS_ACKNOWLEDGEMENT or first.acknowledged_at is None:
        return None
    session.flush()
    beside = views.beside(session, first.clinic_id, [first.thread_id])[first.thread_id]
    return next((each.id for each in beside if item_state.is_owed(each) and each not in reasons), None)
