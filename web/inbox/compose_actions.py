"""What the composer's buttons do: send, plan, keep, discard, put in a saved reply, check, take a planned text back."""

from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

from flask import abort, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from messaging.inbox.models import InboxItem
from web import drafts, ids, layout, permissions, sessions, times, words
from web.compose import composer_page, send_reply
from web.inbox import first_words, inbox_page, onward
from web.models import Draft
from web.patients import patient_page

composer = layout.room("composer", __name__)
Page = Response | tuple[str, int] | tuple[Response, int]


@composer.post("/inbox/<uuid:item_id>/reply")
@composer.post("/patients/<uuid:patient_id>/text", endpoint="first")
@permissions.signed_in("inbox.text")
def reply(item_id: UUID | None = None, patient_id: UUID | None = None) -> Page:
    """Send a text or plan one, once; then=next goes on to the next item. Whatever is refused stays in the box."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _written_from(session, item_id, patient_id)
        ahead = _ahead(session, item)
        notice, refused = send_reply.send(session, sessions.clinic(), layout.the_staff(), item, request.form)
        if refused is not None:
            return _page(session, item, refused), 422
        if not isinstance(item, InboxItem):
            return _to(item, notice or "sent")
        way = _way_back(session, item, notice)
        if ahead is None or item.state != "done":
            return _back(item.id, notice or "sent", way)
    return _back(ahead.next_id, ahead.said("sent_next" if ahead.next_id else "sent_last"), way, name=ahead.name)


def _ahead(session: Session, item: send_reply.Source) -> onward.Onward | None:
    """Return what follows the item, where one goes on to it."""
    if isinstance(item, InboxItem) and request.form.get("then") == "next":
        return onward.look(session, [item])
    return None


def _way_back(session: Session, item: InboxItem, notice: str | None) -> str:
    """Return how what was done can be taken back: a planned text whole, of a text that left only the settling."""
    if notice == "planned":
        message = send_reply.message_of(session, sessions.clinic(), request.form.get("compose", ""))
        if message is not None:
            return f"undo {url_for('composer.unschedule', item_id=item.id, message_id=message.id)}"
    return f"again {url_for('acts.reopen', item_id=item.id)}" if item.state == "done" else "said"


def _written_from(session: Session, item_id: UUID | None, patient_id: UUID | None) -> send_reply.Source:
    """The item that is answered, or a patient's page, where nothing of theirs is."""
    if patient_id is not None:
        return send_reply.FirstWords(patient_page.the_patient(session, patient_id).id)
    return inbox_page.the_item(session, item_id or abort(404))


def _of_form(session: Session) -> send_reply.Source:
    """As `_written_from`, by the field `item` of the composer: an item's id, or a thread "patient:<id>"."""
    named = request.form.get("item", "")
    if named.startswith("patient:"):
        return _written_from(session, None, ids.uuid_of(named.partition(":")[2]) or abort(404))
    return _written_from(session, ids.uuid_of(named), None)


def _page(session: Session, item: send_reply.Source, typed: send_reply.Typed) -> str:
    if isinstance(item, InboxItem):
        return inbox_page.page(session, inbox_page.the_view(), item, typed=typed)
    return first_words.page(session, patient_page.the_patient(session, item.patient_id), typed=typed)


@composer.post("/inbox/<uuid:item_id>/insert")
@composer.post("/patients/<uuid:patient_id>/text/insert", endpoint="insert_first")
@permissions.signed_in("inbox.text")
def insert(item_id: UUID | None = None, patient_id: UUID | None = None) -> Page:
    """Show the composer with a saved reply put into it, or with letters that cost less; nothing is sent."""
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic, staff, item = sessions.clinic(), layout.the_staff(), _written_from(session, item_id, patient_id)
        typed = composer_page.insert(session, clinic, staff, item, _typed(), request.form.get("insert", ""))
        # Where another window has other words, those stay, and these are on the page.
        with suppress(drafts.NewerDraft):
            _keep(session, item, typed)
        return _page(session, item, typed), 200


@composer.get("/inbox/<uuid:item_id>/replies")
@permissions.signed_in("inbox.text")
def replies(item_id: UUID) -> str:
    """Return the saved replies alone, filled for who is written to: a page asks for them as they are opened."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        clinic, staff, item = sessions.clinic(), layout.the_staff(), inbox_page.the_item(session, item_id)
        here = send_reply.place(session, clinic, item)
        offers = composer_page.offers(session, clinic, staff, here, item)
        to = url_for("composer.insert", item_id=item.id)
        return render_template("staff/_offers.html", offers=offers, to=to)


@composer.post("/drafts")
@permissions.signed_in("inbox.text")
def keep() -> Page:
    """Keep what was typed, for a script (quietly=1, answered in JSON) or for the button; discard=1 clears it."""
    quietly = "quietly" in request.form
    with db.unit_of_work(sessions.clinic().id) as session:
        item, typed = _of_form(session), _typed()
        if "discard" in request.form:
            drafts.clear(session, layout.the_staff(), item.thread)
            gone = send_reply.Typed("", str(uuid4()), put_back=typed.body)
            return _page(session, item, gone), 200
        try:
            draft = _keep(session, item, typed)
        except drafts.NewerDraft as other:
            if quietly:
                return jsonify(_kept(other.draft) | {"body": other.draft.body}), 409
            refused = replace(typed, problem=words.say("refusals", "newer_draft"), put_back=other.draft.body or "")
            return _page(session, item, refused), 422
        if quietly:
            return jsonify(_kept(draft))
        return _to(item, "draft_kept" if draft else "draft_cleared")


def _typed() -> send_reply.Typed:
    form = request.form
    compose_id = str(ids.uuid_of(form.get("compose")) or uuid4())
    return send_reply.Typed(form.get("body", ""), compose_id, day=form.get("day", ""), at=form.get("at", ""))


def _keep(session: Session, item: send_reply.Source, typed: send_reply.Typed) -> Draft | None:
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
        item = _of_form(session)
        here = send_reply.place(session, sessions.clinic(), item)
        proof = send_reply.proofread(session, sessions.clinic(), here, request.form.get("body", "")[: drafts.LONGEST])
        return jsonify(proof)


@composer.post("/inbox/<uuid:item_id>/planned/<uuid:message_id>/take-back")
@composer.post("/patients/<uuid:patient_id>/planned/<uuid:message_id>/take-back", endpoint="unschedule_first")
@permissions.signed_in("inbox.text")
def unschedule(message_id: UUID, item_id: UUID | None = None, patient_id: UUID | None = None) -> Response:
    """Take a planned text back, if it has not left: its words stand in the composer again."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _written_from(session, item_id, patient_id)
        if isinstance(item, InboxItem):
            session.refresh(item, with_for_update=True)
        taken = send_reply.take_back(session, sessions.clinic(), layout.the_staff(), item, message_id)
        return _to(item, "taken_back" if taken else "left_already")


@composer.post("/inbox/<uuid:item_id>/offered/<uuid:message_id>/<any(send, own, skip):act>")
@permissions.signed_in("inbox.text")
def decide(item_id: UUID, message_id: UUID, act: str) -> Response:
    """Say what becomes of an automatic text that waits while one is talking with the patient: it goes now, or not."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = inbox_page.the_item(session, item_id, lock=True)
        decided = send_reply.decide(session, sessions.clinic(), layout.the_staff(), item, message_id, act)
    return _back(item_id, f"offered_{act}" if decided else "left_already")


def _to(item: send_reply.Source, notice: str) -> Response:
    """Go back to where it was written from."""
    if isinstance(item, InboxItem):
        return _back(item.id, notice)
    flash(words.say("notices", notice))
    return redirect(url_for("firstwords.messages", patient_id=item.patient_id), 303)


def _back(item_id: UUID | None, notice: str, category: str = "said", **facts: str) -> Response:
    """Go to a case, or to the list where there is none, in the view and filters of the page that was left."""
    flash(words.say("notices", notice, **facts), category)
    place = inbox_page.place(inbox_page.the_view())
    return redirect(url_for("inbox.case", item_id=item_id, **place) if item_id else url_for("inbox.show", **place), 303)
