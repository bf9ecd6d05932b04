"""Notes between two colleagues about no patient, with their receipts."""

from uuid import UUID, uuid4

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from messaging.team import colleague_notes, mentions
from messaging.team.models import ColleagueNote
from web import ids, layout, permissions, reading_marks, sessions, team, words
from web.inbox import onward
from web.presenters import task_view, thread_view

notepages = layout.room("notepages", __name__)
Answer = Response | tuple[str, int]


@notepages.get("/notes")
@permissions.signed_in("colleagues.ask")
def show() -> str:
    """Show the last notes to and from the reader; opening them is reading them."""
    staff = layout.the_staff()
    with db.unit_of_work(sessions.clinic().id) as session:
        for note, item in colleague_notes.listing(session, staff):
            colleague_notes.read(session, note, item, staff)
            if item.owner_id == staff.id and item.state != "done":
                reading_marks.put_item(session, staff, item.id)
        session.flush()
        return _page(session)


@notepages.post("/notes")
@permissions.signed_in("colleagues.ask")
def send() -> Answer:
    """Send a note (`words`) to a colleague (`to`), or answer one (`answers`)."""
    clinic, staff, form = sessions.clinic(), layout.the_staff(), request.form
    try:
        with db.unit_of_work(clinic.id) as session:
            answers = _the_note(session, form.get("answers"))
            to_id = answers[0].from_id if answers else ids.uuid_of(form.get("to"))
            to = session.get(Staff, to_id) if to_id else None
            colleague_notes.send(
                session,
                clinic,
                staff,
                to,
                form.get("words", ""),
                answers=answers[0] if answers else None,
                once=ids.uuid_of(form.get("once")),
            )
            name = to.name if to else ""
    except colleague_notes.Refused as why:
        with db.unit_of_work(clinic.id) as session:
            return _page(session, {why.field: words.say("team_refusals", why.why)}), 422
    flash(words.say("team_notices", "note_sent", who=name))
    return redirect(url_for("notepages.show"), 303)


def _the_note(session: Session, wanted: str | None) -> tuple[ColleagueNote, InboxItem] | None:
    if not wanted:
        return None
    return colleague_notes.find(session, layout.the_staff(), ids.uuid_of(wanted)) or abort(404)


@notepages.post("/notes/<uuid:note_id>/close")
@permissions.signed_in("colleagues.ask")
def close(note_id: UUID) -> Response:
    """Say that a note was read and needs no answer."""
    with db.unit_of_work(sessions.clinic().id) as session:
        note, item = _the_note(session, str(note_id)) or abort(404)
        if item.owner_id != layout.the_staff().id:
            abort(403)
        ahead = onward.look_from_case(session, item)
        colleague_notes.close(session, note, layout.the_staff())
    if ahead is not None:
        return ahead.go("note_closed", None, left=True)
    flash(words.say("team_notices", "note_closed"))
    return redirect(url_for("notepages.show"), 303)


@notepages.post("/mentions/<uuid:item_id>/close")
@permissions.signed_in("team.write")
def close_mention(item_id: UUID) -> Response:
    """Say that one has looked at what a colleague asked to look at."""
    staff = layout.the_staff()
    with db.unit_of_work(sessions.clinic().id) as session:
        item = session.get(InboxItem, item_id, with_for_update=True)
        if item is None or item.clinic_id != staff.clinic_id or item.kind != "mention":
            abort(404)
        ahead = onward.look_from_case(session, item)
        mentions.close(session, staff, item)
        patient_id = item.patient_id
    if ahead is not None:
        return ahead.go("mention_closed", None, left=True)
    flash(words.say("team_notices", "mention_closed"))
    return redirect(url_for("threads.show", patient_id=patient_id), 303)


def _page(session: Session, problems: dict[str, str] | None = None) -> str:
    clinic, staff = sessions.clinic(), layout.the_staff()
    colleagues = team.everyone(session, clinic.id)
    return layout.page(
        session,
        "staff/notes.html",
        here="notes",
        notes=task_view.notes(session, clinic, staff, colleague_notes.listing(session, staff)),
        colleagues=thread_view.may_be_asked(colleagues, staff, patient=False),
        problems=problems or {},
        typed=request.form,
        once=ids.uuid_of(request.form.get("once")) or uuid4(),
    )
