"""A patient's safety plan, written with them: what holds, and every version before it."""

from uuid import UUID

from flask import request
from werkzeug.wrappers import Response

from config import db
from messaging.people import safety_plans
from web import layout, permissions, sessions
from web.patients import patient_page, plan_form

plans = layout.room("plans", __name__)


@plans.get("/patients/<uuid:patient_id>/safety-plan")
@permissions.signed_in("inbox.words")
def show(patient_id: UUID) -> str:
    """Show the plan that holds, in its form for who may write it, and those before; reading it is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return plan_form.show(session, safety_plans.KIND, patient_page.the_patient(session, patient_id))


@plans.post("/patients/<uuid:patient_id>/safety-plan")
@permissions.signed_in("inbox.work")
def save(patient_id: UUID) -> Response | tuple[str, int]:
    """Keep a new version, and whether the patient reads it; where a colleague has written one meanwhile, both are shown
    and nothing is lost."""
    return plan_form.save(safety_plans.KIND, "plans.show", patient_id, shared=request.form.get("shared") == "on")


@plans.post("/patients/<uuid:patient_id>/safety-plan/text")
@permissions.signed_in("inbox.text")
def text(patient_id: UUID) -> Response | tuple[str, int]:
    """Text the patient the link to their own page, where they read the plan that is shared with them."""
    return plan_form.text_link(safety_plans.KIND, "plans.show", patient_id)
