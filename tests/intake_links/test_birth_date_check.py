"""LINK-01 to LINK-12: a link gives nothing away, loses nothing, and never ends without a number to call."""

import logging as python_logging
import re
from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import func, select, text

from config import clock, db, runtime, throttle
from intake_links import birth_date_check, links
from intake_links.models import IntakeLink, LinkSession, Screen
from messaging.inbox.models import InboxItem
from messaging.people import directory

OTHER = date(1980, 1, 2)
UNKNOWN = "/i/" + "A" * 22


@pytest.fixture(autouse=True)
def _nobody_guessed_yet(house):
    runtime.forget("throttle.memory")


def read(query):
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return query(session)


def everything():
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        tables = db.Base.metadata.sorted_tables
        return {t.name: session.execute(text(f"SELECT * FROM {t.name}")).all() for t in tables}


def items():
    return read(lambda s: [(i.kind, i.summary) for i in s.scalars(select(InboxItem).order_by(InboxItem.id))])


def bare(page):
    """The page without what differs from one request to the next."""
    return re.sub(r'value="[^"]*"|action="[^"]*"', "", page)


def lock(phone, path):
    for _ in range(links.TRIES):
        phone.enter(path, born=OTHER)
    return phone


def test_link_01_a_hundred_previews_leave_every_row_as_it_was(ward, phone):
    _, path = ward.issue()
    before = everything()
    for _ in range(100):
        phone.client.get(path, base_url=phone.base_url, headers={"Sec-Purpose": "prefetch"})
    assert everything() == before
    assert phone.enter(path).path == "/i/q/1/1"


def test_link_02_head_changes_nothing_and_says_what_get_says(ward, phone):
    _, path = ward.issue()
    before = everything()
    head = phone.client.head(path, base_url=phone.base_url)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Cache-Control"] == "no-store"
    assert everything() == before


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 404), (1, 404)])
def test_link_03_a_link_ends_at_its_second(ward, phone, seconds, status):
    link_id, path = ward.issue()
    ends = read(lambda s: s.get(IntakeLink, link_id).expires_at)
    with time_machine.travel(ends + timedelta(seconds=seconds), tick=False):
        assert phone.get(path).response.status_code == status


def test_link_04_guessing_stops_at_five_for_the_links_whole_life_and_a_person_is_asked_to_call(ward, phone):
    link_id, path = ward.issue()
    for _ in range(4):
        assert phone.enter(path, born=OTHER).response.status_code == 422
    with time_machine.travel(clock.now() + timedelta(hours=30)):
        assert phone.enter(path, born=OTHER).response.status_code == 404
        assert phone.post(path, day=27, month=3, year=1981).response.status_code == 404
    assert read(lambda s: s.get(IntakeLink, link_id).state) == "locked"
    assert [kind for kind, _ in items()] == ["delivery"]


def test_link_05_unknown_expired_locked_and_replaced_links_show_one_and_the_same_page(ward, phone):
    _, replaced = ward.issue()
    _, locked = ward.issue()
    lock(phone, locked)
    _, expired = ward.issue(valid=timedelta(hours=1))
    pages = [bare(phone.get(path).page) for path in (UNKNOWN, replaced, locked)]
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        pages.append(bare(phone.get(expired).page))
    assert len(set(pages)) == 1
    assert "Ask for a new link" in pages[0]


def test_link_05b_of_several_clinics_an_unknown_link_names_none(ward, phone):
    with db.unit_of_work(db.EVERY) as session:
        directory.add_clinic(session, name="Elm Clinic", zone="America/Denver", number="+12015550101")
    page = phone.get(UNKNOWN).page
    assert "988" in page
    assert "Alder" not in page
    assert "Elm" not in page


def test_link_06_a_locked_link_keeps_what_was_answered_on_it(ward, phone, another_phone):
    _, path = ward.issue()
    phone.enter(path).post(answer=2)
    lock(another_phone, path)
    assert read(lambda s: s.scalar(select(func.count(Screen.id)))) == 1
    # Who is already inside may finish.
    assert phone.get("/i/q").path == "/i/q/1/2"


@pytest.mark.parametrize("made", ["unknown", "locked", "nowhere", "root", "stale", "no cookie", "wished", "code"])
def test_link_07_every_dead_end_says_988_and_911(ward, phone, made):
    _, path = ward.issue()
    if made == "locked":
        lock(phone, path)
    elif made == "stale":
        phone.enter(path).post(csrf_token="stale", answer=1)
    elif made == "wished":
        phone.get(UNKNOWN).post()
    else:
        places = {"unknown": UNKNOWN, "nowhere": "/i/a/b/c", "root": "/i/", "no cookie": "/i/q", "code": "/k"}
        phone.get(places[made])
    assert 'href="tel:988"' in phone.page
    assert 'href="tel:911"' in phone.page
    if made in ("unknown", "locked", "nowhere", "root", "wished"):
        assert "tel:+12015550100" in phone.page


def test_link_08_the_token_is_in_no_log_no_address_and_no_referer_after_the_birth_date(ward, phone, caplog):
    _, path = ward.issue()
    token = path.rsplit("/", 1)[1]
    with caplog.at_level(python_logging.DEBUG):
        phone.enter(path, born=OTHER)
        phone.get(path).post(day=27, month=3, year=1981, follow=False)
    assert phone.response.headers["Location"] == "/i/q"
    assert phone.response.headers["Referrer-Policy"] == "no-referrer"
    assert phone.response.headers["Cache-Control"] == "no-store"
    assert token not in phone.get("/i/q").page
    assert token not in caplog.text
    assert token not in str(everything())


def test_link_09_a_post_from_another_site_changes_nothing_even_with_the_right_token(ward, phone):
    _, path = ward.issue()
    phone.get(path)
    secret = re.search(r'name="csrf_token" value="([^"]+)"', phone.page).group(1)
    before = everything()
    form = {"csrf_token": secret, "day": "27", "month": "3", "year": "1981"}
    refused = phone.client.post(path, data=form, base_url=phone.base_url, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert everything() == before


def guessed(source, times):
    """So many wrong dates from a source, an hour's worth at once."""
    bucket = birth_date_check.WRONG_DATES.of(source)
    for _ in range(times):
        assert throttle.take(bucket) == 0


def test_link_10_a_source_that_guessed_twenty_times_is_slowed_and_never_kept_out(ward, phone, monkeypatch):
    slowed = []
    monkeypatch.setattr(birth_date_check.time, "sleep", slowed.append)
    link_id, path = ward.issue()
    with time_machine.travel(clock.now(), tick=False):
        guessed("127.0.0.1", birth_date_check.WRONG_DATES.free)
        assert phone.enter(path, born=OTHER).response.status_code == 422
        assert read(lambda s: (s.get(IntakeLink, link_id).tries, s.scalar(select(func.count(LinkSession.id))))) == (
            1,
            0,
        )
        assert phone.enter(path).path == "/i/q/1/1"
        assert slowed == [birth_date_check.SLOWED_SECONDS] * 2
        assert max(slowed) < 0.5


@pytest.mark.parametrize("dead", ["locked", "expired", "replaced", "unknown", "answered"])
def test_what_is_tried_on_a_dead_link_is_counted_against_nobody(ward, phone, another_phone, dead):
    _, path = ward.issue("phq2")
    valid = timedelta(hours=1) if dead == "expired" else links.VALID
    _, path = ward.issue("phq2", valid=valid)
    if dead == "locked":
        lock(phone, path)
        runtime.forget("throttle.memory")
    if dead == "answered":
        phone.enter(path).post(answer=0)
        phone.post(answer=0)
        phone.post()
    if dead == "replaced":
        ward.issue("phq2")
    path = UNKNOWN if dead == "unknown" else path
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        for _ in range(birth_date_check.WRONG_DATES.free + 5):
            another_phone.enter(path, born=OTHER)
        assert throttle.wait(birth_date_check.WRONG_DATES.of("127.0.0.1")) == 0
        _, open_link = ward.issue("phq2")
        assert phone.enter(open_link).path == "/i/q/1/1"


def test_link_11_after_sending_the_browser_forgets_the_pages_and_the_link_shows_thanks_only(ward, phone):
    _, path = ward.issue("phq2")
    phone.enter(path).post(answer=1)
    phone.post(answer=0)
    phone.post()
    assert phone.path == "/i/done"
    assert phone.response.headers["Clear-Site-Data"] == '"cache", "storage"'
    for where in (path, "/i/q", "/i/q/1/1", "/i/q/1/check"):
        assert "Thank you" in phone.get(where).heading
        assert "Several days" not in phone.page


def test_link_12_two_tabs_that_send_at_once_send_once_and_see_the_same_thanks(ward, phone):
    _, path = ward.issue("gad2")
    phone.enter(path).post(answer=0)
    phone.post(answer=0)
    check, where = phone.page, phone.path
    first = phone.post().page
    phone.page = check
    assert phone.post(where).page == first
    assert read(lambda s: s.scalars(select(Screen.state)).all()) == ["submitted"]


@pytest.mark.parametrize("ended", ["locked", "replaced", "expired"])
def test_a_wish_for_a_new_link_reaches_a_person_once_a_day_and_says_the_same_to_whoever_asks(ward, phone, ended):
    _, path = ward.issue()
    if ended == "locked":
        lock(phone, path)
    if ended == "replaced":
        ward.issue()
    with time_machine.travel(clock.now() + timedelta(hours=73)):
        known = phone.get(path).post().page
        assert bare(known) == bare(phone.get(UNKNOWN).post().page)
        phone.get(path).post()
        wishes = [summary for _, summary in items() if "new link" in summary and "asked" in summary]
        assert len(wishes) == 1
    with time_machine.travel(clock.now() + timedelta(hours=98)):
        phone.get(path).post()
        assert len([summary for _, summary in items() if "asked" in summary]) == 2


def test_a_wish_on_a_link_that_works_or_was_answered_bothers_nobody(ward, phone):
    _, path = ward.issue()
    phone.get(path).post(f"{path}/new")
    assert items() == []
    assert phone.enter(path).path == "/i/q/1/1"


def test_the_pause_grows_is_a_minute_at_most_and_is_forgotten_in_an_hour(ward):
    limit = throttle.Limit("code", free=3)
    with time_machine.travel(clock.now(), tick=False) as later:
        seen = []
        for _ in range(12):
            later.shift(timedelta(seconds=seen[-1] if seen else 0))
            assert throttle.take(limit.of("198.51.100.7")) == 0
            seen.append(throttle.wait(limit.of("198.51.100.7")))
        assert seen[:4] == [0, 0, 2, 4]
        assert max(seen) == 60
        assert throttle.wait(limit.of("198.51.100.8")) == 0
        assert throttle.wait(throttle.Limit("birth_date", free=3).of("198.51.100.7")) == 0
        later.shift(timedelta(hours=1))
        assert throttle.wait(limit.of("198.51.100.7")) == 0
