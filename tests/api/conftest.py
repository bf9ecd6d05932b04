"""Two clinics in a real database, keys of their programs, and a client that speaks as a program does."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from config import audit, db, settings
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from messaging.programs import keys, scopes
from service import app as application

ROOT = "/api/v1"
NUMBER = "+13035550110"
WHOLE = {"record": "R1", "first_name": "Maya", "last_name": "Quill", "phone": NUMBER, "birth_date": "1980-03-09"}


@dataclass
class Program:
    """A program with its key, asking the real application."""

    app: Flask
    token: str
    key_id: Any
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str) -> TestResponse:
        return self.app.test_client().open(ROOT + path, method=method, headers=self._headers())

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.app.test_client().get(ROOT + path, query_string=query, headers=self._headers())

    def post(self, path: str, body: Any = None, *, key: str | None = "", **headers: str) -> TestResponse:
        """Post JSON under a key of its own; `key` None sends none."""
        once = {} if key is None else {"Idempotency-Key": key or str(uuid4())}
        data = body if isinstance(body, str | bytes) else json.dumps({} if body is None else body)
        sent = self._headers() | {"Content-Type": "application/json"} | once | headers
        return self.app.test_client().post(ROOT + path, data=data, headers=sent)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} | self.headers


@dataclass
class Side:
    """A clinic, and verbs that a test would otherwise repeat."""

    app: Flask
    clinic: Clinic
    count: int = 0

    def program(self, *may: str, staff: Staff | None = None, days: int = 30) -> Program:
        """A program with these scopes, or with all."""
        wanted = keys.Wanted("a program", may or scopes.ALL, days, staff)
        with db.unit_of_work(self.clinic.id) as session:
            made, token = keys.make(session, self.clinic, wanted, actor=audit.OPERATOR)
        return Program(self.app, token, made.id)

    def staff(self, role: str = "care_manager", **facts: Any) -> Staff:
        self.count += 1
        with db.unit_of_work(self.clinic.id) as session:
            email = f"s{self.count}@{self.clinic.number}.example"
            return directory.add_staff(session, self.clinic, name="Rosa Delgado", email=email, role=role, **facts)

    def patient(self, record: str = "R1", number: str | None = NUMBER, **facts: Any) -> Patient:
        known: dict[str, Any] = {"first_name": "Maya", "last_name": "Quill", "birth_date": date(1980, 3, 9)} | facts
        with db.unit_of_work(self.clinic.id) as session:
            whole = directory.PatientRecord(record, number=number, **known)
            return directory.save_patient(session, self.clinic, whole)[0]

    def item(self, kind: str = "reply", patient: Patient | None = None) -> InboxItem:
        self.count += 1
        with db.unit_of_work(self.clinic.id) as session:
            return items.open_item(
                session,
                self.clinic,
                kind=kind,
                about=f"message:{db.new_id()}",
                dedupe=f"test:{self.count}",
                summary="words of the patient's own",
                patient_id=patient.id if patient else None,
            )

    def audited(self, *acts: str) -> list[audit.AuditEntry]:
        with db.unit_of_work(self.clinic.id) as session:
            wanted = session.query(audit.AuditEntry).filter_by(clinic_id=self.clinic.id)
            return [entry for entry in wanted.order_by(audit.AuditEntry.id) if entry.act in acts]


@pytest.fixture
def app(house: settings.Settings) -> Flask:
    return application.create_app()


@pytest.fixture
def ours(app: Flask) -> Side:
    """The clinic whose programs ask."""
    with db.unit_of_work(db.EVERY) as session:
        return Side(app, directory.add_clinic(session, name="Cedar", zone="America/Denver", number="+13035550100"))


@pytest.fixture
def theirs(app: Flask) -> Side:
    """Another clinic in the same house."""
    with db.unit_of_work(db.EVERY) as session:
        return Side(app, directory.add_clinic(session, name="Elm", zone="America/Chicago", number="+13125550100"))
