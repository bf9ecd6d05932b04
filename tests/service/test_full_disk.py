"""A full disk: what cannot be kept is refused in words and taken a moment later, and the operator is told meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from config import db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from service import app as application
from service import health, migrations
from webhooks import jobs

CRISIS = {"From": "+13035550111", "To": "+13035550100", "Body": "I want to die", "NumMedia": "0"}
PATH = "/webhooks/twilio/sms"


@contextmanager
def full_disk() -> Iterator[None]:
    """SQLite may take no further page, as when the disk has none left: the same error, from the same place."""

    def no_page_more(connection: Any, *_: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    engine = db.engine()
    engine.dispose()
    event.listen(engine, "connect", no_page_more)
    try:
        yield
    finally:
        event.remove(engine, "connect", no_page_more)
        engine.dispose()


def post(client: FlaskClient, number: int) -> TestResponse:
    form = CRISIS | {
        "AccountSid": "AC" + "0" * 32,
        "MessageSid": f"SM{number:032x}",
        "Body": CRISIS["Body"] + " again" * 2_000,
    }
    signature = RequestValidator("a token for tests").compute_signature("https://clinic.example" + PATH, form)
    kind = "application/x-www-form-urlencoded"
    return client.post(PATH, data=urlencode(form), headers={"X-Twilio-Signature": signature}, content_type=kind)


def crises() -> int:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.scalar(select(func.count()).where(InboxItem.kind == "safety")) or 0


@pytest.fixture
def client(clinic: Clinic) -> FlaskClient:
    with db.engine().begin() as connection:  # the house makes its tables without their history
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": migrations.heads()[0]})
    return application.create_app().test_client()


def test_a_text_that_the_disk_has_no_room_for_is_refused_as_for_now_and_taken_again(client: FlaskClient) -> None:
    with full_disk():
        refused = post(client, 1)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert refused.mimetype == "application/problem+json"
        assert "die" not in refused.text
    assert post(client, 1).status_code == 200
    jobs.drain("urgent")
    jobs.drain("default")
    assert crises() == 1


def test_the_operator_is_told_before_the_disk_is_full(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [problem for problem in health.check() if "MB left" in problem]
    monkeypatch.setattr(health, "LEAST_FREE", 2**60)
    (told,) = [problem for problem in health.check() if "MB left" in problem]
    assert told.startswith("the disk of the data directory has ")
