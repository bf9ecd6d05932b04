"""Questionnaires as patients answered them, with their scores."""

import json
from typing import Literal
from uuid import UUID

from api import pages
from api.operations import Call, Operation
from api.pages import OfPatient, Page
from api.shapes import Moment, Shape, opened
from intake_links.models import Screen


class Score(Shape):
    """What a form says: `total` is null while an answer is missing; `prorated` is an estimate and never a total."""

    total: int | None
    prorated: float | None
    band: str | None
    positive: bool | None
    missing: int
    alerts: list[str]


class ScreenOut(Shape):
    """One questionnaire of one patient. `answers` are points in the order of its questions, null for no answer.

    `owed` is the class of the item that it owes a human.
    """

    id: UUID
    patient_id: UUID
    intake_link_id: UUID | None
    instrument: str
    instrument_version: str
    language: str
    state: Literal["started", "submitted", "closed"]
    owed: Literal["safety", "screen"] | None
    answers: list[int | None] | None
    score: Score | None
    started_at: Moment
    submitted_at: Moment | None
    scored_at: Moment | None


PLAIN = ("id", "patient_id", "instrument", "instrument_version", "language", "state", "owed")
MOMENTS = ("started_at", "submitted_at", "scored_at")


def _shown(screen: Screen) -> ScreenOut:
    answers, result = opened(screen, "answers"), opened(screen, "result")
    return ScreenOut(
        **{name: getattr(screen, name) for name in (*PLAIN, *MOMENTS)},
        intake_link_id=screen.link_id,
        answers=json.loads(answers) if answers else None,
        score=Score(**json.loads(result)) if result else None,
    )


def _list(call: Call, query: OfPatient) -> Page[ScreenOut]:
    """List the questionnaires that were begun or answered."""
    return pages.page(call, "screens", Screen, query, _shown)


def _get(call: Call, id: UUID) -> ScreenOut:
    """Read one questionnaire with its score."""
    return _shown(pages.row(call, Screen, id))


OPERATIONS = (
    Operation(
        "screens.list", "GET", "/screens", _list, "screens.read", "screen", {200: Page[ScreenOut]}, query=OfPatient
    ),
    Operation("screens.get", "GET", "/screens/{id}", _get, "screens.read", "screen", {200: ScreenOut}),
)  # fmt: skip
