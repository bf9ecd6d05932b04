"""A patient's plan against a relapse, written with them: on a page, on paper, and on their own page where shared."""

from uuid import UUID

from flask import abort, make_response, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload import episodes, relapse_plans
from caseload.models import RelapsePlan
from config import audit, clock, db
from records import paper
from web import layout, permissions, sessions, team, words
from web.patients import patient_page, plan_form
from web.presenters import kit_view, patient_view

relapse = layout.room("relapse", __name__)
KIND = relapse_plans.KIND


@relapse.get("/patients/<uuid:patient_id>/relapse-plan")
@permissions.signed_in("caseload.read")
def show(patient_id: UUID) -> str:
    """Show the plan that holds, in its form for who may write it, and those before; reading it is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return plan_form.show(session, KIND, patient_page.the_patient(session, patient_id))


@relapse.post("/patients/<uuid:patient_id>/relapse-plan")
@permissions.signed_in("caseload.work")
def save(patient_id: UUID) -> Response | tuple[str, int]:
    """Keep a new version, and whether the patient reads it; nothing is sent by that."""
    return plan_form.save(KIND, "relapse.show", patient_id, _kept, shared=request.form.get("shared") == "on")


def _kept(session: Session, plan: RelapsePlan) -> None:
    """The episode says since when there is a plan, or none any more."""
    episodes.note_plan(session, sessions.clinic(), plan.patient_id, written=bool(KIND.sections(plan)))


@relapse.post("/patients/<uuid:patient_id>/relapse-plan/text")
@permissions.signed_in("inbox.text")
def text(patient_id: UUID) -> Response | tuple[str, int]:
    """Text the patient the link to their own page, where they read the plan that is shared with them."""
    return plan_form.text_link(KIND, "relapse.show", patient_id)


@relapse.get("/patients/<uuid:patient_id>/relapse-plan.pdf")
@permissions.signed_in("caseload.read")
def printed(patient_id: UUID) -> Response:
    """Give the plan as a PDF file, to be handed to the patient; that it was made is written down."""
    clinic, now = sessions.clinic(), clock.now()
    with db.unit_of_work(clinic.id) as session:
        patient = patient_page.the_patient(session, patient_id)
        plan = KIND.current(session, patient.id) or abort(404)
        db.load_keys(session, {patient.key_id, plan.key_id})
        made = kit_view.written(plan, team.everyone(session, clinic.id), clinic)
        sections = [(heading, text.splitlines()) for heading, text in plan_form.headed(KIND, plan)]
        sheet = paper.Sheet(patient_view.full_name(patient), clinic.name, made, sections)
        audit.record(session, clinic.id, layout.the_actor(), "relapse_plan.printed", f"relapse_plan:{plan.id}")
    response = make_response(paper.pdf_of(words.say("relapse_plan", "title"), sheet, now))
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = 'attachment; filename="plan.pdf"'
    return response
