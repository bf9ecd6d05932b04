"""What staff write down of a record: closed or open again, how much texts may say, and texts they want again."""

from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db
from messaging.consent import asking
from messaging.ehr_outbox import part_two
from messaging.models import Patient
from messaging.people import directory
from reminders import unreached, withdrawing
from web import layout, permissions, sessions, words
from web.presenters import patient_view

record = layout.room("record", __name__)

HOW = {"spoken": "spoken", "written": "form"}


@record.get("/patients/<uuid:patient_id>/record")
@permissions.signed_in("patients.change")
def show(patient_id: UUID) -> str:
    """Show how the record stands, and what closing it would take back; that it was read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_view.find(session, sessions.clinic(), patient_id) or abort(404)
        actor = layout.the_actor()
        audit.record(session, patient.clinic_id, actor, "patient.opened", f"patient:{patient.id}")
        return _page(session, patient)


@record.post("/patients/<uuid:patient_id>/record/state")
@permissions.signed_in("patients.change")
def set_state(patient_id: UUID) -> Response | tuple[str, int]:
    """Close the record, or open it again, once it was confirmed whose it is."""
    clinic, actor = sessions.clinic(), layout.the_actor()
    with db.unit_of_work(clinic.id) as session:
        patient = patient_view.find(session, sessions.clinic(), patient_id) or abort(404)
        state = next((allowed for allowed in directory.STATES if allowed == request.form.get("state")), None)
        if state is None:
            return _page(session, patient, problem=words.say("refusals", "record_state")), 422
        if "sure" not in request.form:
            return _page(session, patient, problem=words.say("refusals", "record_sure")), 422
        withdrawing.set_state(session, clinic, patient, state, actor=actor)
    return _done(patient_id, f"record_{state}")


@record.post("/patients/<uuid:patient_id>/record/privacy")
@permissions.signed_in("patients.change")
def set_privacy(patient_id: UUID) -> Response | tuple[str, int]:
    """Keep how much the patient wants texts to say, as they said it aloud or in writing."""
    clinic, actor = sessions.clinic(), layout.the_actor()
    with db.unit_of_work(clinic.id) as session:
        patient = patient_view.find(session, sessions.clinic(), patient_id) or abort(404)
        level = next((allowed for allowed in directory.LEVELS if allowed == request.form.get("level")), None)
        how = HOW.get(request.form.get("how", ""))
        if level is None or how is None:
            return _page(session, patient, unsaid=words.say("refusals", "privacy_level")), 422
        withdrawing.set_privacy(session, clinic, patient, level, actor=actor, source=how)
    return _done(patient_id, "privacy_set")


@record.post("/patients/<uuid:patient_id>/record/sensitivity")
@permissions.signed_in("caseload.work")
def take_label(patient_id: UUID) -> Response | tuple[str, int]:
    """Take away what EHRs have said of the patient's records: that they fall under 42 CFR Part 2."""
    clinic, actor, why = sessions.clinic(), layout.the_actor(), request.form.get("why", "")
    with db.unit_of_work(clinic.id) as session:
        patient = patient_view.find(session, clinic, patient_id) or abort(404)
        if why not in part_two.REASONS:
            return _page(session, patient, unexplained=words.say("refusals", "label_why")), 422
        part_two.take_from(session, clinic.id, patient.id, actor, why)
    return _done(patient_id, "label_taken")


@record.post("/patients/<uuid:patient_id>/visits/<uuid:visit_id>/texts")
@permissions.signed_in("patients.change")
def text_again(patient_id: UUID, visit_id: UUID) -> Response:
    """Lift the patient's wish for no texts about this visit, as they said to a colleague."""
    actor = layout.the_actor()
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_view.find(session, sessions.clinic(), patient_id) or abort(404)
        withdrawing.text_again(session, patient, actor, only=visit_id)
    flash(words.say("notices", "texts_again"))
    return redirect(url_for("patients.show", patient_id=patient_id), 303)


def _done(patient_id: UUID, notice: str) -> Response:
    unreached.count_anew(sessions.clinic().id)
    flash(words.say("notices", notice))
    return redirect(url_for("record.show", patient_id=patient_id), 303)


def _page(session: Session, patient: Patient, *, problem: str = "", unsaid: str = "", unexplained: str = "") -> str:
    db.load_keys(session, [patient.key_id])
    script = asking.privacy()
    return layout.page(
        session,
        "staff/record.html",
        here="patients",
        patient_id=patient.id,
        name=patient_view.full_name(patient),
        state=patient.state,
        state_words=words.say("record_states", patient.state),
        pending=withdrawing.pending(session, patient.id),
        privacy=patient.privacy,
        chosen=patient.privacy_by is not None,
        waits=patient.privacy == "details" and directory.openness(session, patient) != "details",
        scripts={language: asking.text(script, "all", language) for language in asking.LANGUAGES},
        levels=[
            (level, {language: asking.text(script, level, language) for language in asking.LANGUAGES})
            for level in directory.LEVELS
        ],
        labelled=part_two.is_labelled(session, patient.clinic_id, part_two.of_patient(session, patient.id)),
        reasons=[(each, words.say("label_reasons", each)) for each in part_two.REASONS],
        problem=problem,
        unsaid=unsaid,
        unexplained=unexplained,
        given=request.form,
    )
