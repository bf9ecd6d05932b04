"""The page of absences: each plans their own, who decides for the clinic anybody's."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db
from messaging import jobs
from messaging.inbox.models import Absence, InboxItem
from messaging.inbox.routing.hours import WEEKDAYS
from messaging.models import Clinic, Message
from web.models import AccountChange


def typed(ahead: timedelta) -> str:
    return f"{(clock.now() + ahead).astimezone(ZoneInfo('America/Denver')):%Y-%m-%dT%H:%M}"


def form(cover: Any = None, who: Any = None, starts: int = 0, ends: int = 8) -> dict[str, str]:
    fields = {"starts": typed(timedelta(hours=starts, minutes=-1)), "ends": typed(timedelta(hours=ends))}
    return fields | {"cover": str(cover.id) if cover else "", "who": str(who.id) if who else ""}


def absences() -> list[Absence]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return list(session.scalars(select(Absence)))


def test_i_am_away_and_ben_covers(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Ito")
    item, browser = house.item(owner_id=rosa.id), house.signed_in(rosa)
    assert browser.post("/away", **form(ben)).status_code == 303
    jobs.begin_and_end_absences()
    page = browser.get("/away").text
    assert "away until" in page
    assert "Ben Ito covers" in page
    assert house.read(InboxItem, item.id).owner_id == ben.id
    (absence,) = absences()
    assert browser.post(f"/away/{absence.id}/end").status_code == 303
    jobs.begin_and_end_absences()
    assert house.read(InboxItem, item.id).owner_id == rosa.id
    assert "Everybody is here." in browser.get("/away").text


def test_times_are_the_clinic_s_own(house: Any) -> None:
    browser = house.signed_in(house.staff())
    with time_machine.travel("2027-03-13T12:00:00Z"):
        browser = house.signed_in(house.staff())
        fields = {"starts": "2027-03-13T22:00", "ends": "2027-03-14T22:00", "cover": ""}
        assert browser.post("/away", **fields).status_code == 303
    (absence,) = absences()
    assert absence.ends_at - absence.starts_at == timedelta(hours=23)  # the night the clocks went forward


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"starts": "", "ends": ""}, "starts-problem"),
        ({"ends": "soon"}, "ends-problem"),
        ({"ends": "2001-01-01T00:00"}, "ends-problem"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_what_was_typed_stays(
    house: Any, given: dict[str, str], field: str
) -> None:
    answer = house.signed_in(house.staff()).post("/away", **(form() | given))
    assert answer.status_code == 422
    assert f'id="{field}"' in answer.text
    assert absences() == []


def test_a_circle_is_refused_at_the_cover(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Ito")
    assert house.signed_in(rosa).post("/away", **form(ben)).status_code == 303
    answer = house.signed_in(ben).post("/away", **form(rosa))
    assert answer.status_code == 422
    assert 'id="cover-problem"' in answer.text


def test_nobody_plans_or_ends_the_absence_of_a_colleague_but_the_administrator(house: Any) -> None:
    rosa, ben, dana = house.staff(), house.staff("Ben Ito"), house.staff("Dana", role="clinic_admin")
    assert house.signed_in(ben).post("/away", **form(None, rosa)).status_code == 403
    admin = house.signed_in(dana)
    assert admin.post("/away", **form(ben, rosa)).status_code == 303
    (absence,) = absences()
    assert (absence.staff_id, absence.created_by) == (rosa.id, dana.id)
    assert house.signed_in(ben).post(f"/away/{absence.id}/end").status_code == 403
    assert admin.post(f"/away/{absence.id}/end").status_code == 303


def test_who_is_said_to_be_away_by_somebody_else_is_told_and_who_says_so_themselves_is_not(house: Any) -> None:
    rosa, dana = house.staff(number="+12025550151"), house.staff("Dana Wu", role="clinic_admin", number="+12025550152")
    admin, hers = house.signed_in(dana), house.signed_in(rosa)
    assert admin.post("/away", **form(dana, rosa)).status_code == 303
    (absence,) = absences()
    assert admin.post(f"/away/{absence.id}/end").status_code == 303
    assert hers.post("/away", **form(dana)).status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        told = session.scalars(select(AccountChange).where(AccountChange.staff_id == rosa.id)).all()
        texts = session.scalars(select(Message).where(Message.staff_id == rosa.id)).all()
        db.load_keys(session, {house.clinic.key_id})
        said = [text.body for text in texts if "changed when you are asked" in (text.body or "")]
    assert [change.actor for change in told if change.what == "away"] == [f"staff:{dana.id}"] * 2
    assert len(said) == 2
    page = hers.get("/account").text
    assert "Time off written down or ended for you" in page
    assert "Dana Wu" in page


def test_another_clinic_s_people_neither_cover_nor_are_seen(house: Any, another_house: Any) -> None:
    other = another_house()
    olga = other.staff("Olga Marsh")
    browser = house.signed_in(house.staff())
    assert browser.post("/away", **form(olga)).status_code == 303
    (absence,) = absences()
    assert absence.cover_id is None
    assert "Olga" not in browser.get("/away").text
    assert other.signed_in(olga).post(f"/away/{absence.id}/end").status_code == 404


def alone(house: Any) -> Any:
    """Rosa, on whom the nights rest, and Ben by day; both with a mobile."""
    day, night = (dict.fromkeys(WEEKDAYS, span) for span in (["08:00", "20:00"], ["20:00", "08:00"]))
    rosa = house.staff("Rosa Delgado", hours=night, number="+12025550151")
    ben = house.staff("Ben Ito", hours=day, number="+12025550152")
    house.staff("Ida Frank", role="front_desk", number="+12025550153")
    return rosa, ben


def test_an_absence_that_leaves_nobody_is_refused_with_whose_cover_would_close_it(house: Any) -> None:
    with time_machine.travel("2027-07-01T12:00:00Z"):
        rosa, ben = alone(house)
        browser = house.signed_in(rosa)
        night = {"starts": "2027-07-03T02:00", "ends": "2027-07-03T09:00", "who": "", "cover": ""}
        refused = browser.post("/away", **night)
        assert refused.status_code == 422
        problem = refused.text.partition('id="cover-problem"')[2]
        assert "Saturday 3 July 2027 2:00 to 8:00: nobody could be reached" in problem.partition("</p>")[0]
        assert 'value="2027-07-03T02:00"' in refused.text
        assert re.findall(r'name="closes" value="([^"]+)">([^<]+)<', refused.text) == [(str(ben.id), "Ben Ito covers")]
        # Enter in a field presses the first button of a form: it must not choose a colleague.
        assert refused.text.index(">Save<") < refused.text.index('name="closes"')
        assert absences() == []
        assert browser.post("/away", **(night | {"closes": str(ben.id)})).status_code == 303
    (absence,) = absences()
    assert absence.cover_id == ben.id


def test_where_no_cover_would_do_it_says_who_is_still_called(house: Any) -> None:
    rosa = house.staff("Rosa Delgado", number="+12025550151")
    house.staff("Ben Ito", number=None)
    refused = house.signed_in(rosa).post("/away", **form())
    assert refused.status_code == 422
    assert "No colleague who is here and has a mobile on file" in refused.text
    assert 'name="closes"' not in refused.text
    assert absences() == []


def test_whoever_cannot_open_what_comes_in_cannot_cover(house: Any) -> None:
    rosa, ben = alone(house)
    auditor = house.staff("Ann Ode", role="auditor", number="+12025550154")
    refused = house.signed_in(ben).post("/away", **form(auditor))
    assert refused.status_code == 422
    assert "They cannot open what comes in" in refused.text
    assert str(auditor.id) not in house.signed_in(rosa).get("/away").text


def test_the_fallback_without_a_mobile_comes_back_only_once_it_is_on_file(house: Any) -> None:
    """Only while somebody with a mobile stands in for them can anybody be reached."""
    lead = house.staff("Lee Park", role="clinic_admin", number=None, email="lee@clinic.example")
    ben = house.staff("Ben Ito", number="+12025550152", hours={"mon": ["08:00", "09:00"]})
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Clinic, house.clinic.id).rules = {"fallback": ["lee@clinic.example"]}
    browser = house.signed_in(lead)
    assert browser.post("/away", **form(ben)).status_code == 303
    (absence,) = absences()
    refused = browser.post(f"/away/{absence.id}/end")
    assert refused.status_code == 422
    assert 'id="end-problem"' in refused.text
    assert "Have yours put on file first" in refused.text
    assert absences()[0].ended_at is None
