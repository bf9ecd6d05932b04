"""A patient's safety plan, written with them: what holds, and every version before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db
from messaging.models import Patient, SafetyPlan
from messaging.people import safety_plans
from web import ids, layout, permissions, sessions, team, words
from web.patients import patient_page
from web.presenters import kit_view, patient_view

plans = layout.room("plans", __name__)


@dataclass(frozen=True)
class Version:
    """A version of a plan in words."""

    written: str
    sections: list[tuple[str, str]]


@plans.get("/patients/<uuid:patient_id>/safety-plan")
@permissions.signed_in("inbox.words")
def show(patient_id: UUID) -> str:
    """Show the plan that holds, in its form for who may write it, and those before; reading it is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_page.the_patient(session, patient_id)
        about = f"patient:{patient.id}"
        audit.record(session, patient.clinic_id, layout.the_actor(), "safety_plan.opened", about)
        return _page(session, patient)


@plans.post("/patients/<uuid:patient_id>/safety-plan")
@permissions.signed_in("inbox.work")
def save(patient_id: UUID) -> Response | tuple[str, int]:
    """Keep a new version; where a colleague has written one meanwhile, both are shown and nothing is lost."""
    form, staff = request.form, layout.the_staff()
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_page.the_patient(session, patient_id)
        if any(len(form.get(name, "").strip()) > safety_plans.LONGEST for name in safety_plans.SECTIONS):
            page = _page(session, patient, form, seen=form.get("seen"), problem=words.say("refusals", "plan_long"))
            return page, 422
        try:
            plan = safety_plans.write(session, staff, patient, form, seen=ids.uuid_of(form.get("seen")))
        except safety_plans.Overtaken:
            who = _author(session, safety_plans.current(session, patient.id))
            return _page(session, patient, form, problem=words.say("refusals", "plan_overtaken", who=who)), 409
    flash(words.say("notices", "plan_saved" if plan else "plan_same"))
    return redirect(url_for("plans.show", patient_id=patient_id), 303)


def _author(session: Session, plan: SafetyPlan | None) -> str:
    staff_id = plan.staff_id if plan else None
    return team.names(session, [staff_id]).get(staff_id, words.say("history", "somebody"))


def _page(
    session: Session,
    patient: Patient,
    typed: Mapping[str, str] | None = None,
    *,
    seen: str | None = None,
    problem: str | None = None,
) -> str:
    clinic = sessions.clinic()
    db.load_keys(session, [patient.key_id])
    versions = safety_plans.history(session, patient.id)
    colleagues = team.everyone(session, clinic.id)
    holding = safety_plans.sections(versions[0]) if versions else {}
    return layout.page(
        session,
        "staff/safety_plan.html",
        here="patients",
        patient_id=patient.id,
        name=patient_view.full_name(patient),
        sections=[
            (name, words.say("safety_plan", name), (typed if typed is not None else holding).get(name, ""))
            for name in safety_plans.SECTIONS
        ],
        seen=seen if seen is not None else versions[0].id if versions else "",
        versions=[
            Version(
                kit_view.written(version, colleagues, clinic),
                [(words.say("safety_plan", name), text) for name, text in safety_plans.sections(version).items()],
            )
            for version in versions
        ],
        longest=safety_plans.LONGEST,
        writes=layout.may("inbox.work"),
        problem=problem,
    )
