"""The clinic's own page: what is typed is kept, mistakes stand at their fields, and publishing lets it hold."""

from datetime import timedelta
from typing import Any, get_args

import pytest
import time_machine

from config import clock, db
from messaging.models import Clinic
from reminders import clinic_definition, clinic_profile
from web import permissions

FORM = {
    "name": "Alder Street Clinic",
    "zone": "America/Denver",
    "phone": "(202) 555-0199",
    "messaging_service_sid": "",
    "languages": "en",
    "quiet_hours.start": "19:00",
    "quiet_hours.end": "09:00",
    "keep_years": "0",
    "sites[0].name": "Elm House",
    "sites[0].address": "12 Elm St",
    "sites[0].zone": "America/Phoenix",
    "sites[0].state": "az",
}


def admin(house: Any) -> Any:
    return house.signed_in(house.staff("Dana Wu", role="clinic_admin", number="+12025550151"))


def post(browser: Any, edit: int = 0, **changed: str) -> Any:
    return browser.post("/settings/clinic", edit=str(edit), **(FORM | changed))


def now(house: Any) -> Clinic:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return session.get_one(Clinic, house.clinic.id)


def test_what_is_typed_is_a_draft_until_it_is_published(house: Any) -> None:
    browser = admin(house)
    assert post(browser, name="Elm Clinic").status_code == 303
    assert now(house).name == "Alder Street Clinic"
    page = browser.get("/settings/clinic").text
    assert "A draft waits to be published" in page
    assert 'value="Elm House"' in page
    assert browser.post("/settings/draft/clinic/publish", edit="1", why="we moved").status_code == 303
    clinic = now(house)
    assert (clinic.name, clinic.phone) == ("Elm Clinic", "+12025550199")
    assert clinic.rules["sites"] == [
        {"name": "Elm House", "address": "12 Elm St", "zone": "America/Phoenix", "state": "AZ"}
    ]
    assert clinic.rules["quiet_hours"] == {"start": "19:00", "end": "09:00"}
    assert clinic.rules["languages"] == ["en"]


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("zone", "America/Denvr", "America/Denver"),
        ("phone", "12", "not a person"),
        ("name", " ", "must be given"),
        ("messaging_service_sid", "SM12", "MG and 32"),
        ("quiet_hours.start", "08:30", "begin in the evening"),
        ("quiet_hours.end", "18:00", "two hours"),
        ("keep_years", "5", "at least 6 years, or 0 to keep them"),
        ("keep_years", "51", "at most 50 years"),
        ("keep_years", "many", "whole number"),
        ("sites[0].zone", "Mars", "unknown time zone"),
        ("zone", "EST", "America/New_York"),
        ("countries", "MX, Narnia", "no country: two letters each"),
        ("sites[0].zone", "MST", "America/Phoenix"),
        ("sites[0].zone", "Etc/GMT+6", "America/Chicago"),
        ("zone", "UTC", "names no place"),
        ("sites[0].state", "QQ", "two letters"),
        ("sites[0].name", "", "must be given"),
    ],
)
def test_each_mistake_stands_at_its_field_and_nothing_is_kept(house: Any, field: str, typed: str, said: str) -> None:
    browser = admin(house)
    answer = post(browser, **{field: typed})
    assert answer.status_code == 422
    assert said in answer.text
    at = "quiet_hours.start" if field.startswith("quiet") else field
    assert f'id="{at}-problem"' in answer.text
    assert 'value="12 Elm St"' in answer.text
    assert "A draft waits" not in browser.get("/settings/clinic").text


def test_two_sites_of_one_name_and_no_language_are_refused(house: Any) -> None:
    browser = admin(house)
    twice = post(browser, **{"sites[1].name": "ELM HOUSE"})
    assert "two sites have this name" in twice.text
    form = {key: value for key, value in FORM.items() if key != "languages"}
    assert browser.post("/settings/clinic", edit="0", **form).status_code == 422


def test_of_two_who_change_it_at_once_the_second_sees_both_and_loses_nothing(house: Any) -> None:
    first, second = admin(house), admin(house)
    assert post(first, name="Elm Clinic").status_code == 303
    answer = post(second, name="Oak Clinic")
    assert answer.status_code == 409
    assert "Elm Clinic" in answer.text
    assert 'value="Oak Clinic"' in answer.text
    assert 'name="edit" value="1"' in answer.text
    assert post(second, edit=1, name="Oak Clinic").status_code == 303
    assert 'value="Oak Clinic"' in first.get("/settings/clinic").text


def test_another_sender_or_clock_needs_a_second_person(house: Any) -> None:
    browser = admin(house)
    other = house.staff("Lee Park", role="clinic_admin")
    with db.unit_of_work(house.clinic.id) as session:
        session.merge(other).password_hash = "x"
    post(browser, messaging_service_sid="MG" + "a" * 32, zone="America/Chicago")
    page = browser.get("/settings/clinic").text
    assert "every text, alerts to staff too" in page
    browser.post("/settings/draft/clinic/publish", edit="1", why="as agreed")
    assert now(house).messaging_service_sid is None
    browser.post("/settings/draft/clinic/ask", edit="1", why="as agreed")
    assert house.signed_in(other).post("/settings/draft/clinic/publish", edit="1", why="as agreed").status_code == 303
    clinic = now(house)
    assert (clinic.messaging_service_sid, clinic.zone) == ("MG" + "a" * 32, "America/Chicago")


def test_who_does_not_decide_reads_and_may_not_save(house: Any) -> None:
    rosa = house.signed_in(house.staff())
    page = rosa.get("/settings/clinic")
    assert page.status_code == 200
    assert "Save draft" not in page.text
    assert post(rosa).status_code == 403
    assert house.signed_in(house.staff(role="front_desk")).get("/settings/clinic").status_code == 403


def test_the_page_shows_the_clinics_own_words_in_each_language_it_offers(house: Any) -> None:
    browser = admin(house)
    own = {
        "reminder_day": "Hi {first_name}, see you {day}. Reply Y or R. - {clinic} {clinic_phone}",
        "crisis_line": "Our own line: {clinic_phone}.",
    }
    for edit, (key, text) in enumerate(own.items()):
        browser.post(
            f"/settings/words/{key}",
            edit=str(edit),
            en=text,
            es=text.replace("Our own line", "Nuestra línea"),
        )
    browser.post("/settings/draft/words/publish", edit="2", why="as agreed")
    post(browser, name="Elm Clinic", phone="(303) 555-0144")
    page = browser.get("/settings/clinic").text
    assert "Hi Alex, see you tomorrow. Reply Y or R. - Elm Clinic (303) 555-0144" in page
    assert "988" in page.split("In a crisis")[1]
    assert "Our own line: (303) 555-0144." in page
    assert "Nuestra línea" not in page
    post(browser, edit=1, languages="es")
    assert "Nuestra línea: (202) 555-0199." in browser.get("/settings/clinic").text


def test_a_phone_that_is_none_and_a_name_that_is_missing_still_show_the_page(house: Any) -> None:
    answer = post(admin(house), phone="", name="")
    assert answer.status_code == 422
    assert "So the reminder of the day before reads" in answer.text


@time_machine.travel("2033-03-08 16:00+00:00", tick=False)
def test_fewer_years_say_what_they_would_empty_take_two_people_and_a_day(house: Any) -> None:
    patient, then = house.patient(), clock.now() - timedelta(days=8 * 366)
    with time_machine.travel(then, tick=False):
        house.text_from(patient, "one")
        house.text_from(patient, "two")
    house.text_from(patient, "three")
    browser, other = admin(house), house.staff("Lee Park", role="clinic_admin")
    with db.unit_of_work(house.clinic.id) as session:
        session.merge(other).password_hash = "x"
    post(browser, keep_years="7")
    page = browser.get("/settings/clinic").text
    assert "2 texts are older than 7 years today" in page
    assert "the first are emptied tomorrow 9:00 AM at the earliest" in page
    assert "texts older than 7 years would be emptied for good" in page
    browser.post("/settings/draft/clinic/publish", edit="1", why="as agreed")
    assert "keep_years" not in now(house).rules, "it takes a second person"
    browser.post("/settings/draft/clinic/ask", edit="1", why="as agreed")
    house.signed_in(other).post("/settings/draft/clinic/publish", edit="1", why="as agreed")
    assert now(house).rules["keep_years"] == 7
    page = browser.get("/settings/clinic").text
    assert "Older than that today: 2. Nothing is emptied before tomorrow 9:00" in page
    assert post(browser, keep_years="0").status_code == 303
    assert browser.post("/settings/draft/clinic/publish", edit="1", why="as agreed").status_code == 303
    assert now(house).rules["keep_years"] == 0, "keeping more takes nobody else"


def test_the_countries_whose_mobiles_are_texted_are_named_on_the_page(house: Any) -> None:
    browser = admin(house)
    assert post(browser, countries="mx gt,US").status_code == 303
    assert 'value="MX, GT"' in browser.get("/settings/clinic").text
    assert browser.post("/settings/draft/clinic/publish", edit="1", why="families").status_code == 303
    assert now(house).rules["countries"] == ["MX", "GT"]


def test_staff_read_the_clock_and_the_dates_that_the_clinic_chooses(house: Any) -> None:
    browser = admin(house)
    assert post(browser, clock="24", dates="day_month").status_code == 303
    assert browser.post("/settings/draft/clinic/publish", edit="1", why="as we write it").status_code == 303
    with time_machine.travel("2027-03-09T20:05:00Z"):
        again = admin(house)
        assert post(again, name="Elm Clinic").status_code == 303
    with time_machine.travel("2027-03-12T20:05:00Z"):
        assert "last changed by Dana Wu, Tue 9 Mar 13:05." in admin(house).get("/settings/clinic").text
    assert post(browser, clock="sundial").status_code == 422


def test_the_roles_that_a_clinic_may_ask_a_second_step_of_are_the_roles_there_are() -> None:
    assert set(get_args(clinic_definition.Role)) == set(permissions.MAY)


def test_asking_a_second_step_of_fewer_roles_takes_two_people() -> None:
    both, fewer = {"second_factor": ["clinic_admin", "auditor"]}, {"second_factor": ["clinic_admin"]}
    assert len(clinic_profile.silences(both, fewer)) == 1
    assert clinic_profile.silences(fewer, both) == []
