"""What falls under 42 CFR Part 2: said by the clinic of itself, of a feed or of an episode, or by an EHR of a patient,
and taken back by the clinic."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.ehr_outbox.models import PartTwoLabel


def about(kind: str, row_id: UUID) -> str:
    """Return what a label is about, "<kind>:<id>" of a clinic, feed, episode or patient."""
    return f"{kind}:{row_id}"


def of_episode(episode: Any) -> tuple[str, str]:
    """Return what labels may be about: the episode, by the clinic, and its patient, by an EHR."""
    return about("episode", episode.id), about("patient", episode.patient_id)


def is_labelled(session: Session, clinic_id: UUID, abouts: Collection[str]) -> bool:
    """Whether one of these is labelled."""
    labels = select(PartTwoLabel.id).where(PartTwoLabel.clinic_id == clinic_id, PartTwoLabel.about.in_(abouts))
    return session.scalar(labels.limit(1)) is not None


def label(session: Session, clinic_id: UUID, what: str, actor: str, *, on: bool) -> bool:
    """Label this, or take its label away; False where it is so already."""
    if is_labelled(session, clinic_id, [what]) == on:
        return False
    if on:
        session.add(PartTwoLabel(clinic_id=clinic_id, about=what, made_by=actor, created_at=clock.now()))
    else:
        session.execute(delete(PartTwoLabel).where(PartTwoLabel.clinic_id == clinic_id, PartTwoLabel.about == what))
    audit.record(session, clinic_id, actor, "part_two.labelled" if on else "part_two.unlabelled", what)
    return True
