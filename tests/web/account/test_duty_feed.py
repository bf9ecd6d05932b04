"""A colleague's duty as a calendar: read by somebody else's parser, behind an address that can be taken back."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from icalendar import Calendar
from sqlalchemy import select

from config import audit, clock, db
from messaging.inbox.staff import absences
from messaging.models import Staff
from web.models import DutyFeed

# A Monday morning in Denver.
MONDAY = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
BY_DAY = {day: ["08:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture(autouse=True)
def _monday() -> Any:
    with time_machine.travel(MONDAY):
        yield


@pytest.fixture
def rosa(house: Any) -> Staff:
    staff = house.staff("Rosa Delgado", hours=BY_DAY)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, staff.id).on_call = {"fri": ["17:00", "08:00"]}
    return staff


def made(browser: Any) -> str:
    """The path of a new address."""
    assert browser.post("/preferences/calendar").status_code == 303
    (path,) = re.findall(r'value="http://localhost:8000(/calendar/[^"]+)"', browser.get("/preferences").text)
    return str(path)


def events(house: Any, path: str) -> list[Any]:
    answer = house.browser().get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    calendar = Calendar.from_ical(answer.data)
    assert calendar.errors == []
    return list(calendar.walk("VEVENT"))


def test_another_s_parser_reads_the_weeks(house: Any, rosa: Staff) -> None:
    found = events(house, made(house.signed_in(rosa)))
    assert all(event.errors == [] for event in found)
    said = {(str(event["SUMMARY"]), event.decoded("DTSTART"), event.decoded("DTEND")) for event in found}
    assert ("On duty", MONDAY, MONDAY + timedelta(hours=9)) in said
    assert ("On call", MONDAY + timedelta(days=4, hours=9), MONDAY + timedelta(days=5)) in said
    ids = [str(event["UID"]) for event in found]
    assert len(ids) == len(set(ids))
    starts = [event.decoded("DTSTART") for event in found]
    assert min(starts) < MONDAY - timedelta(days=5)
    assert max(starts) > MONDAY + timedelta(days=60)


def test_nobody_is_named_not_even_a_colleague(house: Any, rosa: Staff) -> None:
    ben, patient = house.staff("Ben Okafor", hours=BY_DAY), house.patient(first_name="Walter")
    house.item("safety", owner_id=ben.id, patient_id=patient.id)
    with db.unit_of_work(house.clinic.id) as session:
        away, cover = session.get_one(Staff, ben.id), session.get_one(Staff, rosa.id)
        absences.plan(session, away, cover, clock.now() + timedelta(days=1), clock.now() + timedelta(days=2))
    path = made(house.signed_in(rosa))
    assert "Covering for a colleague" in {str(event["SUMMARY"]) for event in events(house, path)}
    text = house.browser().get(path).text
    assert not re.search(r"Ben|Okafor|Rosa|Delgado|Walter|Quintana|Alder", text)


def test_an_absence_takes_duty_out_and_stands_there(house: Any, rosa: Staff) -> None:
    ben = house.staff("Ben Okafor")
    with db.unit_of_work(house.clinic.id) as session:
        away, cover = session.get_one(Staff, rosa.id), session.get_one(Staff, ben.id)
        absences.plan(session, away, cover, MONDAY + timedelta(hours=1), MONDAY + timedelta(days=1, hours=2))
    said = {
        (str(event["SUMMARY"]), event.decoded("DTSTART"), event.decoded("DTEND"))
        for event in events(house, made(house.signed_in(rosa)))
    }
    assert ("On duty", MONDAY, MONDAY + timedelta(hours=1)) in said
    assert ("Away", MONDAY + timedelta(hours=1), MONDAY + timedelta(days=1, hours=2)) in said


def test_the_address_is_shown_once_and_its_token_stored_nowhere(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    token = made(browser).removeprefix("/calendar/").removesuffix(".ics")
    page = browser.get("/preferences").text
    assert token not in page
    assert "no calendar has read it yet" in page
    with db.unit_of_work(db.EVERY) as session:
        assert token.encode() not in session.scalars(select(DutyFeed.token_hash)).one()
        lines = session.execute(select(audit.AuditEntry.act, audit.AuditEntry.about, audit.AuditEntry.detail)).all()
    assert token not in f"{lines}"
    assert "feed.made" in {line.act for line in lines}


def test_taken_back_or_made_anew_or_left_it_leads_nowhere(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    first = made(browser)
    second = made(browser)
    assert house.browser().get(first).status_code == 404
    assert house.browser().get(second).status_code == 200
    browser.post("/preferences/calendar/revoke")
    assert house.browser().get(second).status_code == 404
    third = made(browser)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, rosa.id).active = False
    assert house.browser().get(third).status_code == 404
    assert house.browser().get("/calendar/nonsense.ics").status_code == 404


def test_that_a_calendar_reads_it_is_said(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    path = made(browser)
    house.browser().get(path)
    assert "last read by a calendar today 8:00 AM" in browser.get("/preferences").text


def test_two_addresses_are_one(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    made(browser)
    made(browser)
    with db.unit_of_work(db.EVERY) as session:
        assert len(session.scalars(select(DutyFeed)).all()) == 1


def test_whoever_has_no_hours_reads_what_the_calendar_shows_instead(house: Any, rosa: Staff) -> None:
    browser, said = house.signed_in(rosa), "No hours are set for you"
    always = house.signed_in(house.staff("Kim Ost"))
    assert (said in browser.get("/preferences").text, said in always.get("/preferences").text) == (not rosa.hours, True)
