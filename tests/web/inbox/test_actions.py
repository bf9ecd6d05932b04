"""What a care manager does with a case: taken once, set aside, taken back, settled one by one or several at once."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging.inbox.models import InboxItem, Timer
from reminders import appointments
from web import sessions
from web.inbox import after_action


def undo_of(page: str) -> str | None:
    match = re.search(r'name="event" value="([^"]+)"', page)
    return match[1] if match else None


def test_of_two_who_take_an_item_the_second_is_told_who_has_it_since_when(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Okafor")
    item = house.item()
    hers, his = house.signed_in(rosa), house.signed_in(ben)
    shown = hers.get(f"/inbox/{item.id}?view=everyone").text
    assert re.search(r'name="owner" value=""', shown)
    start = clock.now()
    with time_machine.travel(start, tick=False):
        assert his.post(f"/inbox/{item.id}/claim", owner="").status_code == 303
    with time_machine.travel(start + timedelta(seconds=5), tick=False):
        refused = hers.post(f"/inbox/{item.id}/claim", owner="", view="everyone")
    assert refused.status_code == 409
    assert "Assigned to Ben Okafor 5 s ago." in refused.text
    assert house.read(InboxItem, item.id).owner_id == ben.id
    again = re.search(r'name="owner" value="([^"]+)"', refused.text)  # now it shows him, and she may
    assert again is not None
    assert hers.post(f"/inbox/{item.id}/claim", owner=again[1]).status_code == 303
    assert house.read(InboxItem, item.id).owner_id == rosa.id
    assert hers.post(f"/inbox/{item.id}/claim", owner="").status_code == 303


def test_whoever_was_not_reached_is_owed_still_and_the_page_says_until_when(house: Any) -> None:
    rosa = house.staff()
    item = house.item("safety", owner_id=rosa.id)
    browser = house.signed_in(rosa)
    url = f"/inbox/{item.id}"
    refused = browser.post(f"{url}/acknowledge", disposition="could_not_reach")
    assert refused.status_code == 422
    assert "Say when you will try again" in refused.text
    before = clock.now()
    browser.post(f"{url}/acknowledge", disposition="could_not_reach", next="30_min")
    after = house.read(InboxItem, item.id)
    assert after.acknowledged_at is None
    assert timedelta(minutes=29) < after.answer_by - before < timedelta(minutes=31)
    page = browser.get(url).text
    assert "Could not reach, will try again. Next try today" in page or "Next try tomorrow" in page
    settled = browser.post(f"{url}/resolve", disposition="reached_by_phone")
    assert settled.status_code == 422
    assert "nobody has reached the patient yet" in settled.text
    browser.post(f"{url}/acknowledge", disposition="welfare_check")
    assert browser.post(f"{url}/resolve").status_code == 303
    assert house.read(InboxItem, item.id).disposition == "welfare_check"


def test_a_refusal_stands_beside_its_field(house: Any) -> None:
    rosa = house.staff()
    house.staff("Ben Okafor")
    safety, reply = house.item("safety", owner_id=rosa.id), house.item(owner_id=rosa.id)
    browser = house.signed_in(rosa)
    page = browser.post(f"/inbox/{safety.id}/acknowledge", disposition="").text
    form = page[page.index('class="ack"') :]
    form = form[: form.index("</select>")]
    assert "Choose what was done" in form
    assert 'aria-describedby="refused"' in form
    page = browser.post(f"/inbox/{reply.id}/snooze", until="at", at="2020-01-01T08:00").text
    menu = page[page.index('<details class="menu" open') :]
    assert "That moment has passed" in menu[: menu.index("</details>")]
    page = browser.post(f"/inbox/{reply.id}/handover", to="").text
    menu = page[page.index('<details class="menu" open') :]
    assert "Choose who takes it" in menu[: menu.index("</details>")]


def test_settling_goes_on_to_the_next_of_the_view_and_can_be_taken_back(house: Any, unhurried: None) -> None:
    rosa, now = house.staff(), clock.now()
    first, second, third = (
        house.item(owner_id=rosa.id, answer_by=now + timedelta(minutes=m), summary=f"n{m}") for m in (1, 2, 3)
    )
    # A filter hides it, so it is not what comes next.
    house.item("handoff", owner_id=rosa.id, answer_by=now + timedelta(minutes=2))
    browser = house.signed_in(rosa)
    back = "/inbox?view=mine&kind=reply"
    on = browser.post(f"/inbox/{second.id}/resolve", next="1", back=back)
    assert on.location == f"/inbox/{third.id}?view=mine&kind=reply"
    page = browser.get(on.location).text
    assert "is resolved. This is the next one." in page
    undone = browser.post("/inbox/undo", event=undo_of(page) or "", back=on.location)
    assert undone.location == f"/inbox/{second.id}?view=mine&kind=reply"
    assert house.read(InboxItem, second.id).state == "open"
    third_done = browser.post(f"/inbox/{third.id}/resolve", next="1", back=back)
    assert third_done.location.startswith(f"/inbox/{first.id}")
    browser.post(f"/inbox/{second.id}/resolve")
    last = browser.post(f"/inbox/{first.id}/resolve", next="1", back=back)
    assert last.location == "/inbox?view=mine&kind=reply"
    stays = browser.post(f"/inbox/{house.item(owner_id=rosa.id).id}/resolve")
    assert "/inbox/" in stays.location


def test_what_nobody_has_answered_comes_next_before_what_is_in_progress(house: Any, unhurried: None) -> None:
    rosa, now = house.staff(), clock.now()
    browser = house.signed_in(rosa)
    overdue = house.item(owner_id=rosa.id, answer_by=now - timedelta(minutes=40))
    alert, under_way = (house.item("safety", owner_id=rosa.id, answer_by=now + timedelta(minutes=m)) for m in (1, 2))
    for item in (alert, under_way):
        browser.post(f"/inbox/{item.id}/acknowledge", disposition="reached_by_phone")
    on = browser.post(f"/inbox/{alert.id}/resolve", next="1", back="/inbox?view=mine")
    assert on.location.startswith(f"/inbox/{overdue.id}")
    on = browser.post(f"/inbox/{overdue.id}/resolve", next="1", back="/inbox?view=mine")
    assert on.location.startswith(f"/inbox/{under_way.id}")


@pytest.mark.parametrize(
    "odd",
    [
        *("https://evil.example/inbox", "//evil.example/inbox", "/\\evil.example", "javascript:alert(1)"),
        *("/preferences", "/inboxes", "/inbox/../signin", "inbox", "", "/inbox\n//evil.example"),
    ],
)
def test_only_a_page_of_the_inbox_is_gone_back_to(house: Any, odd: str) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        cookie = {"Cookie": f"{sessions.cookie_name()}={sessions.start(session, house.staff(), how='once')}"}
    form = {"back": odd, "view": "waiting"}
    with house.app.test_request_context("/inbox/x", method="POST", data=form, headers=cookie):
        assert after_action.back() == "/inbox?view=waiting"


def test_what_was_done_can_be_taken_back_for_ten_seconds(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Okafor")
    browser = house.signed_in(rosa)
    acts = {
        "claim": {},
        "handover": {"to": str(ben.id)},
        "snooze": {"until": "1_hour"},
        "resolve": {},
    }
    for act, form in acts.items():
        item = house.item()
        with time_machine.travel(clock.now(), tick=False):
            done = browser.post(f"/inbox/{item.id}/{act}", **form)
            page = browser.get(done.location).text
            assert 'data-key="z"' in page
            back = browser.post("/inbox/undo", event=undo_of(page) or "", back=done.location)
            assert "Everything is as it was" in browser.get(back.location).text
        after = house.read(InboxItem, item.id)
        assert (after.state, after.owner_id, after.snoozed_until) == ("open", None, None)
    start = clock.now()
    with time_machine.travel(start, tick=False):
        done = browser.post(f"/inbox/{item.id}/resolve")
        page = browser.get(done.location).text
    with time_machine.travel(start + timedelta(seconds=13), tick=False):
        late = browser.post("/inbox/undo", event=undo_of(page) or "", back=done.location)
        assert "The ten seconds to take that back are over" in browser.get(late.location).text
    assert house.read(InboxItem, item.id).state == "done"


def test_nobody_takes_back_what_another_or_another_clinic_did(house: Any, another_house: Callable[[], Any]) -> None:
    item, rosa = house.item(), house.signed_in(house.staff())
    event = undo_of(rosa.get(rosa.post(f"/inbox/{item.id}/resolve").location).text) or ""
    other = another_house()
    for stranger in (house.signed_in(house.staff("Ben Okafor")), other.signed_in(other.staff())):
        stranger.post("/inbox/undo", event=event)
        assert house.read(InboxItem, item.id).state == "done"
    assert rosa.post("/inbox/undo", event="nonsense").status_code == 303


def test_it_sleeps_until_the_visit_and_again_at_the_same_time(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    item = house.item(owner_id=rosa.id, patient_id=patient.id)
    browser = house.signed_in(rosa)
    url = f"/inbox/{item.id}"
    assert "Until the visit" not in browser.get(url).text
    assert browser.post(f"{url}/snooze", until="visit").status_code == 422
    starts = clock.now() + timedelta(days=3)
    with db.unit_of_work(house.clinic.id) as session:
        record = appointments.VisitRecord("V1", patient.record or "", starts, "America/Denver", clock.now())
        visit, _ = appointments.save(session, house.clinic, patient, record)
    assert "Until the visit" in browser.get(url).text
    browser.post(f"{url}/snooze", until="visit")
    asleep = house.read(InboxItem, item.id)
    assert asleep.snoozed_for == f"appointment:{visit.id}"
    assert asleep.snoozed_until == starts - timedelta(minutes=30)
    assert "Snoozed until" in browser.get(url).text
    browser.post(f"{url}/wake")
    assert house.read(InboxItem, item.id).state == "open"
    assert "Snooze again until" in browser.get(url).text
    assert browser.post(f"{url}/snooze", until="again").status_code == 303
    again = house.read(InboxItem, item.id)
    assert clock.now() < again.snoozed_until <= clock.now() + timedelta(hours=25)
    assert again.snoozed_for is None


def test_a_safety_item_says_that_it_cannot_be_set_aside_yet(house: Any) -> None:
    rosa = house.staff()
    item = house.item("safety", owner_id=rosa.id)
    browser = house.signed_in(rosa)
    assert "/snooze" not in browser.get(f"/inbox/{item.id}").text
    refused = browser.post(f"/inbox/{item.id}/snooze", until="1_hour")
    assert (refused.status_code, "Acknowledge it first" in refused.text) == (422, True)
    browser.post(f"/inbox/{item.id}/acknowledge", disposition="in_person")
    far = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    assert "within 24 hours" in browser.post(f"/inbox/{item.id}/snooze", until="at", at=far).text


def many(browser: Any, act: str, *chosen: InboxItem, **form: Any) -> str:
    answer = browser.post("/inbox/bulk", act=act, item=[str(item.id) for item in chosen], **form)
    assert answer.status_code == 303
    return str(browser.get(answer.location).text)


def test_several_are_settled_at_once_but_never_what_is_about_safety(house: Any, unhurried: None) -> None:
    rosa = house.staff()
    replies = [house.item(owner_id=rosa.id) for _ in range(3)]
    owed = [house.item("safety"), house.item("screen"), house.item("handoff")]
    browser = house.signed_in(rosa)
    browser.get(browser.post(f"/inbox/{owed[1].id}/acknowledge", disposition="in_person").location)
    page = many(browser, "resolve", *replies, *owed)
    assert "3 resolved. 2 left alone: patient safety" in page
    assert "1 left alone: a handoff cannot wait" in page
    assert [house.read(InboxItem, item.id).state for item in (*replies, *owed)] == ["done"] * 3 + [
        "open",
        "claimed",
        "open",
    ]
    undone = browser.post("/inbox/undo", event=undo_of(page) or "")
    assert "Everything is as it was" in browser.get(undone.location).text
    assert [house.read(InboxItem, item.id).state for item in replies] == ["open"] * 3
    assert "2 left alone" in many(browser, "snooze", *owed[:2], *replies, until="tomorrow")
    assert [house.read(InboxItem, item.id).state for item in replies] == ["snoozed"] * 3
    with db.unit_of_work(db.EVERY) as session:
        timers = select(Timer).where(Timer.item_id == owed[0].id, Timer.state == "waiting")
        assert {timer.kind for timer in session.scalars(timers)} == {"route", "escalate"}
        settled = select(audit.AuditEntry).where(audit.AuditEntry.act == "item.resolved")
        assert len(session.scalars(settled).all()) == 3


def test_several_are_taken_or_handed_over_and_what_a_colleague_has_is_left(
    house: Any, another_house: Callable[[], Any]
) -> None:
    rosa, ben = house.staff(), house.staff("Ben Okafor")
    free, his, theirs = house.item("safety"), house.item(owner_id=ben.id), another_house().item()
    browser = house.signed_in(rosa)
    page = many(browser, "claim", free, his, theirs)
    assert "1 assigned to you." in page
    assert "1 left alone: a colleague has them" in page
    assert "1 left alone: not found" in page
    assert house.read(InboxItem, free.id).owner_id == rosa.id
    assert "2 reassigned" in many(browser, "hand_over", free, his, to=str(ben.id))
    assert house.read(InboxItem, free.id).owner_id == ben.id
    assert "Choose who takes it" in many(browser, "hand_over", free, to="")
    assert "Mark at least one" in many(browser, "claim")


def test_several_are_only_worked_on_by_who_may(house: Any) -> None:
    item = house.item()
    admin = house.signed_in(house.staff(role="clinic_admin"))
    for act in ("resolve", "claim", "snooze"):
        assert admin.post("/inbox/bulk", act=act, item=str(item.id)).status_code == 403
    auditor = house.signed_in(house.staff(role="auditor"))
    for path in ("/inbox/bulk", "/inbox/undo"):
        assert auditor.post(path, act="hand_over", item=str(item.id)).status_code == 403
    care = house.signed_in(house.staff())
    assert care.post("/inbox/bulk", act="delete", item=str(item.id)).status_code == 400
    assert house.read(InboxItem, item.id).state == "open"
