"""The page of the brakes: what is held back and why, pulled and released by who may, and seen on every page."""

import re
from typing import Any

import pytest

from config import audit, db
from messaging.delivery.brakes import braking, halting

PAGE = "/settings/brakes"


@pytest.fixture
def admin(house: Any) -> Any:
    return house.signed_in(house.staff("Ada", role="clinic_admin"))


def pull(house: Any, kind: str = "reminder", actor: str = "operator:ada", **more: int) -> None:
    with db.unit_of_work(db.EVERY) as session:
        braking.pull(session, house.clinic.id, kind, actor, **more)


def turned(browser: Any, act: str, kind: str = "reminder") -> str:
    assert browser.post(f"{PAGE}/{kind}/{act}").status_code == 303
    return str(browser.get(PAGE).text)


def test_an_administrator_pulls_and_releases_a_brake(house: Any, admin: Any) -> None:
    page = admin.get(PAGE).text
    assert page.count("Going out") == 3
    assert "Held back from now on: Reminders" in turned(admin, "pull")
    page = admin.get(PAGE).text
    assert "◆</span> Held back</span>" in page
    assert "Ada" in page
    assert "Going out again: Reminders" in turned(admin, "release")
    assert "Before</h2>" in admin.get(PAGE).text
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert braking.pulled(session, house.clinic.id) == {}


def test_twice_changes_nothing_and_says_so(admin: Any) -> None:
    turned(admin, "pull")
    assert "Held back before: Reminders" in turned(admin, "pull")
    turned(admin, "release")
    assert "Not held back: Reminders" in turned(admin, "release")


def test_a_brake_that_pulled_itself_says_how_many_failed(house: Any, admin: Any) -> None:
    pull(house, actor=halting.HALT, failed=7, out_of=40)
    assert "by itself: 7 of the last 40 failed" in admin.get(PAGE).text


@pytest.mark.parametrize("role", ["care_manager", "front_desk"])
def test_while_it_is_pulled_every_page_says_so(house: Any, role: str) -> None:
    colleague = house.signed_in(house.staff("Rosa", role=role))
    where = "/today"
    assert "Texts are held back" not in colleague.get(where).text
    pull(house)
    page = colleague.get(where).text
    assert "Texts are held back: Reminders. Nothing about safety is." in page
    with db.unit_of_work(db.EVERY) as session:
        braking.release(session, house.clinic.id, "reminder", audit.OPERATOR)
    assert "Texts are held back" not in colleague.get(where).text


def test_who_does_not_decide_for_the_clinic_looks_and_turns_nothing(house: Any) -> None:
    colleague = house.signed_in(house.staff("Rosa"))
    page = colleague.get(PAGE)
    assert page.status_code == 200
    assert not re.search(r'action="/settings/brakes/', page.text)
    assert colleague.post(f"{PAGE}/reminder/pull").status_code == 403


@pytest.mark.parametrize("path", ["crisis/pull", "staff_alert/pull", "reminder/break"])
def test_what_has_no_brake_is_not_there(admin: Any, path: str) -> None:
    assert admin.post(f"{PAGE}/{path}").status_code == 404
