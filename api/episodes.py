"""Courses of collaborative care: who is in one, in which phase, with whom. They are begun and ended on their page."""

from datetime import date
from typing import Literal
from uuid import UUID

from api import pages
from api.operations import Call, Operation
from api.pages import OfPatient, Page
from api.shapes import Moment, Shape, opened
from caseload.models import Episode

Phase = Literal["active", "relapse_prevention", "discharged"]


class Wanted(OfPatient):
    """Which episodes: of a patient, in a phase."""

    phase: Phase | None = None


class EpisodeOut(Shape):
    """An episode: days are by the clinic's clock; `scale` is what it is measured by, `end_reason` how it ended."""

    id: UUID
    patient_id: UUID
    phase: Phase
    phase_at: Moment
    enrolled_on: date
    consent: Literal["verbal", "written"]
    consent_at: Moment
    practitioner_id: UUID
    manager_id: UUID
    consultant_id: UUID | None
    payer: str
    scale: str
    diagnosis: str | None
    plan_on: date | None
    check_on: date | None
    ended_on: date | None
    end_reason: str | None
    created_at: Moment


def _shown(episode: Episode) -> EpisodeOut:
    facts = {name: getattr(episode, name) for name in EpisodeOut.model_fields if name != "diagnosis"}
    return EpisodeOut(**facts, diagnosis=opened(episode, "diagnosis"))


def _list(call: Call, query: Wanted) -> Page[EpisodeOut]:
    """List the episodes of care."""
    narrowed = [Episode.phase == query.phase] if query.phase is not None else []
    return pages.page(call, "episodes", Episode, query, _shown, *narrowed)


def _get(call: Call, id: UUID) -> EpisodeOut:
    """Read one episode of care."""
    return _shown(pages.row(call, Episode, id))


OPERATIONS = (
    Operation(
        "episodes.list", "GET", "/episodes", _list, "episodes.read", "care_episode",
        {200: Page[EpisodeOut]}, query=Wanted,
    ),
    Operation("episodes.get", "GET", "/episodes/{id}", _get, "episodes.read", "care_episode", {200: EpisodeOut}),
)  # fmt: skip
