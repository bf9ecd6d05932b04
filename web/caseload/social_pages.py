"""Social needs of a patient: asked in person in the clinic's own copy of the questions, followed until something came
of each. Nothing of it is ever texted, and no page of the patient's shows it."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload import episodes
from caseload.social import scoring, screening, wordings
from caseload.social.models import SocialWording
from config import db
from messaging.models import Patient
from web import ids, layout, permissions, sessions, words
from web.patients import patient_page
from web.presenters import patient_view, social_view

social = layout.room("social", __name__)


@social.get("/patients/<uuid:patient_id>/social-needs")
@permissions.signed_in("inbox.words")
def show(patient_id: UUID) -> str:
    """Show what was found and what came of it; that it was read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session, patient_page.opened(session, patient_id))


@social.get("/patients/<uuid:patient_id>/social-needs/ask")
@permissions.signed_in("inbox.work")
def ask(patient_id: UUID) -> str:
    """Show the questions, in `language` where the clinic has loaded it."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _questions(session, patient_page.the_patient(session, patient_id), {"once": str(db.new_id())})


@social.post("/patients/<uuid:patient_id>/social-needs/ask")
@permissions.signed_in("inbox.work")
def keep(patient_id: UUID) -> Response | tuple[str, int]:
    """Keep the answers; each need is a task before this is answered."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    try:
        with db.unit_of_work(clinic.id) as session:
            patient = patient_page.the_patient(session, patient_id)
            wording = _wording(wordings.in_use(session, clinic.id), patient) or abort(404)
            screen = screening.keep(session, clinic, staff, patient, wording, _given())
            found = screening.result_of(screen).positive
    except episodes.Refused as refused:
        with db.unit_of_work(clinic.id, read_only=True) as session:
            patient = patient_page.the_patient(session, patient_id)
            problem = words.say("refusals", refused.why)
            return _questions(session, patient, request.form, problem, refused.field), 422
    flash(words.say("notices", "social_found" if found else "social_none"), "done")
    return redirect(url_for("social.show", patient_id=patient_id), 303)


@social.post("/patients/<uuid:patient_id>/social-needs/<uuid:need_id>/refer")
@permissions.signed_in("inbox.work")
def refer(patient_id: UUID, need_id: UUID) -> Response | tuple[str, int]:
    """Write down to which service somebody was referred."""
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_page.the_patient(session, patient_id)
        try:
            screening.refer(session, layout.the_staff(), patient, need_id, request.form.get("referred", ""))
        except LookupError:
            abort(404)
        except episodes.Refused as refused:
            return _page(session, patient, words.say("refusals", refused.why), str(need_id)), 422
    flash(words.say("notices", "social_referred"), "done")
    return redirect(url_for("social.show", patient_id=patient_id), 303)


def _given() -> screening.Given:
    form = request.form
    answers = {
        item.loinc: tuple(key for key in form.getlist(f"q{item.loinc}") if key)
        for item in scoring.core().items
        if any(form.getlist(f"q{item.loinc}"))
    }
    try:
        asked_on = date.fromisoformat(form.get("asked_on", ""))
    except ValueError:
        asked_on = None
    return screening.Given(answers, asked_on, ids.uuid_of(form.get("once")) or db.new_id(), form.get("private") == "on")


def _wording(loaded: Mapping[str, SocialWording], patient: Patient) -> SocialWording | None:
    """The wording in the language that was chosen, else in the patient's, else any."""
    wanted = (request.values.get("language", ""), patient.language.split("-")[0], *wordings.LANGUAGES)
    return next((loaded[language] for language in wanted if language in loaded), None)


def _page(session: Session, patient: Patient, problem: str = "", about: str = "") -> str:
    clinic = sessions.clinic()
    return patient_page.page(
        session,
        patient,
        "scores",
        "staff/social_needs.html",
        social=social_view.read(session, clinic, patient),
        loaded=bool(wordings.in_use(session, clinic.id)),
        longest=screening.LONGEST,
        typed=request.form.get("referred", "") if problem else "",
        problem=problem,
        about=about,
    )


def _questions(session: Session, patient: Patient, typed: Mapping[str, str], problem: str = "", field: str = "") -> str:
    clinic = sessions.clinic()
    loaded = wordings.in_use(session, clinic.id)
    wording = _wording(loaded, patient)
    return layout.page(
        session,
        "staff/social_ask.html",
        here="patients",
        patient_id=patient.id,
        name=patient_view.full_name(patient),
        wording=wording,
        languages=list(loaded),
        domains=social_view.questions(wording.words) if wording else [],
        chosen={item.loinc: request.form.getlist(f"q{item.loinc}") for item in scoring.core().items},
        typed=typed,
        today=episodes.today_of(clinic).isoformat(),
        problem=problem,
        field=field,
    )
