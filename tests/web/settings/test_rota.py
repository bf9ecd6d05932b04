"""The rota: everyone's hours, errors at their fields, and no change that leaves a minute with nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, db
from messaging.inbox.models import Absence
from messaging.models import Message, Staff

DAY, NIGHT = "Mon-Sun 8:00-20:00", "Mon-Sun 20:00-8:00"


@pytest.fixture
def team(house: Any) -> Any:
    """Rosa by day, Ben at night, and an administrator without a mobile."""
    admin = house.staff("Dana Wu", role="clinic_admin", number=None)
    rosa = house.staff("Rosa Delgado", number="+12025550151", panels=("Dr Okafor",))
    ben = house.staff("Ben Carter", number="+12025550152")
    browser = house.signed_in(admin)
    for colleague, hours in ((rosa, DAY), (ben, "Mon-Sun 0:00-24:00"), (ben, "")):
        browser.post(f"/settings/rota/{colleague.id}", hours=hours, on_call="")
    return browser, rosa, ben


def test_everyone_stands_there_with_role_panel_and_hours(team: Any) -> None:
    page = team[0].get("/settings/rota").text
    assert "Works: Mon-Sun 8:00 AM-8:00 PM" in page
    assert "panel of Dr Okafor" in page
    assert "no mobile that takes alerts" in page
    assert "Somebody can be reached in every minute of the week" in page


def test_hours_change_and_are_written_down(house: Any, team: Any) -> None:
    browser, _, ben = team
    assert browser.post(f"/settings/rota/{ben.id}", hours=NIGHT, on_call="Sat all day").status_code == 303
    changed = house.read(Staff, ben.id)
    assert (changed.hours["sun"], changed.on_call) == (["20:00", "08:00"], {"sat": ["00:00", "00:00"]})
    with db.unit_of_work(db.EVERY) as session:
        acts = session.scalars(select(audit.AuditEntry.act)).all()
        assert {"staff.hours", "staff.on_call"} <= set(acts)


def test_whose_hours_somebody_else_changes_is_told_at_once_and_reads_who_it_was(house: Any, team: Any) -> None:
    """An administrator who takes everybody off duty but themselves gets every alert; not without a word to anybody."""
    browser, _, ben = team
    before = texts_to(house, ben)
    assert browser.post(f"/settings/rota/{ben.id}", hours=NIGHT, on_call="").status_code == 303
    (text,) = texts_to(house, ben)[len(before) :]
    assert "changed when you are asked" in text
    assert browser.post(f"/settings/rota/{ben.id}", hours=NIGHT, on_call="").status_code == 303  # nothing new
    assert len(texts_to(house, ben)) == len(before) + 1
    page = house.signed_in(ben).get("/account").text
    assert "Hours on duty or on call changed for you" in page
    assert "Dana Wu" in page


def texts_to(house: Any, staff: Staff) -> list[str]:
    with db.unit_of_work(house.clinic.id) as session:
        texts = session.scalars(select(Message).where(Message.staff_id == staff.id).order_by(Message.id)).all()
        db.load_keys(session, {house.clinic.key_id})
        return [text.body or "" for text in texts]


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ("Mon-Sun 20:30-8:00", "Mon 20:00 to Mon 20:30"),
        ("Mon-Fri 20:00-8:00, Sun 20:00-8:00", "Sat 20:00 to Sun 8:00"),
        ("Mon-Sun 20:00-8:00, Mun 8:00-9:00", "no weekday"),
        ("Mon 20:00-9:30, Tue 9:00-12:00", "Mon goes on into Tue"),
        ("whenever", "write hours as in"),
    ],
)
def test_what_is_wrong_with_hours_stands_at_their_field_and_nothing_changes(
    house: Any, team: Any, hours: str, said: str
) -> None:
    browser, _, ben = team
    browser.post(f"/settings/rota/{ben.id}", hours=NIGHT, on_call="")
    answer = browser.post(f"/settings/rota/{ben.id}", hours=hours, on_call="")
    assert answer.status_code == 422
    assert said in answer.text
    assert f'id="hours-{ben.id}-problem"' in answer.text
    assert f'value="{hours}"' in answer.text
    assert house.read(Staff, ben.id).hours["mon"] == ["20:00", "08:00"]


def test_being_on_call_is_not_taken_away_here(house: Any, team: Any) -> None:
    browser, rosa, _ = team
    assert browser.post(f"/settings/rota/{rosa.id}", hours=DAY, on_call=NIGHT).status_code == 303
    answer = browser.post(f"/settings/rota/{rosa.id}", hours=DAY, on_call="Mon-Sun 20:00-7:00")
    assert answer.status_code == 422
    assert "Mon 7:00 to Mon 8:00" in answer.text
    assert house.read(Staff, rosa.id).on_call["mon"] == ["20:00", "08:00"]


def test_a_hole_that_an_absence_makes_is_shown_with_its_date(house: Any, team: Any) -> None:
    browser, _, ben = team
    with time_machine.travel("2027-10-28 18:00:00Z", tick=False):
        browser = house.signed_in(house.staff("Ada Finn", role="clinic_admin", number=None))
        browser.post(f"/settings/rota/{ben.id}", hours=NIGHT, on_call="")
        with db.unit_of_work(house.clinic.id) as session:
            # The night in which the clocks are put back: an hour longer, and nobody is there for all of it. No form
            # takes this: it is as if it had been written down before anybody asked.
            start = datetime(2027, 11, 7, 2, 0, tzinfo=UTC)
            facts = {
                "starts_at": start,
                "ends_at": start + timedelta(days=1),
                "created_at": start,
                "try_after": start,
            }
            session.add(Absence(clinic_id=house.clinic.id, staff_id=ben.id, **facts))
        page = browser.get("/settings/rota").text
    assert "Saturday 6 November 2027 20:00 to Sunday 7 November 2027 8:00" in page
    assert "nobody is named as cover" in page


def test_only_who_decides_for_the_clinic_changes_hours(house: Any, another_house: Any, team: Any) -> None:
    browser, rosa, _ = team
    worker = house.signed_in(house.staff(number=None))
    assert worker.get("/settings/rota").status_code == 200
    assert worker.post(f"/settings/rota/{rosa.id}", hours="", on_call="").status_code == 403
    assert house.signed_in(house.staff(role="front_desk", number=None)).get("/settings/rota").status_code == 403
    foreign = another_house().staff()
    assert browser.post(f"/settings/rota/{foreign.id}", hours="", on_call="").status_code == 404


def test_a_script_is_told_how_hours_are_read_and_written_back(house: Any) -> None:
    browser = house.signed_in(house.staff())
    answer = browser.get("/settings/hours?text=weekdays 8-5").json
    assert answer["text"] == "Mon-Fri 8:00 AM-5:00 PM"
    assert answer["week"]["fri"] == ["08:00", "17:00"]
    assert "write hours as in" in browser.get("/settings/hours?text=sometimes").json["problem"]
    assert house.signed_in(house.staff(role="front_desk")).get("/settings/hours?text=Mon 8-5").status_code == 403
