"""What the consultant said of one person: go on, or a recommendation that becomes a task for who treats them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from caseload.episodes import Refused
from caseload.models import CaseReview, Episode
from config import audit, clock, db
from config.db.sets import among
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.team import tasks
from reminders import phrasing

DECISIONS = ("continue", "recommend")
LONGEST, ACT_WITHIN = 2000, timedelta(days=14)
Standing = Literal["waiting", "overdue", "done", "declined"]


@dataclass(frozen=True)
class Said:
    """What is to be written down. `by` is the consultant, who may have said it on the telephone."""

    by: Staff | None
    decision: str
    words: str = ""
    to: Staff | None = None
    seen: UUID | None = None


class Overtaken(Exception):
    """Somebody has written a review since the page was made: its argument is that review."""

    def __init__(self, review: CaseReview) -> None:
        super().__init__("overtaken")
        self.review = review


def write(session: Session, clinic: Clinic, staff: Staff, episode: Episode, said: Said) -> CaseReview:
    """Write a review down; a recommendation opens a task. Raises Refused or Overtaken, with nothing written."""
    session.refresh(episode, with_for_update=True)
    _check(clinic, episode, said)
    newest = latest(session, [episode.id]).get(episode.id)
    if newest is not None and newest.id != said.seen:
        raise Overtaken(newest)
    assert said.by is not None
    db.load_keys(session, [episode.key_id])
    review = CaseReview(
        clinic_id=clinic.id,
        key_id=episode.key_id,
        episode_id=episode.id,
        by_id=said.by.id,
        written_by=staff.id,
        at=clock.now(),
        decision=said.decision,
        to_id=said.to.id if said.to and said.decision == "recommend" else None,
        words=said.words.strip() or None,
    )
    episode.question = None
    session.add(review)
    session.flush()
    if said.decision == "recommend":
        review.item_id = _task(session, clinic, staff, episode, review, said).id
    about = f"case_review:{review.id}"
    audit.record(session, clinic.id, audit.Actor.staff(staff.id), "care.reviewed", about, decision=said.decision)
    return review


def _check(clinic: Clinic, episode: Episode, said: Said) -> None:
    if episode.phase == "discharged":
        raise Refused("care_discharged")
    if said.by is None or said.by.clinic_id != clinic.id or said.by.role != "psychiatric_consultant":
        raise Refused("care_consultant", "by")
    if said.decision not in DECISIONS:
        raise Refused("care_decision", "decision")
    if len(said.words.strip()) > LONGEST:
        raise Refused("care_words_long", "words")
    if said.decision == "recommend" and not said.words.strip():
        raise Refused("care_words", "words")
    if said.decision == "recommend" and (said.to is None or said.to.clinic_id != clinic.id or not said.to.active):
        raise Refused("care_to", "to")


def _task(
    session: Session, clinic: Clinic, staff: Staff, episode: Episode, review: CaseReview, said: Said
) -> InboxItem:
    manager = session.get(Staff, episode.manager_id)
    wanted = tasks.Wanted(
        title=str(phrasing.texts("en")["staff"]["care_recommendation"]),
        due=clock.now() + ACT_WITHIN,
        owner=said.to,
        watcher=manager if manager is not None and manager.active and manager != said.to else None,
        patient=session.get_one(Patient, episode.patient_id),
        words=said.words,
        made="recommendation",
        source=f"case_review:{review.id}",
    )
    try:
        return tasks.make(session, clinic, staff, wanted)
    except tasks.Refused as refused:
        raise Refused("care_to", "to") from refused


def latest(session: Session, episode_ids: Collection[UUID]) -> dict[UUID, CaseReview]:
    """Return by episode the last review, its key not loaded."""
    rows = select(CaseReview).where(among(session, CaseReview.episode_id, episode_ids))
    return {row.episode_id: row for row in session.scalars(rows.order_by(CaseReview.at, CaseReview.id))}


def last_at(session: Session, episode_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Return by episode when the last review was written."""
    rows = select(CaseReview.episode_id, func.max(CaseReview.at)).where(
        among(session, CaseReview.episode_id, episode_ids)
    )
    return dict(db.tuples(session, rows.group_by(CaseReview.episode_id)))


def of_episodes(session: Session, episode_ids: Sequence[UUID]) -> list[tuple[CaseReview, Standing | None]]:
    """Return the reviews of these episodes, the latest first, and what became of each recommendation."""
    rows = (
        select(CaseReview, InboxItem)
        .outerjoin(InboxItem, InboxItem.id == CaseReview.item_id)
        .where(CaseReview.episode_id.in_(episode_ids))
        .order_by(CaseReview.at.desc(), CaseReview.id.desc())
    )
    listed = [(review, item) for review, item in session.execute(rows)]
    db.load_keys(session, (review.key_id for review, _ in listed))
    now = clock.now()
    return [(review, standing(item, now) if item is not None else None) for review, item in listed]


def standing(item: InboxItem, now: datetime) -> Standing:
    """Return what became of a recommendation, by the item of its task."""
    if item.state == "done":
        return "done" if item.disposition == "task_done" else "declined"
    return "overdue" if item.answer_by is not None and item.answer_by < now else "waiting"


def waiting_since(session: Session, episode_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Return by episode when the oldest recommendation was made on which nobody has acted."""
    rows = (
        select(CaseReview.episode_id, CaseReview.at)
        .join(InboxItem, InboxItem.id == CaseReview.item_id)
        .where(among(session, CaseReview.episode_id, episode_ids), InboxItem.state != "done")
        .order_by(CaseReview.at.desc())
    )
    return dict(session.execute(rows).all())
