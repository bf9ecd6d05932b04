"""Webhooks on the settings pages: added with a secret shown once, tried out, rotated, paused, sent again, removed."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.event_webhooks import endpoints
from messaging.event_webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from web import permissions

URL = "https://hooks.clinic.example/events?key=in-the-address"
WANTED = {"name": "Warehouse", "url": URL, "kind": "patient"}
LIST = "/settings/webhooks"


def lead(house: Any) -> Any:
    return house.signed_in(house.staff("Dana Wu", role="clinic_admin"))


def made(house: Any) -> list[WebhookEndpoint]:
    with db.unit_of_work(house.clinic.id) as session:
        rows = session.scalars(select(WebhookEndpoint)).all()
        assert all(row.secret is not None for row in rows)
        return list(rows)


def secret_in(answer: Any) -> str:
    match = re.search(r'value="(whsec_[^"]+)"', answer.text)
    assert match is not None
    return match[1]


def delivered(endpoint: WebhookEndpoint, state: str = "given_up", status: int | None = 500) -> WebhookDelivery:
    """One event that was tried once."""
    with db.unit_of_work(db.EVERY) as session:
        now = clock.now()
        row = WebhookDelivery(
            clinic_id=endpoint.clinic_id,
            endpoint_id=endpoint.id,
            seq=db.new_id().int % 10**9,
            type="patient.changed",
            subject="patient:11111111-1111-4111-8111-111111111111",
            by="staff",
            at=now,
            state=state,
            try_after=now,
            ended_at=now,
        )
        session.add(row)
        session.flush()
        error = None if status else "refused_inside"
        session.add(
            WebhookAttempt(
                clinic_id=row.clinic_id, delivery_id=row.id, at=now, milliseconds=1230, status=status, error=error
            )
        )
        return row


def state_of(row: WebhookDelivery) -> str:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.get_one(WebhookDelivery, row.id).state


def test_a_program_is_added_and_its_secret_shown_once(house: Any) -> None:
    browser = lead(house)
    secret = secret_in(browser.post(LIST, **WANTED))
    (endpoint,) = made(house)
    assert (endpoint.secret, endpoint.url, endpoint.kinds) == (secret, URL, ["patient"])
    page, own = browser.get(LIST).text, browser.get(f"{LIST}/{endpoint.id}").text
    assert secret not in page + own
    assert "Warehouse" in page
    assert "hooks.clinic.example" in page
    assert "in-the-address" not in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", " ", "what the program is called"),
        ("url", "http://hooks.clinic.example/", "begin with https"),
        ("url", "https://169.254.169.254/latest", "inside a network"),
        ("url", "http://127.0.0.1:8010/", "begin with https"),
        ("kind", "staff", "at least one thing"),
    ],
)
def test_what_is_no_endpoint_is_refused_and_what_was_typed_stays(house: Any, field: str, value: str, said: str) -> None:
    answer = lead(house).post(LIST, **(WANTED | {field: value}))
    assert answer.status_code == 422
    assert said in answer.text
    assert field == "name" or 'value="Warehouse"' in answer.text
    assert made(house) == []


def test_the_secret_is_changed_while_the_former_still_signs(house: Any) -> None:
    browser = lead(house)
    first = secret_in(browser.post(LIST, **WANTED))
    (endpoint,) = made(house)
    answer = browser.post(f"{LIST}/{endpoint.id}/secret")
    (endpoint,) = made(house)
    assert endpoints.secrets(endpoint, clock.now()) == [secret_in(answer), first]
    assert "the former secret signs as well" in answer.text
    assert "two secrets sign until" in browser.get(f"{LIST}/{endpoint.id}").text


def test_it_is_tested_paused_resumed_changed_and_removed(house: Any) -> None:
    browser = lead(house)
    browser.post(LIST, **WANTED)
    (endpoint,) = made(house)
    own = f"{LIST}/{endpoint.id}"
    assert browser.post(f"{own}/test").status_code == 303
    assert "webhook.test" in browser.get(own).text
    with db.unit_of_work(db.EVERY) as session:
        waits = session.scalars(select(WebhookDelivery)).one()
        waits.attempts, waits.try_after = 1, clock.now() + timedelta(minutes=5)
    assert "next try" in browser.get(own).text
    assert browser.post(f"{own}/pause").status_code == 303
    assert "<strong>paused</strong>" in browser.get(own).text
    assert "next try" not in browser.get(own).text
    assert browser.post(f"{own}/resume", missed="bring").status_code == 303
    assert "<strong>on</strong>" in browser.get(own).text
    assert browser.post(own, name="Dashboard", url=URL, kind="screen").status_code == 303
    assert made(house)[0].kinds == ["screen"]
    wrong = browser.post(own, name="Dashboard", url="https://10.0.0.1/", kind="screen")
    assert wrong.status_code == 422
    assert "https://10.0.0.1/" in wrong.text
    assert browser.post(f"{own}/remove").status_code == 303
    assert browser.get(own).status_code == 404
    assert (made(house)[0].secret, made(house)[0].url) == ("", "")


def test_every_try_is_shown_and_one_event_or_a_range_is_sent_again(house: Any) -> None:
    browser = lead(house)
    browser.post(LIST, **WANTED)
    (endpoint,) = made(house)
    own = f"{LIST}/{endpoint.id}"
    failed, good = delivered(endpoint), delivered(endpoint, "delivered", 204)
    refused = delivered(endpoint, status=None)
    page = browser.get(own).text
    for said in ("<strong>500</strong>", "204", "1.23 s", "inside a network", "given up"):
        assert said in page
    assert "<strong>500</strong>" not in browser.get(f"{own}?state=delivered").text
    browser.post(f"{own}/again", delivery=str(failed.id))
    assert [state_of(row) for row in (failed, good, refused)] == ["waiting", "delivered", "given_up"]
    local = clock.now().astimezone(ZoneInfo(house.clinic.zone))
    begin, end = (f"{local + timedelta(minutes=by):%Y-%m-%dT%H:%M}" for by in (-2, 2))
    browser.post(f"{own}/again", begin=begin, end=end, which="failed")
    assert [state_of(row) for row in (good, refused)] == ["delivered", "waiting"]
    browser.post(f"{own}/again", begin=begin, end=end, which="all")
    assert state_of(good) == "waiting"
    for which, said in (("failed", "in that time nothing was given up"), ("all", "nothing was delivered or given up")):
        browser.post(f"{own}/again", begin=begin, end=end, which=which)
        assert said in browser.get(own).text
    browser.post(f"{own}/again", delivery=str(good.id))
    assert "it is on its way" in browser.get(own).text
    browser.post(f"{own}/again", begin=end, end=begin)
    assert "the earlier moment first" in browser.get(own).text


def test_an_endpoint_that_fails_says_so_on_the_list(house: Any) -> None:
    browser = lead(house)
    browser.post(LIST, **WANTED)
    with db.unit_of_work(db.EVERY) as session:
        row = session.scalars(select(WebhookEndpoint)).one()
        row.failures, row.failing_since = 7, clock.now() - timedelta(hours=2)
    assert "nothing has got through since" in browser.get(LIST).text
    with db.unit_of_work(db.EVERY) as session:
        endpoints.switch_off(session, session.scalars(select(WebhookEndpoint)).one(), "gone")
    assert "it answered 410" in browser.get(LIST).text


def test_another_clinics_endpoint_is_not_there(house: Any) -> None:
    assert lead(house).get(f"{LIST}/11111111-1111-4111-8111-111111111111").status_code == 404


@pytest.mark.parametrize("role", [role for role, may in permissions.MAY.items() if "clinic.settings" not in may])
def test_only_who_may_change_the_settings_sees_them(house: Any, role: str) -> None:
    assert house.signed_in(house.staff("Kim", role=role)).get(LIST).status_code == 403
