"""One act on several items that were marked in the list; what is about patient safety is left to be done one by one."""

from collections import Counter
from collections.abc import Callable
from uuid import UUID

from flask import abort, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from messaging.inbox import item_state, items, snoozing, undoing
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Staff
from web import layout, permissions, sessions, times, words
from web.inbox import actions, after_action

room = actions.acts
MOST = 100
Act = Callable[[Session, InboxItem, Staff], ItemEvent | None]


@room.post("/inbox/bulk")
@permissions.signed_in("inbox.assign")
def bulk() -> Response:
    """Do one `act` (claim, hand_over with `to`, snooze with `until`, resolve) to every `item`."""
    act, chosen = request.form.get("act", ""), _chosen()
    if act not in ("claim", "hand_over", "snooze", "resolve"):
        abort(400)
    if act != "hand_over" and not layout.may("inbox.work"):
        abort(403)
    if not chosen:
        return after_action.to_page("refusals", "none_chosen")
    with db.unit_of_work(sessions.clinic().id) as session:
        try:
            do, facts = _verb(session, act)
        except items.Refused as refused:
            return after_action.to_page("refusals", refused.why)
        done, left = _do_all(session, do, chosen)
        bound = undoing.bind(done) if done else None
    notice = words.say("notices", f"bulk_{act}" if done else "bulk_none", count=len(done), **facts)
    for why, count in left.items():
        notice += " " + words.say("notices", "bulk_left", count=count, why=words.say("left_alone", why))
    return after_action.to_list_saying(notice, bound)


def _chosen() -> list[UUID]:
    try:
        # A row that stands for several items of a patient names them all.
        wanted = [UUID(item_id) for row in request.form.getlist("item") for item_id in row.split(",")]
    except ValueError:
        abort(400)
    return list(dict.fromkeys(wanted))[:MOST]


def _verb(session: Session, act: str) -> tuple[Act, dict[str, str]]:
    """Return what to do to each item, and what to say of it. Raises items.Refused where the form lacks something."""
    if act == "claim":
        return lambda session, item, staff: items.claim_as_shown(session, item, staff, None), {}
    if act == "resolve":
        return _resolve, {}
    if act == "snooze":
        until = actions.moment()
        at = times.until(until, clock.now(), sessions.clinic().zone)
        return lambda session, item, staff: snoozing.snooze(session, _calm(item), staff, until), {"at": at}
    to = actions.colleague(session, request.form.get("to", ""))
    if to is None:
        raise items.Refused("nobody")
    return lambda session, item, staff: _hand_over(session, item, staff, to), {}


def _do_all(session: Session, do: Act, chosen: list[UUID]) -> tuple[list[ItemEvent], Counter[str]]:
    staff, done, left = layout.the_staff(), [], Counter[str]()
    held = item_state.hold(session, sessions.clinic().id, chosen)
    left["gone"] = len(chosen) - len(held)
    for item in held:
        try:
            line = do(session, item, staff)
            if line is not None:
                done.append(line)
        except items.Refused as refused:
            left[refused.why] += 1
    return done, +left


def _calm(item: InboxItem) -> InboxItem:
    if item.kind in items.NEEDS_ACKNOWLEDGEMENT:
        raise items.Refused("safety")
    return item


def _open(item: InboxItem) -> InboxItem:
    if item.state == "done":
        raise items.Refused("already_done")
    return item


def _resolve(session: Session, item: InboxItem, staff: Staff) -> ItemEvent | None:
    if _open(_calm(item)).kind == "handoff":
        raise items.Refused("not_a_handoff")
    return items.resolve(session, item, staff)


def _hand_over(session: Session, item: InboxItem, staff: Staff, to: Staff) -> ItemEvent:
    return items.hand_over(session, _open(item), staff, to)
