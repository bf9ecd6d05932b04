"""What a patient's page of care shows: an open episode, or what enrolling begins with."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from caseload import care_log, episodes, listing, reviews
from caseload.models import Episode
from caseload.registry import progress
from config import clock
from intake_links import scoring
from messaging.ehr_outbox import part_two
from messaging.models import Clinic, Patient, Staff
from web import layout, times
from web.presenters import care_course, care_view, episode_view, screen_history


def of(
    session: Session, clinic: Clinic, patient: Patient, episode: Episode | None, people: Mapping[UUID | None, Staff]
) -> dict[str, Any]:
    """Return what is shown of the open episode; without one, what enrolling begins with."""
    return _of_episode(session, clinic, patient, episode, people) if episode else _beginning(clinic, patient)


def _beginning(clinic: Clinic, patient: Patient) -> dict[str, Any]:
    """What the form for enrolling begins with."""
    return {
        "today": episodes.today_of(clinic).isoformat(),
        "now": times.typed_moment(clock.now(), clinic.zone),
        "me": str(layout.the_staff().id),
        "panel": patient.panel,
        "consents": episodes.CONSENTS,
        "payers": episodes.PAYERS,
        "scales": [(scale, scoring.instrument(scale).title) for scale in progress.SCALES],
    }


def _of_episode(
    session: Session, clinic: Clinic, patient: Patient, episode: Episode, people: Mapping[UUID | None, Staff]
) -> dict[str, Any]:
    """What is shown of an open episode."""
    [row] = listing.read(session, clinic, Episode.id == episode.id)
    answered = screen_history.by_instrument(session, patient)
    series = answered.get(episode.scale, [])
    entries, said = care_log.of_episodes(session, [episode.id]), answered.get(episode_view.ADHERENCE, [])
    reviewed = reviews.of_episodes(session, [episode.id])
    beside = care_course.happened(session, episode, [review for review, _ in reviewed], clinic.zone)
    course = care_course.of_episode(episode, patient, series, said, beside, clinic.zone)
    return {
        "line": care_view.line(row, people),
        "uncounted": episode_view.uncounted(session, clinic, episode),
        "course": course,
        "scores": episode_view.last_answered(patient, series, clinic.zone, drawn=course is not None),
        "medicine": episode_view.medicine(said, clinic.zone),
        "facts": episode_view.facts(episode, people, clinic.zone),
        "done": [episode_view.done(entry, people, layout.the_staff(), clinic.zone) for entry in entries],
        "reviews": [episode_view.reviewed(review, stands, people, clinic.zone) for review, stands in reviewed],
        "proposed": [
            episode_view.proposal(call, clinic.zone) for call in care_log.proposed(session, layout.the_staff(), episode)
        ],
        "end_reasons": episodes.END_REASONS,
        "part_two": part_two.is_labelled(session, clinic.id, [part_two.about("episode", episode.id)]),
        "said_part_two": part_two.is_labelled(session, clinic.id, part_two.of_patient(session, patient.id)),
        "now": times.typed_moment(clock.now(), clinic.zone),
        "today": episodes.today_of(clinic).isoformat(),
    }
