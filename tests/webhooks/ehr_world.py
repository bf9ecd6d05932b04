"""An EHR that posts to its door, and what the tests look up in the clinic afterwards."""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from config import clock, db
from interchange import jobs
from interchange.hl7 import er7
from interchange.models import Feed, FeedMessage
from messaging.models import Clinic
from reminders.models import Appointment
from webhooks import ehr

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
START = datetime.now(UTC).replace(hour=16, minute=0, second=0, microsecond=0) + timedelta(days=20)
SOON = f"{START:%Y%m%d%H%M%S}+0000"


class World:
    """An EHR with its secret, and what the tests look up in the clinic afterwards."""

    def __init__(self, clinic: Clinic, **profile: Any) -> None:
        app = Flask("door")
        app.register_blueprint(ehr.door)
        self.client, self.clinic = app.test_client(), clinic
        self.secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        with db.unit_of_work(db.EVERY) as session:
            facts = {"name": "books", "secret": self.secret, "profile": profile, "created_at": clock.now()}
            session.add(Feed(clinic_id=clinic.id, key_id=clinic.key_id, **facts))

    def post(self, body: str | bytes, *, path: str = "books", **headers: str) -> TestResponse:
        data = body if isinstance(body, bytes) else body.encode()
        at, message_id = datetime.now(UTC), "msg_" + secrets.token_hex(8)
        signature = Webhook(self.secret).sign(message_id, at, data.decode("latin-1"))
        if not data.isascii():
            signature = signed(self.secret, message_id, at, data)
        signs = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }
        return self.client.post(f"/webhooks/ehr/{path}", data=data, headers=signs | headers)

    def hear(self, *messages: str) -> list[str]:
        """Post messages one after the other, work the lane off, and return what they were answered."""
        answers = [ack(self.post(message)) for message in messages]
        jobs.drain()
        return answers

    def rows(self, model: type[Any], *where: Any) -> list[Any]:
        with db.unit_of_work(db.EVERY) as session:
            rows = list(session.scalars(select(model).where(*where).order_by(model.id)))
            db.load_keys(session, {row.key_id for row in rows if hasattr(row, "key_id")})
            return rows

    @property
    def visit(self) -> Appointment:
        (only,) = self.rows(Appointment)
        return only  # type: ignore[no-any-return]

    @property
    def messages(self) -> list[FeedMessage]:
        return self.rows(FeedMessage)

    def problems(self) -> list[str]:
        return [problem["code"] for message in self.messages for problem in message.problems]


def signed(secret: str, message_id: str, at: datetime, data: bytes) -> str:
    """A Standard Webhooks signature over bytes that are no UTF-8, which the judge cannot sign."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{message_id}.{int(at.timestamp())}.".encode() + data
    return "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def ack(answer: TestResponse) -> str:
    assert answer.status_code == 200
    assert answer.content_type.startswith("application/hl7-v2")
    (message,) = er7.read(answer.data).messages
    return message.part("MSA", 1)
