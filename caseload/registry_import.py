"""Takes over a registry that a clinic has kept in a spreadsheet: each row an episode, or the reason why not.

The totals come without their forms: they say how somebody has moved, and nothing of a single answer. What is on file
already is left as it is.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload import episodes, expecting
from caseload.models import Episode
from caseload.registry_rows import KIND, EpisodeRow, read
from config import audit, clock, db
from messaging.models import Clinic, Patient, Staff
from messaging.people import bulk_save, name_search
from reminders import patient_locks
from reminders.imports import faults
from reminders.imports.csv_import import KINDS, Kind, Refused, Taken
from reminders.rules import zones


class WrongHere(faults.WrongRow):
    """A row that reads well and cannot be kept in this clinic."""


class _Team(NamedTuple):
    manager: Staff
    clinician: Staff
    consultant: Staff | None


def store(
    session: Session, clinic: Clinic, rows: Sequence[EpisodeRow], actor: str = audit.OPERATOR
) -> list[Taken | Refused]:
    """Keep the episodes of these rows; what became of each, refused where it cannot be kept."""
    people = list(session.scalars(select(Staff).where(Staff.clinic_id == clinic.id)))
    by_record = bulk_save.find_by_records(session, clinic, {row.record for row in rows if row.record})
    became: list[Taken | Refused] = []
    for row in rows:
        try:
            became.append(
                _kept(session, clinic, **_people(session, clinic, by_record, people, row), row=row, actor=actor)
            )
        except faults.WrongRow as wrong:
            became.append(Refused(wrong.faults))
    return became


def _people(
    session: Session, clinic: Clinic, by_record: Mapping[str, Patient], people: Sequence[Staff], row: EpisodeRow
) -> dict[str, Any]:
    """Whose episode a row is and who cares for them. Raises WrongRow."""

    def patient() -> Patient:
        return _must_be_known(by_record.get(row.record) if row.record else _by_name(session, clinic, row), row)

    return faults.every({"patient": patient, "team": lambda: _team(people, row)})


def _by_name(session: Session, clinic: Clinic, row: EpisodeRow) -> Patient | None:
    """Who has this name and was born on this day. Raises WrongHere for two of them."""
    assert row.birth_date is not None
    wanted = sorted(name_search.words(row.name))
    born = name_search.born_on(session, clinic, row.birth_date).patients
    fitting = [person for person in born if sorted(name_search.words(person.first_name, person.last_name)) == wanted]
    whole = {patient.merged_into or patient.id for patient in fitting}
    if len(whole) > 1:
        raise WrongHere("record: two patients have this name and birth date, give the record number")
    return session.get_one(Patient, whole.pop()) if whole else None


def _must_be_known(patient: Patient | None, row: EpisodeRow) -> Patient:
    if patient is None:
        by = "record number" if row.record else "name and birth date"
        raise WrongHere(f"record: no patient has this {by}, import patients first")
    if patient.state != "active" and row.phase != "discharged":
        raise WrongHere(f"phase: in care, but the patient's record is {patient.state}")
    return patient


def _team(people: Sequence[Staff], row: EpisodeRow) -> _Team:
    still = row.phase != "discharged"

    def found(column: str, typed: str, roles: Sequence[str]) -> Staff:
        return _colleague(people, column, typed, roles, working=still)

    return _Team(
        **faults.every(
            {
                "manager": lambda: found("manager", row.manager, episodes.MANAGERS),
                "clinician": lambda: found("clinician", row.clinician, episodes.PRACTITIONERS),
                "consultant": lambda: (
                    found("consultant", row.consultant, episodes.CONSULTANTS) if row.consultant else None
                ),
            }
        )
    )


def _colleague(people: Iterable[Staff], column: str, typed: str, roles: Sequence[str], *, working: bool) -> Staff:
    said = " ".join(typed.casefold().split())
    of_role = [person for person in people if person.role in roles and (person.active or not working)]
    fitting = [person for person in of_role if said in (person.name.casefold(), person.email.casefold())]
    if len(fitting) != 1:
        how_many = "two colleagues" if fitting else "no colleague who can be this"
        raise WrongHere(f"{column}: {how_many} has this name or e-mail address")
    return fitting[0]


def _kept(
    session: Session, clinic: Clinic, patient: Patient, team: _Team, row: EpisodeRow, actor: str
) -> Taken | Refused:
    patient_locks.take(session, [patient.id])
    others = episodes.of_patient(session, patient.id)
    same = next((each for each in others if each.enrolled_on == row.enrolled_on), None)
    if same is not None:
        return _as_it_is(same, row)
    _fits_beside(others, row)
    episode = _episode(clinic, patient, team, row)
    db.load_keys(session, [episode.key_id])
    points = [[point.on.toordinal(), point.total] for point in row.points]
    episode.imported = json.dumps(points) if points else None
    session.add(episode)
    session.flush()
    if row.phase != "discharged":
        expecting.expect(session, episode)
    about = f"care_episode:{episode.id}"
    audit.record(session, clinic.id, actor, "care.imported", about, phase=row.phase, scale=row.scale)
    return Taken("created")


def _as_it_is(episode: Episode, row: EpisodeRow) -> Taken:
    """What is on file is what somebody has worked with since: the row changes nothing, and says where it differs."""
    names = ("phase", "scale", "payer", "consent", "ended_on", "end_reason")
    differing = [name for name in names if getattr(episode, name) != getattr(row, name)]
    note = f"an episode of this day is here already and stays as it is; it differs in {', '.join(differing)}"
    return Taken("unchanged", note if differing else None)


def _fits_beside(others: Sequence[Episode], row: EpisodeRow) -> None:
    """Nobody has two open episodes, nor two at once. Raises WrongHere."""
    for other in others:
        if other.phase != "discharged" and row.phase != "discharged":
            raise WrongHere(f"phase: an episode of theirs is open already, since {other.enrolled_on}")
        begins_before_its_end = other.ended_on is None or row.enrolled_on < other.ended_on
        if begins_before_its_end and (row.ended_on is None or other.enrolled_on < row.ended_on):
            raise WrongHere(f"enrolled_on: overlaps the episode that began on {other.enrolled_on}")


def _episode(clinic: Clinic, patient: Patient, team: _Team, row: EpisodeRow) -> Episode:
    """The episode of a row. Who took consent, enrolled and discharged is not in the file: the care manager answers."""
    return Episode(
        clinic_id=clinic.id,
        key_id=patient.key_id,
        patient_id=patient.id,
        phase=row.phase,
        phase_at=_noon(clinic, row.ended_on or row.plan_on or row.enrolled_on),
        enrolled_on=row.enrolled_on,
        enrolled_by=team.manager.id,
        consent=row.consent,
        consent_at=_noon(clinic, row.consent_on),
        consent_by=team.manager.id,
        consent_language=patient.language,
        practitioner_id=team.clinician.id,
        manager_id=team.manager.id,
        consultant_id=_id(team.consultant),
        payer=row.payer,
        scale=row.scale,
        plan_on=row.plan_on,
        check_on=row.check_on,
        ended_on=row.ended_on,
        ended_by=team.manager.id if row.ended_on else None,
        end_reason=row.end_reason,
        created_at=clock.now(),
    )


def _id(person: Staff | None) -> UUID | None:
    return person.id if person else None


def _noon(clinic: Clinic, day: date) -> datetime:
    """A day without an hour is its noon, or now where that is still to come."""
    return min(
        zones.local_to_utc(datetime.combine(day, time(12)), zones.zone(clinic.zone)), clock.now().astimezone(UTC)
    )


NAME = KIND
KINDS[NAME] = Kind(read, store, signed=True)
