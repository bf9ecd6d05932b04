"""The visits of a day and of a week: who was reached, has confirmed, has done forms, is here; and what is noted."""

import os
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, select

from config import audit, clock, db
from intake_links.models import IntakeLink
from messaging.models import Patient
from reminders import appointments, unreached
from reminders.models import Appointment
from tests.web.boards.test_unreached import ZONE, opted_out, visit
from tests.web.presenters.test_screen_view import hand_in
from web.boards import visits
from web.presenters import visit_rows

NOON = "2026-03-03 19:00Z"


@pytest.fixture(autouse=True)
def _noon() -> Any:
    """Noon in Denver, so that a visit of ten has passed and one of three is to come."""
    with time_machine.travel(NOON):
        yield


def form(house: Any, booked: Appointment, state: str) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        now = clock.now()
        facts = {"patient_id": booked.patient_id, "appointment_id": booked.id, "token_hash": os.urandom(16)}
        until = now + timedelta(days=1)
        kind = {"instruments": ["phq9"], "language": "en", "state": state, "created_at": now, "expires_at": until}
        session.add(IntakeLink(clinic_id=house.clinic.id, **facts, **kind))


def rows(page: str) -> list[str]:
    return [
        " ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<li id=\"v.*?</li>", page, re.DOTALL)
    ]


def test_a_day_says_of_each_visit_who_when_how_reached_and_what_is_done(house: Any) -> None:
    early = visit(house, opted_out(house, first_name="Devon"), days=0, hour=9, clinician="Dr Okafor", place="North")
    late = visit(house, house.patient(first_name="Ada"), days=0, hour=15)
    visit(house, house.patient(first_name="Tomorrow"), days=1)
    form(house, late, "answered")
    form(house, early, "open")
    with db.unit_of_work(house.clinic.id) as session:
        appointments.confirm(session, session.merge(late), "operator")
    first, second = rows(house.signed_in(house.staff(role="front_desk")).get("/visits").text)
    for words in ("9:00", "Devon Quintana", "born Mar 2, 1985", "Opted out", "forms open", "Dr Okafor · North"):
        assert words in first
    for words in ("3:00 PM", "Ada Quintana", "✓ confirmed", "✓ forms done"):
        assert words in second
    assert "Did not come" in first
    assert "Did not come" not in second  # its hour has not come
    assert ("Cancel visit" in first, "Cancel visit" in second) == (False, True)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("clinician=Dr+Okafor", ["Devon"]),
        ("place=South", ["Ada"]),
        ("state=confirmed", ["Ada"]),
        ("state=nonsense", ["Devon", "Ada"]),
        ("forms=open", ["Devon"]),
        ("forms=done", []),
        ("day=2026-03-04", ["Far"]),
        ("day=nonsense", ["Devon", "Ada"]),
    ],
)
def test_it_is_narrowed_by_clinician_site_state_forms_and_day(house: Any, query: str, shown: list[str]) -> None:
    devon = visit(house, house.patient(first_name="Devon"), days=0, hour=9, clinician="Dr Okafor", place="North")
    ada = visit(house, house.patient(first_name="Ada"), days=0, hour=15, clinician="Dr Lindqvist", place="South")
    visit(house, house.patient(first_name="Far"), days=1)
    form(house, devon, "open")
    with db.unit_of_work(house.clinic.id) as session:
        appointments.confirm(session, session.merge(ada), "operator")
    listed = rows(house.signed_in(house.staff()).get(f"/visits?{query}").text)
    assert [name for name in ("Devon", "Ada", "Far") if any(f"{name} Quintana" in row for row in listed)] == shown


def test_the_desk_notes_who_came_and_takes_back_a_slip(house: Any) -> None:
    patient = house.patient()
    booked = visit(house, patient, days=0, hour=11)
    desk = house.signed_in(house.staff(role="front_desk"))
    for act, state, here in (
        ("confirm", "booked", False),  # its hour has passed: nothing is left to be confirmed
        ("arrive", "arrived", True),
        ("take_back", "booked", False),
        ("no_show", "no_show", False),
        ("take_back", "booked", False),
    ):
        answer = desk.post(f"/visits/{booked.id}/{act}", back="/visits?clinician=Dr+X")
        assert answer.location == f"/visits?day=2026-03-03&clinician=Dr+X#v{booked.id}", act
        assert house.read(Appointment, booked.id).state == state, act
        assert (house.read(Patient, patient.id).here_until is not None) == here, act
    assert "not waiting to be confirmed" in desk.get("/visits").text
    with db.unit_of_work(house.clinic.id) as session:
        acts = set(session.scalars(select(audit.AuditEntry.act)))
    assert {"appointment.arrived", "appointment.no_show", "appointment.attendance_taken_back"} <= acts


def test_a_confirmed_visit_is_confirmed_again_when_a_slip_is_taken_back(house: Any) -> None:
    booked = visit(house, house.patient(), days=0, hour=15)
    desk = house.signed_in(house.staff(role="front_desk"))
    for act, state in (("confirm", "confirmed"), ("arrive", "arrived"), ("take_back", "confirmed")):
        desk.post(f"/visits/{booked.id}/{act}", back="/today")
        assert house.read(Appointment, booked.id).state == state


def test_a_visit_to_come_is_neither_here_nor_missed(house: Any) -> None:
    tomorrow = visit(house, house.patient(), days=1)
    browser = house.signed_in(house.staff())
    for act in ("arrive", "no_show", "take_back"):
        assert browser.post(f"/visits/{tomorrow.id}/{act}").status_code == 303
        assert house.read(Appointment, tomorrow.id).state == "booked"
    assert "This is how it stands now" in browser.get("/visits").text
    assert browser.post(f"/visits/{tomorrow.id}/eat").status_code == 404


def test_a_week_counts_each_day_and_each_number_leads_to_its_visits(house: Any) -> None:
    for days, hour in ((0, 9), (0, 15), (1, 10), (9, 10)):
        booked = visit(house, house.patient(), days=days, hour=hour)
    confirmed = visit(house, opted_out(house), days=1, hour=11)
    form(house, booked, "answered")
    with db.unit_of_work(house.clinic.id) as session:
        appointments.confirm(session, session.merge(confirmed), "operator")
    browser = house.signed_in(house.staff())
    page = browser.get("/visits?span=week&day=2026-03-05").text
    assert "Week of Mar 2, 2026" in page
    links = re.findall(r'<td class="num" data-name="[^"]+"><a href="(/visits[^"]+)"[^>]*>(\d+)</a>', page)
    assert len(links) >= 5
    for link, number in links:
        assert len(rows(browser.get(link.replace("&amp;", "&")).text)) == int(number), link
    assert "Mon 9 Mar" not in page


def test_a_long_day_goes_on_where_the_page_before_ended(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from reminders import agenda

    monkeypatch.setattr(agenda.listed, "__kwdefaults__", {"after": None, "limit": 2})
    for hour in (9, 10, 10, 11, 12):
        visit(house, house.patient(), days=0, hour=hour)
    browser, seen, path = house.signed_in(house.staff()), [], "/visits"
    while path:
        page = browser.get(path).text
        seen += re.findall(r'id="v([^"]+)"', page)
        onward = re.search(r'href="(/visits\?after=[^"]+)">Show more', page)
        path = onward[1].replace("&amp;", "&") if onward else ""
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(("role", "status"), [("clinic_admin", 403), ("auditor", 403), ("psychiatric_consultant", 200)])
def test_visits_are_for_those_who_know_patients(house: Any, role: str, status: int) -> None:
    booked = visit(house, house.patient(), days=0, hour=9)
    browser = house.signed_in(house.staff(role=role))
    answer = browser.get("/visits")
    assert answer.status_code == status
    assert "data-act" not in answer.text
    assert browser.post(f"/visits/{booked.id}/arrive").status_code == 403


def test_another_clinics_visit_does_not_exist(house: Any, another_house: Any) -> None:
    other = another_house()
    foreign = visit(other, other.patient(), days=0, hour=9)
    browser = house.signed_in(house.staff())
    assert browser.post(f"/visits/{foreign.id}/arrive").status_code == 404
    assert "No visits on this day" in browser.get("/visits").text


def test_a_day_of_thirty_costs_no_more_queries_than_one_of_two(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unreached, "COUNT_SECONDS", 3600)  # what the frame counts is counted once, however slow we are
    browser = house.signed_in(house.staff())

    def statements() -> int:
        asked: list[str] = []

        def heard(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            asked.append(statement)

        event.listen(db.engine(), "before_cursor_execute", heard)
        assert browser.get("/visits").status_code == 200
        event.remove(db.engine(), "before_cursor_execute", heard)
        return sum("FROM appointment" in statement or "patient" in statement for statement in asked)

    browser.get("/visits")
    for _ in range(2):
        visit(house, opted_out(house), days=0, hour=9)
    few = statements()
    for _ in range(28):
        visit(house, opted_out(house), days=0, hour=9)
    assert statements() == few > 5


def test_what_can_be_noted_fits_the_day_by_the_visits_own_clock(house: Any) -> None:
    booked = visit(house, house.patient(), days=0, hour=10)
    day = clock.now().astimezone(ZONE).replace(hour=0)
    for hours, able in ((-1, ["confirm"]), (1, ["arrive", "confirm"]), (23, ["arrive", "no_show"]), (24 * 9, [])):
        assert [act for act, _ in visit_rows.acts(booked, day + timedelta(hours=hours))] == able, hours


def test_a_week_shows_each_visit_at_a_glance(house: Any) -> None:
    visit(house, opted_out(house, first_name="Devon"), days=0, hour=9, clinician="Dr Okafor", place="North")
    ada = house.patient(first_name="Ada")
    form(house, visit(house, ada, days=1, hour=15), "answered")
    hand_in(house, ada, 1, [2, 2, 2, 2, 2, 1, 1, 0, 0])
    page = house.signed_in(house.staff()).get("/visits?span=week").text
    days = page.split('<div class="glance">')[1].split("<section")[1:]
    assert ["Tue Mar 3" in days[0], "Wed Mar 4" in days[1], len(days)] == [True, True, 2]
    assert "Devon Quintana" in days[0]
    assert "not confirmed" in days[0]
    assert "forms done" in days[1]
    assert "PHQ-9 12, positive" in days[1]
    desk = house.signed_in(house.staff(role="front_desk")).get("/visits?span=week").text
    assert "Ada Quintana" in desk
    assert "PHQ-9" not in desk  # what patients answered is not the desk's to read


def test_a_week_too_full_to_take_in_asks_to_be_narrowed(house: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(visits, "GLANCED", 2)
    for hour in (9, 10, 11):
        visit(house, house.patient(), days=0, hour=hour, clinician="Dr Okafor" if hour == 9 else "Dr Lindqvist")
    browser = house.signed_in(house.staff())
    assert "too many visits to show each" in browser.get("/visits?span=week").text
    assert "too many" not in browser.get("/visits?span=week&clinician=Dr Okafor").text
