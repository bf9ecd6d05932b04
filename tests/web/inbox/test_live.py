"""The poll of an open page: what it is told, what it costs, who else is here, and when it is turned away."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from redis import Redis
from sqlalchemy import event

from config import clock, db, runtime
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from web import sessions

POLL = "/inbox/poll?unattended=1"
ROWS = POLL + "&rows=1"


def poll(browser: Any, path: str = POLL, etag: str | None = None) -> Any:
    return browser.get(path, headers={"If-None-Match": etag} if etag else {})


def place(item: InboxItem, conversation: Any = None) -> str:
    return f"{POLL}&thread={item.thread}&item={item.id}&conversation={conversation or ''}"


def statements(act: Any) -> int:
    """Return how many statements the database was asked during `act`."""
    count: list[str] = []

    def noted(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        count.append(statement)

    event.listen(db.engine(), "before_cursor_execute", noted)
    try:
        act()
    finally:
        event.remove(db.engine(), "before_cursor_execute", noted)
    return len([statement for statement in count if not statement.startswith(("BEGIN", "COMMIT"))])


@pytest.fixture(params=["with Redis", "without Redis"])
def either(request: pytest.FixtureRequest) -> None:
    if request.param == "with Redis":
        request.getfixturevalue("bell")


def test_the_answer_is_304_until_something_has_happened(house: Any, either: None) -> None:
    browser = house.signed_in(house.staff())
    house.item("safety")
    first = poll(browser)
    assert first.status_code == 200
    assert poll(browser, etag=first.headers["ETag"]).status_code == 304
    house.item()
    again = poll(browser, etag=first.headers["ETag"])
    assert again.status_code == 200
    assert again.json["list"] != first.json["list"]
    assert again.json["talk"] == first.json["talk"]


def test_a_text_is_news_to_who_has_its_case_open_and_stirs_no_list(house: Any, either: None) -> None:
    patient = house.patient()
    conversation = house.text_from(patient, "hello")
    item = house.item(patient_id=patient.id, conversation_id=conversation.id)
    browser = house.signed_in(house.staff())
    first, elsewhere = poll(browser, place(item, conversation.id)), poll(browser)
    house.text_from(patient, "are you there?")
    again = poll(browser, place(item, conversation.id), first.headers["ETag"])
    assert again.json["talk"] != first.json["talk"]
    assert again.json["list"] == first.json["list"]
    assert poll(browser, etag=elsewhere.headers["ETag"]).status_code == 304


def test_a_page_is_drawn_with_the_name_of_what_it_shows(house: Any, either: None) -> None:
    item = house.item(patient_id=house.patient().id)
    browser = house.signed_in(house.staff())
    page = browser.get(f"/inbox/{item.id}").text
    etag = page.split('data-etag="')[1].split('"')[0]
    address = page.split('data-live="')[1].split('"')[0].replace("&amp;", "&")
    assert poll(browser, address, f'"{etag}"').status_code == 304


def test_a_poll_that_has_no_news_asks_the_database_nothing(house: Any, bell: Redis) -> None:
    item = house.item(patient_id=house.patient().id)
    browser = house.signed_in(house.staff())
    first = poll(browser, place(item))
    assert statements(lambda: poll(browser, place(item), first.headers["ETag"])) == 0
    assert statements(lambda: poll(browser, place(item))) == 0


def test_colleagues_see_who_views_and_who_writes(house: Any, bell: Redis) -> None:
    item = house.item(patient_id=house.patient().id)
    rosa, ben, ana = (house.signed_in(house.staff(name)) for name in ("Rosa Delgado", "Ben Okafor", "Ana Ruiz"))
    poll(ben, place(item))
    poll(ana, place(item) + "&mode=writing")
    assert poll(rosa, ROWS).json["here"] == {item.thread: "Ana Ruiz is writing · Ben Okafor is viewing"}
    assert poll(ben, place(item)).json["here"] == {item.thread: "Ana Ruiz is writing"}
    page = rosa.get(f"/inbox/{item.id}?view=everyone").text
    assert page.count("Ana Ruiz is writing · Ben Okafor is viewing") == 2  # in the case's header, and in its row


def test_a_beat_of_the_heart_is_no_news(house: Any, bell: Redis) -> None:
    item = house.item()
    rosa, ben = house.signed_in(house.staff()), house.signed_in(house.staff("Ben Okafor"))
    poll(ben, place(item))
    etag = poll(rosa, place(item)).headers["ETag"]
    for _ in range(3):
        poll(ben, place(item))
        assert poll(rosa, place(item), etag).status_code == 304
    poll(ben, place(item) + "&mode=writing")
    assert poll(rosa, place(item), etag).status_code == 200


def test_who_moves_elsewhere_is_told_now_and_then_not_each_second(house: Any, bell: Redis) -> None:
    here, elsewhere = house.item(), house.item()
    rosa, ben = house.signed_in(house.staff()), house.signed_in(house.staff("Ben Okafor"))
    near, rows = poll(rosa, place(here)).headers["ETag"], poll(rosa, place(here) + "&rows=1").headers["ETag"]
    poll(ben, place(elsewhere))
    assert poll(rosa, place(here), near).status_code == 304
    assert poll(rosa, place(here) + "&rows=1", rows).json["here"] == {elsewhere.thread: "Ben Okafor is viewing"}
    poll(ben, place(here))
    assert poll(rosa, place(here), near).json["here"] == {here.thread: "Ben Okafor is viewing"}


def test_a_page_nobody_looks_at_is_nobody_s(house: Any, bell: Redis) -> None:
    item = house.item()
    rosa, ben = house.signed_in(house.staff()), house.signed_in(house.staff("Ben Okafor"))
    poll(ben, place(item) + "&mode=away")
    assert poll(rosa, ROWS).json["here"] == {}
    ben.get(f"/inbox/{item.id}?unattended=1")
    assert poll(rosa, ROWS).json["here"] == {}


def test_who_leaves_is_gone_at_once(house: Any, bell: Redis) -> None:
    item = house.item()
    rosa, ben = house.signed_in(house.staff()), house.signed_in(house.staff("Ben Okafor"))
    ben.get(f"/inbox/{item.id}")
    poll(ben, place(item) + "&mode=writing")
    poll(ben, place(item) + "&mode=gone")
    assert poll(rosa, ROWS).json["here"] == {}


def test_without_script_the_opening_of_a_case_is_seen(house: Any, bell: Redis) -> None:
    item = house.item(summary="first")
    house.signed_in(house.staff("Ben Okafor")).get(f"/inbox/{item.id}")
    assert "Ben Okafor is viewing" in house.signed_in(house.staff()).get(f"/inbox/{item.id}").text


def test_presence_stays_in_its_clinic_and_takes_no_stranger_s_words(
    house: Any, another_house: Any, bell: Redis
) -> None:
    item, other = house.item(), another_house()
    stranger = other.signed_in(other.staff("Eve Stranger"))
    poll(stranger, place(item))
    rosa = house.signed_in(house.staff())
    poll(house.signed_in(house.staff("Ben")), f"{POLL}&thread=<b>{item.thread}</b>&mode=writing")
    assert poll(rosa, ROWS).json["here"] == {}
    bell.zadd(f"warmthread:here:{house.clinic.id}", {"not|a mark": 9e9, f"{db.new_id()}|{item.thread}|viewing": 9e9})
    assert poll(rosa, ROWS).json["here"] == {}


def test_without_redis_nobody_is_seen_and_nothing_is_said_of_it(house: Any) -> None:
    item = house.item()
    poll(house.signed_in(house.staff("Ben Okafor")), place(item))
    rosa = house.signed_in(house.staff())
    assert poll(rosa, ROWS).json["here"] == {}
    assert "is viewing" not in rosa.get(f"/inbox/{item.id}").text


def test_signing_out_ends_the_polls_at_once(house: Any, bell: Redis) -> None:
    rosa = house.staff()
    tab, other_tab = house.signed_in(rosa), house.signed_in(rosa)
    assert [poll(tab).status_code, poll(other_tab).status_code] == [200, 200]
    tab.client.set_cookie("kept", "so that the jar is not empty")
    token = tab.client.get_cookie("wt_session").value
    tab.post("/signout")
    tab.client.set_cookie("wt_session", token)
    assert [poll(tab).status_code, poll(other_tab).status_code] == [401, 200]


@pytest.mark.parametrize("how", ["revoked", "no longer works here", "became front desk"])
def test_who_loses_the_right_loses_the_poll_at_once(house: Any, bell: Redis, how: str) -> None:
    rosa = house.staff()
    browser = house.signed_in(rosa)
    assert poll(browser).status_code == 200
    assert poll(browser).status_code == 200
    with db.unit_of_work(house.clinic.id) as session:
        if how == "revoked":
            sessions.revoke(session, rosa.id)
        elif how == "became front desk":
            session.get_one(Staff, rosa.id).role = "front_desk"
        else:
            session.get_one(Staff, rosa.id).active = False
    status = 403 if how == "became front desk" else 401
    assert [poll(browser).status_code, poll(browser).status_code] == [status, status]


def test_without_redis_a_revoked_poll_ends_within_ten_seconds(house: Any) -> None:
    rosa = house.staff()
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False) as when:
        browser = house.signed_in(rosa)
        assert poll(browser).status_code == 200
        with db.unit_of_work(house.clinic.id) as session:
            sessions.revoke(session, rosa.id)
        assert browser.post("/signout").status_code == 303  # acts know at once
        when.shift(timedelta(seconds=11))
        assert poll(browser).status_code == 401


def test_an_act_in_another_tab_keeps_the_polls_of_both_alive(house: Any, bell: Redis) -> None:
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False) as when:
        browser = house.signed_in(house.staff())
        poll(browser)
        when.shift(timedelta(minutes=14, seconds=55))
        assert poll(browser).status_code == 200
        browser.get("/inbox")
        when.shift(timedelta(seconds=9))
        assert poll(browser).status_code == 200


def test_a_poll_on_behalf_of_who_types_counts_as_being_here(house: Any, bell: Redis) -> None:
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False) as when:
        browser = house.signed_in(house.staff())
        for _ in range(3):
            when.shift(timedelta(minutes=14))
            assert poll(browser, "/inbox/poll").status_code == 200
        when.shift(timedelta(minutes=16))
        assert poll(browser, "/inbox/poll").status_code == 303


def test_the_poll_is_closed_to_who_may_not_read_the_inbox_and_to_strangers(house: Any, either: None) -> None:
    assert poll(house.browser()).status_code == 401
    assert poll(house.signed_in(house.staff(role="front_desk"))).status_code == 403


def test_a_redis_that_goes_and_comes_back_misses_nothing(house: Any, bell: Redis) -> None:
    browser = house.signed_in(house.staff())
    first = poll(browser)
    url = runtime._made["queue.embedded_url"]
    for name in ("queue.embedded_url", "queue.redis"):
        runtime.forget(name)
    away = poll(browser, etag=first.headers["ETag"])
    assert away.status_code == 200
    house.item()
    assert poll(browser, etag=away.headers["ETag"]).status_code == 200
    bell.flushall()
    for name in ("queue.embedded_url", "queue.redis", "queue.silence"):
        runtime.forget(name)
    runtime.once("queue.embedded_url", lambda: url)
    assert poll(browser, etag=away.headers["ETag"]).status_code == 200
    assert clock.now()


def test_a_page_that_shows_by_itself_what_came_in_says_so_in_the_record(house: Any) -> None:
    from config import audit

    item = house.item()
    browser = house.signed_in(house.staff())
    browser.get(f"/inbox/{item.id}")
    browser.get(f"/inbox/{item.id}?unattended=1")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        acts = [entry.act for entry in session.query(audit.AuditEntry).filter_by(about=f"inbox_item:{item.id}")]
    assert acts.count("case.opened") == acts.count("case.refreshed") == 1
