"""The page of the feeds: how each stands, what waits and why, its words behind a button, a replay."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from config import audit, db
from interchange import jobs
from interchange.models import Feed, FeedMessage
from messaging.inbox.models import InboxItem
from reminders.models import Appointment
from tests.interchange.messages import visit
from tests.web.feeds import feed_of, heard

PAGE = "/settings/feeds"


@pytest.fixture
def admin(house: Any) -> Any:
    return house.signed_in(house.staff("Ada", role="clinic_admin"))


@pytest.fixture
def feed(house: Any) -> Feed:
    return feed_of(house)


def states() -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        return list(session.scalars(select(FeedMessage.state).order_by(FeedMessage.id)))


def the_form(page: str, act: str) -> str:
    match = re.search(rf'action="(/settings/feeds/[0-9a-f-]+/{act})', page)
    assert match
    return match[1]


def test_without_a_feed_the_page_begins_with_adding_one(admin: Any) -> None:
    page = admin.get(PAGE).text
    assert "None yet. Add one" in page
    assert "What waits for a person</h2>" not in page


def test_a_feed_shows_when_it_was_heard_and_what_waits_and_why(house: Any, admin: Any, feed: Feed) -> None:
    assert "never" in admin.get(PAGE).text
    heard(house, visit("S12", start="20300310090000"))
    heard(house, visit("S12", "AIS|1||X|20300313090000", key="V8", start="20300310090000"))
    page = admin.get(PAGE).text
    assert "The message names several different starts" in page
    assert "SCH-11.4, AIS-4" in page
    assert "RIVER" not in page


def test_the_words_are_behind_a_button_and_reading_them_is_written_down(house: Any, admin: Any, feed: Feed) -> None:
    heard(house, visit("S12", start=""))
    page = admin.post(the_form(admin.get(PAGE).text, "words")).text
    assert "RIVER^ANA" in page
    assert "<mark>SCH|" in page
    with db.unit_of_work(db.EVERY) as session:
        assert "feed.raw_read" in session.scalars(select(audit.AuditEntry.act)).all()


def test_a_message_is_tried_again_as_its_feed_is_read_now(house: Any, admin: Any, feed: Feed) -> None:
    heard(house, visit("S12", "AIS|1||X|20300313090000", start="20300310090000"))
    assert states() == ["held"]
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Feed, feed.id).profile = {"start": ["AIS-4"]}
    assert admin.post(the_form(admin.get(PAGE).text, "replay")).status_code == 303
    jobs.drain()
    assert states() == ["done"]
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(Appointment)).one().starts_at.day == 13


def test_a_message_is_set_aside_in_a_person_s_name(house: Any, admin: Any, feed: Feed) -> None:
    heard(house, visit("S12", start=""))
    admin.post(the_form(admin.get(PAGE).text, "aside"))
    assert states() == ["set_aside"]
    with db.unit_of_work(db.EVERY) as session:
        entry = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "feed.set_aside")).one()
        assert entry.actor.startswith("staff:")


@pytest.mark.parametrize(
    ("role", "status"), [("clinic_admin", 200), ("front_desk", 403), ("care_manager", 403), ("auditor", 403)]
)
def test_only_an_administrator_may_look(house: Any, role: str, status: int) -> None:
    assert house.signed_in(house.staff(role=role)).get(PAGE).status_code == status


def test_what_is_another_clinic_s_is_not_there(house: Any, admin: Any, feed: Feed) -> None:
    assert admin.post(f"{PAGE}/{house.clinic.id}/replay").status_code == 404


def test_the_item_of_what_waits_is_the_administrator_s_and_ends_with_the_last_message(
    house: Any, admin: Any, feed: Feed
) -> None:
    heard(house, visit("S12", start=""))
    heard(house, visit("S12", start="", key="V8"))
    (item,) = every_item()
    page = admin.get(f"/inbox/{item.id}").text
    assert "For the administrator" in page
    assert "RIVER" not in page
    admin.post(the_form(admin.get(PAGE).text, "aside"))
    assert [item.state for item in every_item()] == ["open"]
    admin.post(the_form(admin.get(PAGE).text, "aside"))
    (ended,) = every_item()
    assert (ended.state, ended.done_by is not None) == ("done", True)


def test_what_waits_later_the_same_day_is_an_item_again(house: Any, admin: Any, feed: Feed) -> None:
    heard(house, visit("S12", start=""))
    admin.post(the_form(admin.get(PAGE).text, "replay"))
    jobs.drain()
    assert [item.state for item in every_item()] == ["done", "open"]


def every_item() -> list[InboxItem]:
    with db.unit_of_work(db.EVERY) as session:
        return list(session.scalars(select(InboxItem).order_by(InboxItem.id)))
