"""Which passwords are taken, and one's own changed by oneself."""

from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from config import audit, db
from messaging.models import Message, Staff
from web.account import common_passwords, passwords
from web.models import AccountChange, StaffSession

pytestmark = pytest.mark.usefixtures("house")
GOOD, BETTER = "seven quiet herons wait", "nine slow barges drift past"


@pytest.fixture
def rosa(house: Any) -> Staff:
    staff: Staff = house.staff(email="rosa@clinic.example", number="+12025550161")
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, staff.id).password_hash = passwords.hashed(GOOD)
    return staff


def enter(house: Any, password: str, email: str = "rosa@clinic.example") -> Any:
    browser = house.browser()
    answer = browser.post("/signin", token_from="/signin", email=email, password=password)
    return browser if answer.status_code == 303 else None


def change(browser: Any, new: str, current: str = GOOD, **more: str) -> Any:
    return browser.post("/account/password", current=current, password=new, again=new, **more)


def why_not(password: str, *near: str, second_factor: bool = False) -> str:
    try:
        passwords.check(password, passwords.near_words(*near), second_factor=second_factor)
    except passwords.Refused as refused:
        return refused.why
    return ""


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("seven herons w", "short"),
        ("x" * 50 + "y" * 151, "long"),
        ("passwordpassword", "repeated"),
        ("aaaaaaaaaaaaaaaaaaaa", "repeated"),
        ("1qaz2wsx3edc4rfv", "common"),
        ("1QAZ2wsx3EDC4rfv", "common"),
        ("alder birches in a row", "near"),
        ("my warm-thread is long", "near"),
        ("i am Delgado of nowhere", "near"),
        ("rosa.d is who comes in", "near"),
        (GOOD, ""),
        ("x" * 63 + "y" * 65, ""),
        ("ein Satz mit Überlänge 日本", ""),
    ],
)
def test_what_is_short_common_repeated_or_near_at_hand_is_refused(password: str, why: str) -> None:
    assert why_not(password, "Alder Street Clinic", "Rosa Delgado", "rosa.d@clinic.example") == why


def test_beside_a_second_factor_twelve_characters_are_enough() -> None:
    assert why_not("quiet herons") == "short"
    assert why_not("quiet herons", second_factor=True) == ""
    assert why_not("quiet heron", second_factor=True) == "short"


def test_the_list_of_common_passwords_is_whole_sorted_and_long_enough_to_matter() -> None:
    listed = common_passwords._listed()
    prefixes = [listed[at : at + common_passwords.BYTES] for at in range(0, len(listed), common_passwords.BYTES)]
    assert len(prefixes) > 40_000
    assert prefixes == sorted(set(prefixes))
    for common in ("password1234", "qwertyqwerty", "Administrator", "123456123456"):
        assert common_passwords.holds(common), common


def test_a_password_is_changed_by_its_owner_who_gives_the_present_one(house: Any, rosa: Staff) -> None:
    browser = enter(house, GOOD)
    assert "not your present password" in change(browser, BETTER, current="a guess of somebody").text
    assert (
        "The two passwords differ"
        in browser.post("/account/password", current=GOOD, password=BETTER, again=BETTER + "!").text
    )
    assert "It holds “alder”" in change(browser, "alder trees in a row").text
    assert change(browser, "1qaz2wsx3edc4rfv").status_code == 422
    assert enter(house, GOOD) is not None
    assert change(browser, BETTER).status_code == 303
    assert enter(house, GOOD) is None
    assert enter(house, BETTER) is not None
    page = browser.get("/account").text
    assert "Your password is changed" in page
    assert "Password changed" in page
    with db.unit_of_work(db.EVERY) as session:
        acts = session.scalars(select(audit.AuditEntry.act)).all()
    assert "staff.password" in acts


def test_a_changed_password_ends_the_other_browsers_if_one_wants(house: Any, rosa: Staff) -> None:
    here, there = enter(house, GOOD), enter(house, GOOD)
    assert change(here, BETTER).status_code == 303
    assert there.get("/inbox").status_code == 200
    assert change(here, GOOD, current=BETTER, others="on").status_code == 303
    assert there.get("/inbox").status_code == 303
    assert here.get("/inbox").status_code == 200


@pytest.mark.parametrize("on", ["house", "house_on_postgresql"])
def test_a_password_that_was_hashed_more_weakly_is_hashed_anew_as_it_is_used(
    on: str, request: pytest.FixtureRequest, shipped_passwords: None
) -> None:
    house = request.getfixturevalue(on)
    staff = house.staff(email="rosa@clinic.example")
    with db.unit_of_work(house.clinic.id) as session:
        weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        session.get_one(Staff, staff.id).password_hash = weak.hash("old and short")
    assert enter(house, "old and short") is not None
    kept = house.read(Staff, staff.id).password_hash
    assert not passwords._HASHER.check_needs_rehash(kept)
    assert enter(house, "old and short") is not None
    assert house.read(Staff, staff.id).password_hash == kept


def test_a_new_browser_is_told_of_by_text_without_a_name_and_a_known_one_is_not(house: Any, rosa: Staff) -> None:
    browser = enter(house, GOOD)
    browser.post("/signout")
    assert browser.post("/signin", token_from="/signin", email=rosa.email, password=GOOD).status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        db.load_keys(session, {house.clinic.key_id})
        bodies = [message.body for message in session.scalars(select(Message).where(Message.staff_id == rosa.id))]
        assert [change.what for change in session.scalars(select(AccountChange))] == ["new_browser"]
    assert len(bodies) == 1
    assert "a new browser has signed in as you" in bodies[0]
    assert "Rosa" not in bodies[0]
    assert bodies[0].endswith("/account")


def test_the_page_lists_where_one_is_signed_in_and_ends_one_or_all_others(house: Any, rosa: Staff) -> None:
    here, there, third = enter(house, GOOD), enter(house, GOOD), enter(house, GOOD)
    page = here.get("/account", headers={"User-Agent": "x"}).text
    assert page.count("End it") == 2
    assert page.count('">this browser</span>') == 1
    with db.unit_of_work(house.clinic.id) as session:
        rows = session.scalars(select(StaffSession).order_by(StaffSession.id)).all()
        assert [(row.how, row.factor) for row in rows] == [("password", None)] * 3
        second = rows[1].id
    assert here.post(f"/account/sessions/{second}/end").status_code == 303
    assert there.get("/inbox").status_code == 303
    assert third.get("/inbox").status_code == 200
    assert here.post("/account/sessions/end").status_code == 303
    assert third.get("/inbox").status_code == 303
    assert here.get("/inbox").status_code == 200


def test_nobody_ends_a_session_of_somebody_else(house: Any, rosa: Staff) -> None:
    hers = enter(house, GOOD)
    with db.unit_of_work(house.clinic.id) as session:
        theirs = session.scalars(select(StaffSession)).one().id
    other = house.signed_in(house.staff("Ben Okafor", role="clinic_admin"))
    assert other.post(f"/account/sessions/{theirs}/end").status_code == 404
    assert hers.get("/inbox").status_code == 200
