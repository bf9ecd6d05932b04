"""What can be done with a case: every act is a named person's, and answers with the case as it stands then."""

from datetime import datetime
from uuid import UUID

from flask import abort, g, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.inbox import item_state, items, reopening, role_inboxes, snooze_times, snoozing, undoing
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Staff
from messaging.team import tasks
from web import ids, layout, permissions, sessions, times, words
from web.inbox import after_action, inbox_page, onward
from web.presenters import case_options, case_reasons

acts = layout.room("acts", __name__)
Answer = Response | tuple[str, int]


@acts.post("/inbox/<uuid:item_id>/claim")
@permissions.signed_in("inbox.work")
def claim(item_id: UUID) -> Answer:
    """Take the item, unless somebody else has taken it since the page was drawn (`owner`: whom the page showed)."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item, *others = held_together(session, item_id)
        owner_id, staff = ids.uuid_of(request.form.get("owner", "")), layout.the_staff()
        try:
            done = items.claim_as_shown(session, item, staff, owner_id)
            undoing.bind([done, *(items.claim(session, each, staff) for each in others if each.owner_id == owner_id)])
        except items.Taken as taken:
            return refused(session, item, "taken", 409, how=_how(session, item, taken.owner_id))
        except items.Refused as why:
            return refused(session, item, why.why, **why.facts)
    return after_action.to_case(item_id, "claimed", done)


@acts.post("/inbox/<uuid:item_id>/resolve")
@permissions.signed_in("inbox.work")
def resolve(item_id: UUID) -> Answer:
    """Settle the item, unless a person is still owed; with `next` go on to the next of the same view."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item, *others = held_together(session, item_id)
        ahead = onward.look(session, [item, *others])
        try:
            first = items.resolve(session, item, layout.the_staff(), request.form.get("disposition") or None)
            also = [items.resolve(session, each, layout.the_staff()) for each in others]
            lines = [line for line in (first, *also) if line is not None]
            done = undoing.bind(lines) if lines else None
        except ValueError:
            return refused(session, item, "disposition")
        except items.Refused as why:
            return refused(session, item, why.why, **why.facts)
    return ahead.go("resolved", done, left="next" in request.form)


@acts.post("/inbox/<uuid:item_id>/reopen")
@permissions.signed_in("inbox.work")
def reopen(item_id: UUID) -> Answer:
    """Take a settlement back."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = held(session, item_id)
        try:
            done = reopening.reopen(session, item, layout.the_staff())
        except items.Refused as why:
            return refused(session, item, why.why)
    return after_action.to_case(item_id, "reopened", done)


@acts.post("/inbox/<uuid:item_id>/handover")
@permissions.signed_in("inbox.assign")
def hand_over(item_id: UUID) -> Answer:
    """Give the item to a colleague or to a role (`to`: an id, or "role:front_desk"), with its clock and why."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        item, *others = held_together(session, item_id)
        ahead = onward.look(session, [item, *others])
        try:
            with session.begin_nested():  # all of them or none
                given = [_given(session, each, request.form.get("to", "")) for each in (item, *others)]
        except items.Refused as why:
            return refused(session, item, why.why)
        role_inboxes.keep_reason(session, clinic, item, staff, request.form.get("why", ""), given[0])
        done, left = undoing.bind(given), onward.has_left(session, item)
    return ahead.go("handed_over", done, left=left)


@acts.post("/inbox/<uuid:item_id>/snooze")
@permissions.signed_in("inbox.work")
def snooze(item_id: UUID) -> Answer:
    """Set the item aside: `until` names a preset, "visit", "again", or "at" with a date and time in `at`."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = held(session, item_id)
        ahead = onward.look(session, [item])
        try:
            until, visit_id = _until(session, item)
            done = undoing.bind([snoozing.snooze(session, item, layout.the_staff(), until, visit_id)])
        except items.Refused as why:
            return refused(session, item, why.why, **why.facts)
        left = onward.has_left(session, item)
    return ahead.go("snoozed", done, left=left, at=said(until))


@acts.post("/inbox/<uuid:item_id>/wake")
@permissions.signed_in("inbox.work")
def wake(item_id: UUID) -> Answer:
    """Bring back what was set aside, before its hour."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = held(session, item_id)
        try:
            done = snoozing.wake_now(session, item, layout.the_staff())
        except items.Refused as why:
            return refused(session, item, why.why)
    return after_action.to_case(item_id, "woken", done)


@acts.post("/inbox/undo")
@permissions.signed_in("inbox.assign")
def undo() -> Answer:
    """Take back what this person has just done (`event`), as long as that is possible."""
    event_id = ids.uuid_of(request.form.get("event", ""))
    with db.unit_of_work(sessions.clinic().id) as session:
        try:
            if event_id is None:
                raise items.Refused("undo_gone")
            undone = undoing.undo(session, sessions.clinic().id, layout.the_staff(), event_id)
            tasks.withdraw_made_with(session, session.get_one(ItemEvent, event_id), layout.the_staff())
        except items.Refused as why:
            return after_action.to_page("refusals", why.why)
    if undone.left:
        return after_action.to_page("notices", "undone_some", count=len(undone.item_ids), left=undone.left)
    if undone.together:
        return after_action.to_case(undone.item_ids[0], "undone", None)
    return after_action.to_list("undone", None)


def _given(session: Session, item: InboxItem, wanted: str) -> ItemEvent:
    """Hand the item to whom the form names. Raises items.Refused."""
    if wanted.startswith("role:"):
        role = wanted.removeprefix("role:")
        return role_inboxes.hand_over(session, sessions.clinic(), item, layout.the_staff(), role)
    to = colleague(session, wanted)
    if to is None or item.state == "done":
        raise items.Refused("already_done" if to else "nobody")
    return items.hand_over(session, item, layout.the_staff(), to)


def held(session: Session, item_id: UUID) -> InboxItem:
    """Return the clinic's item as it is now, locked, or answer that there is none."""
    found = item_state.hold(session, sessions.clinic().id, [item_id])
    if not found:
        abort(404)
    return found[0]


def held_together(session: Session, item_id: UUID) -> list[InboxItem]:
    """Return the item, and what goes with it of what the page showed (`shown`): nothing that came in meanwhile."""
    shown = [ids.uuid_of(each) for each in request.form.getlist("shown")]
    item, *others = item_state.hold(
        session, sessions.clinic().id, list(dict.fromkeys([held(session, item_id).id, *filter(None, shown)]))
    )
    return case_reasons.together(item, others)


def colleague(session: Session, wanted: str) -> Staff | None:
    """Return the colleague of this id who may work on items, None for anybody else."""
    staff = session.get(Staff, ids.uuid_of(wanted)) if ids.uuid_of(wanted) else None
    ours = staff is not None and staff.clinic_id == sessions.clinic().id and staff.active
    return staff if ours and staff is not None and permissions.may(staff.role, "inbox.work") else None


def _until(session: Session, item: InboxItem) -> tuple[datetime, UUID | None]:
    """Read until when to set aside; with the visit that it waits for. Raises items.Refused."""
    wanted, clinic = request.form.get("until", ""), sessions.clinic()
    if wanted == "visit":
        visit = case_options.visit_at(session, item)
        if visit is None:
            raise items.Refused("no_visit")
        return visit[1], visit[0].id
    if wanted == "again":
        again = case_options.again_at(clinic, items.history(session, item))
        if again is None:
            raise items.Refused("no_again")
        return again, None
    return moment(), None


def moment() -> datetime:
    """Return the moment that the form names by a preset, or by a date and time in `at`. Raises items.Refused."""
    wanted, zone = request.form.get("until", ""), sessions.clinic().zone
    preset = snooze_times.presets(clock.now(), zone).get(wanted)
    chosen = snooze_times.typed(request.form.get("at", ""), zone) if wanted == "at" else preset
    if chosen is None:
        # A preset that was still to come when the page was drawn, and no more.
        raise items.Refused("past" if wanted == "afternoon" else "no_moment")
    return chosen


def _how(session: Session, item: InboxItem, owner_id: UUID | None) -> str:
    """Say who has the item, how they came to have it, and how long ago."""
    owner = session.get(Staff, owner_id) if owner_id else None
    if owner is None:
        return words.say("taken", "nobody")
    transfers = [line for line in items.history(session, item) if _gives(line, owner)]
    how, span = (transfers[-1].event, clock.now() - transfers[-1].at) if transfers else ("other", None)
    ago = "" if span is None else f"{span.seconds} s ago" if span.total_seconds() < 60 else times.ago(span)
    return words.say("taken", how, who=owner.name, ago=ago)


def _gives(line: ItemEvent, owner: Staff) -> bool:
    mine = line.event == "claimed" and line.actor == audit.Actor.staff(owner.id)
    return mine or line.event == "routed" or (line.event == "handed_over" and line.detail["to"] == str(owner.id))


def said(at: datetime) -> str:
    """Return until when, in the middle of a sentence."""
    return times.until(at, clock.now(), sessions.clinic().zone)


def refused(session: Session, item: InboxItem, why: str, code: int = 422, **facts: str) -> tuple[str, int]:
    """Show the case again with why this cannot be done, beside the button that was pressed: see _act.html."""
    g.refused = {
        "act": (request.endpoint or "").partition(".")[2],
        "words": words.say("refusals", why, **facts),
    }
    return inbox_page.page(session, after_action.view(), item), code
