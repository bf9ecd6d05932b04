"""Today: what each role sees first, that every number leads to what it counts, and the clinician's handoff."""

import re
from typing import Any

import pytest
import time_machine

from config import db
from messaging.inbox.models import InboxItem
from messaging.models import Message
from reminders import appointments, handoffs
from reminders.handoff import standing
from reminders.models import Handoff
from tests.web.boards.test_unreached import opted_out, visit
from tests.web.boards.test_visits import NOON, rows
from tests.web.caseload.seeding import with_registry
from tests.web.handoff.test_handoffs import only


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(NOON):
        yield


def of_doctor(house: Any) -> tuple[Any, Any, Any]:
    """Dr Lindqvist's browser, Rosa whom a handoff is offered to, and a patient with a visit of today."""
    rosa = house.staff(number="+12025550150")
    doctor = house.signed_in(house.staff("Dr Lindqvist", role="clinician", number="+12025550151"))
    patient = house.patient(first_name="Walter", language="es")
    visit(house, patient, days=0, hour=13, clinician="Dr Lindqvist")
    visit(house, house.patient(first_name="Elsewhere"), days=0, hour=13, clinician="Dr Okafor")
    return doctor, rosa, patient


def texts_to(house: Any, staff: Any) -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        return [row.body or "" for row in session.query(Message).where(Message.staff_id == staff.id)]


def test_a_clinician_begins_with_their_own_patients_of_today_and_asks_with_one_form(house: Any) -> None:
    doctor, rosa, patient = of_doctor(house)
    assert doctor.get("/").location == "/today"
    page = doctor.get("/today").text
    assert "<h1>My patients today</h1>" in page
    assert "Walter Quintana" in page
    assert "Elsewhere Quintana" not in page
    said = {"reason": "mood", "urgent": "1", "language": "en", "place": "Room 4"}
    asked = doctor.post("/handoffs", back="today", patient=str(patient.id), **said)
    assert (asked.status_code, asked.location) == (303, "/today")
    page = doctor.get("/today").text
    assert "Asked. Rosa Delgado has been told; the next colleague is asked at 12:01" in page
    assert "You asked Rosa Delgado" in page
    assert "Cancel request" in page
    assert "<span>I'm coming</span>" not in page
    assert "<span>I cannot</span>" not in page
    hers = house.signed_in(rosa)
    for path in ("/handoffs", "/today"):
        page = hers.get(path).text
        for words in ("Offered to you", "Mood or anxiety", "urgent", "English", "by Dr Lindqvist", "Room 4"):
            assert words in page, (path, words)
    case = hers.get(f"/inbox/{only(house).item_id}").text
    assert "Urgent. Someone in the building is waiting to meet the care team: Room 4. Mood or anxiety" in case
    [text] = texts_to(house, rosa)
    assert "ood or anxiety" not in text


def test_why_somebody_is_asked_for_is_kept_sealed(house: Any) -> None:
    doctor, _, patient = of_doctor(house)
    doctor.post("/handoffs", back="today", patient=str(patient.id), reason="mood")
    with db.engine().connect() as connection:
        stored = connection.exec_driver_sql("SELECT * FROM handoff").one()
    assert not any("mood" in str(value) for value in stored)
    assert house.read(Handoff, only(house).id).reason_ct


def test_a_second_tap_asks_nobody_twice(house: Any) -> None:
    doctor, rosa, patient = of_doctor(house)
    for _ in range(2):
        doctor.post("/handoffs", back="today", patient=str(patient.id))
    assert only(house).state == "offered"
    assert len(texts_to(house, rosa)) == 1
    assert "Somebody has been asked for them already" in doctor.get("/today").text


def test_asking_leads_back_to_the_row_that_was_asked_about_and_to_nowhere_else(house: Any) -> None:
    doctor, _, patient = of_doctor(house)
    row = re.search(r'<li id="v([0-9a-f-]+)"', doctor.get("/today").text)
    assert row
    asked = doctor.post("/handoffs", back=f"today#{row[1]}", patient=str(patient.id))
    assert asked.location == f"/today#v{row[1]}"
    assert doctor.post("/handoffs", back="today#//evil.example", patient=str(patient.id)).location == "/today"
    assert f'value="today#{row[1]}"' in doctor.get("/today").text
    hers = f"/handoffs#handoff-{only(house).id}"
    assert doctor.post(f"/handoffs/{only(house).id}/cancel").location == hers


def test_who_asked_can_take_it_back_and_nobody_else_can(house: Any) -> None:
    doctor, rosa, patient = of_doctor(house)
    doctor.post("/handoffs", back="today", patient=str(patient.id))
    path = f"/handoffs/{only(house).id}"
    hers = house.signed_in(rosa)
    assert hers.post(f"{path}/cancel").status_code == 403
    assert hers.post(f"{path}/accept").status_code == 303
    assert "Rosa Delgado is coming" in doctor.get("/today").text
    assert doctor.post(f"{path}/cancel", back="today").status_code == 303
    assert only(house).state == "cancelled"
    assert any("you are not needed for the handoff any more" in text for text in texts_to(house, rosa))
    assert doctor.post(f"{path}/cancel").status_code == 409
    assert "Ask now" in doctor.get("/today").text  # it can be asked for again
    assert "<td>Cancelled</td>" in hers.get("/handoffs").text


def test_who_asks_is_not_asked_themselves(house: Any) -> None:
    rosa, ben = house.staff(number="+12025550150"), house.staff("Ben Okafor", number="+12025550151")
    patient = house.patient()
    with db.unit_of_work(house.clinic.id) as session:
        asked = handoffs.request(session, house.clinic, patient, requested_by=f"staff:{rosa.id}")
        assert [offer.staff_id for offer in standing.offers(session, asked)] == [ben.id]
        handoffs.decline(session, asked, ben)
        assert asked.state == "asked"


@pytest.mark.parametrize("said", [{"reason": "hello"}, {"language": "tlh"}])
def test_what_the_form_does_not_offer_is_refused(house: Any, said: dict[str, str]) -> None:
    doctor, _, patient = of_doctor(house)
    assert doctor.post("/handoffs", patient=str(patient.id), **said).status_code == 400


def test_a_clinician_whom_the_books_call_otherwise_has_that_name_in_their_panels(house: Any) -> None:
    visit(house, house.patient(), days=0, hour=13, clinician="Lindqvist, A.")
    named = house.signed_in(house.staff("Dr Lindqvist", role="clinician", panels=["Lindqvist, A."]))
    assert "Teresa Quintana" in named.get("/today").text
    page = house.signed_in(house.staff("Dr Okafor", role="clinician")).get("/today").text
    assert "No visit of today is yours" in page
    assert "names you as Dr Okafor" in page


def test_the_handoffs_page_offers_todays_visits_the_ones_in_the_building_first(house: Any) -> None:
    house.staff(number="+12025550150")
    ada, zoe = house.patient(first_name="Ada"), house.patient(first_name="Zoe")
    visit(house, ada, days=0, hour=11)
    here = visit(house, zoe, days=0, hour=12)
    visit(house, house.patient(first_name="Tomorrow"), days=1)
    with db.unit_of_work(house.clinic.id) as session:
        appointments.arrive(session, session.merge(here), "operator")
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    page = desk.get("/handoffs").text
    assert page.index("12:00 PM Zoe Quintana, in the building") < page.index("11:00 AM Ada Quintana")
    assert "Tomorrow" not in page
    nobody = desk.post("/handoffs", place="Room 9", patient="")
    assert nobody.status_code == 422
    assert "Choose a patient first" in nobody.text
    assert 'value="Room 9"' in nobody.text
    assert desk.post("/handoffs", patient=str(zoe.id)).status_code == 303
    assert only(house).patient_id == zoe.id


def test_the_desk_sees_who_is_expected_and_who_wants_another_time(house: Any) -> None:
    expected = visit(house, house.patient(first_name="Ada"), days=0, hour=11)
    moving = visit(house, house.patient(first_name="Devon"), days=5)
    with db.unit_of_work(house.clinic.id) as session:
        appointments.ask_change(session, session.merge(moving), "operator")
    desk = house.signed_in(house.staff(role="front_desk"))
    first, second = rows(desk.get("/today").text)
    assert "Ada Quintana" in first
    assert "Arrived" in first
    assert "Devon Quintana" in second
    assert "Sun Mar 8" in second
    assert desk.post(f"/visits/{expected.id}/arrive", back="/today").location == f"/today#v{expected.id}"
    page = desk.get("/today").text
    assert "Nobody is expected any more today" in page
    assert re.search(r'href="/visits\?state=arrived"><b class="num">1</b>', page)
    assert re.search(rf'action="/visits/{expected.id}/take_back">.*?Undo', page, re.DOTALL), "the wrong row"
    desk.post(f"/visits/{expected.id}/take_back", back="/today?")
    assert "Ada Quintana" in rows(desk.get("/today").text)[0]


def test_the_desk_s_inbox_is_on_their_first_page_and_under_their_thumb(house: Any) -> None:
    item = house.item(patient_id=house.patient().id, reason=["topic:scheduling"])
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(InboxItem, item.id).role = "front_desk"
    page = house.signed_in(house.staff(role="front_desk")).get("/today").text
    assert re.search(r'href="/desk"><b class="num">1</b> <span>at the front desk', page)
    assert re.search(r'href="/desk"[^>]*><span>Desk</span> <b class="num">1</b>', page.split('class="bottom-bar"')[1])
    assert 'href="/desk"' not in house.signed_in(house.staff("Rosa Delgado")).get("/today").text


def test_every_number_leads_to_what_it_counts(house: Any) -> None:
    rosa = house.staff(number="+12025550150")
    for kind, owner in (("safety", rosa.id), ("reply", rosa.id), ("reply", None)):
        house.item(kind, owner_id=owner, patient_id=house.patient().id)
    for days, hour in ((0, 10), (0, 15), (1, 9), (1, 10)):
        visit(house, opted_out(house), days=days, hour=hour)
    browser = house.signed_in(rosa)
    page = browser.get("/today").text
    tiles = dict(re.findall(r'href="([^"]+)"><b class="num">(\d+)</b>', page))
    assert tiles["/inbox?view=everyone&amp;kind=safety"] == "1"
    assert tiles["/inbox?view=mine"] == "2"
    assert tiles["/reach"] == "2"
    for link, number in tiles.items():
        if link.startswith("/inbox"):
            assert browser.get(link.replace("&amp;", "&")).text.count("data-row=") == int(number), link
    counted = re.findall(r'<td class="num"><a href="(/(?:visits|reach)[^"]+)"[^>]*>(\d+)</a>', page)
    assert len(counted) == 6  # visits, not confirmed, to call, of both days
    for link, number in counted:
        answer = browser.get(link.replace("&amp;", "&")).text
        shown = answer.count('<li class="call') if link.startswith("/reach") else len(rows(answer))
        assert shown == int(number), link


EMPTY = {
    "care_manager": "Nothing waits for you",
    "clinician": "No visit of today is yours",
    "front_desk": "Nobody is expected any more today",
    "psychiatric_consultant": "Nothing waits for you",
    "clinic_admin": "Nothing waits for you",
    "auditor": "Who did what and who read what",
}


@pytest.mark.parametrize(("role", "words"), EMPTY.items())
def test_an_empty_day_says_so_to_everybody(house: Any, role: str, words: str) -> None:
    page = house.signed_in(house.staff(role=role)).get("/today").text
    assert words in page
    assert "On duty now" in page


def test_a_consultant_begins_with_the_case_reviews_and_nobody_else_does(house: Any) -> None:
    consultant, rosa = house.staff(role="psychiatric_consultant"), house.staff()
    assert "Case reviews" not in house.signed_in(consultant).get("/today").text  # without a registry there are none
    with_registry(house)
    assert 'href="/caseload/reviews"' in house.signed_in(consultant).get("/today").text
    assert "Case reviews" not in house.signed_in(rosa).get("/today").text


def test_an_administrator_and_an_auditor_see_numbers_and_no_patient(house: Any) -> None:
    patient = house.patient(first_name="Walter")
    visit(house, patient, days=0, hour=13)
    house.item("safety", patient_id=patient.id, summary="the patient's own words")
    for role in ("clinic_admin", "auditor"):
        page = house.signed_in(house.staff(role=role)).get("/today").text
        assert "own words" not in page
        assert "/visits" not in page


def test_who_is_on_duty_is_named_until_when_and_who_is_not_is_not(house: Any) -> None:
    house.staff("Ben Okafor", hours={"tue": ["08:00", "17:00"]})
    house.staff("Cleo Night", hours={"tue": ["20:00", "23:00"]})
    house.staff("Nadia Frost", role="auditor", hours={"tue": ["08:00", "17:00"]})
    page = house.signed_in(house.staff()).get("/today").text
    assert re.search(r"Ben Okafor.*?until 5:00 PM", page, re.DOTALL)
    assert "Cleo Night" not in page
    assert "Nadia Frost" not in page  # nothing can be given to an auditor


def test_a_care_manager_may_begin_in_the_inbox(house: Any) -> None:
    browser = house.signed_in(house.staff())
    assert browser.get("/").location == "/today"
    browser.post("/preferences", start="inbox")
    assert browser.get("/").location == "/inbox"
    assert 'value="inbox" selected' in browser.get("/preferences").text
