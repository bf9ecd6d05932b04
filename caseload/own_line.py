"""How a patient's own answers have moved, for themselves: where the clinic lets them see it, while they are in care."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from caseload import episodes, kept_scores
from caseload.registry import progress
from config import db
from intake_links import scoring
from messaging.models import Clinic
from reminders import care_model

Way = Literal["easier", "same", "harder"]
WAYS: dict[progress.State, Way] = {
    **dict.fromkeys(("improving", "improved", "remission"), "easier"),
    "worse": "harder",
}


@dataclass(frozen=True)
class OwnLine:
    """The totals since care began and the one that it began with, oldest first, of `highest` at most; and which way
    they have gone."""

    points: Sequence[progress.Point]
    highest: int
    way: Way


def of_patient(session: Session, clinic: Clinic, patient_id: UUID) -> OwnLine | None:
    """Return what a patient may see of an open episode; None where the clinic shows nothing, or there is no line."""
    terms = care_model.of_clinic(clinic)
    episode = episodes.open_of(session, patient_id) if terms.registry and terms.own_line else None
    if episode is None:
        return None
    db.load_keys(session, [episode.key_id])
    forms = kept_scores.of_forms(session, clinic, [patient_id], [episode.scale])
    every = kept_scores.with_imported(episode, forms.get((patient_id, episode.scale), []))
    moved = progress.of(episode.enrolled_on, [each.point for each in every])
    first = moved.baseline.on if moved.baseline else episode.enrolled_on
    points = [each.point for each in every if each.point.on >= first]
    if len(points) < 2:
        return None
    return OwnLine(points, scoring.instrument(episode.scale).highest_total, WAYS.get(moved.state, "same"))
