"""The page of routing and escalation: drafts, a second person, two who write at once, and rules in their order."""

from typing import Any

from werkzeug.datastructures import MultiDict

from config import db
from messaging.inbox.routing import assign
from messaging.models import Clinic, Staff
from messaging.versions import publishing as versions
from tests.web.boards.test_unassigned import form, publish, published
from web.settings import policy_form

RULE = {
    "route[0].name": "Spanish screens",
    "route[0].to": "people",
    "route[0].kinds": "screen",
    "route[0].languages": "es",
    "route[0].screen": "phq9:moderate",
}


def live(house: Any) -> assign.Rules:
    return assign.Rules.of(house.read(Clinic, house.clinic.id).rules)


def test_a_rule_is_drafted_published_and_said_in_words(house: Any) -> None:
    admin = published(house)
    rosa = house.staff(number="+12025550152", languages=("en", "es"))
    browser = publish(house, admin, **form(admin, **RULE, **{"route[0].people": rosa.email}))
    (rule,) = live(house).routes
    assert (rule.people, rule.instrument, rule.band) == ((rosa.email,), "phq9", "moderate")
    page = browser.get("/ladder").text
    assert "<b>Spanish screens</b>" in page
    assert "Positive screen, Spanish, PHQ-9, " in page
    assert "→ Rosa Delgado" in page
    assert 'value="people" selected' in page


def test_rules_stand_in_the_order_that_was_typed_and_can_be_taken_out() -> None:
    typed: MultiDict[str, str] = MultiDict()
    for row, (name, order) in enumerate((("a", "1"), ("b", "2"), ("c", "1"), ("d", "4"))):
        typed[f"route[{row}].name"], typed[f"route[{row}].to"] = name, "on_duty"
        typed[f"route[{row}].order"] = order
    typed["route[3].remove"] = "on"
    typed["route[4].name"] = typed["route[4].to"] = ""
    assert [rule["name"] for rule in policy_form.given(typed)["route"]] == ["c", "a", "b"]


def test_a_rule_that_says_two_things_is_refused_where_it_stands(house: Any) -> None:
    admin = published(house)
    browser = house.signed_in(admin)
    answer = browser.post("/ladder", **form(admin, **RULE))
    assert answer.status_code == 422
    assert 'id="route[0]-problem"' in answer.text
    assert "name people where it goes to people by name" in answer.text
    assert 'value="Spanish screens"' in answer.text


def test_a_rule_about_patient_safety_needs_a_second_person(house: Any) -> None:
    admin = published(house)
    ben = house.staff("Ben Carter", role="clinic_admin")
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, ben.id).password_hash = "x"
    browser, second = house.signed_in(admin), house.signed_in(ben)
    rule = {"route[0].name": "To whoever is on call", "route[0].to": "on_call", "route[0].kinds": "safety"}
    assert browser.post("/ladder", **form(admin, **rule)).status_code == 303
    page = browser.get("/ladder").text
    assert "A second person must agree" in page
    assert "decides who gets patient safety" in page
    browser.post("/settings/draft/rules/publish", edit="1", why="as agreed")
    assert live(house).routes == ()
    browser.post("/settings/draft/rules/ask", edit="1", why="as agreed")
    second.post("/settings/draft/rules/publish", edit="1", why="as agreed")
    assert [route.name for route in live(house).routes] == ["To whoever is on call"]


def test_the_second_of_two_who_write_sees_both_and_writes_over_nothing(house: Any) -> None:
    admin = published(house)
    browser = house.signed_in(admin)
    assert browser.post("/ladder", **form(admin, repeat="7")).status_code == 303
    answer = browser.post("/ladder", **form(admin, repeat="9"))
    assert answer.status_code == 409
    assert "Somebody else has changed this meanwhile" in answer.text
    assert "<td>7 min</td>" in answer.text
    assert "<td>9 min</td>" in answer.text
    assert 'value="9"' in answer.text
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        draft = versions.draft(session, house.clinic.id, "rules")
        assert draft is not None
        assert (draft.definition["repeat"], draft.edit) == (7, 1)


def test_a_post_that_does_not_say_what_it_changes_is_refused(house: Any) -> None:
    admin = published(house)
    fields = form(admin)
    del fields["edit"]
    assert house.signed_in(admin).post("/ladder", **fields).status_code == 400


def test_who_only_works_the_inbox_sees_no_draft(house: Any) -> None:
    admin = published(house)
    house.signed_in(admin).post("/ladder", **form(admin, repeat="7"))
    page = house.signed_in(house.staff(role="clinician")).get("/ladder").text
    assert "A draft waits" not in page
    assert "Who gets what" in page


def test_opening_hours_come_first_and_what_a_draft_lacks_leads_to_its_field(house: Any) -> None:
    admin = house.staff("Ada Chief", role="clinic_admin", number="+12025550151")
    browser = house.signed_in(admin)
    nothing = {name: "" for name in form(admin) if name.startswith(("fallback", "call"))}
    browser.post("/ladder", **(form(admin) | nothing | {"hours": "Mon-Fri 8-5"}))
    page = browser.get("/ladder").text
    assert page.index('id="hours-row"') < page.index('id="route-row"')
    assert 'href="/ladder?open=hours#hours-row">Change opening hours</a>' in page
    assert "What is live has coverage gaps" in page
    assert "The draft does not close all of them" in page
    for field in ("fallback", "call"):
        assert f'<li><a href="#{field}-problem">' in page
        assert f'id="{field}-problem"' in page
    assert 'href="/ladder?open=hours#hours-row"' in browser.get("/settings/clinic").text


def test_a_draft_that_closes_the_gaps_of_what_is_live_is_said_to_do_so(house: Any) -> None:
    admin = house.staff("Ada Chief", role="clinic_admin", number="+12025550151")
    browser = house.signed_in(admin)
    assert browser.post("/ladder", **form(admin)).status_code == 303
    page = browser.get("/ladder").text
    assert "What is live has coverage gaps" in page
    assert "The draft has none of them" in page
