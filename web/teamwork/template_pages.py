"""The kinds of tasks that a clinic does often, where they are written and taken out of use."""

from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from messaging.inbox import items
from messaging.team import task_templates
from messaging.team.models import TaskTemplate
from web import ids, layout, permissions, sessions, words

templates = layout.room("tasktemplates", __name__)


@templates.get("/tasks/templates")
@permissions.signed_in("tasks.save")
def show() -> str:
    """List the templates, with the form for a new one or for the one that `edit` names."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, _the_template(session, request.args.get("edit")))


@templates.post("/tasks/templates")
@permissions.signed_in("tasks.save")
def save() -> Response | tuple[str, int]:
    """Save a template, new or changed."""
    form, clinic = request.form, sessions.clinic()
    facts = task_templates.Facts(
        form.get("name", ""), form.get("words", ""), form.get("hours", ""), form.getlist("after")
    )
    with db.unit_of_work(clinic.id) as session:
        template = _the_template(session, form.get("template"))
        try:
            task_templates.save(session, clinic, layout.the_staff(), facts, template)
        except task_templates.NotSaved as why:
            return _page(session, template, facts, words.say("team_refusals", why.why)), 422
    flash(words.say("team_notices", "template_saved"))
    return redirect(url_for("tasktemplates.show"), 303)


@templates.post("/tasks/templates/defaults")
@permissions.signed_in("tasks.save")
def add_defaults() -> Response:
    """Give the clinic the templates that most clinics use."""
    with db.unit_of_work(sessions.clinic().id) as session:
        task_templates.add_defaults(session, sessions.clinic(), layout.the_staff())
    flash(words.say("team_notices", "templates_added"))
    return redirect(url_for("tasktemplates.show"), 303)


@templates.post("/tasks/templates/<uuid:template_id>/retire")
@permissions.signed_in("tasks.save")
def retire(template_id: UUID) -> Response:
    """Take a template out of use."""
    with db.unit_of_work(sessions.clinic().id) as session:
        template = _the_template(session, str(template_id)) or abort(404)
        task_templates.retire(session, layout.the_staff(), template)
    flash(
        words.say("team_notices", "template_retired"),
        f"undo {url_for('tasktemplates.bring_back', template_id=template_id)}",
    )
    return redirect(url_for("tasktemplates.show"), 303)


@templates.post("/tasks/templates/<uuid:template_id>/back")
@permissions.signed_in("tasks.save")
def bring_back(template_id: UUID) -> Response:
    """Bring a template back into use."""
    with db.unit_of_work(sessions.clinic().id) as session:
        template = _the_template(session, str(template_id)) or abort(404)
        task_templates.retire(session, layout.the_staff(), template, back=True)
    flash(words.say("team_notices", "template_back"))
    return redirect(url_for("tasktemplates.show"), 303)


def _the_template(session: Session, wanted: str | None) -> TaskTemplate | None:
    return task_templates.find(session, sessions.clinic().id, ids.uuid_of(wanted))


def _page(
    session: Session,
    template: TaskTemplate | None,
    typed: task_templates.Facts | None = None,
    problem: str = "",
) -> str:
    clinic = sessions.clinic()
    kept = (
        task_templates.Facts(template.name, template.words, str(template.hours), template.after) if template else None
    )
    spoken = items.dispositions()
    return layout.page(
        session,
        "staff/task_templates.html",
        here="tasks",
        edited=template,
        given=typed or kept or task_templates.Facts("", "", "24"),
        listed=[
            (each, ", ".join(spoken[key] for key in each.after)) for each in task_templates.listing(session, clinic.id)
        ],
        missing=len(task_templates.missing(session, clinic.id)),
        after=[(key, spoken[key]) for key in task_templates.AFTER],
        problem=problem,
    )
