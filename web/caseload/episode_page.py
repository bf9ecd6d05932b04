"""One patient's episode of care: enrolling, where the scores go, what was done, and how it ends."""

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload import care_log, episodes
from caseload.models import CareEntry, Episode
from config import audit, db
from messaging.ehr_outbox import part_two
from messaging.models import Clinic, Patient, Staff
from reminders import care_model
from web import ids, layout, permissions, sessions, team, times, words
from web.caseload import episode_facts
from web.patients import patient_page
from web.presenters import episode_view, stay_view, timer_view

care = layout.room("care", __name__)
Act = Callable[[Session, Clinic, Staff, Patient], str]


@care.get("/patients/<uuid:patient_id>/care")
@permissions.signed_in("caseload.read")
def show(patient_id: UUID) -> str:
    """Show the episode, or how to begin one; that it was read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session, patient_page.opened(session, patient_id))


@care.post("/patients/<uuid:patient_id>/care")
@permissions.signed_in("caseload.work")
def enrol(patient_id: UUID) -> Response | tuple[str, int]:
    """Begin an episode."""

    def act(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> str:
        episodes.enrol(session, clinic, staff, patient, _enrolment(session, clinic))
        return "care_enrolled"

    return do(patient_id, act)


@care.post("/patients/<uuid:patient_id>/care/log")
@permissions.signed_in("caseload.work")
def log(patient_id: UUID) -> Response | tuple[str, int]:
    """Write down work that was done."""

    def act(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> str:
        form, minutes = request.form, request.form.get("minutes", "").strip()
        work = care_log.Work(
            kind=form.get("kind", ""),
            starts_at=times.moment_of(form.get("starts_at", ""), clinic.zone),
            minutes=int(minutes) if minutes.isdecimal() and len(minutes) < 5 else None,
            reached=form.get("reached") == "on",
            call=ids.uuid_of(form.get("call")),
        )
        care_log.log(session, staff, opened(session, patient), work)
        return "care_logged"

    return do(patient_id, act)


@care.post("/patients/<uuid:patient_id>/care/decline/<uuid:call_id>")
@permissions.signed_in("caseload.work")
def decline(patient_id: UUID, call_id: UUID) -> Response | tuple[str, int]:
    """Say that a logged call is no work of this episode."""

    def act(session: Session, _clinic: Clinic, staff: Staff, patient: Patient) -> str:
        care_log.decline(session, staff, opened(session, patient), call_id)
        return "care_declined"

    return do(patient_id, act)


@care.post("/patients/<uuid:patient_id>/care/strike/<uuid:entry_id>")
@permissions.signed_in("caseload.work")
def strike(patient_id: UUID, entry_id: UUID) -> Response | tuple[str, int]:
    """Strike a line of one's own."""

    def act(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> str:
        entry = session.get(CareEntry, entry_id)
        own = {episode.id for episode in episodes.of_patient(session, patient.id)}
        if entry is None or entry.clinic_id != clinic.id or entry.episode_id not in own:
            raise episodes.Refused("care_not_yours")
        care_log.strike(session, staff, entry)
        return "care_struck"

    return do(patient_id, act)


@care.post(
    "/patients/<uuid:patient_id>/care/<any(relapse,active,discharge,back,question,medicines,give,billing,part_two):what>"
)
@permissions.signed_in("caseload.work")
def change(patient_id: UUID, what: str) -> Response | tuple[str, int]:
    """Change the phase, end the episode, take that back, ask the consultant, or give it to a colleague."""
    return do(patient_id, CHANGES[what])


def _relapse(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> str:
    check_on = times.day_of(request.form.get("check_on", ""))
    if check_on is None:
        raise episodes.Refused("care_check_on", "check_on")
    episodes.plan_relapse_prevention(session, clinic, staff, opened(session, patient), check_on)
    return "care_relapse_prevention"


def _active(session: Session, _clinic: Clinic, staff: Staff, patient: Patient) -> str:
    episodes.back_to_active(session, staff, opened(session, patient))
    return "care_active"


def _discharge(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> str:
    episodes.discharge(session, clinic, staff, opened(session, patient), request.form.get("reason", ""))
    return "care_discharged"


def _back(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> str:
    ended = (each for each in episodes.of_patient(session, patient.id) if each.phase == "discharged")
    newest = next(ended, None)
    if newest is None:
        raise episodes.Refused("care_none")
    episodes.take_back_discharge(session, clinic, staff, newest)
    return "care_back"


def _question(session: Session, _clinic: Clinic, staff: Staff, patient: Patient) -> str:
    asked = request.form.get("question", "")
    episodes.ask_consultant(session, staff, opened(session, patient), asked)
    return "care_question" if asked.strip() else "care_question_back"


def _medicines(session: Session, _clinic: Clinic, staff: Staff, patient: Patient) -> str:
    episodes.write_medicines(session, staff, opened(session, patient), request.form.get("medicines", ""))
    return "care_medicines"


def _give(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> str:
    episodes.give_to(session, clinic, staff, opened(session, patient), _person(session, "manager"))
    return "care_given"


def _billing(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> str:
    form = request.form
    typed, on = form.get("initiating_on", ""), times.day_of(form.get("initiating_on", ""))
    if typed and on is None:
        raise episodes.Refused("care_initiating", "initiating_on")
    facts = episodes.Billing(on, form.get("initiating_code", ""), form.get("diagnosis", ""))
    episodes.for_billing(session, clinic, staff, opened(session, patient), facts)
    return "care_billing"


def _part_two(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> str:
    is_on, label = request.form.get("part_two") == "on", part_two.about("episode", opened(session, patient).id)
    part_two.label(session, clinic.id, label, audit.Actor.staff(staff.id), on=is_on)
    return "care_part_two" if is_on else "care_part_two_back"


CHANGES: Mapping[str, Act] = {
    "relapse": _relapse,
    "active": _active,
    "discharge": _discharge,
    "back": _back,
    "question": _question,
    "medicines": _medicines,
    "give": _give,
    "billing": _billing,
    "part_two": _part_two,
}


def do(patient_id: UUID, act: Act) -> Response | tuple[str, int]:
    """Do something for a patient and lead back to their page, or show it with what was wrong and all that was typed."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    try:
        with db.unit_of_work(clinic.id) as session:
            _must_have_registry(clinic)
            done = act(session, clinic, staff, patient_page.the_patient(session, patient_id))
    except episodes.Refused as refused:
        with db.unit_of_work(clinic.id) as session:
            patient = patient_page.the_patient(session, patient_id)
            return _page(session, patient, words.say("refusals", refused.why), refused.field), 422
    flash(words.say("notices", done), "done")
    return redirect(url_for("care.show", patient_id=patient_id), 303)


def _must_have_registry(clinic: Clinic) -> None:
    if not care_model.of_clinic(clinic).registry:
        raise episodes.Refused("care_model")


def opened(session: Session, patient: Patient) -> Episode:
    """Return the episode that is open for a patient. Raises Refused where there is none."""
    episode = episodes.open_of(session, patient.id)
    if episode is None:
        raise episodes.Refused("care_none")
    return episode


def _enrolment(session: Session, clinic: Clinic) -> episodes.Enrolment:
    form = request.form
    return episodes.Enrolment(
        enrolled_on=times.day_of(form.get("enrolled_on", "")),
        consent=form.get("consent", ""),
        consent_at=times.moment_of(form.get("consent_at", ""), clinic.zone),
        cost_told=form.get("cost_told") == "on",
        practitioner=_person(session, "practitioner"),
        manager=_person(session, "manager"),
        consultant=_person(session, "consultant"),
        payer=form.get("payer", ""),
        scale=form.get("scale", ""),
    )


def _person(session: Session, field: str) -> Staff | None:
    wanted = ids.uuid_of(request.form.get(field))
    person = session.get(Staff, wanted) if wanted else None
    return person if person is not None and person.clinic_id == sessions.clinic().id else None


def _page(session: Session, patient: Patient, problem: str = "", field: str = "") -> str:
    clinic = sessions.clinic()
    every, people = episodes.of_patient(session, patient.id), team.everyone(session, clinic.id)
    episode = next((each for each in every if each.phase != "discharged"), None)
    facts = episode_facts.of(session, clinic, patient, episode, people)
    return patient_page.page(
        session,
        patient,
        "care",
        "staff/care.html",
        episode=episode,
        timed=timer_view.proposals(session, clinic, layout.the_staff(), every),
        kinds=[(kind, words.say("care_kinds", kind)) for kind in care_log.KINDS],
        past=episode_view.past(session, clinic, patient.id),
        asked=episode_view.asked(session, clinic, patient.id),
        emergencies=episode_view.emergencies(session, clinic, patient.id),
        stays=stay_view.of_patient(session, clinic, patient.id, people),
        model=care_model.of_clinic(clinic),
        managers=_people(people, episodes.MANAGERS),
        clinicians=_people(people, ("clinician",)),
        consultants=_people(people, episodes.CONSULTANTS),
        typed=request.form if problem else {},
        problem=problem,
        field=field,
        **facts,
    )


def _people(people: Mapping[UUID | None, Staff], roles: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(str(person.id), person.name) for person in people.values() if person.active and person.role in roles]
