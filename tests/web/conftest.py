"""A clinic, its people and patients in a real database, and browsers that sign in through the door."""

import html
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from config import db, keys, runtime, settings
from messaging import conversations, outbox
from messaging.consent import ledger
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Message, Patient, Staff
from messaging.people import directory
from service import app as application
from web import drafts
from web.account import signin

ENVIRONMENT = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "a token of no account",
    "WARMTHREAD_PUBLIC_URL": "http://localhost:8000",
}


def _configure(data: Path, **overrides: str) -> None:
    runtime.configure(settings.load(ENVIRONMENT | {"WARMTHREAD_DATA_DIR": str(data)} | overrides))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A data directory with the tables and the keys, made once and copied for each test."""
    data = tmp_path_factory.mktemp("empty")
    shutil.copy(empty_database, data)
    _configure(data)
    keys.ring()
    return data


@pytest.fixture(scope="session")
def whole(empty: Path) -> Flask:
    """The whole application, whose pages are compiled once; it asks `runtime` for its database each time."""
    _configure(empty)
    return application.create_app()


@pytest.fixture(autouse=True)
def app(whole: Flask, empty: Path, tmp_path: Path) -> Iterator[Flask]:
    """The application on a database of its own."""
    shutil.copytree(empty, tmp_path / "data")
    _configure(tmp_path / "data")
    yield whole
    db.engine().dispose()


@dataclass
class Browser:
    """A browser with its cookies; posts carry the token that the pages carry."""

    client: FlaskClient
    token: str = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        return spoken(self.client.get(path, **options))

    def post(self, path: str, *, token_from: str = "/preferences", **form: str) -> TestResponse:
        if not self.token or token_from != "/preferences":
            match = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(token_from).text)
            self.token = match[1] if match else ""
        return spoken(self.client.post(path, data=form | {"csrf_token": self.token}))


# What a value of Python's looks like where a page was to say it in words.
BARE = re.compile(r"\b[A-Z]\w+\(\w+=|<\w+(\.\w+)* object at|\[\?\]|\{'\w+':|\bUUID\(|datetime\.")


def spoken(answer: TestResponse) -> TestResponse:
    """Return an answer that speaks in words: a page that shows a bare value was never read by anybody."""
    bare = BARE.search(html.unescape(answer.text)) if answer.mimetype == "text/html" else None
    assert bare is None, f"{answer.request.path} says {bare.group()}"
    return answer


@dataclass
class House:
    """One clinic with verbs that a test would otherwise repeat."""

    app: Flask
    clinic: Clinic
    count: int = field(default=0)

    def browser(self) -> Browser:
        """A browser nobody has signed in with."""
        return Browser(self.app.test_client())

    def staff(self, name: str = "Rosa Delgado", **facts: Any) -> Staff:
        self.count += 1
        defaults = {"email": f"p{self.count}@clinic.example"}
        with db.unit_of_work(self.clinic.id) as session:
            return directory.add_staff(session, self.clinic, name=name, **(defaults | facts))

    def link(self, staff: Staff, kind: Any = "once", valid: timedelta = timedelta(hours=1)) -> str:
        """The path of a sign-in link."""
        with db.unit_of_work(staff.clinic_id) as session:
            return signin.make_link(session, staff, kind, valid).removeprefix("http://localhost:8000")

    def signed_in(self, staff: Staff) -> Browser:
        browser, path = self.browser(), self.link(staff)
        assert browser.post(path, token_from=path).status_code == 303
        return browser

    def patient(self, **facts: Any) -> Patient:
        self.count += 1
        defaults = {
            "record": f"R{self.count}",
            "first_name": "Teresa",
            "last_name": "Quintana",
            "number": f"+1202555{100 + self.count:04}",
            "birth_date": date(1985, 3, 2),
        }
        with db.unit_of_work(self.clinic.id) as session:
            return directory.save_patient(session, self.clinic, directory.PatientRecord(**(defaults | facts)))[0]

    def text_from(self, patient: Patient, body: str) -> Conversation:
        self.count += 1
        with db.unit_of_work(self.clinic.id) as session:
            number = session.get_one(Patient, patient.id).numbers[0].number or ""
            conversation = conversations.of_number(session, self.clinic, number)
            sid = f"SM{self.count}"
            conversations.file_inbound(session, self.clinic, conversation, body=body, provider_sid=sid, reading=[])
            return conversation

    def item(self, kind: Any = "reply", **facts: Any) -> InboxItem:
        self.count += 1
        defaults = {"about": f"patient:{self.clinic.id}", "dedupe": f"d{self.count}", "summary": "can we talk"}
        with db.unit_of_work(self.clinic.id) as session:
            return items.open_item(session, self.clinic, kind=kind, **(defaults | facts))

    def read(self, model: type, row_id: Any) -> Any:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            return session.get_one(model, row_id)


def a_house(app: Flask, number: str) -> House:
    with db.unit_of_work(db.EVERY) as session:
        return House(
            app,
            directory.add_clinic(
                session,
                name="Alder Street Clinic",
                zone="America/Denver",
                number=number,
                phone="+12025550199",
            ),
        )


@pytest.fixture
def house(app: Flask) -> House:
    return a_house(app, "+12025550100")


@pytest.fixture
def house_on_postgresql(app: Flask, postgresql: str, tmp_path: Path) -> Iterator[House]:
    """The same house on the other database."""
    db.engine().dispose()
    _configure(tmp_path / "data", DATABASE_URL=postgresql)
    yield a_house(app, "+12025550100")
    db.engine().dispose()


@pytest.fixture
def another_house(app: Flask) -> Callable[[], House]:
    return lambda: a_house(app, "+12025550198")


class Scene:
    """A patient has written, and Rosa has the item."""

    def __init__(self, house: Any) -> None:
        self.house, self.rosa, self.patient = house, house.staff(), house.patient()
        self.conversation = house.text_from(self.patient, "can i bring my daughter")
        about = {"patient_id": self.patient.id, "conversation_id": self.conversation.id}
        self.item = house.item(owner_id=self.rosa.id, **about)
        self.browser = house.signed_in(self.rosa)

    def reply(self, body: str, compose: str | None = None, **fields: str) -> Any:
        form = {"body": body, "compose": compose or str(uuid4())} | fields
        return self.browser.post(f"/inbox/{self.item.id}/reply", **form)

    def sent(self) -> list[Message]:
        with db.unit_of_work(db.EVERY) as session:
            out = select(Message).where(Message.direction == "out", Message.staff_id.is_(None))
            messages = list(session.scalars(out.order_by(Message.id)))
            for message in messages:
                assert message.body
            return messages

    def number(self) -> str:
        with db.unit_of_work(self.house.clinic.id) as session:
            return session.merge(self.conversation).number or ""

    def seen(self, page: TestResponse | None = None) -> str:
        """The last text that a page has shown, as its form says it back."""
        text = (page or self.browser.get(f"/inbox/{self.item.id}")).text
        return text.split('name="seen" value="')[1].split('"')[0]

    def colleague_writes(self, body: str) -> None:
        ben = self.house.staff("Ben Okafor")
        with db.unit_of_work(self.house.clinic.id) as session:
            outbox.text_conversation(
                session,
                self.house.clinic,
                session.merge(self.conversation),
                kind="reply",
                programme="care_team",
                body=body,
                dedupe=f"compose:{uuid4()}",
                author_id=ben.id,
            )

    def draft(self) -> str | None:
        """What Rosa has begun to write."""
        with db.unit_of_work(self.house.clinic.id) as session:
            kept = drafts.find(session, self.rosa, self.item.thread)
            return kept.body if kept else None

    def opt_out(self) -> None:
        with db.unit_of_work(self.house.clinic.id) as session:
            number = session.merge(self.conversation).number or ""
            ledger.record(session, self.house.clinic, number, "revoked", source="text", actor="patient")


@pytest.fixture
def scene(house: House) -> Scene:
    return Scene(house)


@pytest.fixture
def scene_on_postgresql(app: Flask, postgresql: str, tmp_path: Path) -> Iterator[Scene]:
    """The same on PostgreSQL, where two transactions really run beside each other."""
    environment = {"WARMTHREAD_DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": postgresql}
    runtime.configure(settings.load(ENVIRONMENT | environment))
    yield Scene(a_house(app, "+12025550100"))
    db.engine().dispose()
