"""Saved replies as the composer offers them: filled for one person, in each language, with what each costs."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging import phone
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from messaging.wording import clinic_names, clinic_words, proofreading, saved_replies, text_templates
from reminders import phrasing
from reminders.models import Appointment
from web import words

COMING = ("booked", "confirmed")
# What a text may say of a visit, by how openly the patient wants to be written to (see reminders.phrasing.text_for).
UNSAID = {"generic": ("day", "time", "date", "place"), "place": ("place",)}


@dataclass(frozen=True)
class Variant:
    """A reply in one language, filled: `gaps` are the places without a value."""

    language: str
    language_words: str
    body: str
    segments: int
    gaps: list[str]


@dataclass(frozen=True)
class Offer:
    """A saved reply: its name, whether it is one's own, and its languages, the one they are answered in first."""

    id: UUID
    name: str
    own: bool
    variants: list[Variant]


def offers(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    patient: Patient | None,
    *,
    shared: bool,
    said_in: str | None = None,
) -> list[Offer]:
    """Return every reply that `staff` may use, filled for `patient`; on a `shared` phone nobody is named.

    `said_in` is the language they wrote in, where it is another than their record's.
    """
    replies = saved_replies.listing(session, clinic, staff)
    if not replies:
        return []
    first = said_in or (patient.language if patient else "en")
    order = sorted(text_templates.LANGUAGES, key=lambda language: language != first)
    values = {language: _values(session, clinic, patient, language, shared) for language in order}
    return [
        Offer(
            id=reply.id,
            name=reply.name or "",
            own=reply.staff_id is not None,
            variants=[
                variant(reply.texts[language], language, values[language])
                for language in order
                if reply.texts.get(language)
            ],
        )
        for reply in replies
    ]


def variant(template: str, language: str, values: dict[str, str]) -> Variant:
    """Return one language of a reply, filled with `values`."""
    body = saved_replies.fill(template, values)
    gaps = [problem.word.strip("{}") for problem in proofreading.proof(body) if problem.rule == "gap"]
    counted = text_templates.segments(proofreading.tidy(body)).segments
    return Variant(language, words.say("languages", language), body, counted, gaps)


def one(
    session: Session,
    clinic: Clinic,
    reply_texts: dict[str, str],
    patient: Patient | None,
    language: str,
    shared: bool,
) -> str:
    """Return one reply filled, "" if it is not written in that language."""
    template = reply_texts.get(language, "")
    return saved_replies.fill(template, _values(session, clinic, patient, language, shared)) if template else ""


def _values(session: Session, clinic: Clinic, patient: Patient | None, language: str, shared: bool) -> dict[str, str]:
    if patient is None:
        name = clinic_names.in_texts(clinic, language)
        clinic_values = {"clinic": name, "clinic_phone": phone.display(clinic.phone)}
        return clinic_values | {"care_team": phrasing.texts(language)["care_team"]}
    visit = session.scalar(
        select(Appointment)
        .where(
            Appointment.patient_id == patient.id,
            Appointment.starts_at > clock.now(),
            Appointment.state.in_(COMING),
        )
        .order_by(Appointment.starts_at)
        .limit(1)
    )
    values = phrasing.about_clinic(clinic, patient, language)
    if visit is not None:
        values = phrasing.words(clinic, patient, visit, clock.now(), language=language)
    values |= {"care_team": phrasing.texts(language)["care_team"]}
    unsaid = {*UNSAID.get(directory.openness(session, patient), ()), *(("first_name",) if shared else ())}
    return {name: value for name, value in values.items() if name not in unsaid}


def sample(clinic: Clinic, language: str) -> dict[str, str]:
    """Return made-up values for the page where replies are written."""
    values = clinic_words.sample(clinic, language)
    return {name: values[name] for name in saved_replies.PLACES}
