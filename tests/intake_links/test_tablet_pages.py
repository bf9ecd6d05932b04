"""The clinic's tablet: a code opens one form once, and the next patient sees nothing of the one before."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db, devices, runtime
from intake_links import finding, tablet_codes
from intake_links.models import IntakeLink, Screen
from messaging.inbox.models import InboxItem


@pytest.fixture(autouse=True)
def _nobody_guessed_yet(house):
    runtime.forget("throttle.memory")


def read(query):
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return query(session)


def code_for(ward, *instruments):
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = ward.both(session)
        return tablet_codes.start(
            session, clinic, patient, list(instruments or ["phq9"]), actor=f"staff:{ward.staff_id}"
        )


def other_than(code):
    return f"{(int(code) + 1) % 10**6:06}"


def enter(phone, code):
    return phone.get("/k").post(code=code)


def answered():
    return read(lambda s: list(finding.answers_of(s.scalars(select(Screen)).one())))


def test_a_code_opens_the_form_without_a_number_and_without_a_birth_date(ward, phone):
    code = code_for(ward, "gad2")
    assert re.fullmatch("[0-9]{6}", code)
    assert enter(phone, f"{code[:3]} {code[3:]}").path == "/i/q/1/1"
    phone.post(answer=1)
    phone.post(answer=0)
    phone.post()
    assert phone.path == "/i/done"
    assert "give the tablet back" in phone.page
    assert '"cookies"' in phone.response.headers["Clear-Site-Data"]
    assert phone.response.headers["Refresh"] == "30; url=/k"
    assert answered() == [1, 0]


def test_after_sending_the_tablet_shows_nothing_of_it(ward, phone):
    enter(phone, code_for(ward, "gad2")).post(answer=1)
    phone.post(answer=0)
    phone.post()
    for where in ("/i/q", "/i/q/1/1", "/i/q/1/check", "/i/done"):
        assert phone.get(where).response.status_code == 403
        assert "Several days" not in phone.page


def test_a_code_opens_once_and_only_for_ten_minutes(ward, phone, another_phone):
    code = code_for(ward)
    assert enter(phone, code).path == "/i/q/1/1"
    assert enter(another_phone, code).response.status_code == 422
    late = code_for(ward)
    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=1)):
        assert enter(another_phone, late).response.status_code == 422
        assert "ten minutes" in another_phone.page


def test_only_the_hash_of_a_code_is_kept_and_nothing_of_it_once_used(ward, phone):
    code = code_for(ward)
    link = read(lambda s: s.scalars(select(IntakeLink)).one())
    assert link.code_hash is not None
    assert code.encode() not in link.code_hash
    enter(phone, code)
    link = read(lambda s: s.scalars(select(IntakeLink)).one())
    assert (link.code_hash, link.code_until, link.place) == (None, None, "tablet")


def test_a_new_code_for_the_same_patient_ends_the_one_before(ward, phone):
    first = code_for(ward)
    second = code_for(ward)
    assert enter(phone, first).response.status_code == 422
    assert enter(phone, second).path == "/i/q/1/1"


def test_two_codes_alike_open_neither(ward, phone, monkeypatch):
    code = code_for(ward)
    with db.unit_of_work(db.EVERY) as session:
        clinic, _ = ward.both(session)
        other = ward.patient(session, clinic, "r2")
        tablet_codes.start(session, clinic, other, ["phq9"], actor="staff:x")
    with db.unit_of_work(db.EVERY) as session:
        first, second = session.scalars(select(IntakeLink).order_by(IntakeLink.id)).all()
        second.code_hash = first.code_hash
    assert enter(phone, code).response.status_code == 422


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "12345٣", "½½½½½½"])
def test_what_is_no_code_opens_nothing(ward, phone, typed):
    code_for(ward)
    assert enter(phone, typed).response.status_code == 422


def test_guessing_codes_must_wait_and_the_right_code_too(ward, phone):
    code = code_for(ward)
    with time_machine.travel(clock.now(), tick=False) as later:
        for _ in range(5):
            assert enter(phone, other_than(code)).response.status_code == 422
        assert enter(phone, code).response.status_code == 429
        later.shift(timedelta(seconds=3))
        assert enter(phone, code).path == "/i/q/1/1"


def test_after_two_idle_minutes_the_page_hides_itself_and_one_may_go_on(ward, phone):
    enter(phone, code_for(ward))
    assert phone.response.headers["Refresh"] == "120; url=/k/still"
    with time_machine.travel(clock.now() + timedelta(minutes=2, seconds=30)):
        assert "Are you still there?" in phone.get("/k/still").page
        assert phone.response.headers["Refresh"] == "60; url=/k/ended"
        assert phone.get("/i/q").path == "/i/q/1/1"


def test_after_three_idle_minutes_nothing_opens_and_nothing_shows(ward, phone):
    enter(phone, code_for(ward)).post(answer=2)
    with time_machine.travel(clock.now() + timedelta(minutes=3, seconds=1)):
        assert "This form is closed" in phone.get("/i/q/1/1").page
        assert "More than half" not in phone.page
        assert phone.get("/i/q").response.status_code == 403
    assert answered() == [2, *[None] * 8]


def test_the_page_that_ends_forgets_the_visit_on_this_tablet(ward, phone):
    enter(phone, code_for(ward))
    assert '"cookies"' in phone.get("/k/ended").response.headers["Clear-Site-Data"]
    assert phone.get("/i/q").response.status_code == 403


def test_item_nine_shows_988_says_that_somebody_comes_and_tells_staff_where(ward, phone):
    enter(phone, code_for(ward))
    for _ in range(8):
        phone.post(answer=0)
    phone.post(answer=1)
    assert phone.path == "/i/help"
    assert 'href="tel:988"' in phone.page
    assert "Your care team has been told and will come to you." in phone.page
    (item,) = read(lambda s: [(i.kind, i.summary) for i in s.scalars(select(InboxItem))])
    assert item[0] == "safety"
    assert item[1].startswith("In the building, on the tablet: Answered item 9 on the PHQ-9")


def test_a_form_for_the_tablet_is_opened_by_its_code_alone(ward, phone):
    code_for(ward)
    # Its link has a token like every other; nobody was ever given it.
    assert read(lambda s: s.scalars(select(IntakeLink.state)).one()) == "open"
    assert phone.get("/i/" + "B" * 22).response.status_code == 404


def test_a_phones_form_is_not_ended_by_the_tablets_clock(ward, phone):
    _, path = ward.issue()
    phone.enter(path)
    assert "Refresh" not in phone.response.headers
    with time_machine.travel(clock.now() + timedelta(minutes=20)):
        assert phone.get("/i/q").path == "/i/q/1/1"


def from_address(phone, code, address):
    hidden = {"csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', phone.get("/k").page)[1]}
    asked = phone.client.post(
        "/k",
        data=hidden | {"code": code},
        base_url=phone.base_url,
        headers={"Referer": f"{phone.base_url}/k"},
        environ_overrides={"REMOTE_ADDR": address},
    )
    asked.close()
    return asked.status_code


def test_guesses_from_many_addresses_make_the_whole_door_wait(ward, phone):
    code = code_for(ward)
    with time_machine.travel(clock.now(), tick=False) as at:
        guesses = [from_address(phone, other_than(code), f"198.51.100.{n}") for n in range(40)]
        assert guesses[:30] == [422] * 30
        assert set(guesses[30:]) == {429}
        assert from_address(phone, code, "203.0.113.9") == 429
        at.shift(timedelta(seconds=61))
        assert from_address(phone, code, "203.0.113.9") == 303


def forget_the_device(phone):
    """As whoever has another browser, or has ended a visit on the tablet."""
    phone.client.delete_cookie(devices.cookie_name(), domain="care.example.org")


def test_strangers_who_guess_do_not_keep_the_clinics_own_tablet_waiting(ward, phone):
    assert from_address(phone, code_for(ward), "203.0.113.9") == 303
    code = code_for(ward)
    forget_the_device(phone)
    with time_machine.travel(clock.now(), tick=False):
        for n in range(40):
            from_address(phone, other_than(code), f"198.51.100.{n}")
        assert from_address(phone, code, "203.0.113.9") == 303


def test_a_tablet_that_shares_its_address_with_strangers_keeps_its_own_tries(ward, phone, another_phone):
    assert from_address(phone, code_for(ward), "203.0.113.9") == 303
    code = code_for(ward)
    with time_machine.travel(clock.now(), tick=False):
        guesses = [from_address(another_phone, other_than(code), "203.0.113.9") for _ in range(8)]
        assert guesses == [422] * 5 + [429] * 3
        assert from_address(phone, code, "203.0.113.9") == 303


def test_the_clinics_own_tablet_still_waits_for_its_own_guesses(ward, phone):
    assert from_address(phone, code_for(ward), "203.0.113.9") == 303
    code = code_for(ward)
    with time_machine.travel(clock.now(), tick=False):
        guesses = [from_address(phone, other_than(code), "203.0.113.9") for _ in range(8)]
    assert guesses == [422] * 5 + [429] * 3


def test_codes_have_two_digits_more_while_somebody_guesses_however_slowly(ward, phone):
    code = code_for(ward)
    assert re.fullmatch("[0-9]{6}", code)
    with time_machine.travel(clock.now(), tick=False) as later:
        for n in range(12):  # as slow as the door forgets, from ever other addresses
            later.shift(timedelta(minutes=2))
            assert from_address(phone, other_than(code), f"198.51.100.{n}") == 422
        longer = code_for(ward)
        assert re.fullmatch("[0-9]{8}", longer)
        assert enter(phone, f"{longer[:4]} {longer[4:]}").path == "/i/q/1/1"
        later.shift(timedelta(days=1))
        assert re.fullmatch("[0-9]{6}", code_for(ward))


def test_guesses_in_the_clinics_own_network_make_codes_longer_too(ward, phone, another_phone):
    assert from_address(phone, code_for(ward), "203.0.113.9") == 303
    code = code_for(ward)
    with time_machine.travel(clock.now(), tick=False) as later:
        for _ in range(8):
            later.shift(timedelta(minutes=2))
            assert from_address(another_phone, other_than(code), "203.0.113.9") == 422
        assert re.fullmatch("[0-9]{8}", code_for(ward))


def test_right_codes_are_not_counted_as_guesses(ward, phone):
    for _ in range(12):
        code = code_for(ward)
        assert re.fullmatch("[0-9]{6}", code)
        assert enter(phone, code).path == "/i/q/1/1"
