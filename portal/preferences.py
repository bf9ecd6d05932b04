"""What patients decide for themselves: language, hours, how much a text says, and which texts they get at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import phone
from messaging.consent import ledger
from messaging.models import PROGRAMMES, Clinic, Message, Patient, PatientNumber
from messaging.people import directory
from messaging.wording import clinic_words
from portal import words
from reminders import phrasing, planner, withdrawing
from reminders.models import Appointment
from reminders.rules import hours, zones

# Less than this, and a clinic's steps would hardly ever fit in.
SHORTEST = 3


@dataclass(frozen=True)
class Programme:
    """One kind of text.

    `state` is granted | revoked | unknown; `blocked`: only a START from the phone brings it back.
    """

    name: str
    state: str
    blocked: bool


@dataclass(frozen=True)
class Level:
    """How much a text may say, with a text as it would come."""

    name: str
    chosen: bool
    example: str


class TooNarrow(ValueError):
    """These hours leave no room for texts, or are none."""


def reachable(session: Session, patient: Patient) -> bool:
    """Whether this page may speak of the patient: who is not active, or whose number is somebody else's, must call."""
    if patient.state != "active":
        return False
    query = select(PatientNumber.line).where(PatientNumber.patient_id == patient.id)
    lines = set(session.scalars(query))
    return "wrong_person" not in lines or bool(lines & set(directory.TEXTABLE))


def programmes(session: Session, clinic: Clinic, patient: Patient) -> list[Programme]:
    """Return what the patient's number has agreed to; nothing where we have no number that can be texted."""
    number = directory.textable_number(session, patient)
    if number is None:
        return []
    states = ledger.state(session, clinic, number.number or "")
    return [
        Programme(
            programme,
            states[programme],
            states[programme] == "revoked"
            and ledger.stopped_by_text(session, clinic, number.number or "", [programme]),
        )
        for programme in PROGRAMMES
    ]


def number_of(session: Session, patient: Patient) -> str:
    """Return the number that is texted as a patient recognises it without showing all of it; "" if there is none."""
    number = directory.textable_number(session, patient)
    return phone.display(number.number or "")[-4:] if number else ""


def agree(session: Session, clinic: Clinic, patient: Patient, wanted: Sequence[str], event: ledger.Event) -> None:
    """Write into the ledger what stops or starts again; what is so already is not written twice.

    A phone that said STOP is blocked by its carrier until it says START: no page can bring its texts back. Whoever
    starts reminders again wants them about every visit, also one of which they wanted to hear no more.
    """
    if event == "granted" and "reminders" in wanted:
        withdrawing.text_again(session, patient, audit.Actor.patient(patient.id))
    number = directory.textable_number(session, patient)
    if number is None:
        return
    now = {programme.name: programme for programme in programmes(session, clinic, patient)}
    new = [name for name in wanted if now[name].state != event and not (event == "granted" and now[name].blocked)]
    if not new:
        return
    ledger.record(
        session,
        clinic,
        number.number or "",
        event,
        source="form",
        actor=audit.Actor.patient(patient.id),
        programmes=new,
        patient_id=patient.id,
        wording=words.WORDING,
    )


def levels(session: Session, clinic: Clinic, patient: Patient, language: str) -> list[Level]:
    """Return every level with the same text as it would come at each."""
    own = words.texts(language)
    coming = select(Appointment.place).where(
        Appointment.patient_id == patient.id,
        Appointment.starts_at > clock.now(),
        Appointment.place.is_not(None),
    )
    booked = session.scalar(coming.order_by(Appointment.starts_at).limit(1))
    place = phrasing.place_of(clinic, booked).get("place") or own["example_place"]
    values = phrasing.about_clinic(clinic, patient) | {
        "day": phrasing.texts(language)["today"],
        "time": words.hour(time(14, 20), language),
        "place": place,
    }
    clinics_words = clinic_words.of(session, clinic.id)
    return [
        Level(
            level,
            level == patient.privacy,
            clinics_words.say(phrasing.chosen_for("reminder_hours", level, place=place), language, values),
        )
        for level in directory.LEVELS
    ]


def choose_level(session: Session, clinic: Clinic, patient: Patient, level: str) -> None:
    """Let texts say as much as the patient wants, having read the warning beside it.

    Source: 78 FR 5634: told, and still prefers it.
    """
    chosen = next((allowed for allowed in directory.LEVELS if allowed == level), None)
    if chosen:
        withdrawing.set_privacy(session, clinic, patient, chosen, actor=audit.Actor.patient(patient.id), source="own")


def speak(session: Session, patient: Patient, language: str) -> None:
    """Write to the patient in this language from now on."""
    _wish(patient, language=language)
    patient.language = language
    _write_down(session, patient, "language", language=language)


def clinics_hours(session: Session, clinic: Clinic) -> tuple[time, time]:
    """Return from when until when the clinic sends reminders."""
    quiet = planner.cadence_of(session, clinic.id).quiet_hours
    return quiet.end, quiet.start


def hours_of(session: Session, clinic: Clinic, patient: Patient) -> tuple[time, time]:
    """Return the hours the patient has chosen, else those of the clinic."""
    own = patient.wishes.get("hours")
    if not own:
        return clinics_hours(session, clinic)
    opens, closes = (time.fromisoformat(edge) for edge in own)
    return opens, closes


def edges(session: Session, clinic: Clinic, patient: Patient) -> list[time]:
    """Return the hours that can be chosen: each full one while the clinic sends, both its ends, and what is chosen."""
    opens, closes = clinics_hours(session, clinic)
    full = [time(hour) for hour in range(24) if opens < time(hour) < closes]
    return sorted({opens, closes, *full, *hours_of(session, clinic, patient)})


def choose_hours(session: Session, clinic: Clinic, patient: Patient, typed: Sequence[str]) -> None:
    """Text the patient only between these two hours ("09:00", "18:00"), on their own clock, from this moment on.

    The clinic's own quiet hours stay what they are. Raises TooNarrow.
    """
    try:
        opens, closes = (time.fromisoformat(edge) for edge in typed)
    except ValueError:
        raise TooNarrow from None
    first, last = clinics_hours(session, clinic)
    opens, closes = max(opens.replace(tzinfo=None), first), min(closes.replace(tzinfo=None), last)
    room = (closes.hour - opens.hour) * 60 + closes.minute - opens.minute
    if room < SHORTEST * 60 and (opens, closes) != (first, last):
        raise TooNarrow
    whole = (opens, closes) == (first, last)
    chosen = None if whole else [f"{opens:%H:%M}", f"{closes:%H:%M}"]
    if chosen == patient.wishes.get("hours"):
        return
    _wish(patient, hours=chosen)
    _write_down(session, patient, "hours", hours="-".join(chosen) if chosen else "clinic")
    ahead = select(Appointment).where(Appointment.patient_id == patient.id, Appointment.starts_at > clock.now())
    planner.plan_many(session, session.scalars(ahead).all())
    _hold_back(session, clinic, patient)


def _hold_back(session: Session, clinic: Clinic, patient: Patient) -> None:
    """What is queued already must leave within the new hours too, or not at all."""
    now, place = clock.now(), zones.zone(patient.zone or clinic.zone)
    until = _until(planner.hours_for(session, patient), now, place)
    queued = select(Message).where(
        Message.patient_id == patient.id, Message.kind == "reminder", Message.state == "queued"
    )
    for message in session.scalars(queued.with_for_update()):
        message.expires_at = min(message.expires_at or until, until)


def _until(open_hours: hours.OpenHours, now: datetime, place: ZoneInfo) -> datetime:
    window = open_hours.window_on(zones.to_local(now, place).date())
    if window is None or not open_hours.is_open(now, place):
        return now
    return zones.local_to_utc(datetime.combine(zones.to_local(now, place).date(), window[1]), place)


def _wish(patient: Patient, **changes: object) -> None:
    kept = {name: value for name, value in (patient.wishes | changes).items() if value is not None}
    patient.wishes = kept


def _write_down(session: Session, patient: Patient, what: str, **detail: str) -> None:
    actor, about = audit.Actor.patient(patient.id), f"patient:{patient.id}"
    audit.record(session, patient.clinic_id, actor, f"patient.{what}", about, wording=words.WORDING, **detail)
