"""The rows of the list: who, why it came, how long is left, and what else is known at a glance."""

import re
from datetime import timedelta
from typing import Any

import pytest

from config import clock, db
from messaging.inbox.models import Absence, InboxItem
from reminders import appointments
from tests.queries import statements
from web.models import Draft


def names(page: str) -> list[str]:
    return re.findall(r'<span class="what">([^<]*)', page)


def people(page: str) -> list[str]:
    return re.findall(r'<span class="who">([^<]*)', page)


def change(house: Any, item: InboxItem, **facts: Any) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        row = session.get_one(InboxItem, item.id)
        for name, value in facts.items():
            setattr(row, name, value)


def visit(house: Any, patient: Any, state: str, hours: float) -> None:
    house.count += 1
    now, clinic = clock.now(), house.clinic
    told = appointments.VisitRecord(
        str(house.count), "", now + timedelta(hours=hours), clinic.zone, booked_at=now, state=state
    )
    with db.unit_of_work(clinic.id) as session:
        appointments.save(session, session.merge(clinic), session.merge(patient), told, source="test")


def draft(house: Any, staff: Any, thread: str) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        session.add(
            Draft(
                clinic_id=house.clinic.id,
                key_id=house.clinic.key_id,
                staff_id=staff.id,
                thread=thread,
                body="dear",
                compose_id=db.new_id(),
                seen_id=None,
                updated_at=clock.now(),
            )
        )


def test_a_row_says_why_it_came_in_short_words(house: Any) -> None:
    rosa = house.staff(panels=["Dr Lindqvist"])
    patient = house.patient(panel="Dr Lindqvist", language="es")
    visit(house, patient, "arrived", -0.3)
    item = house.item(owner_id=rosa.id, patient_id=patient.id)
    change(house, item, reason=["panel:Dr Lindqvist", "on_duty", "answered_last", "covering:Ines Vega"])
    page = house.signed_in(rosa).get("/inbox").text
    assert "<b>Reply</b> · your panel · Spanish · answered last · covering for Ines Vega</span>" in page
    assert "in the building</i>" in page


@pytest.mark.parametrize(("state", "hours"), [("booked", -0.3), ("arrived", -3), ("arrived", 26)])
def test_only_who_has_come_and_is_not_long_gone_is_in_the_building(house: Any, state: str, hours: float) -> None:
    rosa, patient = house.staff(), house.patient()
    visit(house, patient, state, hours)
    house.item(owner_id=rosa.id, patient_id=patient.id)
    assert "in the building" not in house.signed_in(rosa).get("/inbox").text


def test_a_draft_is_marked_for_its_author_alone(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Okafor")
    patient = house.patient()
    item = house.item(owner_id=rosa.id, patient_id=patient.id)
    draft(house, rosa, item.thread)
    assert "your draft waits" in house.signed_in(rosa).get("/inbox?view=everyone").text
    assert "your draft waits" not in house.signed_in(ben).get("/inbox?view=everyone").text
    house.signed_in(rosa).post(f"/inbox/{item.id}/resolve")
    assert "your draft waits" not in house.signed_in(rosa).get("/inbox?view=done").text


def test_who_is_here_finds_its_place_by_the_thread(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    house.item(owner_id=rosa.id, patient_id=patient.id)
    page = house.signed_in(rosa).get("/inbox").text
    assert f'data-thread="patient:{patient.id}"' in page


def test_what_sleeps_says_until_when_and_does_not_alarm(house: Any) -> None:
    rosa, now = house.staff(), clock.now()
    item = house.item(owner_id=rosa.id, answer_by=now - timedelta(hours=2))
    change(house, item, state="snoozed", snoozed_until=now + timedelta(days=2))
    page = house.signed_in(rosa).get("/inbox?view=snoozed").text
    assert re.search(r'<span aria-hidden="true">☾</span> until \w{3} \d+:\d\d', page)
    assert "overdue" not in page


def test_what_was_answered_says_what_was_done_and_when(house: Any) -> None:
    rosa = house.staff()
    item = house.item(owner_id=rosa.id)
    change(house, item, acknowledged_at=clock.now(), acknowledged_by=rosa.id, disposition="reached_by_phone")
    assert re.search(r'class="aside">in progress · reached by phone, today', house.signed_in(rosa).get("/inbox").text)


@pytest.mark.parametrize(
    ("choice", "closed", "opened"),
    [
        ("full", "Teresa Q.", "Teresa Q."),
        ("initials", "T. Q.", "Teresa Q."),
        ("hidden", "Name hidden", "Teresa Q."),
    ],
)
def test_names_in_the_list_are_as_open_as_the_desk_allows(house: Any, choice: str, closed: str, opened: str) -> None:
    rosa = house.staff()
    item = house.item(owner_id=rosa.id, patient_id=house.patient().id)
    browser = house.signed_in(rosa)
    browser.post("/preferences", names=choice)
    listed = browser.get("/inbox").text
    assert people(listed) == [closed]
    assert ("Teresa" in listed) == (choice == "full")
    assert people(browser.get(f"/inbox/{item.id}").text) == [opened]


def test_several_can_be_chosen_except_what_needs_a_persons_judgement(house: Any) -> None:
    rosa = house.staff()
    ids = {
        kind: str(house.item(kind, owner_id=rosa.id).id)
        for kind in ("safety", "screen", "handoff", "reply", "delivery")
    }
    house.staff("Ben Okafor")
    house.staff("Ada Auditor", role="auditor")
    page = house.signed_in(rosa).get("/inbox").text
    assert set(re.findall(r'form="bulk" name="item" value="([^"]+)"', page)) == {
        ids["reply"],
        ids["delivery"],
    }
    assert page.count("Dealt with one by one") == 3
    form = page[page.index('id="bulk"') :]
    assert set(re.findall(r'name="act" value="(\w+)"', form)) == {"claim", "resolve", "hand_over", "snooze"}
    assert "Ben Okafor" in form
    assert "Ada Auditor" not in form
    assert 'name="back" value="/inbox?view=mine"' in form


def test_who_may_not_work_the_list_cannot_choose_in_it(house: Any) -> None:
    house.item()
    page = house.signed_in(house.staff(role="auditor")).get("/inbox?view=everyone").text
    assert 'form="bulk"' not in page
    assert 'id="bulk"' not in page


def test_safety_stays_first_in_every_order_and_the_order_is_remembered(house: Any) -> None:
    rosa, now = house.staff(), clock.now()
    for name, kind, age, left in (
        ("old reply", "reply", 9, 90),
        ("young screen", "screen", 1, 60),
        ("safety", "safety", 5, 10),
        ("urgent reply", "reply", 4, 5),
    ):
        item = house.item(kind, owner_id=rosa.id, summary=name, answer_by=now + timedelta(minutes=left))
        change(house, item, created_at=now - timedelta(hours=age))
    browser = house.signed_in(rosa)
    orders = {
        "urgent": ["safety", "young screen", "urgent reply", "old reply"],
        "waiting": ["safety", "old reply", "urgent reply", "young screen"],
        "newest": ["safety", "young screen", "urgent reply", "old reply"],
    }
    for sort, expected in orders.items():
        assert names(browser.get(f"/inbox?sort={sort}").text) == expected
        assert names(browser.get("/inbox").text) == expected
        assert names(browser.get("/inbox/rows?view=mine&unattended=1").text) == expected


@pytest.mark.parametrize("sort", ["urgent", "waiting", "newest"])
@pytest.mark.parametrize("view", ["everyone", "done"])
def test_every_order_and_view_goes_on_without_gap_or_repetition(house: Any, view: str, sort: str) -> None:
    rosa, now = house.staff(), clock.now()
    for number in range(60):
        item = house.item("safety" if number % 20 == 0 else "reply", summary=f"n{number}")
        # Many at the same moment, so that only the id tells them apart.
        at = now - timedelta(minutes=number // 15)
        change(
            house,
            item,
            created_at=at,
            answer_by=at,
            **({"state": "done", "done_at": at} if view == "done" else {}),
        )
    browser = house.signed_in(rosa)
    first = browser.get(f"/inbox?view={view}&sort={sort}").text
    onward = re.search(rf'href="(/inbox\?view={view}&amp;after=[^"]+)"', first)
    assert onward is not None
    second = browser.get(onward[1].replace("&amp;", "&")).text
    assert "From the top" in second
    assert "From the top" not in first
    assert len(names(first) + names(second)) == 60
    assert len({*names(first), *names(second)}) == 60


def test_an_empty_list_says_who_covers_for_an_absent_reader(house: Any) -> None:
    rosa, ben, now = house.staff(), house.staff("Ben Okafor"), clock.now()
    with db.unit_of_work(house.clinic.id) as session:
        session.add(
            Absence(
                clinic_id=house.clinic.id,
                staff_id=rosa.id,
                cover_id=ben.id,
                starts_at=now - timedelta(hours=1),
                ends_at=now + timedelta(days=1),
                created_at=now,
                try_after=now,
            )
        )
    assert "Ben Okafor covers for you until tomorrow" in house.signed_in(rosa).get("/inbox").text
    assert "covers for you" not in house.signed_in(ben).get("/inbox").text


def test_what_nobody_owns_is_said_on_every_page_of_whoever_reads_the_inbox(house: Any) -> None:
    item = house.item()
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(InboxItem, item.id).routed_at = clock.now()  # the rules have looked, and found nobody
    browser = house.signed_in(house.staff())
    for path in ("/inbox", "/handoffs", "/preferences", "/inbox/rows?view=mine&unattended=1"):
        page = browser.get(path).text
        assert "1 item is unassigned." in page
        assert 'href="/board">See who and whom to call' in page
    assert "is unassigned" not in house.signed_in(house.staff(role="front_desk")).get("/handoffs").text


def test_fifty_rows_ask_the_database_no_more_than_one_does(house: Any) -> None:
    rosa = house.staff()

    def add_row(number: int) -> None:
        patient = house.patient(language="es", first_name=f"P{number}")
        visit(house, patient, "arrived", -0.1)
        conversation = house.text_from(patient, "hello")
        item = house.item(owner_id=rosa.id, patient_id=patient.id, conversation_id=conversation.id)
        draft(house, rosa, item.thread)

    add_row(0)
    browser = house.signed_in(rosa)
    counts = []
    for already, wanted in ((1, 1), (1, 50)):
        for number in range(already, wanted):
            add_row(number)
        browser.get("/inbox?view=mine&language=es")  # keys and pages are warm
        with statements() as asked:
            page = browser.get("/inbox?view=mine&language=es").text
        assert len(names(page)) == wanted
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert counts[1] <= 27
