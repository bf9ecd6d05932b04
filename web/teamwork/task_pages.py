"""Tasks: made for oneself or a colleague, about a patient or none, handed on, and closed by what came of them."""

from typing import Any
from uuid import UUID, uuid4

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db
from messaging.inbox import items, undoing
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Patient, Staff
from messaging.team import task_templates, tasks
from messaging.team.models import TaskTemplate
from web import ids, layout, permissions, reading_marks, sessions, team, words
from web.inbox import onward
from web.presenters import patient_view, task_view, thread_view
from web.teamwork import due_times

taskpages = layout.room("taskpages", __name__)
Answer = Response | tuple[str, int]


@taskpages.get("/tasks")
@permissions.signed_in("colleagues.ask")
def show() -> str:
    """Show one's tasks, and the form for a new one: about `patient`, by `template`, from a note (`from`)."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        audit.record(session, clinic.id, layout.the_actor(), "tasks.opened", f"clinic:{clinic.id}")
        return _page(session)


@taskpages.post("/tasks")
@permissions.signed_in("colleagues.ask")
def make() -> Answer:
    """Make a task."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    try:
        with db.unit_of_work(clinic.id) as session:
            item = tasks.make(session, clinic, staff, _wanted(session))
            item_id, owner = item.id, item.owner_id
            name = team.names(session, [owner]).get(owner, "")
    except tasks.Refused as why:
        return _again(why)
    key = "task_made_mine" if owner == staff.id else "task_made" if owner else "task_made_team"
    flash(words.say("team_notices", key, who=name), f"undo {url_for('taskpages.withdraw', item_id=item_id)}")
    return redirect(_after(), 303)


def _wanted(session: Session) -> tasks.Wanted:
    form = request.form
    patient, note = _the_patient(session), _the_note(session)
    by_consultant = note is not None and session.get_one(Staff, note.staff_id).role == "psychiatric_consultant"
    template = task_templates.find(session, sessions.clinic().id, ids.uuid_of(form.get("template")))
    return tasks.Wanted(
        title=form.get("title", ""),
        due=due_times.read(form, template),
        owner=_colleague(session, "owner"),
        watcher=_colleague(session, "watcher"),
        patient=patient,
        words=form.get("words", ""),
        template=template,
        made="recommendation" if by_consultant else "hand",
        source=f"contact:{note.id}" if note is not None else None,
        once=ids.uuid_of(form.get("once")),
    )


def _the_patient(session: Session) -> Patient | None:
    patient_id = ids.uuid_of(request.values.get("patient"))
    if patient_id is None:
        return None
    if not layout.may("patients.read", patient_id):
        abort(403)
    patient = patient_view.find(session, sessions.clinic(), patient_id) or abort(404)
    db.load_keys(session, [patient.key_id])
    return patient


def _the_note(session: Session) -> Contact | None:
    """The note that a task is made of, if the reader may read it."""
    note_id = ids.uuid_of(request.values.get("from"))
    note = session.get(Contact, note_id) if note_id else None
    if note is None or note.clinic_id != sessions.clinic().id or not layout.may("team.read", note.patient_id):
        return None
    db.load_keys(session, [note.key_id])
    return note


def _colleague(session: Session, field: str) -> Staff | None:
    """The colleague that a field names. Raises tasks.Refused for one who is not here."""
    wanted = request.form.get(field, "")
    staff_id = ids.uuid_of(wanted)
    staff = session.get(Staff, staff_id) if staff_id else None
    if wanted and (staff is None or staff.clinic_id != sessions.clinic().id):
        raise tasks.Refused(f"task_{field}", field)
    return staff


def _after() -> str:
    patient_id = ids.uuid_of(request.form.get("patient"))
    if patient_id is not None and layout.may("team.read"):
        return url_for("threads.show", patient_id=patient_id)
    return url_for("patients.show", patient_id=patient_id) if patient_id else url_for("taskpages.show")


def _again(why: tasks.Refused) -> Answer:
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session, {why.field: words.say("team_refusals", why.why)}), 422


@taskpages.get("/tasks/<uuid:item_id>")
@permissions.signed_in("colleagues.ask")
def one_task(item_id: UUID) -> str:
    """Show one task; about a patient that is written down, and who watches it has seen how it ended."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return _task_page(session, _the_item(session, item_id))


def _the_item(session: Session, item_id: UUID) -> InboxItem:
    item = session.get(InboxItem, item_id)
    if item is None or item.clinic_id != sessions.clinic().id or item.kind != "task":
        abort(404)
    if item.patient_id is not None and not _reaches(session, item):
        abort(403)
    db.load_keys(session, [item.key_id])
    return item


def _reaches(session: Session, item: InboxItem) -> bool:
    """Whether the reader reaches the patient of a task: what one has asked for oneself one may follow to its end."""
    task, me = tasks.of_item(session, item), layout.the_staff()
    own = task is not None and me.id in (task.made_by, task.watcher_id)
    return layout.may("patients.read", item.patient_id) or (own and permissions.may(me.role, "patients.read"))


@taskpages.post("/tasks/<uuid:item_id>/end")
@permissions.signed_in("colleagues.ask")
def end(item_id: UUID) -> Answer:
    """Close a task with its `outcome`, and `words` about it."""
    clinic, staff, form = sessions.clinic(), layout.the_staff(), request.form
    with db.unit_of_work(clinic.id) as session:
        item = _held(session, item_id)
        ahead = onward.look_from_case(session, item)
        try:
            done = tasks.end(session, clinic, item, staff, form.get("outcome", ""), form.get("words", ""))
        except tasks.Refused as why:
            return _task_page(session, item, words.say("team_refusals", why.why)), 422
        way = url_for("taskpages.undo", event_id=done.id) if done else None
    if ahead is not None:
        return ahead.go("task_ended" if done else "task_ended_before", way, left=True)
    flash(words.say("team_notices", "task_ended" if done else "task_ended_before"), f"undo {way}" if way else "said")
    return redirect(_back(), 303)


@taskpages.post("/tasks/<uuid:item_id>/hand")
@permissions.signed_in("colleagues.ask")
def hand(item_id: UUID) -> Answer:
    """Give a task to a colleague (`to`), with its clock."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _held(session, item_id)
        try:
            to = _colleague(session, "to")
            if to is None:
                raise tasks.Refused("task_owner", "to")
            done = tasks.hand_on(session, item, layout.the_staff(), to)
        except tasks.Refused as why:
            return _task_page(session, item, words.say("team_refusals", why.why)), 422
        notice = words.say("team_notices", "task_handed", who=to.name)
    flash(notice, f"undo {url_for('taskpages.undo', event_id=done.id)}")
    return redirect(_back(), 303)


@taskpages.post("/tasks/<uuid:item_id>/withdraw")
@permissions.signed_in("colleagues.ask")
def withdraw(item_id: UUID) -> Answer:
    """Take a task back that one has made oneself."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = _held(session, item_id)
        try:
            tasks.withdraw(session, item, layout.the_staff())
        except tasks.Refused as why:
            return _task_page(session, item, words.say("team_refusals", why.why)), 422
    flash(words.say("team_notices", "task_withdrawn"))
    return redirect(url_for("taskpages.show"), 303)


@taskpages.post("/tasks/undo/<uuid:event_id>")
@permissions.signed_in("colleagues.ask")
def undo(event_id: UUID) -> Answer:
    """Take back within ten seconds what one has just done to a task."""
    with db.unit_of_work(sessions.clinic().id) as session:
        try:
            undone = undoing.undo(session, sessions.clinic().id, layout.the_staff(), event_id)
        except items.Refused as why:
            flash(words.say("refusals", why.why), "refused")
            return redirect(url_for("taskpages.show"), 303)
    flash(words.say("notices", "undone"))
    return redirect(url_for("taskpages.one_task", item_id=undone.item_ids[0]), 303)


def _held(session: Session, item_id: UUID) -> InboxItem:
    item = _the_item(session, item_id)
    session.refresh(item, with_for_update=True)
    return item


def _back() -> str:
    item_id = ids.uuid_of(request.form.get("case"))
    if item_id is not None and layout.may("inbox.read"):
        return url_for("inbox.case", item_id=item_id)
    return url_for("taskpages.show")


def _task_page(session: Session, item: InboxItem, problem: str = "") -> str:
    clinic, staff = sessions.clinic(), layout.the_staff()
    audit.record(session, clinic.id, layout.the_actor(), "task.opened", f"inbox_item:{item.id}")
    reading_marks.put_item(session, staff, item.id)
    if item.state == "done":
        tasks.seen(session, staff, item)
    colleagues = team.everyone(session, clinic.id)
    about_somebody = item.patient_id is not None
    others = thread_view.may_be_asked(colleagues, None, patient=about_somebody)
    return layout.page(
        session,
        "staff/task.html",
        here="tasks",
        task=task_view.card(session, clinic, staff, item),
        outcomes=[(key, items.dispositions()[key]) for key in tasks.outcomes_of(session, item)],
        others=[each for each in others if each[0] != item.owner_id],
        typed=request.form,
        problem=problem,
    )


def _page(session: Session, problems: dict[str, str] | None = None) -> str:
    clinic, staff = sessions.clinic(), layout.the_staff()
    patient, note = _the_patient(session), _the_note(session)
    template = task_templates.find(session, clinic.id, ids.uuid_of(request.values.get("template")))
    colleagues = team.everyone(session, clinic.id)
    shown: dict[str, Any] = {
        name: task_view.cards(session, clinic, staff, rows) for name, rows in _lists(session, staff).items()
    }
    return layout.page(
        session,
        "staff/tasks.html",
        here="tasks",
        **shown,
        about=(patient.id, patient_view.full_name(patient)) if patient else None,
        from_note=note.id if note is not None else None,
        chosen=template,
        templates=task_templates.listing(session, clinic.id),
        colleagues=thread_view.may_be_asked(colleagues, None, patient=patient is not None),
        dues=due_times.offered(clinic, template),
        given=_given(template, note, staff),
        problems=problems or {},
        once=ids.uuid_of(request.form.get("once")) or uuid4(),
        edits=layout.may("tasks.save"),
    )


def _lists(session: Session, staff: Staff) -> dict[str, Any]:
    readable = layout.may("patients.read")
    lists = {"owned": tasks.owned(session, staff), "made": tasks.made_by(session, staff)}
    there = {item.id for pairs in lists.values() for item, _ in pairs}
    lists["watched"] = [pair for pair in tasks.watched(session, staff) if pair[0].id not in there]
    return {name: [pair for pair in pairs if readable or pair[0].patient_id is None] for name, pairs in lists.items()}


def _given(template: TaskTemplate | None, note: Contact | None, staff: Staff) -> dict[str, str]:
    """What the form holds: what was typed, else what the template and the note say."""
    if request.method == "POST":
        return {name: request.form.get(name, "") for name in due_times.FIELDS}
    given = dict.fromkeys(due_times.FIELDS, "") | {"owner": str(staff.id), "watcher": str(staff.id)}
    if template is not None:
        given |= {"title": template.name, "words": template.words, "due": "template"}
    if note is not None:
        given["words"] = "\n\n".join(filter(None, (given["words"], note.words)))
    return given
