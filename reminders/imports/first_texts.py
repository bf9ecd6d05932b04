"""The text that the first patients of a file would get, in its words and at its time, before a row is imported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from config import clock, db
from messaging import outbox
from messaging.inbox import items
from messaging.models import Clinic, Patient
from messaging.people import bulk_save, directory
from messaging.wording import clinic_words
from reminders import appointments, phrasing, planner
from reminders.cadence import cadence_definition
from reminders.imports import csv_import
from reminders.models import Appointment
from reminders.rules import conditions, planning, zones

LINK, CODES = "…", ""
# The kinds of file whose rows lead to texts.
TEXTED = ("patients", "appointments")
# A file of patients has no visits: they are shown one a week ahead, at ten.
AHEAD, HOUR = timedelta(days=8), 10


@dataclass(frozen=True)
class FirstText:
    """What the patient of this line would get: the words and the moment (UTC) of the next text about the visit, or in
    words why none."""

    line: int
    name: str
    zone: str
    at: datetime | None = None
    body: str = ""
    why_none: str = ""


def of(session: Session, clinic: Clinic, kind: str, rows: Sequence[tuple[int, dict[str, str]]]) -> list[FirstText]:
    """Return the next text to each of these rows' patients; `rows` are lines with good values by our fields."""
    if kind not in TEXTED:
        return []
    db.load_keys(session, [clinic.key_id])
    records = [(line, csv_import.KINDS[kind].read(dict(values), clinic)) for line, values in rows]
    if kind == "patients":
        return [_to_new(session, clinic, line, record) for line, record in records]
    known = bulk_save.find_by_records(session, clinic, {record.record for _, record in records})
    pairs = [(line, record, known.get(record.record)) for line, record in records]
    return [_about(session, clinic, line, record, patient) for line, record, patient in pairs if patient is not None]


def _to_new(session: Session, clinic: Clinic, line: int, record: directory.PatientRecord) -> FirstText:
    zone = record.zone or clinic.zone
    day = zones.to_local(clock.now() + AHEAD, zones.zone(zone)).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    visit = _visit(clinic, starts_at=zones.local_to_utc(day.replace(tzinfo=None), zones.zone(zone)), zone=zone)
    patient = Patient(
        clinic_id=clinic.id, key_id=clinic.key_id, first_name=record.first_name, language=record.language,
        zone=record.zone, privacy=record.privacy or "place", state=record.state or "active",
    )  # fmt: skip
    why = record.left_out or ("" if record.number else "there is no number")
    why = why if record.consent else "the file says that they may not be texted"
    return _next(session, clinic, line, (patient, record.first_name), visit, patient.privacy, why)


def _about(
    session: Session, clinic: Clinic, line: int, record: appointments.VisitRecord, patient: Patient
) -> FirstText:
    visit = _visit(
        clinic, starts_at=record.starts_at, zone=record.zone, booked_at=record.booked_at, place=record.place,
        clinician=record.clinician, kind=record.kind, state=record.state,
    )  # fmt: skip
    refused = outbox.refusal(session, patient, "reminders")
    why = items.why_not(refused.value) if refused else ""
    named = patient, patient.first_name or ""
    return _next(session, clinic, line, named, visit, directory.openness(session, patient), why)


def _visit(clinic: Clinic, **facts: Any) -> Appointment:
    """A visit that is never added to the session."""
    whose = {"clinic_id": clinic.id, "key_id": clinic.key_id}
    return Appointment(**whose, **({"booked_at": clock.now(), "state": "booked"} | facts))


def _next(
    session: Session,
    clinic: Clinic,
    line: int,
    who: tuple[Patient, str],
    visit: Appointment,
    openness: str,
    why_none: str,
) -> FirstText:
    patient, name = who
    step, at = _next_step(session, clinic, patient, visit)
    if why_none or step is None or at is None:
        return FirstText(line, name, visit.zone, why_none=why_none or "no text is left to send about this visit")
    said = phrasing.words(clinic, patient, visit, at) | {"link": LINK, "codes": CODES}
    own = clinic_words.of(session, clinic.id)
    return FirstText(line, name, visit.zone, at, phrasing.say(own, step.text, patient, said, openness=openness))


def _next_step(
    session: Session, clinic: Clinic, patient: Patient, visit: Appointment
) -> tuple[cadence_definition.Step | None, datetime | None]:
    now, cadence = clock.now(), planner.cadence_of(session, clinic.id)
    if visit.state not in planner.SPOKEN_OF or visit.starts_at <= now:
        return None, None
    facts = conditions.Facts(language=patient.language, place=visit.place, kind=visit.kind)
    own_zone = zones.zone(patient.zone) if patient.zone else None
    like = planning.Visit(visit.starts_at, zones.zone(visit.zone), visit.booked_at, own_zone, facts=facts)
    coming = [each for each in planning.plan(like, cadence, now) if each.at is not None]
    return (cadence.step(coming[0].step, visit.kind), coming[0].at) if coming else (None, None)
