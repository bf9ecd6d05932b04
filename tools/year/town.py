"""Clinics, their people and visits, and what life says done through the service's own acts."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from intake_links import submissions
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import absences, coverage_guard, staffing
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from reminders import appointments
from reminders.appointments import VisitRecord
from tools.year import life
from tools.year.life import Act
from tools.year.phones import Phones

BY = audit.Actor.operator("year")
HOURS = {day: ["08:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
RULES = {"hours": {"zone": "America/Denver", "week": HOURS, "holidays": list(life.HOLIDAYS)}}


@dataclass(frozen=True)
class Visit:
    """A visit as the books have it."""

    number: int
    who: int
    starts_at: datetime
    booked_at: datetime


@dataclass
class Place:
    """One clinic: its people by their place, the number each has, and its visits that are still to come."""

    number: int
    clinic: Clinic
    people: list[life.Person]
    patients: list[UUID]
    phones: list[str]
    visits: list[Visit] = field(default_factory=list)


@dataclass
class Town:
    """All clinics of a run; `alarming` are the submissions with a positive ninth answer, by their event."""

    phones: Phones
    places: list[Place] = field(default_factory=list)
    alarming: dict[str, datetime] = field(default_factory=dict)
    submitted: list[str] = field(default_factory=list)
    owners: dict[str, tuple[int, int]] = field(default_factory=dict)
    zones: dict[UUID, str] = field(default_factory=dict)
    colleagues: dict[str, int] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=count)
    _serial: "count[int]" = field(default_factory=count)

    def a_number(self) -> str:
        """Return a telephone number that is given to nobody."""
        serial = next(self._numbers)
        return f"+1{201 + serial // 100}55501{serial % 100:02}"

    def found(self, seed: int, number: int) -> None:
        """Open a clinic: colleagues, patients, two to a phone here and there."""
        people = life.people(seed, number)
        with db.unit_of_work(db.EVERY) as session:
            clinic = directory.add_clinic(
                session, name=f"Cedar {number}", zone=life.CLINIC_ZONE.key, number=self.a_number(), rules=RULES
            )
            for _ in range(life.COLLEAGUES):
                self._hire(session, clinic, number)
            # Somebody who decides must be there, and stays.
            directory.add_staff(session, clinic, name="Lead", email="lead@clinic.example", role="clinic_admin")
            place = Place(number, clinic, people, [], [])
            for person in people:
                shared = None if person.shares is None else place.phones[person.shares]
                place.phones.append(shared or self.a_number())
                place.patients.append(self._save(session, place, person.place).id)
        for person in people:
            self.owners[place.phones[person.place]] = (number, person.place)
            self.zones[place.patients[person.place]] = person.zone
        self.places.append(place)

    def do(self, act: Act) -> None:
        """Do what life says, in a transaction of its own."""
        place = self.places[act.clinic]
        with db.unit_of_work(db.EVERY) as session:
            _DOING[act.kind](self, session, place, act)

    def _hire(self, session: Session, clinic: Clinic, place: int) -> None:
        serial, number = next(self._serial), self.a_number()
        self.colleagues[number] = place
        directory.add_staff(
            session, clinic, name=f"Colleague {serial}", email=f"c{serial}@clinic.example", number=number
        )

    def _save(self, session: Session, place: Place, who: int) -> Patient:
        person = place.people[who]
        record = directory.PatientRecord(
            record=f"R{who}", first_name=person.first_name, last_name="Quill", number=place.phones[who],
            birth_date=None, language=person.language, zone=person.zone,
        )  # fmt: skip
        return directory.save_patient(session, session.merge(place.clinic), record)[0]

    def _book(self, session: Session, place: Place, act: Act) -> None:
        visit = Visit(next(self._serial), act.who, datetime.fromtimestamp(act.value, UTC), clock.now())
        place.visits = [known for known in place.visits if known.starts_at > clock.now()] + [visit]
        _tell(session, place, visit, "booked")

    def _move(self, session: Session, place: Place, act: Act) -> None:
        for visit in _chosen(place, act.value):
            later = visit.starts_at + timedelta(days=7, hours=act.value % 3 - 1)
            place.visits.remove(visit)
            place.visits.append(Visit(visit.number, visit.who, later, visit.booked_at))
            _tell(session, place, place.visits[-1], "booked")

    def _cancel(self, session: Session, place: Place, act: Act) -> None:
        for visit in _chosen(place, act.value):
            place.visits.remove(visit)
            _tell(session, place, visit, "cancelled")

    def _submit(self, session: Session, place: Place, act: Act) -> None:
        event = f"form-{next(self._serial)}"
        patient, clinic = session.get_one(Patient, place.patients[act.who]), session.merge(place.clinic)
        answers = (*(1 for _ in range(8)), act.value)
        submissions.accept(
            session, clinic, patient, instrument="phq9", answers=answers, language="en", source="forms.year",
            event=event,
        )  # fmt: skip
        self.submitted.append(event)
        if act.value:
            self.alarming[event] = clock.now()

    def _new_number(self, session: Session, place: Place, act: Act) -> None:
        """Whoever shared the old one keeps it; nobody answers there for this person any more."""
        place.phones[act.who] = self.a_number()
        self.owners[place.phones[act.who]] = (place.number, act.who)
        self._save(session, place, act.who)

    def _leave(self, session: Session, place: Place, act: Act) -> None:
        """One goes and another comes: never the other way round, so that nobody is left to be reached."""
        clinic = session.get_one(Clinic, place.clinic.id)
        self._hire(session, clinic, place.number)
        here = _colleagues(session, clinic)
        staffing.leave(session, clinic, here[act.who % len(here)], BY)

    def _away(self, session: Session, place: Place, act: Act) -> None:
        here = _colleagues(session, session.get_one(Clinic, place.clinic.id))
        away, now = here[act.who % len(here)], clock.now()
        cover = next(colleague for colleague in here if colleague is not away)
        with suppress(absences.MayNot, coverage_guard.MakesGap), session.begin_nested():
            absences.plan(session, away, cover, now + timedelta(hours=1), now + timedelta(days=act.value))

    def _work(self, session: Session, place: Place, act: Act) -> None:
        """Colleagues go through what is open: most is seen and closed, some waits for another day."""
        chance, clinic = Random(f"{act.at}:{act.clinic}"), session.get_one(Clinic, place.clinic.id)
        open_items = select(InboxItem).where(InboxItem.clinic_id == clinic.id, InboxItem.state.in_(("open", "claimed")))
        staff = {colleague.id: colleague for colleague in _colleagues(session, clinic)}
        for item in session.scalars(open_items).all():
            owner = staff.get(item.owner_id) if item.owner_id else None
            if chance.random() < 0.25:
                continue
            who = owner or next(iter(staff.values()))  # what is nobody's is taken by whoever looks
            words = "reached_by_phone" if item.kind in ("safety", "screen") else "handled"
            items.acknowledge(session, item, who, words)
            items.resolve(session, item, who)


def _tell(session: Session, place: Place, visit: Visit, state: str) -> None:
    patient = session.get_one(Patient, place.patients[visit.who])
    record = VisitRecord(
        external_id=f"V{visit.number}", record=f"R{visit.who}", starts_at=visit.starts_at, zone=place.clinic.zone,
        booked_at=visit.booked_at, state=state,
    )  # fmt: skip
    appointments.save(session, session.merge(place.clinic), patient, record)


def _chosen(place: Place, value: int) -> list[Visit]:
    place.visits = [visit for visit in place.visits if visit.starts_at > clock.now()]
    return [place.visits[value % len(place.visits)]] if place.visits else []


def _colleagues(session: Session, clinic: Clinic) -> list[Staff]:
    here = select(Staff).where(Staff.clinic_id == clinic.id, Staff.active, Staff.role == "care_manager")
    return list(session.scalars(here.order_by(Staff.id)))


_DOING: dict[str, Callable[[Town, Session, Place, Act], None]] = {
    "book": Town._book,
    "move": Town._move,
    "cancel": Town._cancel,
    "submit": Town._submit,
    "new_number": Town._new_number,
    "leave": Town._leave,
    "away": Town._away,
    "work": Town._work,
}
