"""What patients say on their own page, as staff see it."""

from datetime import timedelta

from config import clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Patient
from portal import preferences, visits
from reminders import appointments, planner


def test_a_wish_for_another_time_stands_in_the_inbox_and_opens(house):
    patient = house.patient()
    staff = house.staff()
    with db.unit_of_work(house.clinic.id) as session:
        whose = session.get_one(Patient, patient.id)
        record = appointments.VisitRecord(
            "V1", "", clock.now() + timedelta(days=3), "America/Denver", clock.now() - timedelta(days=9)
        )
        visit = appointments.save(session, house.clinic, whose, record)[0]
        visits.act(session, house.clinic, whose, visit.id, visit.revision, "change")
    browser = house.signed_in(staff)
    listed = browser.get("/inbox?view=everyone")
    assert "Asked to change the visit of" in listed.text
    with db.unit_of_work(house.clinic.id) as session:
        item = session.query(InboxItem).one()
        assert (item.kind, item.patient_id) == ("reply", patient.id)
    case = browser.get(f"/inbox/{item.id}?view=everyone")
    assert case.status_code == 200
    assert "Asked to change the visit of" in case.text


def test_staff_read_beside_a_patient_until_when_that_patient_may_be_texted(house):
    patient = house.patient()
    with db.unit_of_work(house.clinic.id) as session:
        preferences.choose_hours(session, house.clinic, session.get_one(Patient, patient.id), ["08:00", "12:00"])
    with db.unit_of_work(house.clinic.id) as session:
        hours = planner.hours_for(session, session.get_one(Patient, patient.id))
    assert f"{hours.start:%H:%M}-{hours.end:%H:%M}" == "08:00-12:00"
