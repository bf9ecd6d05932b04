"""Webhooks from a terminal: listed without their secrets, and tried out."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from config import audit, db
from messaging.event_webhooks import endpoints
from messaging.event_webhooks.models import WebhookDelivery
from messaging.models import Clinic
from service.cli import opening, webhooks


@pytest.fixture(autouse=True)
def _begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "begin", lambda: None)


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(webhooks.webhooks, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_they_are_listed_and_tried_out(clinic: Clinic) -> None:
    wanted = endpoints.Wanted("Warehouse", "https://hooks.clinic.example/in?key=hidden")
    with db.unit_of_work(clinic.id) as session:
        made = endpoints.make(session, clinic, wanted, actor=audit.OPERATOR)
    run("test", "Warehouse")
    run("test", str(made.id))
    run("test", "Nobody", code=1)
    shown = run("list", "--json")
    (row,) = json.loads(shown)
    assert (row["name"], row["host"], row["state"], row["waiting"]) == ("Warehouse", "hooks.clinic.example", "on", 2)
    assert "hidden" not in shown
    assert "whsec_" not in shown
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert set(session.scalars(select(WebhookDelivery.type))) == {endpoints.TEST}
