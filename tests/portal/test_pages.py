"""The door to a patient's own page: who is let in, for how long, and what they see when they are not."""

import re
from datetime import timedelta

import pytest

from config import db
from intake_links import links, tablet_codes
from intake_links.models import IntakeLink
from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from messaging.people import directory
from portal import words
from tests.portal.conftest import BORN

DAYS = timedelta(days=1)
PAGES = ("/i/me", "/i/me/language", "/i/me/hours", "/i/me/privacy", "/i/me/texts")


def test_without_a_visit_the_page_shows_nothing_and_says_to_open_the_link(phone, ward):
    for path in PAGES:
        assert phone.get(path).response.status_code == 403
        assert "open the link in our text message again" in phone.page
        assert "988" in phone.page


def test_looking_changes_nothing_however_often(inside, ward):
    ward.visit(2 * DAYS)
    before = [(link.state, link.tries, link.expires_at) for link in ward.all(IntakeLink)]
    for _ in range(5):
        for path in PAGES:
            assert inside.get(path).response.status_code == 200
    assert [(link.state, link.tries, link.expires_at) for link in ward.all(IntakeLink)] == before


def test_who_was_away_too_long_says_the_birth_date_again_and_loses_neither_press_nor_page(inside, ward, travel):
    visit = ward.visit(2 * DAYS)
    inside.get("/i/me")
    travel.shift(timedelta(minutes=31))
    inside.post("/i/me/visit", act="confirm")
    assert inside.heading == "Please tell us again who you are"
    inside.post(day=1, month=2, year=1990)
    assert "That does not match what we have." in inside.page
    inside.post(day=BORN.day, month=BORN.month, year=BORN.year)
    assert (inside.path, inside.heading) == ("/i/me?saved=1", "Your visits")
    assert ward.state(visit) == "confirmed"


def test_five_wrong_birth_dates_close_it_for_good_and_ask_a_person_to_call(inside, ward, travel):
    travel.shift(timedelta(minutes=31))
    inside.get("/i/me")
    for _ in range(links.TRIES):
        inside.post("/i/me/again", day=1, month=2, year=1990)
    assert inside.response.status_code == 404
    assert "Please call Alder Street Clinic" in inside.page
    assert inside.get("/i/me").response.status_code == 404
    assert "day" not in inside.page[inside.page.find("<form") :]
    [item] = ward.all(InboxItem)
    assert (item.kind, item.dedupe.rsplit(":", 1)[1]) == ("delivery", "locked")


def test_after_the_questions_the_thanks_lead_here_and_so_does_the_same_link_later(phone, another, ward):
    link = ward.link("gad2", valid=5 * DAYS)
    phone.enter(link)
    for _ in range(2):
        phone.post(answer=0)
    phone.post()
    assert phone.heading.startswith("Thank you")
    assert 'href="/i/me"' in phone.page
    assert phone.get("/i/me").heading == "Your visits"
    assert another.get(link).heading.startswith("Thank you")
    assert f'href="{link}/me"' in another.page
    another.get(f"{link}/me").post(day=BORN.day, month=BORN.month, year=BORN.year)
    assert (another.path, another.heading) == ("/i/me", "Your visits")
    [answered] = ward.all(IntakeLink)
    assert answered.state == "answered"


def test_once_its_time_is_over_an_answered_link_thanks_and_opens_nothing(phone, ward, travel):
    link = ward.link("gad2")
    phone.enter(link)
    with db.unit_of_work(db.EVERY) as session:
        session.query(IntakeLink).one().state = "answered"
    travel.shift(links.VALID)
    assert f"{link}/me" not in phone.get(link).page
    assert phone.get(f"{link}/me").response.status_code == 404
    phone.post(f"{link}/me", day=BORN.day, month=BORN.month, year=BORN.year)
    assert phone.response.status_code == 404


def test_with_questions_still_open_the_page_leads_back_to_them(phone, ward):
    phone.enter(ward.link("gad2"))
    assert 'href="/i/q"' in phone.get("/i/me").page


def test_closing_the_page_ends_the_visit_for_whoever_has_the_phone_next(inside, ward):
    token = inside.client.get_cookie("__Host-wt_links", domain="care.example.org").value
    inside.get("/i/me").post("/i/me/leave")
    assert inside.heading == "This page is closed"
    assert "cookies" in inside.response.headers["Clear-Site-Data"]
    with db.unit_of_work(db.EVERY) as session:
        assert not links.opened(session, token).fresh
    assert inside.get("/i/me").response.status_code == 403


def test_the_clinics_tablet_opens_nobodys_own_page(phone, ward):
    with db.unit_of_work(db.EVERY) as session:
        code = tablet_codes.start(session, *ward.both(session), ["gad2"], actor="staff:test")
    phone.get("/k").post(code=code)
    assert phone.get("/i/me").heading == "This form is closed"
    assert phone.get("/i/me").response.status_code == 403


@pytest.mark.parametrize("state", ["inactive", "deceased"])
def test_who_is_no_patient_any_more_is_asked_to_call_and_shown_nothing(inside, ward, state):
    visit = ward.visit(2 * DAYS)
    ward.change(state=state)
    for path in (*PAGES, f"/i/me/visit/{visit}.ics"):
        assert inside.get(path).heading == "Please call us"
        assert "March" not in inside.page
        assert state not in inside.page
    inside.post("/i/me/visit", act="confirm", visit=visit, revision=1)
    assert ward.state(visit) == "booked"


def test_where_the_number_is_somebody_elses_the_page_only_says_to_call(inside, ward):
    ward.visit(2 * DAYS)
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, ward.clinic_id)
        directory.learn_line(session, clinic, "+12015550147", "wrong_person", "test")
    assert inside.get("/i/me").heading == "Please call us"


def test_a_post_from_elsewhere_or_without_its_token_changes_nothing(inside, ward):
    visit = ward.visit(2 * DAYS)
    inside.get("/i/me")
    fields = {"act": "confirm", "visit": str(visit), "revision": "1"}
    bare = inside.client.post("/i/me/visit", base_url=inside.base_url, data=fields)
    assert bare.status_code == 400
    assert "csrf_token" in bare.text  # what was posted is given back, to be sent again
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert (
        inside.client.post("/i/me/visit", base_url=inside.base_url, data=fields, headers=elsewhere).status_code == 403
    )
    assert ward.state(visit) == "booked"


@pytest.mark.parametrize("path", ["/i/me/again", "/i/me/visit", "/i/me/leave"])
def test_a_reload_of_what_was_posted_comes_back_to_the_page(inside, path):
    assert inside.get(path).path == "/i/me"


def test_every_page_is_small_sealed_and_without_script(inside, ward):
    for name in range(6):
        ward.visit((2 + name) * DAYS, name=f"V{name}")
    for path in PAGES:
        page = inside.get(path)
        assert len(page.page.encode()) < 30_000
        assert "<script" not in page.page
        assert page.response.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in page.response.headers["Content-Security-Policy"]
        assert page.response.headers["Referrer-Policy"] == "no-referrer"


def keys_of(table, path=""):
    return {
        name
        for key, value in table.items()
        for name in (keys_of(value, f"{path}{key}.") if isinstance(value, dict) else {path + key})
    }


def test_both_languages_say_everything_with_the_same_places():
    english, spanish = words.texts("en"), words.texts("es")
    assert keys_of(english) == keys_of(spanish)
    for key in keys_of(english):
        pair = [english, spanish]
        for part in key.split("."):
            pair = [table[part] for table in pair]
        if isinstance(pair[0], str):
            assert len({frozenset(re.findall(r"\{(\w+)\}", text)) for text in pair}) == 1, key


def test_no_word_of_the_page_tells_what_kind_of_clinic_it_is(inside, ward):
    ward.visit(2 * DAYS)
    for path in PAGES:
        page = inside.get(path).page.lower()
        for word in (
            "depress",
            "anxiety",
            "behavior",
            "mental",
            "phq",
            "gad",
            "score",
            "screening",
            "diagnos",
        ):
            assert word not in re.sub(r'value="[^"]*"|id="[^"]*"', "", page)


def test_the_page_is_in_spanish_where_the_patient_wants_that(inside, ward):
    ward.visit(2 * DAYS)
    inside.get("/i/me").post("/i/language", at="own", to="es")
    assert (inside.path, inside.heading) == ("/i/me", "Sus citas")
    assert "Jueves, 5 de marzo, 9:00 am" in inside.page
    assert 'lang="es"' in inside.page


def test_wrong_dates_at_the_own_page_do_not_undo_that_the_questions_are_answered(phone, another, ward):
    link = ward.link("gad2", valid=5 * DAYS)
    phone.enter(link)
    for _ in range(2):
        phone.post(answer=0)
    phone.post()
    for _ in range(links.TRIES):
        another.get(f"{link}/me").post(f"{link}/me", day=1, month=2, year=1990)
    assert another.response.status_code == 404
    another.post(f"{link}/me", day=BORN.day, month=BORN.month, year=BORN.year)
    assert another.response.status_code == 404
    [answered] = ward.all(IntakeLink)
    assert answered.state == "answered"
    assert another.get(link).heading.startswith("Thank you")
    assert f'href="{link}/me"' not in another.page
    assert [item.dedupe.rsplit(":", 1)[1] for item in ward.all(InboxItem)] == ["locked"]
