"""A clinic with a registry: who works there, who is enrolled, and the scores they gave."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from caseload.models import Episode
from config import clock, db
from intake_links import submissions
from messaging.models import Clinic, Patient, Staff
from reminders import care_model
from reminders.models import Appointment


@dataclass
class Scene:
    """Rosa manages care, Dr. Ames treats, Dr. Silva is the consultant; `browser` is Rosa's."""

    house: Any
    rosa: Staff
    ames: Staff
    silva: Staff
    browser: Any

    def form(self) -> dict[str, str]:
        """What the form for enrolling says, all of it right."""
        zone = ZoneInfo(self.house.clinic.zone)
        now = clock.now().astimezone(zone)
        return {
            "consent": "verbal",
            "consent_at": (now - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M"),
            "cost_told": "on",
            "enrolled_on": now.date().isoformat(),
            "manager": str(self.rosa.id),
            "practitioner": str(self.ames.id),
            "consultant": str(self.silva.id),
            "payer": "medicare",
            "scale": "phq9",
        }

    def rows(self, model: Any) -> list[Any]:
        """Every row of a table, oldest first."""
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            return list(session.scalars(select(model).order_by(model.id)))

    def episodes(self) -> list[Episode]:
        """Every episode, oldest first."""
        return self.rows(Episode)


def with_registry(house: Any, model: str = "collaborative") -> Scene:
    """Let a clinic work in a care model with a registry."""
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        clinic.rules = {**clinic.rules, care_model.NAME: care_model.Terms(model=model).model_dump(mode="json")}
        house.clinic.rules = clinic.rules
    rosa, ames = house.staff(credential="LCSW"), house.staff("Dr. Ames", role="clinician")
    silva = house.staff("Dr. Silva", role="psychiatric_consultant")
    return Scene(house, rosa, ames, silva, house.signed_in(rosa))


def enrolled(scene: Scene, patient: Patient, days_ago: int, **changed: str) -> Episode:
    """Enrol a patient through the page, as if so many days ago."""
    answer = scene.browser.post(f"/patients/{patient.id}/care", **(scene.form() | changed))
    assert answer.status_code == 303
    with db.unit_of_work(db.EVERY) as session:
        episode = session.scalars(select(Episode).where(Episode.patient_id == patient.id)).one()
        back(episode, timedelta(days=days_ago))
        return episode


def back(episode: Episode, by: timedelta) -> None:
    """Let an episode have begun so much earlier."""
    episode.enrolled_on, episode.consent_at = episode.enrolled_on - by, episode.consent_at - by


def answer(house: Any, patient: Patient, days_ago: int, points: int) -> None:
    """Hand in a PHQ-9 with so many points, none of them in the ninth item."""
    answers = [min(3, max(0, points - 3 * item)) for item in range(8)] + [max(0, points - 24)]
    with db.unit_of_work(house.clinic.id) as session:
        submissions.accept(
            session,
            session.get_one(Clinic, house.clinic.id),
            session.get_one(Patient, patient.id),
            instrument="phq9",
            answers=answers,
            language="en",
            source="forms.test",
            event=f"{patient.id}:{days_ago}",
            authored_at=clock.now() - timedelta(days=days_ago),
        )


def at_local(scene: Scene, span: timedelta) -> str:
    """What a field for a day and an hour says of a moment so far from now, by the clinic's clock."""
    return (clock.now() + span).astimezone(ZoneInfo(scene.house.clinic.zone)).strftime("%Y-%m-%dT%H:%M")


def visit(patient: Patient, at: datetime, state: str, place: str | None = None) -> Appointment:
    """A visit as its books have it."""
    return Appointment(
        clinic_id=patient.clinic_id, patient_id=patient.id, source="t", external_id=str(at), starts_at=at,
        zone="America/Denver", booked_at=at, state=state, place=place, created_at=at, updated_at=at,
    )  # fmt: skip
