"""The home of the settings says what is done from the data, and its first guest is the clinic's lead."""

import re
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from config import db
from messaging.models import Message
from tests.web.boards.test_unassigned import published


def states(browser: Any) -> dict[str, str]:
    steps = re.findall(r'<li class="([a-z-]+)" id="step-([a-z_]+)">', browser.get("/settings").text)
    return {name: state for state, name in steps}


def test_a_new_clinic_has_everything_before_it(house: Any) -> None:
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    assert states(browser) == {
        "clinic": "todo", "hours": "todo", "signed_in": "todo", "reached": "todo", "languages": "todo",
        "words": "shipped", "cadence": "shipped", "schedule": "shipped", "imported": "todo", "test_text": "todo",
    }  # fmt: skip
    page = browser.get("/settings").text
    assert "3 of 10 ready" in page
    assert "No care manager speaks English, Spanish" in page


def test_each_step_turns_when_it_is_done(house: Any) -> None:
    admin = published(house)
    browser = house.signed_in(admin)
    house.signed_in(house.staff("Rosa Delgado", languages=("en", "es"), number="+12025550152"))
    assert states(browser)["reached"] == "done"
    assert states(browser)["signed_in"] == "done"
    assert states(browser)["languages"] == "done"


def test_a_test_text_goes_to_the_readers_own_phone_once_for_each_form(house: Any) -> None:
    admin = house.staff("Dana Wu", role="clinic_admin", number="+12025550151")
    browser, once = house.signed_in(admin), str(uuid4())
    for _ in range(2):
        assert browser.post("/settings/test-text", once=once).status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        sent = session.scalars(select(Message).where(Message.staff_id == admin.id)).all()
        assert [message.body for message in sent] == [
            "Alder Street Clinic: this is a test from Warmthread. Texts reach your phone."
        ]
        assert states(browser)["test_text"] == "under-way"
        sent[0].state = "delivered"
    assert states(browser)["test_text"] == "done"


def test_without_a_number_of_ones_own_it_says_so(house: Any) -> None:
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    answer = browser.post("/settings/test-text", once=str(uuid4()))
    assert answer.status_code == 422
    assert "There is no mobile number of yours" in answer.text
    assert browser.post("/settings/test-text", once="x").status_code == 400


def test_the_lead_lands_here_after_the_first_sign_in_and_others_do_not(house: Any) -> None:
    chosen = {"password": "a few words in a row", "again": "a few words in a row"}
    for role, place in (("clinic_admin", "/settings"), ("care_manager", "/")):
        path = house.link(house.staff(role=role), "invite")
        assert house.browser().post(path, token_from=path, **chosen).location == place
