"""Shows what a cadence does for a made-up visit:
these texts, in these words, at these times, and what is dropped and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from config import db
from messaging import models as messaging
from messaging.reasons import Reason
from messaging.wording import clinic_words, text_templates
from reminders import phrasing, reasons
from reminders.cadence import cadence_definition, explaining
from reminders.models import Appointment
from reminders.rules import conditions, planning, zones

# Who the examples are about, and the link in their texts, which opens nothing.
FIRST_NAME, PLACE = "Teresa", "Room 4"
LINK = "{public_url}/i/example"


@dataclass(frozen=True)
class Example:
    """A made-up visit: aware instants, IANA names of zones, and what the cadence may tell visits apart by.

    `marked` is how it went ("no_show", "arrived"), None while that is open.
    """

    starts_at: datetime
    booked_at: datetime
    zone: str
    patient_zone: str | None = None
    language: str = "en"
    privacy: str = "place"
    kind: str | None = None
    confirmed: bool = False
    answered: bool = False
    marked: str | None = None


@dataclass(frozen=True)
class Shown:
    """One step: when its text goes (None: dropped), why, its words, and the segments they cost."""

    step: str
    at: datetime | None
    why: tuple[Reason, ...]
    body: str = ""
    segments: int = 0

    @property
    def moved(self) -> bool:
        """Whether quiet hours gave it another time than its own."""
        return self.at is not None and any(reason.key in reasons.MOVED for reason in self.why)


def show(
    session: Session,
    clinic: messaging.Clinic,
    cadence: cadence_definition.Cadence,
    example: Example,
    public_url: str,
) -> list[Shown]:
    """Return every step of the cadence for this visit, in the order of the plan; nothing is written or sent."""
    shown = []
    for planned in explaining.timeline(_visit(example), cadence, marked=example.marked):
        step = cadence.step(planned.step, example.kind)
        if planned.at is None or step is None or explaining.is_dropped(planned):
            shown.append(Shown(planned.step, None, planned.why))
            continue
        body = words(session, clinic, step, example, planned.at, public_url)
        shown.append(Shown(planned.step, planned.at, planned.why, body, text_templates.segments(body).segments))
    return shown


def words(
    session: Session,
    clinic: messaging.Clinic,
    step: cadence_definition.Step,
    example: Example,
    at: datetime,
    public_url: str,
) -> str:
    """Return what the text of a step says to the made-up patient when it leaves at `at`."""
    patient, visit = _made_up(session, clinic, example)
    variables: Mapping[str, str] = phrasing.words(clinic, patient, visit, at) | {
        "link": LINK.format(public_url=public_url),
        "codes": "",
    }
    return phrasing.say(clinic_words.of(session, clinic.id), step.text, patient, variables)


def _visit(example: Example) -> planning.Visit:
    return planning.Visit(
        starts_at=example.starts_at,
        zone=zones.zone(example.zone),
        booked_at=example.booked_at,
        patient_zone=zones.zone(example.patient_zone) if example.patient_zone else None,
        confirmed=example.confirmed,
        facts=conditions.Facts(
            language=example.language,
            place=PLACE,
            kind=example.kind,
            intake_done=True if example.answered else None,
        ),
    )


def _made_up(session: Session, clinic: messaging.Clinic, example: Example) -> tuple[messaging.Patient, Appointment]:
    """A patient and a visit that are never added to the session, sealed as any other with the clinic's own key."""
    db.load_keys(session, [clinic.key_id])
    patient = messaging.Patient(
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        first_name=FIRST_NAME,
        language=example.language,
        zone=example.patient_zone,
        privacy=example.privacy,
        state="active",
    )
    visit = Appointment(
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        patient_id=patient.id,
        starts_at=example.starts_at,
        booked_at=example.booked_at,
        zone=example.zone,
        place=PLACE,
        kind=example.kind,
        state="booked",
    )
    return patient, visit
