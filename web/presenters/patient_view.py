"""A patient as staff see them: name, age, language, how they can be reached and when, and their visits."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from config.db.sets import among
from messaging import contactability, phone
from messaging.models import PROGRAMMES, Clinic, Patient
from messaging.reachable import Reach
from reminders import in_building
from reminders.rules.hours import OpenHours
from web import times, words
from web.presenters import visit_view

STAYS = in_building.STAYS
PAST = 3
CONSENT_SHAPES = {"granted": "✓", "revoked": "⊘", "unknown": "–"}
# What a name in a list is read from, without the whole record.
NAMED = (
    Patient.id,
    Patient.clinic_id,
    Patient.key_id,
    Patient.first_name_ct,
    Patient.last_name_ct,
    Patient.birth_date_ct,
    Patient.shredded_at,
)


@dataclass(frozen=True)
class Agreed:
    """What was agreed for one programme: state granted | revoked | unknown, its shape and its words."""

    key: str
    programme: str
    state: str
    shape: str
    words: str


@dataclass(frozen=True)
class Number:
    """A telephone number: as dialled, as read, what is known of its line, and what was agreed for it."""

    id: UUID
    dial: str
    words: str
    line: str
    line_words: str
    texted: bool
    consent: list[Agreed]


@dataclass(frozen=True)
class Person:
    """What stands about a patient beside a case. `hours` says whether a text may go out at this moment of theirs."""

    id: UUID
    name: str
    first_name: str
    facts: list[str]
    panel: str
    record: str
    active: bool
    in_building: bool
    reach: str
    privacy: str
    language: str
    hours: str
    numbers: list[Number]
    next_visit: visit_view.Visit | None
    past_visits: list[visit_view.Visit]


def find(session: Session, clinic: Clinic, patient_id: UUID) -> Patient | None:
    """Return the clinic's own patient, None for another clinic's; of a merged record the one that stays."""
    patient = session.get(Patient, patient_id)
    if patient is not None and patient.merged_into:
        patient = session.get(Patient, patient.merged_into)
    return patient if patient is not None and patient.clinic_id == clinic.id else None


def full_name(patient: Any) -> str:
    """Return first and last name of a patient, or of a row of `NAMED`; or that the record was destroyed."""
    if patient.shredded_at is not None:
        return words.say("keeping", "destroyed")
    first, last = Patient.first_name.text(patient, Patient), Patient.last_name.text(patient, Patient)
    return f"{first or ''} {last or ''}".strip()


def unnamed(person: Person, initials: str) -> Person:
    """Return a person as whoever routes work sees them: initials, no birth date, the last digits of numbers."""
    numbers = [replace(number, dial="", words=phone.mask(number.dial)) for number in person.numbers]
    facts = [fact for fact in person.facts if not fact.startswith("born ")]
    return replace(person, name=initials, first_name=initials, facts=facts, record="", numbers=numbers)


def age(patient: Any) -> str:
    """Return the age in years of a patient, or of a row of `NAMED`; "" where it is not known."""
    years = times.age(Patient.birth_date.text(patient, Patient), clock.now())
    return "" if years is None else str(years)


def names(session: Session, patient_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the full names of many patients by their ids."""
    found = session.execute(select(*NAMED).where(among(session, Patient.id, patient_ids))).all()
    db.load_keys(session, (patient.key_id for patient in found))
    return {patient.id: full_name(patient) for patient in found}


def person(session: Session, clinic: Clinic, patient: Patient, reach: Reach, open_hours: OpenHours) -> Person:
    """Return what a case or the patient's page says about them; `reach` and `open_hours` say whether and when they may
    be texted."""
    now = clock.now()
    db.load_keys(session, [clinic.key_id, patient.key_id])
    born = times.birth_date(patient.birth_date, now)
    kept = visit_view.visits(session, patient)
    coming = [
        appointment for appointment in kept if appointment.starts_at > now - STAYS and appointment.state != "cancelled"
    ]
    gone = [appointment for appointment in kept if appointment not in coming and appointment.starts_at <= now]
    numbers = _numbers(patient, reach)
    language = words.say("languages", patient.language)
    return Person(
        id=patient.id,
        name=full_name(patient),
        first_name=patient.first_name or "",
        facts=[
            *([f"born {born}"] if born else []),
            *([patient.sex] if patient.sex else []),
            language,
        ],
        panel=patient.panel or "",
        record=patient.record or "",
        active=patient.state == "active",
        in_building=patient.is_here(now),
        reach=reach_words(reach.facts, words.say("privacy", patient.privacy)),
        privacy=words.say("privacy", patient.privacy),
        language=language,
        hours=hours(open_hours, patient.zone or clinic.zone, now),
        numbers=numbers,
        next_visit=visit_view.visit(coming[-1]) if coming else None,
        past_visits=[visit_view.visit(appointment) for appointment in gone[:PAST]],
    )


def hours(open_hours: OpenHours, name: str, now: datetime) -> str:
    """Return in words whether it is an hour at which somebody may be texted, on the clock of their zone `name`."""
    place = ZoneInfo(name)
    if not open_hours.is_open(now, place):
        opens = times.moment(open_hours.next_open(now, place), now, name, running=True)
        return words.say("hours", "quiet", now=times.time_of(now, name), until=opens)
    window = open_hours.window_on(now.astimezone(place).date())
    return words.say("hours", "open", until=times.clock_time(window[1])) if window else ""


def _numbers(patient: Patient, reach: Reach) -> list[Number]:
    """The patient's numbers, the one given last first."""
    rows = list(reversed(patient.numbers))
    textable = next((row for row in rows if row.line in contactability.TEXTABLE), None)
    numbers: list[Number] = []
    for row in rows:
        states = reach.numbers[row.number_index].agreed
        agreements = [
            Agreed(
                programme, words.say("programmes", programme), state, CONSENT_SHAPES[state], words.say("consent", state)
            )
            for programme, state in states.items()
        ]
        number, line = row.number or "", row.line
        known = line_words(line, states)
        texted = textable is not None and textable.id == row.id and "granted" in states.values()
        numbers.append(Number(row.id, number, phone.display(number), line, known, texted, agreements))
    return numbers


def line_words(line: str, states: Mapping[str, str]) -> str:
    """Return what is known of a line; one that could be texted is not called so where nobody may text it."""
    if line in contactability.TEXTABLE and "granted" not in states.values():
        return words.say("reach", "opted_out" if "revoked" in states.values() else "no_consent")
    return words.say("lines", line)


def reach_words(contact: contactability.Facts, otherwise: str) -> str:
    """Return what of our texts is closed to a patient and what still goes; `otherwise` where nothing is closed."""
    refused = contactability.of_programmes(contact, PROGRAMMES)
    reasons = set(refused.values())
    if reasons == {None}:
        return otherwise
    if len(reasons) == 1:
        return words.say("reach", *(reason.key for reason in reasons if reason))
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for programme, reason in refused.items():
        part = "ended" if reason in contactability.OPT_OUTS else "not_agreed" if reason else "open"
        parts[part].append(words.say("programme_texts", programme))
    ordered = [part for part in ("ended", "not_agreed", "open") if part in parts]
    return "; ".join(words.say("reach", part, what=" and ".join(parts[part])) for part in ordered)


def in_the_building(session: Session, patient_ids: Collection[UUID | None], now: datetime) -> set[UUID | None]:
    """Return which of the patients are taken to be in the building."""
    if not patient_ids:
        return set()
    return set(session.scalars(select(Patient.id).where(Patient.id.in_(patient_ids), Patient.here_until > now)))
