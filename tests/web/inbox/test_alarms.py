"""Alarms that cannot be missed, as pages without script show them: on top, over every page, one row, one act."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.inbox import items, snooze_times
from messaging.inbox.models import Contact, InboxItem, Told
from messaging.models import Message, Patient
from messaging.team.models import Task


def late(house: Any, minutes: int = 13, **facts: Any) -> tuple[Patient, InboxItem]:
    """A crisis of somebody whose time passed so many minutes ago."""
    patient = house.patient(first_name="Joy")
    facts = {"patient_id": patient.id, "answer_by": clock.now() - timedelta(minutes=minutes, seconds=20)} | facts
    return patient, house.item("safety", **facts)


def told(house: Any, item: InboxItem, staff: Any) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        session.add(Told(clinic_id=house.clinic.id, item_id=item.id, staff_id=staff.id, at=clock.now()))
        session.get_one(InboxItem, item.id).escalated_at = clock.now()


def bar(page: str) -> str:
    found = re.search(r'data-part="alarms".*?</div>', page, re.S)
    return plain(found.group().partition(">")[2] if found else "")


def plain(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split()).replace(" :", ":")


def rows(page: str) -> list[str]:
    listed = page[page.index('data-part="list"') :]
    return [
        " ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r'<li><a class="row.*?</li>', listed, re.S)
    ]


def test_what_the_escalation_brought_stands_on_top_of_mine_and_is_counted(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Carter")
    house.item("safety", owner_id=rosa.id, patient_id=house.patient(first_name="Lucía").id)
    _, item = late(house, owner_id=ben.id)
    browser = house.signed_in(rosa)
    assert len(rows(browser.get("/inbox").text)) == 1
    told(house, item, rosa)
    page = browser.get("/inbox").text
    assert "came to you at" in rows(page)[0]
    assert "Ben has not answered" in rows(page)[0]
    assert re.search(r'class="num came"[^>]*>.*?1<span', page)
    assert "This came to you at" in browser.get(f"/inbox/{item.id}").text
    house.signed_in(ben).post(f"/inbox/{item.id}/acknowledge", disposition="in_person")
    page = browser.get("/inbox").text
    assert "came to you" not in page
    assert len(rows(page)) == 1


@pytest.mark.parametrize("path", ["/inbox", "/preferences", "/handoffs", "/patients", "/board", "/inbox/alarms"])
def test_a_missed_deadline_is_a_red_bar_on_every_page_until_somebody_acknowledges(house: Any, path: str) -> None:
    rosa, ben = house.staff(), house.staff("Ben Carter")
    browser = house.signed_in(rosa)
    assert bar(browser.get(path).text) == ""
    _, item = late(house, owner_id=ben.id)
    said = bar(browser.get(path).text)
    assert "J. Q." in said
    assert "Joy" not in said
    assert "13 min past its time: Ben Carter has not answered" in said
    assert "Assign to me" in said
    browser.post(f"/inbox/{item.id}/claim", owner=str(ben.id))
    assert "13 min past its time: you have not answered" in bar(browser.get(path).text)
    browser.post(f"/inbox/{item.id}/on-it", how="calling")
    assert re.search(r"You are on it until .*\d( [AP]M)?: calling", bar(browser.get(path).text))
    assert re.search(r"Rosa Delgado is on it until", bar(house.signed_in(ben).get(path).text))
    browser.post(f"/inbox/{item.id}/acknowledge", disposition="reached_by_phone")
    assert "J. Q." not in bar(browser.get(path).text)


def test_the_bar_names_nobody_where_the_reader_hides_names_or_reads_no_inbox(house: Any) -> None:
    late(house, owner_id=house.staff("Ben Carter").id)
    browser = house.signed_in(house.staff())
    browser.post("/preferences", names="hidden")
    assert "A patient" in bar(browser.get("/handoffs").text)
    desk = house.signed_in(house.staff(role="front_desk"))
    for path in ("/today", "/visits", "/patients", "/preferences", "/handoffs/news"):
        said = bar(desk.get(path).text)
        assert "A patient: Patient safety, 13 min past its time: Ben Carter has not answered" in said, path
        assert not any(words in said for words in ("J. Q.", "Open", "Assign"))
    admin = house.signed_in(house.staff(role="clinic_admin"))
    assert "Assign to me" not in bar(admin.get("/handoffs").text)


def test_a_patient_has_one_row_with_every_reason_and_one_act_for_what_was_shown(house: Any, unhurried: None) -> None:
    rosa = house.staff()
    patient, crisis = late(house, owner_id=rosa.id, summary="I can't go on")
    screen = house.item("screen", patient_id=patient.id, owner_id=rosa.id, summary="PHQ-9 17")
    text = house.item(patient_id=patient.id, owner_id=rosa.id, summary="Can I come on Friday?")
    browser = house.signed_in(rosa)
    page = browser.get("/inbox").text
    (row,) = rows(page)
    assert all(words in row for words in ("I can't go on".replace("'", "&#39;"), "PHQ-9 17", "Can I come on Friday?"))
    assert re.search(r"My items\s*<span class=\"num\">1</span>", page)
    case = browser.get(f"/inbox/{crisis.id}").text
    assert "3 reasons, 2 answered together" in case
    shown = re.findall(r'name="shown" value="([^"]+)"', case[case.index('class="ack"') :].partition("</form>")[0])
    assert shown == [str(screen.id)]
    meanwhile = house.item("safety", patient_id=patient.id, owner_id=rosa.id, summary="please")
    done = browser.post(f"/inbox/{crisis.id}/acknowledge", disposition="in_person", shown=shown)
    assert done.location.startswith(f"/inbox/{meanwhile.id}")
    page = browser.get(done.location).text
    assert "Something more came in meanwhile" in page
    stands = [house.read(InboxItem, item.id).acknowledged_at is not None for item in (crisis, screen, text, meanwhile)]
    assert stands == [True, True, False, False]
    event = re.search(r'name="event" value="([^"]+)"', page)
    assert event is not None
    browser.post("/inbox/undo", event=event[1])
    assert [house.read(InboxItem, item.id).acknowledged_at for item in (crisis, screen)] == [None, None]


def test_nothing_of_another_patient_is_acknowledged_with_it(house: Any) -> None:
    rosa = house.staff()
    _, crisis = late(house, owner_id=rosa.id)
    other = house.item("safety", patient_id=house.patient().id)
    house.signed_in(rosa).post(f"/inbox/{crisis.id}/acknowledge", disposition="in_person", shown=[str(other.id)])
    assert house.read(InboxItem, other.id).acknowledged_at is None


def test_the_outcome_is_cards_with_note_and_next_contact_and_what_was_typed_survives(house: Any) -> None:
    rosa = house.staff()
    _, crisis = late(house, owner_id=rosa.id)
    browser, url = house.signed_in(rosa), f"/inbox/{crisis.id}"
    page = browser.get(url).text
    assert '<select id="disposition"' not in page
    assert page.count('name="disposition"') == 10
    assert "Could not reach, will try again" in page
    refused = browser.post(f"{url}/acknowledge", disposition="assessed_plan", words="  ", next="2_hours")
    assert refused.status_code == 422
    assert "An assessment says in a note what it rests on" in refused.text
    assert re.search(r'value="assessed_plan"[^>]* checked', refused.text)
    assert '<option value="2_hours" selected>' in refused.text
    odd = browser.post(
        f"{url}/acknowledge", disposition="could_not_reach", words="No answer twice.", next_at="2020-01-01T08:00"
    )
    assert "The next contact is no moment to come" in odd.text
    assert "No answer twice.</textarea>" in odd.text
    assert 'value="2020-01-01T08:00"' in odd.text
    done = browser.post(f"{url}/acknowledge", disposition="assessed_plan", words="Her sister stays.", next="2_hours")
    with db.unit_of_work(house.clinic.id) as session:
        note = session.scalars(select(Contact)).one()
        db.load_keys(session, [note.key_id])
        assert (note.words, note.item_id) == ("Her sister stays.", crisis.id)
    page = browser.get(url).text
    assert "Her sister stays." in page
    assert "in progress" in rows(browser.get("/inbox").text)[0]
    assert done.status_code == 303


def test_the_next_contact_comes_back_as_a_task_and_goes_with_the_outcome(house: Any) -> None:
    rosa = house.staff()
    _, crisis = late(house, owner_id=rosa.id)
    browser, url = house.signed_in(rosa), f"/inbox/{crisis.id}"
    browser.post(f"{url}/acknowledge", disposition="reached_by_phone", next="2_hours")
    page = browser.get(url).text
    assert re.search(r"the next contact, [^<]*, stands in your list", page)
    assert "Next contact" in page
    with db.unit_of_work(house.clinic.id) as session:
        item, task = session.execute(select(InboxItem, Task).join(Task, Task.item_id == InboxItem.id)).one()
        assert (item.owner_id, item.patient_id, task.made) == (rosa.id, crisis.patient_id, "next_contact")
        assert timedelta(minutes=119) < item.answer_by - clock.now() <= timedelta(hours=2)
    assert "Next contact" in browser.get("/tasks").text
    event = re.search(r'name="event" value="([^"]+)"', page)
    assert event is not None
    browser.post("/inbox/undo", event=event[1])
    assert house.read(InboxItem, item.id).state == "done"
    assert house.read(InboxItem, crisis.id).acknowledged_at is None


def test_what_a_page_adds_where_it_redraws_itself_leads_nobody_back(house: Any) -> None:
    rosa = house.staff()
    _, crisis = late(house, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    page = browser.get(f"/inbox/{crisis.id}?view=mine&unattended=1&seen=1").text
    left = re.findall(r'name="back" value="([^"]*)"', page)
    assert f"/inbox/{crisis.id}?view=mine" in left
    assert not any("unattended" in each or "seen" in each for each in left)


def test_the_caption_fits_what_raised_it_and_call_is_the_filled_button(house: Any) -> None:
    rosa = house.staff()
    patient, crisis = late(house, owner_id=rosa.id)
    house.text_from(patient, "I can't go on")
    with db.unit_of_work(house.clinic.id) as session:
        message_id: UUID = session.scalars(select(Message.id)).one()
    by_text = house.item("safety", patient_id=patient.id, about=f"message:{message_id}")
    by_form = house.item("safety", patient_id=patient.id, about=f"screen:{message_id}")
    browser = house.signed_in(rosa)
    page = browser.get(f"/inbox/{by_text.id}").text
    assert "Words were matched, not understood" in page
    assert "A positive answer" not in page
    assert re.search(r'<a class="button main call" href="tel:[^"]+" data-opens="outcome"', page)
    assert page.index("button main call") < page.index(
        "I&#39;m calling" if "I&#39;m calling" in page else "I'm calling"
    )
    assert "A positive answer is a reason to talk with" in browser.get(f"/inbox/{by_form.id}").text
    assert "Somebody here saw a reason to worry" in browser.get(f"/inbox/{crisis.id}").text


def test_when_a_hold_is_over_the_case_asks_for_the_outcome_first(house: Any) -> None:
    rosa = house.staff()
    _, crisis = late(house, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    assert browser.post(f"/inbox/{crisis.id}/on-it", how="flying").status_code == 422
    browser.post(f"/inbox/{crisis.id}/on-it", how="going")
    assert "You are on it until" in rows(browser.get("/inbox").text)[0]
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(InboxItem, crisis.id).held_until = clock.now() - timedelta(minutes=1)
    page = browser.get(f"/inbox/{crisis.id}").text
    assert "Say what came of it: the escalation goes on" in page
    assert re.search(r'<details class="outcome" id="outcome" open', page)
    assert "you have not answered" in bar(page)


def test_a_snooze_offers_the_nearest_time_first(house: Any) -> None:
    rosa = house.staff()
    item = house.item(owner_id=rosa.id)
    page = house.signed_in(rosa).get(f"/inbox/{item.id}").text
    presets = snooze_times.presets(clock.now(), house.clinic.zone)
    offered = [name for name in re.findall(r'name="until" value="(\w+)"', page) if name in presets]
    assert "1_hour" in offered
    assert offered == sorted(offered, key=presets.__getitem__)


def test_a_snooze_says_which_of_its_times_come_after_the_answer_is_due(house: Any) -> None:
    rosa = house.staff()
    soon = house.item(owner_id=rosa.id, answer_by=clock.now() + timedelta(minutes=90))
    over = house.item(owner_id=rosa.id, answer_by=clock.now() - timedelta(minutes=5))
    browser = house.signed_in(rosa)
    page = browser.get(f"/inbox/{soon.id}").text
    offered = re.findall(r'<button class="when" name="until" value="(\w+)">(.*?)</button>', page)
    assert {name for name, words in offered if "after it is due" not in words} == {"1_hour"}
    assert len(offered) > 2
    assert "after it is due" not in browser.get(f"/inbox/{over.id}").text


def test_waiting_for_the_patient_holds_only_what_was_answered(house: Any) -> None:
    rosa = house.staff()
    _, crisis = late(house, owner_id=rosa.id)
    text = house.item(owner_id=rosa.id)
    with db.unit_of_work(house.clinic.id) as session:
        items.acknowledge(session, session.get_one(InboxItem, text.id), rosa, "replied")
    browser = house.signed_in(rosa)
    browser.post(f"/inbox/{crisis.id}/acknowledge", disposition="in_person")
    listed = browser.get("/inbox?view=waiting").text.partition('data-part="list"')[2]
    assert [str(item.id) in listed for item in (text, crisis)] == [True, False]


def test_a_crisis_stands_over_every_page_of_its_owner_from_when_it_came(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Carter")
    patient = house.patient(first_name="Joy")
    house.item("reply", owner_id=rosa.id, patient_id=patient.id)
    crisis = house.item("safety", owner_id=rosa.id, patient_id=patient.id)
    browser = house.signed_in(rosa)
    for path in ("/tasks", "/preferences", "/inbox"):
        assert re.search(r"Patient safety, \d+ min left: it is yours to answer", bar(browser.get(path).text)), path
    assert bar(house.signed_in(ben).get("/tasks").text) == ""
    browser.post(f"/inbox/{crisis.id}/acknowledge", disposition="in_person")
    assert bar(browser.get("/tasks").text) == ""
