"""What a patient sees of their visits and says about them on their own page."""

import re
from datetime import timedelta

import pytest

from messaging.models import Patient
from portal import visits
from tests.portal.conftest import NOW

DAYS = timedelta(days=1)
SOON = timedelta(hours=3)


def test_the_birth_date_leads_from_a_link_without_questions_to_the_visits(phone, ward):
    ward.visit(2 * DAYS)
    link = ward.link()
    assert phone.get(link).heading == "Your visits and texts"
    assert "few questions" not in phone.page
    phone.enter(link)
    assert (phone.path, phone.heading) == ("/i/me", "Your visits")
    assert "Thursday, March 5, 9:00 AM" in phone.page
    assert "Please tell us whether you are coming." in phone.page


def test_yes_confirms_the_visit_and_silences_its_nudges(inside, ward):
    visit = ward.visit(2 * DAYS)
    inside.get("/i/me").post("/i/me/visit", act="confirm")
    assert "You said yes." in inside.page
    assert ward.state(visit) == "confirmed"
    assert {row.state for row in ward.reminders(visit).values()} == {"dropped"}
    assert ward.items() == []


def test_said_twice_it_is_done_once(inside, ward):
    visit = ward.visit(2 * DAYS)
    inside.get("/i/me")
    fields = {"act": "change", "visit": visit, "revision": 1}
    for _ in range(3):
        inside.post("/i/me/visit", **fields)
    assert ward.state(visit) == "change_asked"
    assert [item.summary for item in ward.items()] == ["Asked to change the visit of Thu 9:00 AM"]
    assert "Someone will call you." in inside.page


def test_of_a_visit_of_today_they_say_that_they_are_late_and_then_here(inside, ward):
    visit = ward.visit(SOON)
    inside.get("/i/me").post("/i/me/visit", act="late")
    assert "running late. Thank you" in inside.page
    assert 'value="late"' not in inside.page
    inside.post("/i/me/visit", act="arrived")
    assert ward.state(visit) == "arrived"
    assert ward.see(Patient).here_until == NOW + SOON + 2 * timedelta(hours=1)
    assert [item.summary for item in ward.items()] == ["Running late for the visit of Tue 12:00 PM"]


@pytest.mark.parametrize("act", ["arrived", "late"])
def test_nobody_arrives_or_is_late_two_days_early(inside, ward, act):
    visit = ward.visit(2 * DAYS)
    inside.get("/i/me").post("/i/me/visit", act=act)
    assert ward.state(visit) == "booked"
    assert ward.items() == []


def test_a_visit_that_was_moved_meanwhile_is_shown_anew_and_not_confirmed(inside, ward):
    visit = ward.visit(2 * DAYS)
    inside.get("/i/me")
    ward.visit(3 * DAYS)
    inside.post("/i/me/visit", act="confirm")
    assert inside.response.status_code == 409
    assert "This visit has changed, so nothing was saved." in inside.page
    assert "Friday, March 6" in inside.page
    assert ward.state(visit) == "booked"


def test_nobody_elses_visits_are_seen_or_changed_though_the_phone_is_shared(inside, ward):
    sister = ward.patient(record="r2", first_name="Ada")
    hers = ward.visit(2 * DAYS, sister, name="V2", place="Room 9")
    ward.visit(3 * DAYS)
    inside.get("/i/me")
    assert "March 5, 9:00 AM</h2>" not in inside.page
    assert inside.page.count("<section") == 1
    inside.post("/i/me/visit", act="confirm", visit=hers, revision=1)
    assert ward.state(hers) == "booked"
    assert inside.get(f"/i/me/visit/{hers}.ics").response.status_code == 404
    assert "BEGIN:VCALENDAR" not in inside.page


@pytest.mark.parametrize("nonsense", [{"visit": "x"}, {"act": "cancelled"}, {"revision": "one"}, {"visit": ""}])
def test_nonsense_changes_nothing_and_is_answered_kindly(inside, ward, nonsense):
    visit = ward.visit(2 * DAYS)
    inside.get("/i/me").post("/i/me/visit", **({"act": "confirm"} | nonsense))
    assert inside.response.status_code == 409
    assert ward.state(visit) == "booked"


def test_the_page_says_when_a_text_will_come_and_when_none_will(inside, ward):
    ward.visit(4 * DAYS)
    inside.get("/i/me")
    assert "We will text you: tomorrow, 9:00 AM; Friday, March 6, 9:00 AM; Saturday, March 7" in inside.page
    ward.change(zone="America/New_York")
    assert "We will text you: tomorrow, 11:00 AM" in inside.get("/i/me").page
    inside.post("/i/me/visit", act="confirm")
    assert "No more texts are planned about this visit." in inside.page


@pytest.mark.parametrize(
    ("privacy", "place"),
    [("generic", None), ("place", "Alder Street Clinic"), ("details", "Room 4\\, Alder")],
)
def test_the_calendar_file_says_as_much_as_a_text_may(inside, ward, privacy, place):
    visit = ward.visit(2 * DAYS)
    ward.change(privacy=privacy)
    assert ("Room 4" in inside.get("/i/me").page) == (privacy == "details")
    file = inside.get(f"/i/me/visit/{visit}.ics")
    assert file.response.mimetype == "text/calendar"
    assert "SUMMARY:Appointment\r\n" in file.page
    assert "DTSTART:20260305T160000Z" in file.page
    location = re.search("LOCATION:(.*)\r\n", file.page)
    assert (location is None) if place is None else (location is not None and location[1].startswith(place))


def test_a_cancelled_visit_is_shown_as_such_and_its_file_takes_it_out(inside, ward):
    visit = ward.visit(2 * DAYS)
    before = inside.get(f"/i/me/visit/{visit}.ics").page
    ward.visit(2 * DAYS, state="cancelled")
    assert "This visit is canceled." in inside.get("/i/me").page
    assert '<form method="post" action="/i/me/visit"' not in inside.page
    after = inside.get(f"/i/me/visit/{visit}.ics").page
    assert "METHOD:CANCEL" in after
    uids = [re.search("UID:(.*)", file)[1] for file in (before, after)]
    sequences = [int(re.search("SEQUENCE:(.*)", file)[1]) for file in (before, after)]
    assert uids[0] == uids[1]
    assert sequences[0] < sequences[1]


def test_what_can_be_said_is_what_is_offered(inside, ward):
    ward.visit(SOON)
    offered = re.findall('name="act" value="([a-z]+)"', inside.get("/i/me").page)
    assert set(offered) == set(visits.ACTS)
