"""A feed's page: added with a secret shown once, its profile tried on a message before it is saved, paused, resumed."""

import json
import re
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from config import audit, clock, db
from interchange import jobs
from interchange.models import Feed, FeedMessage
from reminders.models import Appointment
from tests.interchange.messages import visit
from tests.interchange.resources import APPOINTMENT
from tests.web.feeds import feed_of, heard

START, OTHER = "20300310090000", "AIS|1||X|20300313090000"


@pytest.fixture
def admin(house: Any) -> Any:
    return house.signed_in(house.staff("Ada", role="clinic_admin"))


@pytest.fixture
def page(house: Any) -> str:
    return f"/feeds/{feed_of(house).id}"


def edition(text: str) -> str:
    match = re.search(r'name="edition" value="([0-9a-f]+)"', text)
    assert match
    return match[1]


def rows(model: type[Any]) -> list[Any]:
    with db.unit_of_work(db.EVERY) as session:
        found = list(session.scalars(select(model).order_by(model.id)))
        db.load_keys(session, {row.key_id for row in found if hasattr(row, "key_id")})
        return found


def secret_in(text: str) -> str:
    match = re.search(r'value="(whsec_[^"]+)"', text)
    assert match
    return match[1].replace("&#43;", "+")


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_a_feed_is_added_on_the_page_and_its_secret_is_shown_once(house: Any, admin: Any) -> None:
    answer = admin.post("/settings/feeds", name="books")
    secret = secret_in(answer.text)
    (feed,) = rows(Feed)
    assert feed.secret == secret
    assert "/webhooks/ehr/books" in answer.text
    later = admin.get(f"/feeds/{feed.id}").text
    assert "whsec_" not in later
    signed = Webhook(secret).sign("msg_1", clock.now(), "x")
    assert signed.startswith("v1,")


@pytest.mark.parametrize("name", ["", "Books", "a b", "x" * 31, "a/b", "books"])
def test_a_name_that_fits_no_address_or_is_taken_is_refused_and_stays(house: Any, admin: Any, name: str) -> None:
    feed_of(house)
    answer = admin.post("/settings/feeds", name=name)
    assert answer.status_code == 422
    assert f'value="{name}"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert len(rows(Feed)) == 1


def test_trying_says_in_words_what_would_be_done_and_keeps_nothing(house: Any, admin: Any, page: str) -> None:
    answer = admin.post(f"{page}/try", profile="", message=visit("S12", start=START))
    assert "Book a visit" in answer.text
    assert "taken (AA)" in answer.text
    assert "ANA RIVER" in answer.text
    assert "9:00" in answer.text
    assert (rows(FeedMessage), rows(Appointment)) == ([], [])
    (feed,) = rows(Feed)
    assert feed.profile == {}


def test_a_profile_is_tried_on_the_message_before_it_is_saved(house: Any, admin: Any, page: str) -> None:
    message = visit("S12", OTHER, start=START)
    first = admin.post(f"{page}/try", profile="", message=message).text
    assert "only after a person has looked at it" in first
    assert "several different starts" in first
    second = admin.post(f"{page}/try", profile='start = ["AIS-4"]', message=message).text
    assert "only after a person has looked at it" not in second
    assert "start = [&#34;AIS-4&#34;]" in second
    assert admin.post(page, profile='start = ["AIS-4"]', edition=edition(second)).status_code == 303
    assert [feed.profile for feed in rows(Feed)] == [{"start": ["AIS-4"]}]
    (entry,) = [entry for entry in rows(audit.AuditEntry) if entry.act == "feeds.profile"]
    assert entry.detail["changed"] == "start"


def test_a_resource_is_tried_too(admin: Any, page: str) -> None:
    assert "Book a visit" in admin.post(f"{page}/try", profile="", message=json.dumps(APPOINTMENT)).text
    assert admin.post(f"{page}/try", profile="", message="{no").status_code == 422
    assert admin.post(f"{page}/try", profile="", message=" ").status_code == 422


@pytest.mark.parametrize(
    ("profile", "named"),
    [
        ('kee = ["SCH-3"]', "kee: there is no such key"),
        ("start =", "end of document"),
        ('zone = "Mars/Base"', "zone"),
        ("on = 2030-01-01", "on"),
    ],
)
def test_a_wrong_profile_is_named_by_its_key_and_what_was_typed_stays(
    admin: Any, page: str, profile: str, named: str
) -> None:
    for path in (page, f"{page}/try"):
        answer = admin.post(path, profile=profile, message="MSH|x", edition="x")
        assert answer.status_code == 422
        assert named in answer.text
        assert "Value error" not in answer.text
        assert profile.replace('"', "&#34;") in answer.text
    assert [feed.profile for feed in rows(Feed)] == [{}]


def test_of_two_who_save_at_once_the_second_is_told(admin: Any, page: str) -> None:
    before = edition(admin.get(page).text)
    assert admin.post(page, profile='charset = "8859/1"', edition=before).status_code == 303
    rival = admin.post(page, profile='authority = "ELM"', edition=before)
    assert rival.status_code == 409
    assert "Somebody else has saved" in rival.text
    assert admin.post(page, profile='authority = "ELM"', edition=edition(rival.text)).status_code == 303
    assert [feed.profile for feed in rows(Feed)] == [{"authority": "ELM"}]


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_what_comes_in_a_pause_is_kept_and_done_when_it_ends(house: Any, admin: Any, page: str) -> None:
    assert admin.post(f"{page}/pause").status_code == 303
    heard(house, visit("S12", start=START))
    assert [row.state for row in rows(FeedMessage)] == ["paused"]
    assert rows(Appointment) == []
    assert "Paused since" in admin.get(page).text
    admin.post(f"{page}/resume")
    jobs.drain()
    assert [row.state for row in rows(FeedMessage)] == ["done"]
    assert len(rows(Appointment)) == 1
    assert {"feeds.paused", "feeds.resumed"} <= {entry.act for entry in rows(audit.AuditEntry)}


def test_another_secret_ends_the_one_before(admin: Any, page: str) -> None:
    fresh = secret_in(admin.post(f"{page}/secret").text)
    assert [feed.secret for feed in rows(Feed)] == [fresh]


def test_the_page_lists_what_was_said_with_its_state_and_no_word_of_it(house: Any, admin: Any, page: str) -> None:
    heard(house, visit("S12", start=START))
    heard(house, visit("S12", OTHER, start=START, key="V8"))
    text = admin.get(page).text
    assert "SIU^S12" in text
    assert "It is understood, and waits for a person." in text
    assert "RIVER" not in text


def test_a_message_that_waits_is_taken_along_to_mend_the_profile(house: Any, admin: Any, page: str) -> None:
    heard(house, visit("S12", OTHER, start=START))
    listed = admin.get("/settings/feeds").text
    words = re.search(r'action="(/settings/feeds/[0-9a-f-]+/words)', listed)
    assert words
    opened = admin.post(words[1]).text
    assert f'action="{page}/try#told"' in opened
    assert "<mark>AIS|" in opened


def test_a_feed_of_another_clinic_and_a_colleague_who_is_no_administrator_have_no_page(house: Any, page: str) -> None:
    desk = house.signed_in(house.staff("Kim", role="front_desk"))
    assert desk.get(page).status_code == 403
    assert desk.post(f"{page}/try", message="x", profile="").status_code == 403
    admin = house.signed_in(house.staff("Ada", role="clinic_admin"))
    assert admin.get("/feeds/00000000-0000-0000-0000-000000000000").status_code == 404
