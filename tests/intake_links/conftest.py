"""A clinic with a patient and a care manager in a real SQLite file, and the pages as an application of their own."""

import re
import shutil
from datetime import date

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect

import reminders.models  # noqa: F401 - a link may point at a visit
from config import audit, db, runtime, settings
from intake_links import jobs, links, pages, tablet_pages
from messaging import jobs as messaging_jobs
from messaging.models import Clinic, Patient
from messaging.people import directory

BORN = date(1981, 3, 27)


@pytest.fixture(params=["https://care.example.org"])
def public_url(request):
    return request.param


@pytest.fixture
def house(tmp_path, public_url, empty_database):
    shutil.copy(empty_database, tmp_path)
    runtime.configure(
        settings.load(
            {
                "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
                "TWILIO_AUTH_TOKEN": "not a real token",
                "WARMTHREAD_PUBLIC_URL": public_url,
                "WARMTHREAD_DATA_DIR": str(tmp_path),
            }
        )
    )
    # This room's lanes and those below it: rooms above are none of its business.
    lanes = [*audit.LANES, *messaging_jobs.LANES, *jobs.LANES]
    runtime.once("queue.lanes", lambda: {lane.name: lane for lane in lanes})
    yield
    db.engine().dispose()


class Ward:
    """The ids of what stands in the database, and short ways to look."""

    def __init__(self):
        with db.unit_of_work(db.EVERY) as session:
            clinic = directory.add_clinic(
                session, name="Alder Street Clinic", zone="America/Denver", number="+12015550100"
            )
            staff = directory.add_staff(session, clinic, name="Ana Ruiz", email="ana@example.org")
            patient = self.patient(session, clinic, "r1")
            self.clinic_id, self.staff_id, self.patient_id = clinic.id, staff.id, patient.id

    def patient(self, session, clinic, record, **facts):
        patient_record = directory.PatientRecord(record, "Jo", "Lane", "+12015550147", BORN, **facts)
        return directory.save_patient(session, clinic, patient_record)[0]

    def both(self, session):
        return session.get(Clinic, self.clinic_id), session.get(Patient, self.patient_id)

    def issue(self, *instruments, **how):
        with db.unit_of_work(db.EVERY) as session:
            clinic, patient = self.both(session)
            link, url = links.issue(session, clinic, patient, list(instruments or ["phq9"]), **how)
            return link.id, "/i/" + url.rsplit("/", 1)[1]


@pytest.fixture
def ward(house):
    return Ward()


class Phone:
    """A phone's browser: remembers cookies, and sends the hidden fields of the page it last saw."""

    def __init__(self, app, base_url):
        self.client, self.base_url = app.test_client(), base_url
        self.page, self.path, self.response = "", "", None

    def get(self, path):
        return self._arrive(self._ask("get", path), path)

    def post(self, path=None, *, follow=True, **fields):
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', self._form()))
        data = hidden | {name: str(value) for name, value in fields.items()}
        where = path or self._action()
        return self._arrive(self._ask("post", where, data=data), where, follow)

    def _ask(self, method, path, **more):
        runtime.forget("db.keys")  # as if every request came to a process that has opened no key yet
        return getattr(self.client, method)(path, base_url=self.base_url, **more)

    def _arrive(self, response, path, follow=True):
        self.response, self.path = response, path
        while follow and self.response.status_code in (302, 303):
            self.response.close()
            self.path = self.response.headers["Location"]
            self.response = self._ask("get", self.path)
        self.page = self.response.get_data(as_text=True)
        self.response.close()  # a served file stays open until then
        return self

    def _form(self):
        return self.page[self.page.find("<main>") :]

    def _action(self):
        found = re.search(r'<form method="post" action="([^"]+)"', self._form())
        return found.group(1) if found else self.path

    def enter(self, path, born=BORN):
        return self.get(path).post(day=born.day, month=born.month, year=born.year)

    @property
    def heading(self):
        return re.sub(r"\s+", " ", re.search(r"<h1[^>]*>(.*?)</h1>", self.page, re.S).group(1))


@pytest.fixture
def app(ward):
    made = Flask("pages_alone")
    made.config.update(SECRET_KEY="only for these tests", WTF_CSRF_SSL_STRICT=False, WTF_CSRF_TIME_LIMIT=None)
    CSRFProtect(made)
    made.register_blueprint(pages.pages)
    made.register_blueprint(tablet_pages.kiosk)
    return made


@pytest.fixture
def phone(app, public_url):
    return Phone(app, public_url)


@pytest.fixture
def another_phone(app, public_url):
    return Phone(app, public_url)


@pytest.fixture
def session(ward):
    """One transaction for a whole test."""
    with db.unit_of_work(db.EVERY) as session:
        yield session
