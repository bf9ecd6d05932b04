"""Narrowing the list, and the chips that say how."""

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from config import clock, db
from intake_links import submissions
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from reminders.models import Appointment
from web.presenters import filters


def names(page: str) -> list[str]:
    return re.findall(r'<span class="what">([^<]*)', page)


def visit(house: Any, patient: Any, place: str | None, hours: float, state: str = "booked") -> None:
    house.count += 1
    now = clock.now()
    with db.unit_of_work(house.clinic.id) as session:
        session.add(
            Appointment(
                clinic_id=house.clinic.id,
                patient_id=patient.id,
                source="test",
                external_id=str(house.count),
                starts_at=now + timedelta(hours=hours),
                zone=house.clinic.zone,
                booked_at=now,
                place=place,
                state=state,
                created_at=now,
                updated_at=now,
            )
        )


def a_screen(house: Any, patient: Any, instrument: str, answers: list[int]) -> None:
    house.count += 1
    with db.unit_of_work(house.clinic.id) as session:
        submissions.accept(
            session,
            house.clinic,
            patient,
            instrument=instrument,
            answers=answers,
            language="en",
            source="forms.test",
            event=str(house.count),
            authored_at=clock.now(),
        )


@pytest.fixture
def crowd(house: Any) -> tuple[Any, Staff]:
    """Four items of one owner that differ in everything that can be filtered by."""
    rosa, now = house.staff(), clock.now()
    for summary, kind, language, place, minutes in (
        ("late reply", "reply", "es", "Elm Road", -5),
        ("reply", "reply", "en", "Alder Street", 50),
        ("delivery", "delivery", "es", "Alder Street", 60),
        ("safety", "safety", "en", "Elm Road", 10),
    ):
        patient = house.patient(language=language)
        visit(house, patient, place, 24)
        house.item(
            kind,
            owner_id=rosa.id,
            patient_id=patient.id,
            summary=summary,
            answer_by=now + timedelta(minutes=minutes),
        )
    return house, rosa


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=reply", ["late reply", "reply"]),
        ("language=es", ["late reply", "delivery"]),
        ("site=Elm Road", ["safety", "late reply"]),
        ("over=1", ["late reply"]),
        ("site=Alder Street&language=es", ["delivery"]),
        ("kind=handoff", []),
    ],
)
def test_the_parts_of_a_filter_narrow_together(crowd: tuple[Any, Staff], query: str, expected: list[str]) -> None:
    house, rosa = crowd
    browser = house.signed_in(rosa)
    for view in ("mine", "everyone"):
        assert names(browser.get(f"/inbox?view={view}&{query}").text) == expected
    assert names(browser.get(f"/inbox/rows?view=mine&unattended=1&{query}").text) == expected


def test_a_filter_stays_while_a_case_is_open_and_on_the_next_page(house: Any) -> None:
    rosa = house.staff()
    for number in range(52):
        house.item(owner_id=rosa.id, summary=f"n{number}")
    browser = house.signed_in(rosa)
    page = browser.get("/inbox?view=mine&kind=reply").text
    assert re.search(r'href="/inbox/[0-9a-f-]{36}\?view=mine&amp;kind=reply"', page)
    onward = re.search(r'href="(/inbox\?view=mine&amp;kind=reply&amp;after=[^"]+)"', page)
    assert onward is not None
    second = browser.get(onward[1].replace("&amp;", "&")).text
    assert len(names(second)) == 2
    assert 'href="/inbox?view=mine&amp;kind=reply"><span aria-hidden="true">↑</span> From the top' in second


def test_an_act_leads_back_to_the_filter_it_was_done_in(crowd: tuple[Any, Staff]) -> None:
    house, rosa = crowd
    item = house.item("safety", owner_id=rosa.id, summary="unacknowledged")
    refused = house.signed_in(rosa).post(f"/inbox/{item.id}/resolve", view="mine", back="/inbox?view=mine&kind=safety")
    assert refused.status_code == 422
    assert names(refused.text) == ["safety", "unacknowledged"]


def test_the_site_is_that_of_the_coming_visit_else_of_the_last_one(house: Any) -> None:
    rosa = house.staff()
    stories = {
        "coming": (("Here", 30), ("Elsewhere", -30), ("Elsewhere", 90)),
        "only past": (("Here", -30), ("Elsewhere", -300)),
        "just begun": (("Here", -1), ("Elsewhere", 5)),
        "elsewhere": (("Here", -30), ("Elsewhere", 5)),
        "place unknown": (("Here", -30), (None, 5)),
    }
    for summary, visits in stories.items():
        patient = house.patient()
        for place, hours in visits:
            visit(house, patient, place, hours)
        visit(house, patient, "Elsewhere", 1, "cancelled")
        house.item(owner_id=rosa.id, patient_id=patient.id, summary=summary)
    browser = house.signed_in(rosa)
    assert set(names(browser.get("/inbox?site=Here").text)) == set(stories) - {"elsewhere"}


def test_an_instrument_finds_what_came_of_it_and_only_that(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    a_screen(house, patient, "phq9", [3] * 8 + [0])
    a_screen(house, patient, "gad7", [3] * 7)
    house.item(patient_id=patient.id, summary="no screen")
    browser = house.signed_in(rosa)
    assert len(names(browser.get("/inbox?view=everyone").text)) == 1  # all three are one patient's
    (only,) = names(browser.get("/inbox?view=everyone&instrument=gad7").text)
    assert "GAD-7" in only


def test_only_what_the_clinic_really_has_is_offered(house: Any, another_house: Any) -> None:
    other = another_house()
    visit(other, other.patient(), "Another clinic's house", 5)
    patient = house.patient()
    for place in ("Elm Road", "Alder Street", "Elm Road", None):
        visit(house, patient, place, 5)
    a_screen(house, patient, "phq9", [3] * 8 + [0])
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        offered = filters.offered(session, house.clinic.id, readable=True)
        closed = filters.offered(session, house.clinic.id, readable=False)
    assert [value for value, _ in offered.site] == ["Alder Street", "Elm Road"]
    assert offered.instrument == [("phq9", "PHQ-9")]
    assert closed.instrument == []


def test_who_may_not_read_answers_cannot_ask_which_form_they_were_given_to(house: Any) -> None:
    a_screen(house, house.patient(), "phq9", [3] * 8 + [0])
    browser = house.signed_in(house.staff(role="clinic_admin"))
    page = browser.get("/inbox?view=everyone&instrument=phq9").text
    assert "Left out, because it could not be read: questionnaire" in page
    assert "PHQ" not in page


def test_every_filter_means_the_same_on_postgresql(house_on_postgresql: Any) -> None:
    house = house_on_postgresql
    rosa, patient = house.staff(), house.patient(language="es")
    visit(house, patient, "Elm Road", -9)
    visit(house, patient, "Alder Street", 9)
    a_screen(house, patient, "phq9", [3] * 8 + [0])
    house.item(patient_id=patient.id, summary="reply", answer_by=clock.now() - timedelta(minutes=5))
    browser = house.signed_in(rosa)
    for query, expected in (
        ("", 1),  # one row for both of a patient
        ("&site=Alder Street&language=es", 1),
        ("&site=Elm Road", 0),
        ("&instrument=phq9", 1),
        ("&instrument=gad7", 0),
        ("&over=1&kind=reply", 1),
        ("&sort=newest", 1),
        ("&sort=waiting", 1),
    ):
        assert len(names(browser.get(f"/inbox?view=everyone{query}").text)) == expected, query
    browser.post("/inbox/filters", name="All of it", back="/inbox?view=everyone&language=es&site=Alder Street")
    page = browser.get("/inbox").text
    assert re.search(r'>All of it <span class="num">1<', page)
    assert page.count('<option value="Alder Street"') == 1


def test_of_what_is_done_over_deadline_means_answered_too_late(house: Any) -> None:
    rosa, now = house.staff(), clock.now()
    for summary, minutes in (("in time", 5), ("too late", -5)):
        item = house.item(owner_id=rosa.id, summary=summary, answer_by=now + timedelta(minutes=minutes))
        with db.unit_of_work(house.clinic.id) as session:
            done = session.get_one(InboxItem, item.id)
            done.state, done.done_at = "done", now
    assert names(house.signed_in(rosa).get("/inbox?view=done&over=1").text) == ["too late"]


def test_what_cannot_be_read_is_left_out_and_said(crowd: tuple[Any, Staff]) -> None:
    house, rosa = crowd
    page = house.signed_in(rosa).get("/inbox?kind=odd&language=xx&over=maybe&sort=sideways&after=x").text
    assert "Left out, because it could not be read: language, kind, deadline." in page
    assert len(names(page)) == 4


@pytest.fixture
def rosas(house: Any) -> Any:
    """Rosa's browser."""
    return house.signed_in(house.staff())


@profile(max_examples=25, deadline=None)
@given(given=st.dictionaries(st.sampled_from((*filters.NAMES, "sort", "after", "item")), st.text(max_size=150)))
def test_no_address_breaks_the_list(rosas: Any, given: dict[str, str]) -> None:
    assert rosas.client.get("/inbox", query_string=given).status_code == 200
    assert filters.read(filters.read(given)[0].args()) == (filters.read(given)[0], [])


def test_each_part_is_a_chip_that_can_be_taken_away(crowd: tuple[Any, Staff]) -> None:
    house, rosa = crowd
    page = house.signed_in(rosa).get("/inbox?view=mine&language=es&kind=reply").text
    chips = re.findall(r'<li><a href="([^"]+)" title="Show without this">.*?</span>([^<]+) <', page)
    assert chips == [
        ("/inbox?view=mine&amp;kind=reply", "Spanish"),
        ("/inbox?view=mine&amp;language=es", "Reply"),
    ]


def test_a_filter_without_hits_says_so_and_leads_on(house: Any) -> None:
    rosa = house.staff()
    house.item("reply", owner_id=rosa.id)
    page = house.signed_in(rosa).get("/inbox?view=mine&kind=screen").text
    assert "Nothing here fits" in page
    assert 'href="/inbox?view=everyone&amp;kind=screen"' in page
