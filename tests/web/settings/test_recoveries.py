"""Who has lost phone and codes comes in by two administrators, is marked until confirmed, and nobody does it alone."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging.models import Staff
from tests.web.account.test_second_step import a_colleague, enter, set_up, step
from web.account import factors


@pytest.fixture(params=["house", "house_on_postgresql"])
def place(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def asks(browser: Any, staff: Staff, what: str = "") -> Any:
    answer = browser.post(f"/settings/people/{staff.id}/recovery{what}")
    assert answer.status_code == 303
    return browser.get("/settings/people").text


def test_two_administrators_let_a_colleague_in_whose_acts_are_marked_until_confirmed(place: Any) -> None:
    rosa = a_colleague(place)
    browser, _ = enter(place, rosa)
    _, codes = set_up(browser)
    dana = place.signed_in(place.staff("Dana Wu", role="clinic_admin"))
    lee = place.signed_in(place.staff("Lee Park", role="clinic_admin"))
    assert "Another administrator has to agree" not in asks(dana, rosa)
    assert "Another administrator has to agree" in asks(dana, rosa)
    out, _ = enter(place, rosa)
    assert "Come in without it" not in out.get("/signin/step").text
    assert out.post("/signin/step/recovery", token_from="/signin/step").status_code == 410
    assert "Agree to let them in" in lee.get("/settings/people").text
    assert "may come in once" in asks(lee, rosa)
    assert "Come in without it" in out.get("/signin/step").text
    assert out.post("/signin/step/recovery", token_from="/signin/step").status_code == 303
    assert out.get("/inbox").location == "/account/factor"
    set_up(out, token_from="/account/factor")
    assert out.get("/inbox").status_code == 200
    again, _ = enter(place, rosa)
    assert step(again, codes[0]).status_code == 401
    assert "what they do is marked" in dana.get("/settings/people").text
    assert "has a second step" in asks(dana, rosa, "/confirm")
    out.post("/signout")
    with db.unit_of_work(db.EVERY) as session:
        hers = select(audit.AuditEntry).where(audit.AuditEntry.actor == audit.Actor.staff(rosa.id))
        marked = {
            entry.act: "recovery" in entry.detail for entry in session.scalars(hers.order_by(audit.AuditEntry.id))
        }
    assert marked["factor.app"]
    assert not marked["staff.signed_out"]


def test_nobody_asks_for_themselves_and_what_is_agreed_ends_after_a_day(house: Any) -> None:
    dana = a_colleague(house, name="Dana Wu", role="clinic_admin")
    hers, _ = enter(house, dana)
    set_up(hers)
    assert "Others must do this for you" in asks(hers, dana)
    lee, ann = (house.signed_in(house.staff(name, role="clinic_admin")) for name in ("Lee Park", "Ann Ito"))
    asks(lee, dana)
    asks(ann, dana)
    with time_machine.travel(clock.now() + timedelta(hours=24, minutes=1)):
        late, _ = enter(house, dana)
        assert "Come in without it" not in late.get("/signin/step").text
        assert late.post("/signin/step/recovery", token_from="/signin/step").status_code == 410
    with db.unit_of_work(house.clinic.id) as session:
        assert factors.has(session, dana.id)


def test_only_administrators_of_the_clinic_let_anybody_in(house: Any, another_house: Any) -> None:
    rosa = a_colleague(house)
    browser, _ = enter(house, rosa)
    set_up(browser)
    assert house.signed_in(house.staff("Ben Ito")).post(f"/settings/people/{rosa.id}/recovery").status_code == 403
    elsewhere = another_house()
    stranger = elsewhere.signed_in(elsewhere.staff("Sam Roe", role="clinic_admin"))
    assert stranger.post(f"/settings/people/{rosa.id}/recovery").status_code == 404
    nobody = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    assert "no second step to have lost" in asks(nobody, house.staff("Cal Roe"))
