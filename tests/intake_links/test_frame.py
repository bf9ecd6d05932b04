"""What the pages keep to themselves: dead ends, sessions that end, sealed headers, and an answer that is never lost."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, text

from config import clock, db
from intake_links import rendering
from intake_links.models import LinkSession, Screen
from tests.intake_links.test_pages import INSTRUMENT_WORDS, OTHER, answers, fill, items, read, state


def test_after_five_wrong_birth_dates_the_page_is_that_of_an_unknown_link_with_the_clinics_phone(ward, phone):
    link_id, path = ward.issue()
    open_page = phone.get(path).page
    for _ in range(5):
        phone.enter(path, OTHER)
    assert state(link_id) == "locked"
    assert "(201) 555-0100" in phone.page
    assert "988" in phone.page
    locked, phone.page = phone.heading, open_page
    assert phone.post(path, day=27, month=3, year=1981).heading == locked == phone.get(path).heading
    unknown = phone.get("/i/AAAAAAAAAAAAAAAAAAAAAA")
    assert (unknown.heading, unknown.response.status_code) == (locked, 404)
    assert "988" in unknown.page
    assert [kind for kind, _ in items()] == ["delivery"]


def test_an_expired_link_is_the_same_dead_end_with_the_phone(ward, phone):
    _, path = ward.issue(valid=timedelta(hours=1))
    open_page = phone.get(path).page
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        assert phone.get(path).response.status_code == 404
        assert "(201) 555-0100" in phone.page
        assert "988" in phone.page
        phone.page = open_page
        assert phone.post(path, day=27, month=3, year=1981).response.status_code == 404


def test_after_half_an_hour_the_birth_date_is_asked_again_and_the_answer_just_given_is_not_lost(ward, phone):
    _, path = ward.issue("phq2")
    phone.enter(path)
    with time_machine.travel(clock.now() + timedelta(minutes=31)):
        phone.post(answer=2)
        assert "once more" in phone.page
        assert read(lambda s: s.scalar(select(func.count(Screen.id)))) == 0
        phone.post(day=1, month=1, year=1970)  # a wrong date keeps the answer along
        phone.post(day=27, month=3, year=1981)
        assert phone.path == "/i/q/1/2"
        assert answers() == [2, None]


def test_looking_after_half_an_hour_asks_for_the_birth_date_too(ward, phone):
    _, path = ward.issue("phq2")
    fill(phone.enter(path), [3])
    with time_machine.travel(clock.now() + timedelta(minutes=31)):
        assert "once more" in phone.get("/i/q/1/1").page
        assert "Nearly every day" not in phone.page
        assert phone.post(day=27, month=3, year=1981).path == "/i/q/1/2"


def test_an_answer_on_a_link_that_was_replaced_meanwhile_still_counts(ward, phone):
    _, path = ward.issue()
    fill(phone.enter(path), [0] * 8)
    ward.issue()
    phone.post(answer=3)
    assert phone.path == "/i/help"
    assert [kind for kind, _ in items()] == ["safety"]


def test_without_a_cookie_one_is_sent_back_to_the_text_message(ward, phone):
    assert phone.get("/i/q").response.status_code == 403
    assert "text message" in phone.page
    assert "988" in phone.page


def test_every_page_is_sealed_against_caches_scripts_and_frames(ward, phone):
    _, path = ward.issue("phq2")
    seen = []
    for step in (lambda: phone.get(path), lambda: phone.enter(path), lambda: fill(phone, [0, 0]), phone.post):
        step()
        seen.append(phone.response)
    seen.append(phone.get("/i/AAAAAAAAAAAAAAAAAAAAAA").response)
    for response in seen:
        for name, value in rendering.HEADERS.items():
            assert response.headers[name] == value
        page = response.get_data(as_text=True)
        assert "<script" not in page
        assert len(page.encode()) < 12_000
        assert not INSTRUMENT_WORDS.search(re.search("<title>(.*?)</title>", page).group(1))


def test_the_cookie_is_for_this_host_alone_and_the_token_leaves_the_address(ward, phone):
    _, path = ward.issue()
    phone.get(path).post(day=27, month=3, year=1981, follow=False)
    assert phone.response.status_code == 303
    assert phone.response.headers["Location"] == "/i/q"
    cookie = phone.response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-wt_links=")
    assert "Domain=" not in cookie
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
    phone.get("/i/q")
    assert path.rsplit("/", 1)[1] not in phone.page


@pytest.mark.parametrize("public_url", ["http://127.0.0.1:8000"], indirect=True)
def test_on_this_machine_without_https_the_pages_work_too(ward, phone):
    _, path = ward.issue("phq2")
    assert phone.enter(path).path == "/i/q/1/1"


def test_a_post_without_its_secret_saves_nothing_but_gives_the_answer_back_to_send_again(ward, phone):
    _, path = ward.issue("phq2")
    phone.enter(path)
    phone.post(csrf_token="stale", answer=2)
    assert phone.response.status_code == 400
    assert 'name="answer" value="2"' in phone.page
    assert phone.post().path == "/i/q/1/2"
    assert answers() == [2, None]


def test_while_the_database_is_away_the_answer_waits_on_the_page_and_help_is_there(ward, phone):
    _, path = ward.issue("phq2")
    phone.enter(path)
    with db.unit_of_work(db.EVERY) as session:
        session.execute(text("ALTER TABLE screen RENAME TO away"))
    looked = phone.client.get("/i/q/1/1", base_url=phone.base_url)
    assert looked.status_code == 503
    assert "We could not open this page just now" in looked.get_data(as_text=True)  # nothing was typed yet
    phone.post(answer=2)
    assert phone.response.status_code == 503
    assert "We could not save that just now" in phone.page
    assert "988" in phone.page
    assert 'name="answer" value="2"' in phone.page
    with db.unit_of_work(db.EVERY) as session:
        session.execute(text("ALTER TABLE away RENAME TO screen"))
    assert phone.post().path == "/i/q/1/2"
    assert answers() == [2, None]


def test_a_form_posted_from_another_site_is_refused(ward, phone):
    _, path = ward.issue("phq2")
    phone.enter(path)
    headers = {"Sec-Fetch-Site": "cross-site"}
    response = phone.client.post("/i/q/1/1", data={"answer": 1}, headers=headers, base_url=phone.base_url)
    assert response.status_code == 403
    assert 'value="1"' not in response.get_data(as_text=True)


def test_looking_never_counts_as_being_seen(ward, phone):
    _, path = ward.issue()
    phone.enter(path)
    before = read(lambda s: s.scalars(select(LinkSession.seen_at)).one())
    with time_machine.travel(clock.now() + timedelta(minutes=10)):
        phone.get("/i/q/1/1")
    assert read(lambda s: s.scalars(select(LinkSession.seen_at)).one()) == before


def test_the_stylesheet_is_served_and_a_page_with_it_weighs_less_than_thirty_kilobytes(ward, phone):
    _, path = ward.issue()
    phone.enter(path)
    page = phone.page
    phone.get("/i/static/form.css")
    assert phone.response.mimetype == "text/css"
    assert len(page.encode()) + len(phone.page.encode()) < 30_000
