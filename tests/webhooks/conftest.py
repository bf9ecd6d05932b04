"""A clinic, a patient, and the doors for machines on a real database,
with requests signed as their senders sign them."""

import base64
import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from config import db, runtime, settings
from intake_links.models import FormSource
from messaging.inbox.models import InboxItem
from messaging.models import Conversation, Message
from messaging.people import directory
from webhooks import forms, jobs, twilio
from webhooks.models import Receipt

ACCOUNT = "AC" + "0" * 32
TOKEN = "a token of the tests"
PUBLIC = "https://clinic.example"
CLINIC, PATIENT, STRANGER = "+13035550100", "+13035550101", "+13035550199"


class World:
    """The house as a carrier and a vendor see it, and what the tests look up in it afterwards."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        with db.unit_of_work(db.EVERY) as session:
            self.clinic = directory.add_clinic(session, name="Elm Clinic", zone="America/Denver", number=CLINIC)
            self.add_patient(session, "1", PATIENT, "Ana")
            session.add(
                FormSource(
                    clinic_id=self.clinic.id,
                    key_id=self.clinic.key_id,
                    name="vendor",
                    secret=self.secret,
                    created_at=datetime.now(UTC),
                )
            )

    def add_patient(self, session: Any, record: str, number: str, name: str, language: str = "en") -> Any:
        known = directory.PatientRecord(record, name, "Prueba", number, date(1980, 1, 1), language=language)
        return directory.save_patient(session, self.clinic, known)[0]

    def form(self, body: str, **more: str) -> dict[str, str]:
        return {
            "ToCountry": "US", "ToState": "CO", "SmsMessageSid": "SM1", "NumMedia": "0", "ToCity": "",
            "FromZip": "", "SmsStatus": "received", "FromCity": "DENVER", "Body": body, "To": CLINIC,
            "MessageSid": "SM" + secrets.token_hex(16), "AccountSid": ACCOUNT, "From": PATIENT,
            "ApiVersion": "2010-04-01", **more,
        }  # fmt: skip

    def signature(self, form: Mapping[str, str], path: str = "/webhooks/twilio/sms") -> str:
        return str(RequestValidator(TOKEN).compute_signature(PUBLIC + path, dict(form)))

    def post(
        self, form: Mapping[str, str], path: str = "/webhooks/twilio/sms", signature: str | None = None
    ) -> TestResponse:
        signed = self.signature(form, path) if signature is None else signature
        return self.client.post(
            path,
            data=urlencode(form),
            headers={"X-Twilio-Signature": signed},
            content_type="application/x-www-form-urlencoded",
        )

    def text(self, body: str, **more: str) -> None:
        """Receive a text and work it off, as the drain would."""
        assert self.post(self.form(body, **more)).status_code == 200
        self.drain()

    def drain(self) -> None:
        jobs.drain("urgent")
        jobs.drain("default")

    def submit(self, body: Any, message_id: str = "msg_1", at: datetime | None = None, **headers: str) -> TestResponse:
        data = body if isinstance(body, str) else json.dumps(body)
        when = at or datetime.now(UTC)
        signed = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(when.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(message_id, when, data),
        }
        return self.client.post(
            "/webhooks/forms/vendor",
            data=data.encode(),
            headers={**signed, **headers},
            content_type="application/json",
        )

    def rows(self, model: Any, *conditions: Any) -> list[Any]:
        """Read rows with their sealed values still to be opened: the keys are loaded."""
        with db.unit_of_work(db.EVERY) as session:
            rows = list(session.scalars(select(model).where(*conditions).order_by(model.id)))
            db.load_keys(session, {row.key_id for row in rows if hasattr(row, "key_id")})
            return rows

    @property
    def receipts(self) -> list[Receipt]:
        return self.rows(Receipt)

    @property
    def items(self) -> list[InboxItem]:
        return self.rows(InboxItem)

    @property
    def inbound(self) -> list[Message]:
        return self.rows(Message, Message.direction == "in")

    @property
    def outbound(self) -> list[Message]:
        return self.rows(Message, Message.direction == "out")

    @property
    def conversations(self) -> list[Conversation]:
        return self.rows(Conversation)


def _settings(data: Path) -> settings.Settings:
    return settings.load(
        {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_AUTH_TOKEN_SECONDARY": "the other token",
            "WARMTHREAD_PUBLIC_URL": PUBLIC,
            "WARMTHREAD_DATA_DIR": str(data),
            "REDIS_URL": "unix:///nonexistent.sock",
        }
    )


@pytest.fixture
def configured(tmp_path: Path, empty_database: Path) -> Iterator[None]:
    shutil.copy(empty_database, tmp_path / "warmthread.sqlite3")
    runtime.configure(_settings(tmp_path))
    yield
    db.engine().dispose()


@pytest.fixture
def world(configured: None) -> World:
    app = Flask("doors")
    app.register_blueprint(twilio.door)
    app.register_blueprint(forms.door)
    return World(app.test_client())


@pytest.fixture
def patients(world: World) -> Callable[..., Any]:
    """Add a patient: record, number, first name, language."""

    def add(record: str, number: str, name: str, language: str = "en") -> Any:
        with db.unit_of_work(db.EVERY) as session:
            return world.add_patient(session, record, number, name, language)

    return add
