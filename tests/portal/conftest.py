"""A patient with visits, and their phone before the whole application, on a Tuesday in March at 9:00 in Denver."""

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import db, keys, runtime, settings
from intake_links import links
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient
from messaging.people import directory
from reminders import appointments
from reminders.models import Appointment, Reminder
from service import app as application
from tests.intake_links.conftest import Phone

NOW = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)
BORN = date(1981, 3, 27)
HOST = "https://care.example.org"


def _configure(data):
    runtime.configure(
        settings.load(
            {
                "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
                "TWILIO_AUTH_TOKEN": "a token of no account",
                "WARMTHREAD_PUBLIC_URL": HOST,
                "WARMTHREAD_DATA_DIR": str(data),
            }
        )
    )


@pytest.fixture(scope="session")
def empty(tmp_path_factory, empty_database):
    data = tmp_path_factory.mktemp("empty")
    shutil.copy(empty_database, data)
    _configure(data)
    keys.ring()
    return data


@pytest.fixture(scope="session")
def whole(empty):
    _configure(empty)
    return application.create_app()


@pytest.fixture
def travel():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@dataclass
class Ward:
    """The clinic and the patient by their ids, and short ways to look."""

    clinic_id: object
    patient_id: object

    def both(self, session):
        return session.get_one(Clinic, self.clinic_id), session.get_one(Patient, self.patient_id)

    def patient(self, **facts):
        defaults = {
            "record": "r1",
            "first_name": "Jo",
            "last_name": "Lane",
            "number": "+12015550147",
            "birth_date": BORN,
        }
        with db.unit_of_work(db.EVERY) as session:
            clinic = session.get_one(Clinic, self.clinic_id)
            return directory.save_patient(session, clinic, directory.PatientRecord(**(defaults | facts)))[0].id

    def visit(self, ahead, patient_id=None, name="V1", **facts):
        """Save a visit so long after the beginning of these tests; the same name is the same visit."""
        defaults = {"record": "", "starts_at": NOW + ahead, "zone": "America/Denver", "place": "Room 4"}
        defaults |= {"booked_at": NOW - timedelta(days=14), "external_id": name}
        with db.unit_of_work(db.EVERY) as session:
            clinic, patient = self.both(session)
            patient = session.get_one(Patient, patient_id) if patient_id else patient
            record = appointments.VisitRecord(**(defaults | facts))
            return appointments.save(session, clinic, patient, record)[0].id

    def link(self, *instruments, **how):
        with db.unit_of_work(db.EVERY) as session:
            url = links.issue(session, *self.both(session), list(instruments), **how)[1]
            return "/i/" + url.rsplit("/", 1)[1]

    def change(self, **facts):
        with db.unit_of_work(db.EVERY) as session:
            for name, value in facts.items():
                setattr(session.get_one(Patient, self.patient_id), name, value)

    def see(self, model, row_id=None):
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            row = session.get(model, row_id or self.patient_id)
            db.load_keys(session, [sealed.key_id for sealed in [row] if hasattr(sealed, "key_id")])
            return row

    def state(self, visit_id):
        return self.see(Appointment, visit_id).state

    def all(self, model, *where):
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            return list(session.scalars(select(model).where(*where).order_by(model.id)))

    def items(self):
        return [item for item in self.all(InboxItem) if item.kind == "reply"]

    def reminders(self, visit_id):
        return {row.step: row for row in self.all(Reminder, Reminder.appointment_id == visit_id)}

    def texts(self):
        return self.all(Message, Message.direction == "out")


@pytest.fixture
def ward(whole, empty, tmp_path, travel):
    shutil.copytree(empty, tmp_path / "data")
    _configure(tmp_path / "data")
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(
            session,
            name="Alder Street Clinic",
            zone="America/Denver",
            number="+12015550100",
            phone="+12015550101",
        )
    made = Ward(clinic.id, None)
    travel.shift(timedelta(minutes=-1))  # so that what a test does comes after what was there
    made.patient_id = made.patient()
    travel.shift(timedelta(minutes=1))
    yield made
    db.engine().dispose()


@pytest.fixture
def phone(whole, ward):
    return Phone(whole, HOST)


@pytest.fixture
def inside(phone, ward):
    """The phone after the birth date, on the own page."""
    return phone.enter(ward.link())


@pytest.fixture
def another(whole, ward):
    return Phone(whole, HOST)
