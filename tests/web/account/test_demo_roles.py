"""Choosing who to be: there in the demonstration, for this machine alone, and nowhere else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from config import audit, db, runtime, settings
from messaging.models import Staff
from service import app as application
from tests.web.conftest import ENVIRONMENT, Browser, House
from web import permissions, words

DEMO = {"WARMTHREAD_DEMO_CLOCK": "0", "TWILIO_API_URL": "http://127.0.0.1:9"}


@pytest.fixture
def demonstration(house: House, tmp_path: Path) -> Iterator[Flask]:
    ordinary = runtime.settings()
    data = {"WARMTHREAD_DATA_DIR": str(tmp_path / "data")}
    runtime.configure(settings.load(ENVIRONMENT | DEMO | data))
    yield application.create_app()
    db.engine().dispose()
    runtime.configure(ordinary)


def test_each_role_is_there_and_one_press_makes_you_one(house: House, demonstration: Flask) -> None:
    for role in permissions.MAY:
        house.staff(name=f"Somebody {role}", role=role)
    browser = Browser(demonstration.test_client())
    page = browser.get("/demo").text
    for role in permissions.MAY:
        assert words.say("roles", role) in page
    chosen = house.staff(name="Ben Carter")
    answer = browser.post("/demo", token_from="/demo", staff=str(chosen.id))
    assert answer.status_code == 303
    assert "Ben Carter" in browser.get("/preferences").text
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        acts = session.scalars(select(audit.AuditEntry.act)).all()
    assert "staff.signed_in" in acts


def test_whoever_has_left_cannot_be_chosen(house: House, demonstration: Flask) -> None:
    gone, here = house.staff(name="Gone Long"), house.staff(name="Still Here")
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, gone.id).active = False
    browser = Browser(demonstration.test_client())
    page = browser.get("/demo").text
    assert "Still Here" in page
    assert "Gone Long" not in page
    for wrong in (str(gone.id), "nobody", ""):
        assert browser.post("/demo", token_from="/demo", staff=wrong).status_code == 404
    assert browser.post("/demo", token_from="/demo", staff=str(here.id)).status_code == 303


@pytest.mark.parametrize(
    "asked",
    [
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}},
        {"environ_overrides": {"REMOTE_ADDR": "2001:db8::1"}},
        {"environ_overrides": {"REMOTE_ADDR": ""}},
        {"headers": {"Host": "demo.example"}},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"Forwarded": "for=127.0.0.1"}},
        {"headers": {"Via": "1.1 somewhere"}},
    ],
)
def test_nobody_but_this_machine_gets_it(house: House, demonstration: Flask, asked: dict[str, Any]) -> None:
    staff = house.staff()
    client = demonstration.test_client()
    assert client.get("/demo", **asked).status_code == 404
    demonstration.config["WTF_CSRF_ENABLED"] = False
    refused = client.post("/demo", data={"staff": str(staff.id)}, **asked)
    assert (refused.status_code, refused.headers.get("Set-Cookie")) == (404, None)


def test_another_sites_page_cannot_choose(house: House, demonstration: Flask) -> None:
    refused = demonstration.test_client().post("/demo", data={"staff": str(house.staff().id)})
    assert refused.status_code == 400


def test_in_any_other_service_there_is_no_such_page(house: House) -> None:
    browser = house.browser()
    assert browser.get("/demo").status_code == 404
    assert browser.post("/demo", token_from="/signin", staff=str(house.staff().id)).status_code == 404
    assert "/demo" not in browser.get("/signin").text


def test_the_page_is_gone_when_the_service_is_not_the_demonstration_any_more(
    house: House, demonstration: Flask, tmp_path: Path
) -> None:
    runtime.configure(settings.load(ENVIRONMENT | {"WARMTHREAD_DATA_DIR": str(tmp_path / "data")}))
    assert demonstration.test_client().get("/demo").status_code == 404
