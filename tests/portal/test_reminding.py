"""A reminder that carries a link to the patient's own page, for clinics whose cadence asks for it."""

import re
from datetime import timedelta

import pytest

from config import db
from intake_links import links
from intake_links.models import IntakeLink
from messaging.versions.models import Version
from reminders import appointments
from reminders.sending import dispatch
from tests.portal.conftest import NOW

DAYS = timedelta(days=1)


@pytest.fixture
def own_links(ward):
    steps = [{"name": name, "before": name, "text": "reminder_own"} for name in ("2 days", "1 day")]
    for step in steps:
        step["name"] = step["name"].replace(" ", "_")
    made = {"kind": "cadence", "state": "live", "number": 1, "based_on": 0, "definition": {"steps": steps}}
    published = {"written_by": "operator", "written_at": NOW, "published_by": "operator", "published_at": NOW}
    with db.unit_of_work(db.EVERY) as session:
        session.add(Version(clinic_id=ward.clinic_id, **made, **published))
    return ward


def last_text(ward):
    dispatch.drain()
    text = ward.texts()[-1]
    with db.unit_of_work(db.EVERY) as session:
        return session.merge(text).body


def test_it_leads_to_the_page_and_is_open_until_the_visit_is_over(own_links, phone, travel):
    own_links.visit(2 * DAYS)
    link = "/i/" + re.search(r"/i/([\w-]+)", last_text(own_links))[1]
    phone.enter(link)
    assert (phone.path, phone.heading) == ("/i/me", "Your visits")
    travel.move_to(NOW + 2 * DAYS + appointments.STILL_TODAY - timedelta(seconds=1))
    assert phone.get(link).response.status_code == 200
    travel.shift(1)
    assert phone.get(link).response.status_code == 404


def test_the_next_reminders_link_takes_the_place_of_the_one_before(own_links, travel):
    own_links.visit(2 * DAYS)
    first = last_text(own_links)
    travel.move_to(NOW + DAYS)
    assert last_text(own_links) != first
    assert [link.state for link in own_links.all(IntakeLink)] == ["withdrawn", "open"]


@pytest.mark.parametrize("privacy", ["generic", "place", "details"])
def test_it_says_no_more_than_the_patient_wants(own_links, privacy):
    own_links.change(privacy=privacy)
    own_links.visit(2 * DAYS)
    text = last_text(own_links)
    assert "https://care.example.org/i/" in text
    assert ("9:00 AM" in text) == (privacy != "generic")


def test_without_a_birth_date_nobody_could_open_it_and_the_text_carries_none(own_links):
    own_links.change(birth_date=None)
    own_links.visit(2 * DAYS)
    assert "/i/" not in last_text(own_links)
    assert own_links.all(IntakeLink) == []


def test_a_link_to_questions_stays_open_beside_it(own_links):
    asking = own_links.link("gad2")
    own_links.visit(2 * DAYS)
    assert "/i/" in last_text(own_links)
    with db.unit_of_work(db.EVERY) as session:
        assert links.is_open(links.by_token(session, asking.rsplit("/", 1)[1]), NOW)
