"""What the composer's buttons do: send, plan, keep, discard, put in a saved reply, check, take a planned text back."""

from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

from flask import abort, flash, jsonify, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from messaging.inbox.models import InboxItem
from web import drafts, ids, layout, permissions, sessions, times, words
from web.compose import composer_page, send_reply
from web.inbox import inbox_page
from web.models import Draft

composer = layout.room("composer", __name__)
Page = Response | tuple[str, int] | tuple[Response, int]


@composer.post("/inbox/<uuid:item_id>/reply")
@permissions.signed_in("inbox.text")
def reply(item_id: UUID) -> Page:
    """Send a text or plan one, once; whatever is refused stays in the box."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = inbox_page.the_item(session, item_id)
        notice, refused = send_reply.send(session, sessions.clinic(), layout.the_staff(), item, request.form)
        if refused is not None:
            return inbox_page.page(session, inbox_page.the_view(), item, typed=refused), 422
    return _back(item_id, notice or "sent")


@composer.post("/inbox/<uuid:item_id>/insert")
@permissions.signed_in("inbox.text")
def insert(item_id: UUID) -> Page:
    """Show the composer with a saved reply put into it, or with letters that cost less; nothing is sent."""
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic, staff, item = sessions.clinic(), layout.the_staff(), inbox_page.the_item(session, item_id)
        typed = composer_page.insert(session, clinic, staff, item, _typed(), request.form.get("insert", ""))
        # Where another window has other words, those stay, and these are on the page.
        with suppress(drafts.NewerDraft):
            _keep(session, item, typed)
        return inbox_page.page(session, inbox_page.the_view(), item, typed=typed), 200


@composer.post("/drafts")
@permissions.signed_in("inbox.text")
def keep() -> Page:
    """Keep what was typed, for a script (quietly=1, answered in JSON) or for the button; discard=1 clears it."""
    quietly = "quietly" in request.form
    with db.unit_of_work(sessions.clinic().id) as session:
        item = inbox_page.the_item(session, ids.uuid_of(request.form.get("item")) or abort(404))
        typed = _typed()
        if "discard" in request.form:
            drafts.clear(session, layout.the_staff(), item.thread)
            gone = send_reply.Typed("", str(uuid4()), put_back=typed.body)
            return inbox_page.page(session, inbox_page.the_view(), item, typed=gone), 200
        try:
            draft = _keep(session, item, typed)
        except drafts.NewerDraft as other:
            if quietly:
                return jsonify(_kept(other.draft) | {"body": other.draft.body}), 409
            refused = replace(typed, problem=words.say("refusals", "newer_draft"), put_back=other.draft.body or "")
            return inbox_page.page(session, inbox_page.the_view(), item, typed=refused), 422
        if quietly:
            return jsonify(_kept(draft))
    return _back(item.id, "draft_kept" if draft else "draft_cleared")


def _typed() -> send_reply.Typed:
    form = request.form
    compose_id = str(ids.uuid_of(form.get("compose")) or uuid4())
    return send_reply.Typed(form.get("body", ""), compose_id, day=form.get("day", ""), at=form.get("at", ""))


def _keep(session: Session, item: InboxItem, typed: send_reply.Typed) -> Draft | None:
    return drafts.keep(
        session,
        sessions.clinic(),
        layout.the_staff(),
        item.thread,
        typed.body,
        compose_id=UUID(typed.compose_id),
        seen_id=ids.uuid_of(request.form.get("seen")),
        known=None if "anyway" in request.form else request.form.get("version"),
    )


def _kept(draft: Draft | None) -> dict[str, str]:
    return {
        "version": drafts.version(draft),
        "compose": str(draft.compose_id) if draft else "",
        "kept": times.time_of(draft.updated_at, sessions.clinic().zone) if draft else "",
    }


@composer.post("/compose/check")
@permissions.signed_in("inbox.text")
def check() -> Response:
    """Read a text as the server will before it sends it, and say what stops it and what it costs. Nothing is kept."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        item = inbox_page.the_item(session, ids.uuid_of(request.form.get("item")) or abort(404))
        here = send_reply.place(session, sessions.clinic(), item)
        proof = send_reply.proofread(session, sessions.clinic(), here, request.form.get("body", "")[: drafts.LONGEST])
        return jsonify(proof)


@composer.post("/inbox/<uuid:item_id>/planned/<uuid:message_id>/take-back")
@permissions.signed_in("inbox.text")
def unschedule(item_id: UUID, message_id: UUID) -> Response:
    """Take a planned text back, if it has not left: its words stand in the composer again."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = inbox_page.the_item(session, item_id, lock=True)
        taken = send_reply.take_back(session, sessions.clinic(), layout.the_staff(), item, message_id)
    return _back(item_id, "taken_back" if taken else "left_already")


@composer.post("/inbox/<uuid:item_id>/offered/<uuid:message_id>/<any(send, own, skip):act>")
@permissions.signed_in("inbox.text")
def decide(item_id: UUID, message_id: UUID, act: str) -> Response:
    """Say what becomes of an automatic text that waits while one is talking with the patient: it goes now, or not."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = inbox_page.the_item(session, item_id, lock=True)
        decided = send_reply.decide(session, sessions.clinic(), layout.the_staff(), item, message_id, act)
    return _back(item_id, f"offered_{act}" if decided else "left_already")


def _back(item_id: UUID, notice: str) -> Response:
    flash(words.say("notices", notice))
    return redirect(url_for("inbox.case", item_id=item_id, **inbox_page.place(inbox_page.the_view())), 303)
