"""The page where saved replies are written."""

import re
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from config import db
from messaging.models import SavedReply
from messaging.wording import saved_replies


def all_of(house: Any) -> list[SavedReply]:
    with db.unit_of_work(house.clinic.id) as session:
        return list(session.scalars(select(SavedReply).order_by(SavedReply.id)))


def test_a_reply_is_written_changed_retired_and_brought_back(house: Any) -> None:
    browser = house.signed_in(house.staff())
    form = {
        "name": "Call me",
        "text_en": "Hi {first_name}, please call.",
        "text_es": "Hola, llame por favor.",
    }
    assert browser.post("/saved-replies", **form).status_code == 303
    (reply,) = all_of(house)
    assert reply.texts == {"en": "Hi {first_name}, please call.", "es": "Hola, llame por favor."}
    assert "Call me" in browser.get(f"/saved-replies/{reply.id}").text
    browser.post("/saved-replies", **(form | {"name": "Please call", "reply": str(reply.id)}))
    assert [listed.name for listed in all_of(house)] == ["Please call"]
    gone = browser.post(f"/saved-replies/{reply.id}/retire")
    assert "is out of use" in browser.get(gone.location).text
    assert all_of(house)[0].retired_at is not None
    browser.post(f"/saved-replies/{reply.id}/retire", back="1")
    assert all_of(house)[0].retired_at is None


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"name": "", "text_en": "Hi"}, "Give the reply a name"),
        ({"name": "Empty"}, "in at least one language"),
        ({"name": "Too much", "text_en": "about your depression"}, "<mark>depression</mark>"),
        ({"name": "Unknown", "text_en": "Hi {nickname}"}, "<mark>{nickname}</mark>"),
        ({"name": "A link", "text_en": "Open {link}"}, "<mark>{link}</mark>"),
    ],
)
def test_what_may_not_leave_is_not_saved_and_stays_in_the_form(house: Any, form: dict[str, str], why: str) -> None:
    refused = house.signed_in(house.staff()).post("/saved-replies", **form)
    assert refused.status_code == 422
    assert why in refused.text
    assert form.get("text_en", "") in refused.text
    assert all_of(house) == []


def test_it_is_seen_on_a_phone_before_it_is_saved(house: Any) -> None:
    form = {"name": "x", "text_en": "Hi {first_name}, see you {day}.", "look": "1"}
    shown = house.signed_in(house.staff()).post("/saved-replies", **form).text
    assert "Hi Alex, see you tomorrow." in shown
    assert "1 segment for somebody called Alex" in shown
    assert all_of(house) == []


def test_the_defaults_are_added_once(house: Any) -> None:
    browser = house.signed_in(house.staff())
    assert f"Add these {len(saved_replies.defaults())}" in browser.get("/saved-replies").text
    for _ in range(2):
        browser.post("/saved-replies/defaults")
    assert len(all_of(house)) == len(saved_replies.defaults()) == 8
    assert "Add these" not in browser.get("/saved-replies").text


def test_one_s_own_reply_is_nobody_else_s(house: Any) -> None:
    rosa = house.signed_in(house.staff())
    rosa.post("/saved-replies", name="Mine alone", text_en="Hi, Rosa here", own="1")
    (reply,) = all_of(house)
    ben = house.signed_in(house.staff("Ben Okafor"))
    assert "Mine alone" in rosa.get("/saved-replies").text
    assert "Mine alone" not in ben.get("/saved-replies").text
    assert ben.get(f"/saved-replies/{reply.id}").status_code == 404
    assert ben.post(f"/saved-replies/{reply.id}/retire").status_code == 404


def test_another_clinic_s_reply_is_not_there(house: Any, another_house: Any) -> None:
    house.signed_in(house.staff()).post("/saved-replies", name="Ours", text_en="Hello")
    elsewhere = another_house()
    browser = elsewhere.signed_in(elsewhere.staff())
    assert browser.get(f"/saved-replies/{all_of(house)[0].id}").status_code == 404
    assert browser.get(f"/saved-replies/{uuid4()}").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"), [("care_manager", 200), ("clinic_admin", 200), ("clinician", 403), ("auditor", 403)]
)
def test_who_may_write_them(house: Any, role: str, status: int) -> None:
    browser = house.signed_in(house.staff(role=role))
    assert browser.get("/saved-replies").status_code == status
    if role == "clinic_admin":
        assert not re.search(r'name="own"', browser.get("/saved-replies").text)
        browser.post("/saved-replies", name="For all", text_en="Hello", own="1")
        assert all_of(house)[0].staff_id is None
