"""What a hospital's feed has told, as the care team sees it: an emergency visit, and a stay in the month of codes."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from caseload.figures import keeping
from caseload.figures.models import FigureDay
from caseload.models import CareEntry
from caseload.months import Month, span
from config import clock, db
from messaging.models import Clinic, Patient
from reminders import emergency, stays
from tests.browser.place import Served, at
from tests.browser.test_caseload import look
from tests.web.caseload.seeding import enrolled, with_registry
from web import times

pytestmark = pytest.mark.xdist_group("browser")


def test_a_care_manager_sees_whom_to_call_and_the_review_says_what_is_counted(browser: Browser, served: Served) -> None:
    house, service = served
    scene = with_registry(house)
    patient = house.patient(first_name="Walter", last_name="Nowak")
    enrolled(scene, patient, 20)
    was = clock.now() - timedelta(days=3)
    with db.unit_of_work(house.clinic.id) as session:
        emergency.keep(session, session.get_one(Patient, patient.id), emergency.Told("ehr.general", "E1", was, was))
    with at(browser, served, scene.rosa) as page:
        page.goto(f"{service}/caseload")
        row = page.get_by_role("row", name="Walter Nowak")
        expect(row.get_by_text("emergency visit 3 days ago: call")).to_be_visible()
        look(page)
        row.get_by_role("link", name="Walter Nowak").click()
        expect(page.get_by_text("told by general")).to_be_visible()
        look(page)
        _days(house.clinic, {"emergency.unconnected": 12})
        page.goto(f"{service}/review")
        expect(page.get_by_text("No feed brings these.")).to_be_visible()
        _days(house.clinic, {"emergency.days": 40, "emergency.visits": 1, "emergency.unconnected": 12})
        page.reload()
        expect(page.get_by_text("90 in 120 months")).to_be_visible()
        look(page)


def test_a_month_shows_the_stay_in_a_hospital_within_which_minutes_do_not_count(
    browser: Browser, served: Served
) -> None:
    house, service = served
    scene = with_registry(house)
    patient = house.patient(first_name="Vera", last_name="Nowak")
    episode = enrolled(scene, patient, 60)
    month = Month(*_month_before(house.clinic))
    begins, _ = span(month, ZoneInfo(house.clinic.zone))
    admitted, left = begins + timedelta(days=2, hours=9), begins + timedelta(days=5, hours=11)
    works = [(admitted - timedelta(hours=1), 40), (admitted + timedelta(hours=1), 25), (left, 20)]
    with db.unit_of_work(house.clinic.id) as session:
        told = stays.Told("ehr.general", "S1", clock.now(), {"admitted_at": admitted, "discharged_at": left})
        stays.keep(session, session.get_one(Patient, patient.id), told)
        for starts, minutes in works:
            ends = starts + timedelta(minutes=minutes)
            facts = {"kind": "call", "live": True, "starts_at": starts, "ends_at": ends, "made_at": ends}
            session.add(CareEntry(clinic_id=house.clinic.id, episode_id=episode.id, staff_id=scene.rosa.id, **facts))
    with at(browser, served, scene.rosa) as page:
        page.goto(f"{service}/caseload/month?month={month}")
        row = page.get_by_role("row", name="Vera Nowak")
        expect(row.get_by_text("60", exact=True)).to_be_visible()
        expect(row.get_by_text("25 min while in a hospital")).to_be_visible()
        expect(row.get_by_text("told by general")).to_be_visible()
        look(page)
        row.get_by_role("link", name="Correct this stay of Vera Nowak").click()
        look(page)
        page.get_by_label("It has ended").check()
        page.get_by_label("Discharged on").fill(times.typed_moment(admitted + timedelta(hours=1), house.clinic.zone))
        page.get_by_label("How you know it").fill("The ward called")
        page.get_by_role("button", name="Save").click()
        expect(row.get_by_text("85", exact=True)).to_be_visible()
        expect(row.get_by_text("it ended", exact=False)).to_be_visible()
        look(page)
        row.get_by_role("link", name="Vera Nowak", exact=True).click()
        expect(page.get_by_role("heading", name="Stays in a hospital")).to_be_visible()
        expect(page.get_by_text("“The ward called”")).to_be_visible()
        look(page)


def _month_before(clinic: Clinic) -> tuple[int, int]:
    last = keeping.today_of(clinic).replace(day=1) - timedelta(days=1)
    return last.year, last.month


def _days(clinic: Clinic, counts: dict[str, int]) -> None:
    """Let the same have been counted of each of the last ninety days."""
    with db.unit_of_work(clinic.id) as session:
        today = keeping.today_of(session.get_one(Clinic, clinic.id))
        session.query(FigureDay).delete()
        for back in range(1, 91):
            facts = {"day": today - timedelta(days=back), "counts": counts, "counted_at": clock.now()}
            session.add(FigureDay(clinic_id=clinic.id, settled=True, try_after=clock.now(), **facts))
