"""What of a month's work counts, and how far the next code is: of one episode, or of a whole caseload at once.

Here entries become minutes, for the registry, for the patient's page and for whoever bills. Nothing is kept in a table:
each reading asks what work there is, a line a colleague and episode; only where that or what else decides has changed
are the entries themselves read and reckoned.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.orm import Session, aliased

from caseload.codes import minutes, proposing, reckoning, tables
from caseload.models import CareEntry, Episode
from caseload.months import Month, span
from caseload.stays import standing
from caseload.stays.standing import Stay
from config import db
from config.db import spans
from config.db.sets import Many
from messaging.models import Clinic, Staff

# Work that reaches over a month's edge is no longer than this (care_log.LONGEST).
EDGE = timedelta(hours=4)
# The consultant is paid by contract, never by the minute.
ROLES: dict[str, minutes.Role] = {"psychiatric_consultant": "consultant"}


class Counted(NamedTuple):
    """The whole minutes of a month that count, and what is missing for the next code (None: nothing, or no table)."""

    minutes: int = 0
    to_next: proposing.Next | None = None


class Bounded(NamedTuple):
    """What of an episode decides which of its minutes count; `worked_before`: in an earlier month."""

    id: UUID
    patient_id: UUID
    payer: str
    consent_at: datetime
    discharged_at: datetime | None
    worked_before: bool


def columns(begins: datetime) -> tuple[ColumnElement[Any], ...]:
    """Return the columns of `Episode` that `bounded` takes, for a month that begins then."""
    return (
        Episode.payer.expression,
        Episode.consent_at.expression,
        Episode.phase_at.expression,
        worked_before(begins).label("worked_before"),
    )


def worked_before(begins: datetime) -> ColumnElement[bool]:
    """Return the condition on `Episode` that work was done in it before a month begins: this is no first month."""
    earlier = aliased(CareEntry)
    return (
        select(literal(1))
        .where(earlier.episode_id == Episode.id, earlier.struck_at.is_(None), earlier.starts_at < begins)
        .correlate(Episode)
        .exists()
    )


def bounded(episode: Any, *, worked_before: bool) -> Bounded:
    """Return what decides of an episode, from the episode or from a bare row of it."""
    discharged_at = episode.phase_at if episode.phase == "discharged" else None
    return Bounded(episode.id, episode.patient_id, episode.payer, episode.consent_at, discharged_at, worked_before)


def asked(episode: Bounded, month: Month, lasts: tuple[datetime, datetime], away: Sequence[Stay]) -> reckoning.Asked:
    """Return what is known of an episode's month beside the work; `away` are the patient's stays in a hospital."""
    return reckoning.Asked(
        month=month,
        bounds=minutes.Bounds(lasts, episode.consent_at, episode.discharged_at, _spans(away)),
        payer=episode.payer,
        tables=tables.payers().get(episode.payer, ()),
        first_month=not episode.worked_before,
        patient=str(episode.patient_id),
    )


def entries(
    session: Session, clinic: Clinic, lasts: tuple[datetime, datetime], *whose: ColumnElement[bool]
) -> dict[str, list[minutes.Entry]]:
    """Return by patient the work that decides what of a month counts for them (`minutes.by_patient`)."""
    rows = select(
        CareEntry.id, CareEntry.staff_id, CareEntry.starts_at, CareEntry.ends_at, Episode.patient_id, Staff.role
    )
    rows = rows.select_from(CareEntry).join(Episode, Episode.id == CareEntry.episode_id)
    rows = rows.join(Staff, Staff.id == CareEntry.staff_id)
    return minutes.by_patient(
        minutes.Entry(
            each.starts_at,
            each.ends_at,
            str(each.staff_id),
            str(each.patient_id),
            ROLES.get(each.role, "care_manager"),
            key=str(each.id),
        )
        for each in db.tuples(session, rows.where(*within(clinic, lasts), *whose))
    )


def within(clinic: Clinic, lasts: tuple[datetime, datetime]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on `CareEntry` that it stands, and can share time with a month."""
    return (
        CareEntry.clinic_id == clinic.id,
        CareEntry.struck_at.is_(None),
        CareEntry.starts_at > lasts[0] - EDGE,
        CareEntry.starts_at < lasts[1],
    )


class Work:
    """What decides how a month stands of many patients' episodes; the entries are read only of those asked for."""

    def __init__(self, session: Session, clinic: Clinic, month: Month, patient_ids: Many) -> None:
        self._session, self._clinic, self._month = session, clinic, month
        self._lasts = span(month, ZoneInfo(clinic.zone))
        self._people, self._works = _work(session, clinic, self._lasts)
        self._stays = standing.of_patients(session, patient_ids, *self._lasts)

    def of(self, patient_id: UUID) -> tuple[Any, ...]:
        """Return what is another one as soon as any work or stay has changed that counts for this patient."""
        done = [self._works[person] for person in self._people.get(patient_id.int, ())]
        return done, _spans(self._stays.get(patient_id, ()))

    def counted(self, of: Sequence[Bounded]) -> dict[UUID, Counted]:
        """Return how the month stands of each episode."""
        theirs, months = self._entries(of), dict[UUID, Counted]()
        for each in of:
            asks = asked(each, self._month, self._lasts, self._stays.get(each.patient_id, ()))
            month = reckoning.reckon(theirs.get(asks.patient, ()), asks)
            months[each.id] = Counted(month.count.minutes, month.proposal.to_next)
        return months

    def _entries(self, of: Sequence[Bounded]) -> dict[str, list[minutes.Entry]]:
        """The work that decides for these patients."""
        persons = {UUID(int=person) for each in of for person in self._people.get(each.patient_id.int, ())}
        if not persons:
            return {}
        return entries(self._session, self._clinic, self._lasts, CareEntry.staff_id.in_(persons))


def _work(
    session: Session, clinic: Clinic, lasts: tuple[datetime, datetime]
) -> tuple[Mapping[int, Sequence[int]], Mapping[int, int]]:
    """Return who worked for each patient, and of each of them a number that is another one where any of their work is.

    An entry is never changed, only written and struck: how many there are, how long, when, and which came last says
    which they are. What somebody did for one patient takes minutes from another's, so that all of theirs is looked at.
    """
    lines = (
        select(
            CareEntry.staff_id,
            Episode.patient_id,
            Staff.role,
            func.count(),
            func.sum(spans.seconds(CareEntry.starts_at, CareEntry.ends_at)),
            func.sum(spans.seconds(literal(lasts[0], CareEntry.starts_at.type), CareEntry.starts_at)),
            func.max(CareEntry.made_at),
        )
        .select_from(CareEntry)
        .join(Episode, Episode.id == CareEntry.episode_id)
        .join(Staff, Staff.id == CareEntry.staff_id)
        .where(*within(clinic, lasts))
        .group_by(CareEntry.staff_id, Episode.patient_id, Staff.role)
    )
    people, work = defaultdict[int, list[int]](list), defaultdict[int, list[Any]](list)
    for staff_id, patient_id, *what in db.tuples(session, lines):
        people[patient_id.int].append(staff_id.int)
        work[staff_id.int].append((patient_id.int, *what))
    return (
        {patient: sorted(theirs) for patient, theirs in people.items()},
        {person: hash(frozenset(done)) for person, done in work.items()},
    )


def _spans(away: Sequence[Stay]) -> tuple[Any, ...]:
    return tuple(stay.span for stay in away if stay.span is not None)
