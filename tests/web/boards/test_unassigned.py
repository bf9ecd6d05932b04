"""The board, the page of the escalation policy, what each is texted about, and the response times."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging import jobs
from messaging.inbox import counting, items, unassigned
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Clinic, Staff
from messaging.versions import publishing as versions
from tests.queries import statements

CALL = {"call[0].name": "Dr Wu", "call[0].phone": "(202) 555-0177", "call[0].when": "any hour"}
NUMBER = "+12025550151"


def fire(after: timedelta = timedelta()) -> None:
    with time_machine.travel(clock.now() + after, tick=False):
        jobs.fire_timers()


def form(admin: Any, **changed: str) -> dict[str, str]:
    kinds = {"safety": "15", "screen": "60", "handoff": "5", "reply": "240", "delivery": "480"}
    fields = {f"{kind}.answer": minutes for kind, minutes in kinds.items()}
    return fields | {"edit": "0", "repeat": "10", "hours": "", "fallback[0]": admin.email} | CALL | changed


def published(house: Any) -> Any:
    admin = house.staff("Dana Wu", role="clinic_admin", number=NUMBER)
    publish(house, admin, **form(admin))
    return admin


def publish(house: Any, admin: Any, **fields: str) -> Any:
    """Save a draft and publish it, as one person may."""
    browser = house.signed_in(admin)
    answer = browser.post("/ladder", **fields)
    assert answer.status_code == 303, answer.text
    assert browser.post("/settings/draft/rules/publish", edit="1", why="as agreed").status_code == 303
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        assert versions.draft(session, house.clinic.id, "rules") is None
    return browser


def standing(house: Any) -> tuple[int, int]:
    board = {"unowned": unassigned.unowned, "at_the_end": unassigned.at_the_end}
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        counted = counting.counts(session, house.clinic, Staff(id=db.new_id()), (), board)
    return counted["unowned"], counted["at_the_end"]


def test_nothing_on_the_board_is_said_so(house: Any) -> None:
    assert "Somebody is on everything" in house.signed_in(house.staff()).get("/board").text
    assert standing(house) == (0, 0)


def test_an_item_nobody_owns_stands_on_the_board_for_everyone_who_reads_the_inbox(house: Any) -> None:
    house.staff(role="front_desk")
    house.item("safety", patient_id=house.patient().id)
    fire()
    assert standing(house) == (1, 0)
    page = house.signed_in(house.staff()).get("/board").text
    assert "Teresa Quintana" in page
    assert "· unassigned" in page
    assert "Teresa" not in house.signed_in(house.staff(role="auditor")).get("/board").text


def test_at_the_end_of_the_ladder_the_board_says_who_must_be_called_and_what_came_back(house: Any) -> None:
    admin = published(house)
    item = house.item("safety", patient_id=house.patient().id)
    fire()
    fire(timedelta(minutes=16))
    with time_machine.travel(clock.now() + timedelta(minutes=17)):
        assert standing(house)[1] == 1
        browser = house.signed_in(house.staff(number=None))
        page = browser.get("/board").text
        assert "Call somebody now." in page
        assert "tel:+12025550177" in page
        assert "Dana Wu was texted" in page
        assert "on its way, no answer yet" in page
        assert browser.post(f"/board/{item.id}/called", who="Dr Wu", outcome="no_answer").status_code == 303
        assert "called Dr Wu" in browser.get("/board").text
    after_call = house.read(InboxItem, item.id)
    assert after_call.acknowledged_at is None  # a call is no acknowledgement
    with db.unit_of_work(house.clinic.id) as session:
        assert session.scalar(select(ItemEvent).where(ItemEvent.event == "call_list")) is not None
        items.acknowledge(session, session.get_one(InboxItem, item.id), admin, "reached_by_phone")
    with time_machine.travel(clock.now() + timedelta(minutes=18)):
        assert standing(house) == (0, 0)


@pytest.mark.parametrize("given", [{"who": "Nobody", "outcome": "reached"}, {"who": "Dr Wu", "outcome": "x"}, {}])
def test_a_call_that_names_nobody_on_the_list_is_not_noted(house: Any, given: dict[str, str]) -> None:
    published(house)
    item = house.item("safety")
    assert house.signed_in(house.staff()).post(f"/board/{item.id}/called", **given).status_code == 422


def test_a_call_about_another_clinic_s_item_is_refused(house: Any, another_house: Any) -> None:
    published(house)
    foreign = another_house().item("safety")
    browser = house.signed_in(house.staff())
    assert browser.post(f"/board/{foreign.id}/called", who="Dr Wu", outcome="reached").status_code == 404


def test_the_board_asks_the_database_as_often_for_many_items_as_for_few(house: Any) -> None:
    browser = house.signed_in(house.staff(role="clinician"))
    browser.get("/board")  # who was not reached is counted now and then, not for each page
    counts = []
    for count in (2, 20):
        for _ in range(count):
            house.item("reply", patient_id=house.patient().id)
        with db.unit_of_work(db.EVERY) as session:
            for item in session.scalars(select(InboxItem)):
                item.routed_at, item.owner_id = clock.now(), None
        with statements() as sent:
            assert browser.get("/board").status_code == 200
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_a_whole_ladder_is_published_and_said_in_words(house: Any) -> None:
    published(house)
    page = house.signed_in(house.staff()).get("/ladder").text
    assert "Somebody can be reached in every minute of the week" in page
    assert "Call list: <b>Dr Wu</b>" in page
    assert "Change it" not in page
    with db.unit_of_work(db.EVERY) as session:
        acts = session.scalars(select(audit.AuditEntry.act)).all()
        assert "rules.published" in acts


def test_rungs_hours_backups_and_calls_come_back_as_they_were_typed(house: Any) -> None:
    admin = published(house)
    rosa = house.staff(number="+12025550152")
    typed = {
        "hours": "Mon-Fri 8:00-17:00",
        "holidays": "12/25 11/25/2027",
        f"on_call.{rosa.email}": "Mon-Fri 17:00-8:00, Sat-Sun 8:00-8:00",
        f"backup.{rosa.email}": admin.email,
        "screen.clock": "business",
        "safety.before_leaving": "on",
        "safety.closed[0].ask": "on_call",
        "safety.closed[0].wait": "5",
        "safety.closed[1].ask": "lead",
        "safety.closed[1].wait": "7",
    }
    browser = publish(house, admin, **form(admin, **typed))
    with db.unit_of_work(db.EVERY) as session:
        rules = session.get_one(Clinic, house.clinic.id).rules
        kinds = rules["ladder"]["kinds"]
        assert kinds["safety"]["closed"] == [{"ask": "on_call", "wait": 5}, {"ask": "lead", "wait": 7}]
        assert kinds["safety"]["before_leaving"] is True
        assert rules["hours"]["holidays"] == ["12-25", "2027-11-25"]
        assert (kinds["screen"]["clock"], rules["hours"]["zone"]) == ("business", "America/Denver")
        assert session.get_one(Staff, rosa.id).on_call["sun"] == ["08:00", "08:00"]
    page = browser.get("/ladder?kind=safety&at=2027-03-14T03:00").text
    assert 'value="Mon-Fri 5:00 PM-8:00 AM, Sat-Sun 8:00 AM-8:00 AM"' in page
    assert "everyone on call (5 min), the clinic&#39;s leads (7 min)" in page
    assert "everyone again, and the call list" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"call[0].phone": "12"}, "call[0].phone-problem"),
        ({"hours": "always"}, "hours-problem"),
        ({"hours": "Mon 8:00-12:00, Mon 10:00-17:00"}, "Mon stands there twice"),
        ({"holidays": "12-25 13/26"}, "13-26 is no day"),
        ({"holidays": "12-25 2027-02-30"}, "2027-02-30 is no day"),
        ({"safety.answer": "soon"}, "a whole number of minutes"),
        ({"safety.clock": "business"}, "never stands still"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_field_and_no_draft(
    house: Any, changed: dict[str, str], said: str
) -> None:
    admin = published(house)
    answer = house.signed_in(admin).post("/ladder", **form(admin, repeat="7", **changed))
    assert answer.status_code == 422
    assert said in answer.text
    assert "It was not saved: " in answer.text
    assert 'name="repeat" inputmode="numeric" value="7"' in answer.text
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        assert versions.draft(session, house.clinic.id, "rules") is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"fallback[0]": ""}, "at least one colleague"),
        ({"call[0].name": "", "call[0].phone": ""}, "at least one person to call"),
        ({"safety.answer": "45"}, "safety.answer-problem"),
        ({"holidays": "12-25 11-26 12-25"}, "12-25 stands there twice"),
        (
            {"safety.open[0].ask": "lead", "safety.open[0].wait": "40"},
            "no step for patient safety waits longer",
        ),
    ],
)
def test_a_draft_with_a_hole_says_so_at_its_field_and_cannot_be_published(
    house: Any, changed: dict[str, str], said: str
) -> None:
    admin = published(house)
    browser = house.signed_in(admin)
    assert browser.post("/ladder", **form(admin, repeat="7", **changed)).status_code == 303
    page = browser.get("/ladder").text
    assert said in page
    assert "It cannot be published yet" in page
    assert browser.post("/settings/draft/rules/publish", edit="1", why="as agreed").status_code == 303
    assert house.read(Clinic, house.clinic.id).rules["rung_minutes"] == 10


def test_only_who_decides_for_the_clinic_changes_the_ladder(house: Any) -> None:
    rosa = house.staff()
    assert house.signed_in(rosa).post("/ladder", **form(rosa)).status_code == 403
    assert house.signed_in(house.staff(role="front_desk")).get("/ladder").status_code == 403


def test_a_clinic_that_has_decided_nothing_is_told_what_is_missing(house: Any) -> None:
    page = house.signed_in(house.staff(number=None)).get("/ladder").text
    assert "This escalation policy has coverage gaps" in page
    assert "Coverage gaps: there are times in which nobody can be reached" in page
    assert "at no hour of the week" in page


@pytest.mark.parametrize("asked", ["at=x&kind=y", "at=0001-01-01T00:00", "at=9999-12-31T23:59"])
def test_a_moment_that_cannot_be_read_is_the_next_saturday_night(house: Any, asked: str) -> None:
    assert "T03:00" in house.signed_in(house.staff()).get(f"/ladder?{asked}").text


def test_response_times_are_counted_against_the_deadline(house: Any) -> None:
    rosa, now = house.staff(), clock.now()
    house.item("safety", owner_id=rosa.id)  # has time yet, and counts neither for nor against
    for minutes in (5, 10, 40, None):
        item = house.item("safety", owner_id=rosa.id)
        with db.unit_of_work(db.EVERY) as session:
            row = session.get_one(InboxItem, item.id)
            row.created_at, row.answer_by = now - timedelta(hours=2), now - timedelta(minutes=105)
            row.acknowledged_at = minutes and row.created_at + timedelta(minutes=minutes)
    browser = house.signed_in(rosa)
    page = browser.get("/clocks").text
    assert '<b class="num">50 %</b> seen within the deadline of 15 min' in page
    assert '<span class="num">2 of 4</span>; <span class="num">1</span> more still has time' in page
    assert 'median <span class="num">10 min</span>' in page
    # The picture and its table count as the sentence does.
    assert '15 min</span> · deadline</th><td class="num">50 %</td>' in page
    assert f"/inbox/{item.id}" in page  # the one that nobody has seen
    assert "safety,15,5,3,10.0,50.0" in browser.get("/clocks.csv").text


def test_short_and_long_times_are_said_as_people_say_them(house: Any) -> None:
    rosa, now = house.staff(), clock.now()
    item = house.item("delivery", owner_id=rosa.id)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(InboxItem, item.id).done_at = now
    page = house.signed_in(rosa).get("/clocks").text
    assert 'median <span class="num">under 1 min</span>' in page
    assert "within the deadline of 8 h" in page
    assert ">24 h</text>" in page
    assert "1440" not in page


def test_an_empty_month_has_no_pictures(house: Any) -> None:
    assert house.signed_in(house.staff()).get("/clocks").text.count("None came in.") == 5
