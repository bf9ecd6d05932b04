"""A patient's thread among colleagues: read, written, answered, corrected, pinned. It leads to no phone."""

from typing import Any
from uuid import UUID, uuid4

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db
from messaging.inbox import notes_and_calls
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Patient
from messaging.team import files, mentions, readers, thread
from web import asked_people, ids, layout, permissions, reading_marks, sessions, team, words
from web.patients import patient_page
from web.presenters import around_view, thread_view

threads = layout.room("threads", __name__)
# More than a note may carry, so that what is too large is refused in words and nothing that was typed is lost.
LARGEST = 50 * 1024 * 1024
Answer = Response | tuple[str, int]


@threads.url_value_preprocessor
def _let_large_files_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # Before anything reads the form, and only for somebody who is signed in: others stay at the usual limit.
    if endpoint == "threads.write" and sessions.current_staff(seen=False) is not None:
        request.max_content_length = LARGEST


@threads.get("/patients/<uuid:patient_id>/team")
@permissions.signed_in("team.read")
def show(patient_id: UUID) -> str:
    """Show the thread; that it was read is written down, and who asked this reader to look sees it."""
    staff = layout.the_staff()
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_page.opened(session, patient_id)
        audit.record(session, patient.clinic_id, layout.the_actor(), "thread.opened", f"patient:{patient.id}")
        for item_id in mentions.read(session, staff, patient.id):
            reading_marks.put_item(session, staff, item_id)
        session.flush()
        return _page(session, patient)


@threads.post("/team/post")
@permissions.signed_in("team.write")
def write() -> Answer:
    """Write a note (`words`), an answer (`answers`) or a correction (`corrects`), with `mention`, `file` and `pin`."""
    clinic, staff, form = sessions.clinic(), layout.the_staff(), request.form
    patient_id = ids.uuid_of(form.get("patient")) or abort(404)
    try:
        uploads = _uploads()
        files.scan(uploads)
        with db.unit_of_work(clinic.id) as session:
            patient = patient_page.the_patient(session, patient_id)
            _must_reach(patient.id)
            typed = form.get("words", "")
            named = asked_people.of_form(session, clinic, typed)
            once, item_id = ids.uuid_of(form.get("once")), _item(session, patient)
            draft = thread.Draft(typed, named.people, uploads, "pin" in form, once, item_id)
            corrects, answers = _note(session, patient, "corrects"), _note(session, patient, "answers")
            if corrects is not None:
                note = thread.correct(session, clinic, staff, corrects, draft)
            else:
                note = thread.write(session, clinic, staff, patient, draft, answers=answers)
            note_id, notice = note.id, words.say("team_notices", _notice(corrects, named)) + asked_people.unknown(named)
    except (thread.Refused, files.Refused, readers.MayNotSee, notes_and_calls.MayNotStrike) as why:
        return _refused(patient_id, why)
    flash(notice, "said" if corrects is not None else f"undo {url_for('threads.act', note_id=note_id, act='retract')}")
    return redirect(_back(patient_id, note_id), 303)


def _notice(corrects: Contact | None, named: readers.Named) -> str:
    if corrects is not None:
        return "corrected"
    return "asked" if named.people else "written"


def _uploads() -> list[files.Upload]:
    chosen = (each for each in request.files.getlist("file") if each.filename)
    return [files.Upload(each.filename or "", each.read()) for each in chosen]


def _note(session: Session, patient: Patient, field: str) -> Contact | None:
    """The note that a field names, if it is one about this patient."""
    note_id = ids.uuid_of(request.form.get(field))
    note = session.get(Contact, note_id, with_for_update=True) if note_id else None
    if note_id is not None and (note is None or note.patient_id != patient.id):
        abort(404)
    if note is not None:
        db.load_keys(session, {note.key_id})
    return note


def _item(session: Session, patient: Patient) -> UUID | None:
    """The item beside which it is written, if it is one about this patient."""
    item_id = ids.uuid_of(request.form.get("item"))
    item = session.get(InboxItem, item_id) if item_id else None
    if item_id is not None and (item is None or item.patient_id != patient.id):
        abort(404)
    return item_id


def _refused(patient_id: UUID, why: Exception) -> Answer:
    """Show the page again with why, and with all that was typed; a file has to be chosen again."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session, patient_page.the_patient(session, patient_id), problem=_words_of(why)), 422


def _words_of(why: Exception) -> str:
    if isinstance(why, readers.MayNotSee):
        return asked_people.refused(why)
    if isinstance(why, files.Refused):
        limit = thread_view.size(files.LARGEST)
        return words.say("team_refusals", why.why, name=why.name, limit=limit, most=files.MOST)
    return words.say("team_refusals", why.why if isinstance(why, thread.Refused) else "not_strikeable")


def _back(patient_id: UUID, note_id: UUID) -> str:
    """The case it was written beside, else the note in its thread."""
    item_id = ids.uuid_of(request.form.get("item"))
    if item_id is not None and layout.may("inbox.read"):
        return url_for("inbox.case", item_id=item_id, view=request.form.get("view") or None)
    return url_for("threads.show", patient_id=patient_id) + f"#c{note_id}"


@threads.post("/team/notes/<uuid:note_id>/<any(retract, pin, unpin):act>")
@permissions.signed_in("team.write")
def act(note_id: UUID, act: str) -> Answer:
    """Strike one's own note, pin one, or unpin it."""
    acts = {"retract": thread.retract, "pin": thread.pin, "unpin": thread.unpin}
    try:
        with db.unit_of_work(sessions.clinic().id) as session:
            note = session.get(Contact, note_id, with_for_update=True)
            if note is None or note.clinic_id != sessions.clinic().id or note.patient_id is None:
                abort(404)
            patient_id = note.patient_id
            _must_reach(patient_id)
            acts[act](session, note, layout.the_staff())
    except (thread.Refused, notes_and_calls.MayNotStrike) as why:
        return _refused(patient_id, why)
    flash(words.say("team_notices", act))
    return redirect(url_for("threads.show", patient_id=patient_id) + f"#c{note_id}", 303)


def _must_reach(patient_id: UUID) -> None:
    if not layout.may("team.write", patient_id):
        abort(403)


def _page(session: Session, patient: Patient, *, problem: str = "") -> str:
    clinic, staff = sessions.clinic(), layout.the_staff()
    colleagues = team.everyone(session, clinic.id)
    corrects = _corrected(session, patient, ids.uuid_of(request.values.get("corrects")))
    shown = thread_view.read(session, clinic, staff, patient, ids.uuid_of(request.args.get("before")))
    answers = _answered(session, patient)
    here = answers in {post.id for post in shown.posts}
    return patient_page.page(
        session,
        patient,
        "team",
        "staff/thread.html",
        shown=shown,
        around=around_view.read(session, clinic, staff, patient),
        people=thread_view.may_be_mentioned(colleagues, staff),
        corrects=corrects,
        answers=answers if here else None,
        answers_apart=answers if not here else None,
        typed=_typed(corrects),
        chosen=request.form.getlist("mention"),
        problem=problem,
        writes=layout.may("team.write"),
        asks=layout.may("colleagues.ask") and layout.may("team.write"),
        once=ids.uuid_of(request.form.get("once")) or uuid4(),
        limit=thread_view.size(files.LARGEST),
        largest=files.LARGEST,
    )


def _answered(session: Session, patient: Patient) -> UUID | None:
    """The note at the head of what a refused form answers: that is where its form stands again."""
    note_id = ids.uuid_of(request.form.get("answers"))
    note = session.get(Contact, note_id) if note_id else None
    if note is None or note.patient_id != patient.id:
        return None
    return note.answers_id or note.id


def _corrected(session: Session, patient: Patient, note_id: UUID | None) -> Contact | None:
    """One's own note that stands in the form to be corrected."""
    note = session.get(Contact, note_id) if note_id else None
    mine = note is not None and note.patient_id == patient.id and note.staff_id == layout.the_staff().id
    if note is None or not mine or note.struck_at is not None:
        return None
    db.load_keys(session, {note.key_id})
    return note


def _typed(corrects: Contact | None) -> str:
    if "words" in request.form:
        return request.form["words"]
    return (corrects.words or "") if corrects is not None else ""
