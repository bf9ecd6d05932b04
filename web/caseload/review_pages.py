"""The consultant's hour: who is on the list and why, one person a screen, and what is recommended for each."""

from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload import episodes, listing, reviews
from caseload.models import OPEN, Episode
from caseload.registry import due
from caseload.standing import Standing
from config import audit, db
from messaging.models import Clinic, Patient, Staff
from reminders import care_model
from web import ids, layout, permissions, sessions, team, words
from web.caseload import registry_page
from web.presenters import care_view, episode_view, screen_history, screen_view

case_reviews = layout.room("case_reviews", __name__)


@case_reviews.get("/caseload/reviews")
@permissions.signed_in("caseload.read")
def show() -> str:
    """Show everybody who belongs on the consultant's list, the gravest reason first."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        rows, people = listing.rows(session, clinic, _listed(session, clinic)), team.everyone(session, clinic.id)
        about = f"clinic:{clinic.id}"
        audit.record(session, clinic.id, layout.the_actor(), "caseload.opened", about, form="reviews", rows=len(rows))
        return layout.page(
            session,
            "staff/case_reviews.html",
            here="case_reviews",
            model=care_model.of_clinic(clinic),
            lines=[care_view.line(row, people) for row in rows],
            questions={row.episode.id: row.episode.question or "" for row in rows},
        )


@case_reviews.get("/caseload/reviews/<uuid:episode_id>")
@permissions.signed_in("caseload.read")
def person(episode_id: UUID) -> str:
    """Show one person for review; that it was read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session, episode_id)


@case_reviews.post("/caseload/reviews/<uuid:episode_id>")
@permissions.signed_in("caseload.review")
def write(episode_id: UUID) -> Response | tuple[str, int]:
    """Write a review down, and go on with the next person on the list."""
    clinic, form = sessions.clinic(), request.form
    try:
        with db.unit_of_work(clinic.id) as session:
            episode = _episode(session, clinic, episode_id)
            said = reviews.Said(
                by=_person(session, "by"),
                decision=form.get("decision", ""),
                words=form.get("words", ""),
                to=_person(session, "to"),
                seen=ids.uuid_of(form.get("seen")),
            )
            reviews.write(session, clinic, layout.the_staff(), episode, said)
            onward = _after(_order(session, clinic), episode_id)
    except episodes.Refused as refused:
        return _again(episode_id, words.say("refusals", refused.why), refused.field), 422
    except reviews.Overtaken:
        return _again(episode_id, words.say("refusals", "care_overtaken"), ""), 409
    flash(words.say("notices", "care_reviewed"), "done")
    if onward is None:
        return redirect(url_for("case_reviews.show"), 303)
    return redirect(url_for("case_reviews.person", episode_id=onward), 303)


def _again(episode_id: UUID, problem: str, field: str) -> str:
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session, episode_id, problem, field)


def _listed(session: Session, clinic: Clinic) -> list[Standing]:
    """Return who is on the list: the gravest reason first, then the longest in care."""
    if not care_model.of_clinic(clinic).registry:
        return []
    every = listing.standings(session, clinic, OPEN, *registry_page.reached(session))
    wanted = [standing for standing in every if due.for_review(standing.due, standing.reviewed)]
    return sorted(wanted, key=lambda standing: (due.gravest(standing.due), -standing.weeks, standing.id))


def _order(session: Session, clinic: Clinic) -> list[UUID]:
    return [standing.id for standing in _listed(session, clinic)]


def _after(order: list[UUID], episode_id: UUID) -> UUID | None:
    """Return who comes next on a list, from the top once one is through; None where nobody else is on it."""
    at = order.index(episode_id) + 1 if episode_id in order else 0
    return next((other for other in (*order[at:], *order[:at]) if other != episode_id), None)


def _episode(session: Session, clinic: Clinic, episode_id: UUID) -> Episode:
    episode = session.get(Episode, episode_id)
    if episode is None or episode.clinic_id != clinic.id:
        abort(404)
    if not layout.may("caseload.read", episode.patient_id):
        layout.lock(episode.patient_id)
    return episode


def _person(session: Session, field: str) -> Staff | None:
    wanted = ids.uuid_of(request.form.get(field))
    return session.get(Staff, wanted) if wanted else None


def _page(session: Session, episode_id: UUID, problem: str = "", field: str = "") -> str:
    clinic = sessions.clinic()
    episode, people = _episode(session, clinic, episode_id), team.everyone(session, clinic.id)
    [row] = listing.read(session, clinic, Episode.id == episode.id)
    audit.record(session, clinic.id, layout.the_actor(), "patient.opened", f"patient:{row.patient.id}", form="review")
    order = _order(session, clinic)
    return layout.page(
        session,
        "staff/case_review.html",
        here="case_reviews",
        line=care_view.line(row, people),
        episode=episode,
        place=order.index(episode.id) + 1 if episode.id in order else None,
        size=len(order),
        onward=_after(order, episode.id),
        reviews=[
            episode_view.reviewed(review, stands, people, clinic.zone)
            for review, stands in reviews.of_episodes(session, [episode.id])
        ],
        seen=row.review.id if row.review else "",
        typed=request.form if problem else {},
        problem=problem,
        field=field,
        **_choices(people, episode),
        **_clinical(session, clinic, row.patient, episode),
    )


def _choices(people: episode_view.People, episode: Episode) -> dict[str, Any]:
    """Who may have said it, and to whom a recommendation may go."""
    working = [person for person in people.values() if person.active]
    return {
        "consultants": [(str(person.id), person.name) for person in working if person.role in episodes.CONSULTANTS],
        "receivers": [(str(person.id), person.name) for person in working if person.role in episodes.MANAGERS],
        "me": str(layout.the_staff().id),
        "treating": str(episode.practitioner_id),
    }


def _clinical(session: Session, clinic: Clinic, patient: Patient, episode: Episode) -> dict[str, Any]:
    series = screen_history.by_instrument(session, patient)
    return {
        "screens": [
            screen_view.of_series(patient, taken[-1], taken[:-1], clinic.zone)
            for instrument, taken in sorted(series.items(), key=lambda each: each[0] != episode.scale)
        ],
        "facts": episode_view.facts(episode, team.everyone(session, clinic.id), clinic.zone),
    }
