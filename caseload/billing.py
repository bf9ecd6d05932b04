"""A month of Collaborative Care: minutes and codes of each episode, the evidence, and closing it by a person."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from caseload import listing, month_work, reviews
from caseload.codes import closing, evidence, proposing, reckoning
from caseload.codes.intervals import Interval
from caseload.episodes import Refused
from caseload.models import CareEntry, CareMonth, Episode, RelapsePlan
from caseload.months import Month, span
from caseload.standing import Row
from caseload.stays import standing
from caseload.stays.standing import Stay
from config import audit, clock, db
from config.db.sets import among
from messaging.models import Clinic, SafetyPlan, Staff
from messaging.reasons import Reason
from reminders.stays import EVER


@dataclass(frozen=True)
class Billed:
    """An episode's month. `evidence` is as of now; `closed` what a person closed, None while it is open; `changed` that
    it would be something else now; `stays` those in a hospital that share time with the month, as they hold or as they
    are told."""

    row: Row
    reckoning: reckoning.Reckoning
    evidence: dict[str, Any]
    closed: CareMonth | None
    changed: Reason | None
    stays: Sequence[Stay]

    @property
    def choices(self) -> tuple[tuple[proposing.Units, ...], ...]:
        """What a person may close the month with: the only proposal, or one of several."""
        proposal = self.reckoning.proposal
        return proposal.choices or (proposal.codes,)


def of_clinic(session: Session, clinic: Clinic, month: Month) -> list[Billed]:
    """Return the month of each episode that was open in it, by the patient's name."""
    billed = _of_rows(session, clinic, month, _rows(session, clinic, month), CareEntry.clinic_id == clinic.id)
    return sorted(billed, key=lambda each: (each.row.patient.last_name or "", each.row.patient.first_name or ""))


def of_episode(session: Session, clinic: Clinic, episode_id: UUID, month: Month) -> Billed | None:
    """Return one episode's month, None where it was not open in it."""
    rows = _rows(session, clinic, month, Episode.id == episode_id)
    # Whoever worked for this patient can have been busy with others; who never did takes no minute from them.
    theirs = select(CareEntry.staff_id).join(Episode, Episode.id == CareEntry.episode_id)
    works = theirs.where(Episode.patient_id.in_([row.patient.id for row in rows]))
    return next(iter(_of_rows(session, clinic, month, rows, CareEntry.staff_id.in_(works))), None)


def _rows(session: Session, clinic: Clinic, month: Month, *where: ColumnElement[bool]) -> list[Row]:
    still = or_(Episode.ended_on.is_(None), Episode.ended_on >= month.first)
    return listing.read(session, clinic, Episode.enrolled_on <= month.last, still, *where, month=False)


def _of_rows(
    session: Session, clinic: Clinic, month: Month, rows: Sequence[Row], whose: ColumnElement[bool]
) -> list[Billed]:
    """Return the month of these; `whose` says of which entries the minutes are counted."""
    books = _Books(session, clinic, month, span(month, ZoneInfo(clinic.zone)), rows, whose)
    return [_billed(books, row) for row in rows]


def close(
    session: Session, clinic: Clinic, by: Staff, billed: Billed, choice: int, *, incomplete: bool = False
) -> CareMonth:
    """Close a month with one of its choices, or close it anew after it has changed.

    `incomplete` says that the person has read what an auditor would miss and closes it all the same. Raises Refused.
    """
    zone, month = ZoneInfo(clinic.zone), billed.reckoning.month
    if span(month, zone)[1] > clock.now():
        raise Refused("care_month_runs")
    if not 0 <= choice < len(billed.choices):
        raise Refused("care_choice")
    if billed.closed is not None and billed.changed is None:
        raise Refused("care_month_closed")
    if billed.evidence["missing"] and not incomplete:
        raise Refused("care_month_incomplete")
    episode = billed.row.episode
    closed = billed.closed or CareMonth(clinic_id=clinic.id, key_id=episode.key_id, episode_id=episode.id)
    closed.month, closed.closed_at, closed.closed_by = str(month), clock.now(), by.id
    closed.codes = [{"code": each.code, "units": each.units} for each in billed.choices[choice]]
    closed.evidence = json.dumps(billed.evidence)
    session.add(closed)
    session.flush()
    about = f"care_episode:{episode.id}"
    missing = ",".join(billed.evidence["missing"])
    audit.record(
        session, clinic.id, audit.Actor.staff(by.id), "care.month_closed", about, month=str(month), missing=missing
    )
    return closed


class _Books:
    """What stands beside the episodes of a month in other tables, each read with one query."""

    def __init__(
        self,
        session: Session,
        clinic: Clinic,
        month: Month,
        lasts: tuple[datetime, datetime],
        rows: Sequence[Row],
        whose: ColumnElement[bool],
    ) -> None:
        self.session, self.clinic, self.month = session, clinic, month
        self.lasts, self.zone = lasts, ZoneInfo(clinic.zone)
        self.ids, self.patient_ids = [row.episode.id for row in rows], [row.patient.id for row in rows]
        everyone = select(Staff).where(Staff.clinic_id == clinic.id)
        self.people = {colleague.id: colleague for colleague in session.scalars(everyone)}
        self.work = month_work.entries(session, clinic, lasts, whose)
        self.stays = standing.of_patients(session, self.patient_ids, *lasts)
        self.plans = _plans(session, self.patient_ids, lasts)
        closed = select(CareMonth).where(CareMonth.month == str(month), among(session, CareMonth.episode_id, self.ids))
        self.closed = {each.episode_id: each for each in session.scalars(closed)}
        db.load_keys(session, (each.key_id for each in self.closed.values()))

    @cached_property
    def works(self) -> dict[str, evidence.Work]:
        """What the work for these patients was, and when it was written down, by the entry's id."""
        theirs = select(Episode.id).where(among(self.session, Episode.patient_id, self.patient_ids))
        of = select(CareEntry.id, CareEntry.kind, CareEntry.made_at).where(CareEntry.episode_id.in_(theirs))
        rows = db.tuples(self.session, of.where(*month_work.within(self.clinic, self.lasts)))
        return {str(entry_id): evidence.Work(kind, made_at) for entry_id, kind, made_at in rows}

    @cached_property
    def worked_before(self) -> set[UUID]:
        """In which episodes work was done in an earlier month."""
        where = among(self.session, Episode.id, self.ids), month_work.worked_before(self.lasts[0])
        return set(self.session.scalars(select(Episode.id).where(*where)))

    @cached_property
    def reviews(self) -> dict[UUID, list[evidence.Review]]:
        """What the consultant said, and what came of it."""
        said: dict[UUID, list[evidence.Review]] = {}
        for review, stands in reviews.of_episodes(self.session, self.ids):
            on = review.at.astimezone(self.zone).date()
            said.setdefault(review.episode_id, []).append(evidence.Review(on, review.words or "", stands or ""))
        return said


def _billed(books: _Books, row: Row) -> Billed:
    episode = row.episode
    away = books.stays.get(episode.patient_id, [])
    bounded = month_work.bounded(episode, worked_before=episode.id in books.worked_before)
    asked = month_work.asked(bounded, books.month, books.lasts, away)
    month = reckoning.reckon(books.work.get(asked.patient, ()), asked)
    now = evidence.evidence(month, _chart(books, row), books.works, books.zone)
    closed = books.closed.get(episode.id)
    changed = closing.changed_after_export(json.loads(closed.evidence or "{}"), now) if closed else None
    return Billed(row, month, now, closed, changed, away)


def _chart(books: _Books, row: Row) -> evidence.Chart:
    episode, last = row.episode, row.progress.last
    return evidence.Chart(
        practitioner=books.people[episode.practitioner_id].with_credential,
        consultant=books.people[episode.consultant_id].with_credential if episode.consultant_id else "",
        diagnoses=[episode.diagnosis] if episode.diagnosis else [],
        people={str(staff_id): colleague.with_credential for staff_id, colleague in books.people.items()},
        consent=evidence.Consent(
            episode.consent_at,
            books.people[episode.consent_by].with_credential,
            episode.consent,
            episode.consent_language,
            True,
        ),
        initiating_visit=_initiating(episode),
        scores=[
            evidence.Score(scored.point.on, episode.scale, scored.point.total)
            for scored in row.scores
            if scored.point.on <= books.month.last
        ],
        plan_changes=_changes(books, episode),
        stays=[_stay(books, stay) for stay in books.stays.get(episode.patient_id, [])],
        reviews=books.reviews.get(episode.id, []),
        registry={
            "phase": episode.phase,
            "enrolled_on": episode.enrolled_on,
            "state": row.progress.state,
            "last_score": last.total if last else None,
        },
    )


def _plans(
    session: Session, patient_ids: Sequence[UUID], lasts: tuple[datetime, datetime]
) -> dict[UUID, list[tuple[datetime, str]]]:
    """Return by patient which plans were written with them in the month, and when."""
    written = defaultdict[UUID, list[tuple[datetime, str]]](list)
    for model in (RelapsePlan, SafetyPlan):
        rows = select(model.patient_id, model.at).where(
            among(session, model.patient_id, patient_ids), model.at >= lasts[0], model.at < lasts[1]
        )
        for patient_id, at in session.execute(rows):
            written[patient_id].append((at, model.__tablename__))
    return written


def _changes(books: _Books, episode: Episode) -> list[evidence.PlanChange]:
    """What was changed of the plan in the month: a phase, and each plan written, in their order."""
    changed = list(books.plans.get(episode.patient_id, ()))
    if episode.phase == "relapse_prevention" and books.lasts[0] <= episode.phase_at < books.lasts[1]:
        changed.append((episode.phase_at, episode.phase))
    return [evidence.PlanChange(at.astimezone(books.zone).date(), what) for at, what in sorted(changed)]


def _stay(books: _Books, stay: Stay) -> evidence.Stay:
    said = stay.correction
    return evidence.Stay(
        told_by=stay.told.source.removeprefix("ehr."),
        told=_edges(stay.told_span),
        holds=_edges(stay.span),
        corrected=evidence.Corrected(said.at, books.people[said.by_id].name, said.reason or "") if said else None,
    )


def _edges(span: Interval | None) -> evidence.Edges:
    return None if span is None else (span[0], None if span[1] == EVER else span[1])


def _initiating(episode: Episode) -> evidence.Visit | None:
    if episode.initiating_on is None or not episode.initiating_code:
        return None
    return evidence.Visit(episode.initiating_on, episode.initiating_code)
