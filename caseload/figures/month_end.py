"""What is counted by month, on the month's last day: New York State's measures, screening by month, codes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from caseload import contacts, kept_scores
from caseload.figures import people_of_day, visit_day
from caseload.figures.days import Day, years_between
from caseload.measures import nys, scales
from caseload.models import CareMonth, CaseReview, Episode
from caseload.months import Month, span
from config import db
from config.db.sets import among
from messaging.models import Clinic
from reminders.models import Appointment

MEDICAID, ALWAYS = "medicaid", (date.min, None)


def count(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Count the registry's month where it ends with this day, else nothing."""
    if day.month is None:
        return Counter()
    return _states(session, clinic, day, day.month) + _codes(session, clinic, day.month)


def screening(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Count measure 9 of New York State where a month ends with this day: any total within twelve months."""
    if day.month is None:
        return Counter()
    begins, ends = span(day.month, day.zone)
    came = set(
        session.scalars(
            select(Appointment.patient_id).where(
                Appointment.clinic_id == clinic.id,
                Appointment.starts_at >= begins,
                Appointment.starts_at < ends,
                Appointment.state == "arrived",
            )
        )
    )
    if not came:
        return Counter()
    born = people_of_day.born(session, came)
    eligible = {
        patient_id for patient_id in came & born.keys() if years_between(born[patient_id], day.on) >= visit_day.YOUNGEST
    }
    year_ago = span(Month(day.on.year - 1, day.on.month).next, day.zone)[0]
    screened = visit_day.latest_screens(session, clinic, eligible, year_ago, ends)
    return Counter(
        {
            "nys9.of": len(eligible),
            "nys9.in": len(screened),
            "nys9.no_age": len(came - born.keys()),
            "nys9.young": len((came & born.keys()) - eligible),
        }
    )


def _open_in(session: Session, clinic: Clinic, month: Month) -> Sequence[Episode]:
    return session.scalars(
        select(Episode).where(
            Episode.clinic_id == clinic.id,
            Episode.enrolled_on <= month.last,
            or_(Episode.ended_on.is_(None), Episode.ended_on >= month.first),
        )
    ).all()


def _states(session: Session, clinic: Clinic, day: Day, month: Month) -> Counter[str]:
    """Measures 1 to 8 of the month, for the patients of the registry, as `caseload.measures.nys` counts them."""
    episodes = defaultdict[UUID, list[Episode]](list)
    for episode in _open_in(session, clinic, month):
        episodes[episode.patient_id].append(episode)
    if not episodes:
        return Counter()
    spoken = contacts.moments(session, episodes)
    scored = _scored(session, clinic, [each for of_patient in episodes.values() for each in of_patient])
    reviewed = _reviewed(session, [each.id for of_patient in episodes.values() for each in of_patient])
    patients = [
        _patient(day, of_patient, spoken.get(patient_id, []), scored[patient_id], reviewed)
        for patient_id, of_patient in episodes.items()
    ]
    counts: Counter[str] = Counter()
    for number, figures in nys.measures(month, patients).items():
        counts[f"nys{number}.in"] = figures["n"]
        counts[f"nys{number}.of"] = figures.get("of", 0)
    return counts


def _patient(
    day: Day,
    episodes: Sequence[Episode],
    spoken: Sequence[datetime],
    scored: Sequence[nys.Score],
    reviewed: dict[UUID, list[datetime]],
) -> nys.Patient:
    """A payer is written down for an episode alone: who is enrolled with Medicaid is taken to have had it before."""
    newest = max(episodes, key=lambda episode: episode.enrolled_on)
    by_id = [each.id for each in episodes]
    return nys.Patient(
        episodes=[nys.Episode(each.enrolled_on, each.ended_on, scales.known()[each.scale]) for each in episodes],
        medicaid=[ALWAYS] if newest.payer == MEDICAID else [],
        contacts=[at.astimezone(day.zone).date() for at in spoken],
        scores=scored,
        reviews=[at.astimezone(day.zone).date() for each in by_id for at in reviewed.get(each, [])],
    )


def _scored(session: Session, clinic: Clinic, episodes: Sequence[Episode]) -> dict[UUID, list[nys.Score]]:
    """Every total of these patients, those too that came with a registry from a spreadsheet where no form is of their
    day."""
    known, found = scales.known(), defaultdict[UUID, list[nys.Score]](list)
    patient_ids = {episode.patient_id for episode in episodes}
    for (patient_id, scale), scores in kept_scores.of_forms(session, clinic, patient_ids, tuple(known)).items():
        found[patient_id] += [nys.Score(each.point.on, known[scale], each.point.total) for each in scores]
    db.load_keys(session, (episode.key_id for episode in episodes))
    for episode in episodes:
        answered = {score.at for score in found[episode.patient_id]}
        imported = [point for point in kept_scores.imported_of(episode) if point.on not in answered]
        found[episode.patient_id] += [nys.Score(point.on, known[episode.scale], point.total) for point in imported]
    return found


def _reviewed(session: Session, episode_ids: Sequence[UUID]) -> dict[UUID, list[datetime]]:
    """When each episode was reviewed; "go on as before" is a recommendation too."""
    reviewed = defaultdict[UUID, list[datetime]](list)
    rows = select(CaseReview.episode_id, CaseReview.at).where(among(session, CaseReview.episode_id, episode_ids))
    for episode_id, at in session.execute(rows):
        reviewed[episode_id].append(at)
    return reviewed


def _codes(session: Session, clinic: Clinic, month: Month) -> Counter[str]:
    """How many episodes were open in the month, which of them a person has closed, and the units of each code."""
    counts = Counter({"month.episodes": len(_open_in(session, clinic, month))})
    closed = select(CareMonth.codes).where(CareMonth.clinic_id == clinic.id, CareMonth.month == str(month))
    for codes in session.scalars(closed):
        counts["month.closed" if codes else "month.without_code"] += 1
        for each in codes:
            counts[f"code.{each['code']}"] += each["units"]
    return counts
