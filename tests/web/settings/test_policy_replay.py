"""The replay: last month's items by the draft, with names and reasons and no word of a patient."""

from typing import Any

from messaging.inbox import policy_replay
from tests.web.boards.test_unassigned import form, published


def test_without_a_draft_there_is_nothing_to_compare(house: Any) -> None:
    browser = house.signed_in(published(house))
    assert browser.get("/settings/replay").status_code == 303


def test_what_would_go_elsewhere_is_counted_and_said_without_a_patient_s_words(house: Any) -> None:
    admin = published(house)
    house.staff("Alba Reyes", number="+12025550152")
    ben = house.staff("Ben Carter", number="+12025550153")
    spanish, english = house.patient(language="es"), house.patient(language="en")
    for patient in (spanish, english, spanish):
        house.item("reply", patient_id=patient.id)
    house.item("reply", patient_id=spanish.id, reason=("answered_last",))
    browser = house.signed_in(admin)
    rule = {
        "route[0].name": "Spanish",
        "route[0].to": "people",
        "route[0].people": ben.email,
        "route[0].languages": "es",
    }
    assert browser.post("/ladder", **form(admin, **rule)).status_code == 303
    page = browser.get("/settings/replay").text
    assert "Of 4 items 2 would have gone elsewhere" in page
    assert "<td>Alba Reyes</td><td><b>Ben Carter</b></td>" in page
    assert "By the clinic&#39;s rule “Spanish”" in page
    assert "can we talk" not in page
    assert "Quintana" not in page


def test_only_the_newest_are_looked_at_and_the_page_says_so(house: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(policy_replay, "MOST_ITEMS", 2)
    admin = published(house)
    for _ in range(3):
        house.item("reply")
    browser = house.signed_in(admin)
    browser.post("/ladder", **form(admin, repeat="7"))
    page = browser.get("/settings/replay").text
    assert "the newest 2 of them" in page
    assert "Everything would have gone where it goes now" in page


def test_front_desk_does_not_see_it(house: Any) -> None:
    published(house)
    assert house.signed_in(house.staff(role="front_desk")).get("/settings/replay").status_code == 403
