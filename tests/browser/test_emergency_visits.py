"""An emergency visit that a feed has told: in the registry, on the episode's page and in the 90-day review."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from caseload.figures import keeping
from caseload.figures.models import FigureDay
from config import clock, db
from messaging.models import Clinic, Patient
from reminders import emergency
from tests.browser.place import Served, at
from tests.browser.test_caseload import look
from tests.web.caseload.seeding import enrolled, with_registry

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


def _days(clinic: Clinic, counts: dict[str, int]) -> None:
    """Let the same have been counted of each of the last ninety days."""
    with db.unit_of_work(clinic.id) as session:
        today = keeping.today_of(session.get_one(Clinic, clinic.id))
        session.query(FigureDay).delete()
        for back in range(1, 91):
            facts = {"day": today - timedelta(days=back), "counts": counts, "counted_at": clock.now()}
            session.add(FigureDay(clinic_id=clinic.id, settled=True, try_after=clock.now(), **facts))
