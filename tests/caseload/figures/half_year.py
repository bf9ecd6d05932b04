"""A made-up half-year of a clinic, by chance from a seed: every row that the review counts, kept as it was written."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from caseload.models import CareEntry, CareMonth, CaseReview, Episode
from config import db
from intake_links.models import IntakeLink, Screen
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Clinic, ConsentEntry, Conversation, Message, Patient, SafetyPlan, Staff
from reminders import care_model
from reminders.models import Appointment, FollowUp, Handoff, Reminder
from tests.caseload.figures import asked, emergencies

DENVER = ZoneInfo("America/Denver")
NOW = datetime(2026, 6, 10, 18, tzinfo=UTC)
LONG_AGO = 185
DAY = timedelta(days=1)
# Ages of the patients: around twelve, grown up, old; two of whom no birth date is known.
BORN = [date(1980, 3, 9), date(2014, 3, 20), date(2015, 1, 1), date(1950, 5, 5), None, date(1999, 12, 31)] * 3


@dataclass
class HalfYear:
    """Who is there, and every row by its model."""

    clinic: Clinic
    rosa: Staff
    silva: Staff
    patients: list[Patient]
    born: dict[UUID, date]
    chance: Random
    rows: dict[type, list[Any]] = field(default_factory=dict)
    talks: dict[UUID, Conversation] = field(default_factory=dict)

    def add(self, row: Any) -> Any:
        """Keep a row and write it at the end of the block."""
        self.rows.setdefault(type(row), []).append(row)
        return row

    @property
    def begins(self) -> datetime:
        """Before anything else."""
        return NOW - timedelta(days=LONG_AGO + 1)

    def of(self, model: type) -> list[Any]:
        """Every row of a model."""
        return self.rows.get(model, [])

    def moment(self, days_back: float = LONG_AGO) -> datetime:
        """A moment of the half-year: now and then a second before or after midnight, or at it."""
        at = NOW - timedelta(seconds=self.chance.randrange(int(days_back * 86_400)))
        if self.chance.random() < 0.2:
            midnight = datetime.combine(at.astimezone(DENVER).date(), time(), DENVER).astimezone(UTC)
            at = min(midnight + timedelta(seconds=self.chance.choice([-1, 0, 1])), NOW)
        return at.replace(microsecond=0)

    def later(self, at: datetime, days: float) -> datetime:
        """A moment after `at`, not after now."""
        return min(at + timedelta(seconds=self.chance.randrange(1, int(days * 86_400))), NOW)

    def id(self, at: datetime) -> UUID:
        """An id as if made then."""
        return UUID(int=db.first_id(at).int + self.chance.getrandbits(79))

    def patient(self) -> Patient:
        """One of the patients."""
        return self.chance.choice(self.patients)


def live(clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient], seed: int) -> HalfYear:
    """Write a half-year and return it."""
    patients = [new_patient(f"P{place}", birth_date=born) for place, born in enumerate(BORN)]
    born = {patient.id: day for patient, day in zip(patients, BORN, strict=True) if day}
    rosa, silva = new_staff("Rosa", role="care_manager"), new_staff("Silva", role="psychiatric_consultant")
    past = HalfYear(clinic, rosa, silva, patients, born, Random(seed))
    with db.unit_of_work(clinic.id) as session:
        kept = session.get_one(Clinic, clinic.id)
        terms = care_model.Terms(model="collaborative").model_dump(mode="json")
        kept.rules = {**kept.rules, care_model.NAME: terms}
        db.load_keys(session, [clinic.key_id, *(patient.key_id for patient in patients)])
        for patient in patients:
            talk = Conversation(
                clinic_id=clinic.id, key_id=patient.key_id, number_index=patient.id.bytes, number="+13035550100",
                patient_id=patient.id, last_at=NOW,
            )  # fmt: skip
            past.talks[patient.id] = past.add(talk)
        _write(past)
        for model in (Conversation, Message, Appointment, Episode, IntakeLink, Screen, InboxItem):
            session.add_all(past.of(model))
            session.flush()
        for rows in past.rows.values():
            session.add_all(rows)
            session.flush()
    return past


def _write(past: HalfYear) -> None:
    for make, many in ((_episode, 12), (_visit, 220), (_text, 260), (_opt_out, 14), (_link, 90), (_screen, 140),
                       (_handoff, 45), (_call, 60)):  # fmt: skip
        for number in range(many):
            make(past, number)
    for number in range(40):
        asked.views(past, number, message)
    emergencies.covers(past)
    for number in range(60):
        emergencies.visit(past, number)


def message(past: HalfYear, patient: Patient, at: datetime, state: str, direction: str = "out") -> Message:
    """A text to or from a patient."""
    return past.add(
        Message(
            id=past.id(at), clinic_id=past.clinic.id, key_id=patient.key_id, patient_id=patient.id,
            conversation_id=past.talks[patient.id].id, direction=direction, kind="reminder", state=state, body="x",
            dedupe=str(past.id(at)), created_at=at, try_after=at,
            delivered_at=at + timedelta(minutes=1) if state == "delivered" else None,
        )
    )  # fmt: skip


def _visit(past: HalfYear, number: int) -> None:
    chance, patient, starts = past.chance, past.patient(), past.moment()
    state = chance.choice(["arrived", "arrived", "arrived", "no_show", "cancelled", "booked", "change_asked"])
    visit = Appointment(
        clinic_id=past.clinic.id, patient_id=patient.id, source="t", external_id=str(number), starts_at=starts,
        zone="America/Denver", booked_at=starts - 9 * DAY, state=state, created_at=starts, updated_at=starts,
        confirmed_at=starts - DAY if chance.random() < 0.5 else None,
    )  # fmt: skip
    past.add(visit)
    for step in range(chance.choice([0, 1, 1, 2])):
        at = starts + chance.choice([-2 * DAY, -timedelta(hours=2), timedelta(minutes=5)])
        text = message(past, patient, at, chance.choice(["delivered", "delivered", "failed", "sent"]))
        past.add(
            Reminder(
                clinic_id=past.clinic.id, appointment_id=visit.id, step=f"s{step}", revision=1, state="queued",
                message_id=text.id, try_after=at,
            )
        )  # fmt: skip


def _text(past: HalfYear, _number: int) -> None:
    states = ["delivered", "delivered", "sent", "undelivered", "failed", "held", "cancelled"]
    if past.chance.random() < 0.3:
        message(past, past.patient(), past.moment(), "received", "in")
    else:
        message(past, past.patient(), past.moment(), past.chance.choice(states))


def _opt_out(past: HalfYear, _number: int) -> None:
    patient, at = past.patient(), past.moment()
    past.add(
        ConsentEntry(
            id=past.id(at), clinic_id=past.clinic.id, key_id=patient.key_id, number_index=patient.id.bytes,
            patient_id=patient.id, programme="reminders", event=past.chance.choice(["revoked", "revoked", "granted"]),
            source=past.chance.choice(["text", "carrier", "spoken", "import"]), actor="t", at=at,
        )
    )  # fmt: skip


def _link(past: HalfYear, number: int) -> None:
    chance, patient, at = past.chance, past.patient(), past.moment()
    tablet = chance.random() < 0.2
    link = IntakeLink(
        id=past.id(at), clinic_id=past.clinic.id, patient_id=patient.id, token_hash=f"t{number}".encode(),
        instruments=["phq9"], language=chance.choice(["en", "es"]), created_at=at, expires_at=at + 5 * DAY,
        state=chance.choice(["answered", "answered", "open", "verified", "expired", "withdrawn", "locked"]),
        place="tablet" if tablet else None,
    )  # fmt: skip
    past.add(link)
    if not tablet and chance.random() < 0.9:
        text = message(past, patient, at, chance.choice(["delivered", "delivered", "failed"]))
        past.add(
            FollowUp(
                clinic_id=past.clinic.id, link_id=link.id, first_message_id=text.id, state="over", try_after=at
            )
        )  # fmt: skip


def _screen(past: HalfYear, number: int) -> None:
    chance, patient, at = past.chance, past.patient(), past.moment()
    score_of(past, patient, at, chance.choice(["phq9", "phq9", "phq2", "gad7"]), chance.randrange(22), number)


def score_of(past: HalfYear, patient: Patient, at: datetime, instrument: str, total: int, number: int) -> None:
    """A questionnaire with so many points; now and then an answer is missing, or it was handed in twice."""
    chance = past.chance
    whole = chance.random() < 0.9
    positive = total >= 10 if whole else chance.choice([True, None])
    result = {"total": total if whole else None, "positive": positive, "alerts": []}
    screen = Screen(
        clinic_id=past.clinic.id, key_id=patient.key_id, patient_id=patient.id, instrument=instrument,
        instrument_version="1", language="en", source="t", event=str(number), state="submitted", answers="[]",
        result=json.dumps(result), started_at=at, submitted_at=at, scored_at=at,
        detail={"again": True} if chance.random() < 0.05 else {},
    )  # fmt: skip
    past.add(screen)
    if positive and chance.random() < 0.4:
        _alert(past, patient, screen, at)
    if positive and chance.random() < 0.2:
        plan = past.later(at, 6)
        past.add(
            SafetyPlan(
                clinic_id=past.clinic.id, key_id=patient.key_id, patient_id=patient.id, staff_id=past.rosa.id,
                sections="{}", at=plan,
            )
        )  # fmt: skip


def _alert(past: HalfYear, patient: Patient, screen: Screen, at: datetime) -> None:
    chance = past.chance
    seen = past.later(at, chance.choice([0.005, 0.03, 4])) if chance.random() < 0.8 else None
    ways = ["assessed_plan", "reached_by_phone", "in_person", "assessed_low"]
    past.add(
        InboxItem(
            id=past.id(at), clinic_id=past.clinic.id, key_id=patient.key_id, patient_id=patient.id,
            kind=chance.choice(["safety", "screen"]), urgency=0, about=f"screen:{screen.id}", dedupe=str(screen.id),
            summary="x", answer_by=at + timedelta(hours=2), created_at=at, acknowledged_at=seen,
            disposition=chance.choice(ways) if seen else None,
        )
    )  # fmt: skip


def _handoff(past: HalfYear, _number: int) -> None:
    chance, patient, at = past.chance, past.patient(), past.moment()
    met = at + timedelta(minutes=9) if chance.random() < 0.5 else None
    ended = met or (at + timedelta(hours=1) if chance.random() < 0.8 else None)
    past.add(
        Handoff(
            clinic_id=past.clinic.id, patient_id=patient.id, requested_by="t", requested_at=at, try_after=at,
            modality=chance.choice(["in_person", "in_person", "later"]), met_at=met, ended_at=ended,
            accepted_at=at if met or chance.random() < 0.3 else None,
            outcome=None if met or not ended else chance.choice(["left", "lost", "cancelled", "declined"]),
        )
    )  # fmt: skip


def _call(past: HalfYear, _number: int) -> None:
    chance, patient, at = past.chance, past.patient(), past.moment()
    past.add(
        Contact(
            clinic_id=past.clinic.id, key_id=patient.key_id, kind=chance.choice(["call", "call", "note"]),
            patient_id=patient.id, staff_id=past.rosa.id, outcome=chance.choice(["reached", "no_answer"]), at=at,
            struck_at=NOW if chance.random() < 0.1 else None,
        )
    )  # fmt: skip


def _episode(past: HalfYear, number: int) -> None:
    chance, patient = past.chance, past.patients[number]
    began = NOW - timedelta(days=chance.choice([20, 75, 98, 99, 120, 150, 183, 210]))
    on = began.astimezone(DENVER).date()
    ended = on + 60 * DAY if chance.random() < 0.25 else None
    episode = Episode(
        clinic_id=past.clinic.id, key_id=patient.key_id, patient_id=patient.id, phase="active", phase_at=began,
        enrolled_on=on, enrolled_by=past.rosa.id, consent="verbal", consent_at=began, consent_by=past.rosa.id,
        consent_language="en", practitioner_id=past.rosa.id, manager_id=past.rosa.id, scale="phq9", ended_on=ended,
        payer=chance.choice(["medicaid", "medicaid", "medicare"]), created_at=began,
    )  # fmt: skip
    past.add(episode)
    for week, total in ((1, chance.randrange(6, 24)), (chance.choice([9, 10, 12, 14, 15]), chance.randrange(20))):
        at = began + timedelta(weeks=week)
        if at < NOW and chance.random() < 0.85:
            score_of(past, patient, at, "phq9", total, 1000 + 10 * number + week)
    for _ in range(6):
        _work(past, episode, began)
    if chance.random() < 0.5:
        past.add(
            CaseReview(
                clinic_id=past.clinic.id, key_id=patient.key_id, episode_id=episode.id, by_id=past.silva.id,
                written_by=past.rosa.id, at=past.later(began, 90), decision="continue",
            )
        )  # fmt: skip
    past.add(
        CareMonth(
            clinic_id=past.clinic.id, key_id=patient.key_id, episode_id=episode.id, month="2026-05",
            codes=[{"code": "99493", "units": 1}] if chance.random() < 0.6 else [], closed_at=NOW,
            closed_by=past.rosa.id, evidence="{}",
        )
    )  # fmt: skip


def _work(past: HalfYear, episode: Episode, began: datetime) -> None:
    chance, at = past.chance, past.later(began, 100)
    past.add(
        CareEntry(
            clinic_id=past.clinic.id, episode_id=episode.id, staff_id=chance.choice([past.rosa, past.silva]).id,
            kind=chance.choice(["call", "video", "in_person", "registry"]), live=chance.random() < 0.7, starts_at=at,
            ends_at=at + timedelta(minutes=chance.randrange(5, 40), seconds=30), made_at=at,
            struck_at=NOW if chance.random() < 0.1 else None,
        )
    )  # fmt: skip
