"""Visits as rows: who, when, with whom, whether they were reached, have confirmed, have done their forms, are here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging.models import Patient
from reminders import agenda, appointments, unreached, visits_by_staff
from reminders.models import Appointment
from web import times, words
from web.presenters import patient_view

# Each state's colour and shape; its words stand in [visits].
MARKS = {
    "booked": ("plain", "○"),
    "confirmed": ("calm", "✓"),
    "change_asked": ("soon", "◆"),
    "arrived": ("calm", "●"),
    "no_show": ("plain", "✕"),
}
# How long after its day something may still be noted of a visit.
STILL_NOTED = 7


@dataclass(frozen=True)
class Row:
    """A visit in words. `reach` says why nobody has heard from the patient, "" where they have answered.

    `forms` is done | open | "" where none were sent; `acts` are what can be noted of it now, each as key and
    words; `moves`: it can still be moved or cancelled.
    """

    id: UUID
    patient_id: UUID
    at: str
    day: str
    name: str
    facts: str
    language: str
    clinician: str
    place: str
    state: str
    mark: times.Mark
    reach: str
    forms: str
    here: bool
    acts: list[tuple[str, str]]
    moves: bool


def rows(session: Session, visits: Sequence[Appointment], *, changes: bool) -> list[Row]:
    """Return visits as rows, with a fixed number of queries; `changes`: the reader may note what became of them."""
    if not visits:
        return []
    now, ids = clock.now(), {visit.patient_id for visit in visits}
    patients = {patient.id: patient for patient in session.scalars(select(Patient).where(Patient.id.in_(ids)))}
    db.load_keys(session, (patient.key_id for patient in patients.values()))
    asked = [visit for visit in visits if visit.state == "booked"]
    entries = unreached.of_visits(session, asked, min(visit.starts_at for visit in visits), now) if asked else []
    reach = {entry.visit.id: _reach(entry) for entry in entries}
    forms = agenda.forms_of(session, visits)
    return [
        _row(visit, patients[visit.patient_id], reach.get(visit.id, ""), forms, acts(visit, now) if changes else [])
        for visit in visits
    ]


def acts(visit: Appointment, now: datetime) -> list[tuple[str, str]]:
    """Return what can be noted of a visit at `now`, each as key and words: the likeliest first."""
    if visit.state in appointments.CAME:
        return [("take_back", words.say("visit_acts", "take_back"))] if _noted_on(visit, now) else []
    able = []
    if _noted_on(visit, now):
        able.append("arrive")
        able += ["no_show"] if visit.starts_at <= now else []
    if visit.state == "booked" and visit.starts_at > now:
        able.append("confirm")
    return [(act, words.say("visit_acts", act)) for act in able]


def _noted_on(visit: Appointment, now: datetime) -> bool:
    """Whether its day has come, by its own clock, and is not long past."""
    place = ZoneInfo(visit.zone)
    passed = (now.astimezone(place).date() - visit.starts_at.astimezone(place).date()).days
    return 0 <= passed <= STILL_NOTED


def _reach(entry: unreached.Entry) -> str:
    if entry.reason is None:
        return ""
    return words.say("visit_reach", "by_phone") if entry.reached else words.say("unreached", entry.reason)


def _row(visit: Appointment, patient: Patient, reach: str, forms: dict[UUID, bool], able: list[tuple[str, str]]) -> Row:
    now = clock.now()
    tone, shape = MARKS.get(visit.state, ("plain", ""))
    language = words.say("languages", patient.language)
    return Row(
        id=visit.id,
        patient_id=patient.id,
        at=times.time_of(visit.starts_at, visit.zone),
        day=times.day(visit.starts_at, now, visit.zone),
        name=patient_view.full_name(patient),
        facts=" · ".join(fact for fact in (_born(patient), language) if fact),
        language=language,
        clinician=visit.clinician or "",
        place=visit.place or "",
        state=visit.state,
        mark=times.Mark(tone, shape, words.say("visits", visit.state)),
        reach=reach,
        forms={True: "done", False: "open"}.get(forms[visit.id], "") if visit.id in forms else "",
        here=visit.state == "arrived" and patient.is_here(now),
        acts=able,
        moves=visits_by_staff.may_change(visit),
    )


def _born(patient: Patient) -> str:
    """The second thing by which a person is told from another of that name."""
    born = patient.birth_date
    return words.say("visit_facts", "born", date=times.date_of(date.fromisoformat(born[:10]))) if born else ""
