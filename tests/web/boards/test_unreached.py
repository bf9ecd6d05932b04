"""The board of who has a visit and was not reached."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select

from config import clock, db
from messaging.consent import ledger
from messaging.inbox.models import Contact
from messaging.people import directory
from reminders import appointments
from reminders.models import Appointment

ZONE = ZoneInfo("America/Denver")


def visit(house: Any, patient: Any, *, days: int = 1, hour: int = 10, **facts: Any) -> Appointment:
    house.count += 1
    day = (clock.now().astimezone(ZONE) + timedelta(days=days)).date()
    starts = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)
    record = appointments.VisitRecord(
        f"V{house.count}", "", starts, "America/Denver", clock.now() - timedelta(days=9), **facts
    )
    with db.unit_of_work(house.clinic.id) as session:
        return appointments.save(session, house.clinic, patient, record)[0]


def opted_out(house: Any, **facts: Any) -> Any:
    patient = house.patient(**facts)
    with db.unit_of_work(house.clinic.id) as session:
        number = session.merge(patient).numbers[0].number
        ledger.record(session, house.clinic, number, "revoked", source="text", actor="operator")
    return patient


def test_the_board_names_each_reason_and_the_phone_to_call(house: Any) -> None:
    visit(house, opted_out(house, first_name="Devon"), hour=9, clinician="Dr Okafor")
    landline = house.patient(first_name="Harold", number="+12025550188")
    with db.unit_of_work(house.clinic.id) as session:
        directory.learn_line(session, house.clinic, "+12025550188", "landline", "operator")
    visit(house, landline, hour=11)
    visit(house, house.patient(first_name="Nobody", number=None), hour=8)
    answered = visit(house, house.patient(first_name="Marcus"))
    with db.unit_of_work(house.clinic.id) as session:
        appointments.confirm(session, session.merge(answered), "operator")
    page = house.signed_in(house.staff(role="front_desk")).get("/reach").text
    for words in (
        "Opted out",
        "Landline",
        "No mobile number",
        "tel:+12025550188",
        "1 of 4 reached",
        "Dr Okafor",
    ):
        assert words in page
    assert "Marcus" not in page
    assert page.index("Nobody Quintana") < page.index("Devon Quintana") < page.index("Harold Quintana")
    assert 'Unconfirmed visits <span class="num">3</span>' in page


def test_one_press_logs_the_call_and_the_row_sinks(house: Any) -> None:
    first = visit(house, opted_out(house, first_name="Devon"), hour=9)
    visit(house, opted_out(house, first_name="Ada"), hour=12)
    browser = house.signed_in(house.staff())
    assert browser.post(f"/reach/{first.id}/call", outcome="voicemail").status_code == 303
    browser.post(f"/reach/{first.id}/call", outcome="voicemail")
    page = browser.get("/reach").text
    assert "left a voicemail without details" in page
    assert "by Rosa Delgado" in page
    assert "2 calls" not in page
    assert page.index("Ada Quintana") < page.index("Devon Quintana")
    assert 'Unconfirmed visits <span class="num">1</span>' in page
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert len(session.scalars(select(Contact)).all()) == 1


def test_is_coming_confirms_the_visit_and_counts_as_reached(house: Any) -> None:
    coming = visit(house, opted_out(house))
    browser = house.signed_in(house.staff())
    browser.post(f"/reach/{coming.id}/call", outcome="coming")
    assert house.read(Appointment, coming.id).state == "confirmed"
    page = browser.get("/reach").text
    assert "1 of 1 reached" in page
    assert "Nobody is left to call" in page


def test_a_call_that_reached_them_counts_without_changing_the_visit(house: Any) -> None:
    booked = visit(house, opted_out(house))
    browser = house.signed_in(house.staff())
    browser.post(f"/reach/{booked.id}/call", outcome="reached")
    assert house.read(Appointment, booked.id).state == "booked"
    page = browser.get("/reach").text
    assert "1 of 1 reached" in page
    assert "Reached by phone" in page


def test_another_day_clinician_or_place_can_be_chosen(house: Any) -> None:
    visit(house, opted_out(house, first_name="Devon"), clinician="Dr Okafor", place="North")
    visit(house, opted_out(house, first_name="Ada"), clinician="Dr Lindqvist", place="South")
    later = visit(house, opted_out(house, first_name="Far"), days=4)
    browser = house.signed_in(house.staff())
    for query, shown, hidden in (
        ("clinician=Dr+Okafor", "Devon", "Ada"),
        ("place=South", "Ada", "Devon"),
        (f"day={later.starts_at.astimezone(ZONE).date()}", "Far", "Ada"),
        ("day=nonsense", "Ada", "Far"),
        ("clinician=Nobody", "No visits", "Ada"),
    ):
        page = browser.get(f"/reach?{query}").text
        assert shown in page
        assert f"{hidden} Quintana" not in page


def test_an_empty_clinic_says_so(house: Any) -> None:
    assert "No visits on this day" in house.signed_in(house.staff()).get("/reach").text


@pytest.mark.parametrize(("role", "status"), [("clinic_admin", 403), ("auditor", 403), ("psychiatric_consultant", 200)])
def test_the_board_is_for_those_who_know_patients(house: Any, role: str, status: int) -> None:
    booked = visit(house, opted_out(house))
    browser = house.signed_in(house.staff(role=role))
    assert browser.get("/reach").status_code == status
    assert browser.post(f"/reach/{booked.id}/call", outcome="reached").status_code == 403


def test_what_is_no_outcome_and_another_clinics_visit_are_refused(house: Any, another_house: Any) -> None:
    other = another_house()
    foreign, ours = visit(other, other.patient()), visit(house, house.patient())
    browser = house.signed_in(house.staff())
    assert browser.post(f"/reach/{foreign.id}/call", outcome="reached").status_code == 404
    assert browser.post(f"/reach/{ours.id}/call", outcome="hello").status_code == 400
    assert "1 of" not in browser.get("/reach").text


def test_a_day_of_thirty_costs_no_more_queries_than_one_of_two(house: Any) -> None:
    browser = house.signed_in(house.staff())

    def statements() -> int:
        count = 0

        def heard(*_: Any) -> None:
            nonlocal count
            count += 1

        browser.get("/reach")
        event.listen(db.engine(), "before_cursor_execute", heard)
        assert browser.get("/reach").status_code == 200
        event.remove(db.engine(), "before_cursor_execute", heard)
        return count

    for _ in range(2):
        visit(house, opted_out(house))
    few = statements()
    for _ in range(28):
        visit(house, opted_out(house))
    assert statements() == few


def test_the_first_fifty_of_a_day_are_opened_and_all_of_them_by_one_press(house: Any) -> None:
    booked = [visit(house, opted_out(house, first_name=f"Patient{n:02}"), hour=8 + n // 10) for n in range(53)]
    browser = house.signed_in(house.staff())
    page = browser.get("/reach").text
    assert page.count('class="call"') == 50
    assert 'To call <span class="quiet num">53</span>' in page
    assert "0 of 53 reached" in page
    assert "Show all 53" in page
    whole = browser.get("/reach?all=1").text
    assert whole.count('class="call"') == 53
    assert "Show all" not in whole
    assert {f"Patient{n:02} Quintana" in whole for n in range(53)} == {True}
    back = browser.post(f"/reach/{booked[52].id}/call", outcome="voicemail", all="1")
    assert "all=1" in back.headers["location"]
