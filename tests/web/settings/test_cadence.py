"""The page of the reminders: cards that move without losing a word, a draft, its mistakes, two who write at once."""

import re
from typing import Any

import pytest

from config import db
from messaging.versions import publishing
from reminders import replanning
from reminders.cadence_decision import CADENCE, plan_again

PAGE = "/settings/cadence"


def form(*steps: dict[str, str], edit: int = 0, act: str = "save", **more: str) -> dict[str, str]:
    """What a browser would post: each step on its card, and the limits."""
    fields = {
        "edit": str(edit), "act": act, "name": "ours", "quiet_hours.start": "20:00", "quiet_hours.end": "08:00",
        "min_notice": "60", "min_notice.unit": "minutes", "min_gap": "3", "min_gap.unit": "hours",
        "catch_up": "60", "catch_up.unit": "minutes", "cap_per_day": "2", "cap_per_week": "5", "combine_day": "on",
    }  # fmt: skip
    for place, step in enumerate(steps):
        card = {
            "name": f"s{place}",
            "before": "1",
            "before.unit": "days",
            "text": "reminder_day",
            "when": "not_confirmed",
        } | step
        fields |= {f"steps[{place}].{name}": value for name, value in card.items()}
    return fields | more


def step(name: str, count: int, unit: str = "days", **more: str) -> dict[str, str]:
    return {"name": name, "before": str(count), "before.unit": unit} | more


@pytest.fixture
def admin(house: Any) -> Any:
    return house.signed_in(house.staff("Dana Wu", role="clinic_admin", number="+12025550151"))


def draft(house: Any) -> Any:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return publishing.draft(session, house.clinic.id, "cadence")


def publish(browser: Any, house: Any) -> Any:
    there = draft(house)
    return browser.post("/settings/draft/cadence/publish", edit=str(there.edit), why="fewer texts")


def test_whoever_may_look_sees_the_steps_in_force_and_only_the_administrator_a_form(house: Any, admin: Any) -> None:
    page = admin.get(PAGE)
    assert page.status_code == 200
    changes = set(re.findall(r'href="(/settings/words/[^"]+)"', page.text))
    assert changes
    assert {admin.get(path).status_code for path in changes} == {200}
    for words in ('value="72h"', "Save draft", "What a patient would get", "Live: 3 texts"):
        assert words in page.text, words
    manager = house.signed_in(house.staff()).get(PAGE).text
    assert "Live: 3 texts" in manager
    assert "Save draft" not in manager
    assert house.signed_in(house.staff(role="front_desk")).get(PAGE).status_code == 403
    assert house.signed_in(house.staff()).post(PAGE, **form(step("far", 2))).status_code == 403


def test_a_saved_form_is_a_draft_and_nothing_holds_before_it_is_published(house: Any, admin: Any) -> None:
    answer = admin.post(PAGE, **form(step("far", 2, text="reminder_far"), step("near", 3, "hours")))
    assert answer.status_code == 303, answer.text
    saved = draft(house).definition
    assert [(saved_step["name"], saved_step["before"]) for saved_step in saved["steps"]] == [
        ("far", "2 days"),
        ("near", "3 hours"),
    ]
    page = admin.get(PAGE).text
    assert "A draft waits to be published" in page
    assert "The draft: 2 texts" in page
    assert "Live: 3 texts" in page
    assert publish(admin, house).status_code == 303
    assert "Live: 2 texts" in admin.get(PAGE).text
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        assert replanning.latest(session, house.clinic.id).state == "waiting"  # type: ignore[union-attr]


def test_what_the_form_shows_can_be_posted_again_unchanged(house: Any, admin: Any) -> None:
    """Every field of the shipped reminders survives the way through the form."""
    fields = form(
        step("72h", 72, "hours", text="reminder_far", unless_confirmed="on", if_past="drop"),
        step("24h", 24, "hours", text="reminder_link", text_without_intake="reminder_day", intake="phq9",
             unless_confirmed="on"),
        step("2h", 2, "hours", text="reminder_hours", unless_confirmed="on"),
        name="default",
    )  # fmt: skip
    page = admin.get(PAGE).text
    for name, value in fields.items():
        if name.startswith("steps") and value not in ("on",) and "unit" not in name:
            assert f'value="{value}"' in page, name
    admin.post(PAGE, **fields)
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        there = session.merge(house.clinic, load=False)
        assert draft(house).definition == CADENCE.present(session, there)


def test_a_card_is_added_moved_and_removed_without_script_and_nothing_typed_is_lost(house: Any, admin: Any) -> None:
    two = (step("far", 2, at="10:15"), step("near", 5, "hours", deliver_by="no length"))
    page = admin.post(PAGE, **form(*two, act="add:steps"))
    assert page.status_code == 200
    for words in (
        'value="far"',
        'value="10:15"',
        'value="no length"',
        'name="steps[2].name"',
        "nothing is saved yet",
    ):
        assert words in page.text, words
    page = admin.post(PAGE, **form(*two, act="down:steps:0")).text
    assert page.index('value="near"') < page.index('value="far"')
    page = admin.post(PAGE, **form(*two, act="remove:steps:0")).text
    assert 'value="near"' in page
    assert 'value="far"' not in page
    for act in ("up:steps:0", "down:steps:1", "up:steps:77", "down:nowhere:0", "nonsense", "up:steps:x"):
        assert admin.post(PAGE, **form(*two, act=act)).status_code == 200, act
    assert draft(house) is None


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        (step("far", 2, before="soon"), "steps[0].before", "expected a length"),
        (step("far", 2, at="25:00"), "steps[0].at", "expected a time of day"),
        (step("not a name!", 2), "steps[0].name", "expected up to 30 letters"),
        (step("far", 3, "hours", at="10:00"), "steps[0].at", "needs whole days"),
        (step("far", 2, side="after", when="not_confirmed"), "steps[0].when", "how the visit went"),
        (step("far", 2, when="no_show"), "steps[0].when", "after the visit"),
    ],
)
def test_a_mistake_is_said_at_its_field_and_nothing_is_saved(
    house: Any, admin: Any, wrong: dict[str, str], field: str, said: str
) -> None:
    page = admin.post(PAGE, **form(wrong))
    assert page.status_code == 422
    mistake = page.text.split(f'id="{field}-problem"')[1].split("</p>")[0]
    assert said in mistake.replace("&#34;", '"')
    assert 'aria-invalid="true"' in page.text or field.endswith("]")
    assert "It was not saved: one thing to mend" in page.text
    assert draft(house) is None


def test_two_steps_of_one_name_and_quiet_hours_in_the_day_are_refused(house: Any, admin: Any) -> None:
    page = admin.post(PAGE, **form(step("far", 2), step("far", 3)))
    assert page.status_code == 422
    assert "two steps have the same name" in page.text
    page = admin.post(PAGE, **form(step("far", 2), **{"quiet_hours.start": "08:00", "quiet_hours.end": "20:00"}))
    assert page.status_code == 422
    assert 'id="quiet_hours-problem"' in page.text
    assert draft(house) is None


def test_the_second_of_two_who_change_it_sees_both_and_overwrites_nothing(house: Any, admin: Any) -> None:
    other = house.signed_in(house.staff("Lee Ash", role="clinic_admin"))
    assert other.post(PAGE, **form(step("far", 5))).status_code == 303
    page = admin.post(PAGE, **form(step("far", 2)))
    assert page.status_code == 409
    for words in (
        "Lee Ash",
        "Nothing of theirs was overwritten",
        "5 days",
        "2 days",
        "Save mine over theirs",
    ):
        assert words in page.text, words
    assert 'name="steps[0].before" value="2"' in page.text
    assert 'name="edit" value="1"' in page.text
    assert draft(house).definition["steps"][0]["before"] == "5 days"
    assert admin.post(PAGE, **form(step("far", 2), edit=1)).status_code == 303
    assert draft(house).definition["steps"][0]["before"] == "2 days"


def test_whoever_saves_a_draft_that_was_published_meanwhile_is_told(house: Any, admin: Any) -> None:
    admin.post(PAGE, **form(step("far", 5)))
    publish(admin, house)
    page = admin.post(PAGE, **form(step("far", 2), edit=1))
    assert page.status_code == 409
    assert "published or discarded" in page.text


def test_a_text_that_does_not_exist_is_saved_and_not_published(house: Any, admin: Any) -> None:
    admin.post(PAGE, **form(step("far", 2, text="no_such_text")))
    page = admin.get(PAGE).text
    assert "there is no text no_such_text" in page
    publish(admin, house)
    assert draft(house) is not None


def test_the_history_leads_back_and_a_former_edition_becomes_a_draft(house: Any, admin: Any) -> None:
    for count in (5, 2):
        admin.post(PAGE, **form(step("far", count)))
        publish(admin, house)
    page = admin.get("/settings/history/cadence")
    assert f'href="{PAGE}"' in page.text
    assert "Version 0: what the clinic began with." in page.text
    assert admin.post("/settings/draft/cadence/revert", number="1", edit="0").headers["Location"] == PAGE
    assert draft(house).definition["steps"][0]["before"] == "5 days"


def test_the_bar_says_how_far_planning_again_is_and_when_it_is_over(house: Any, admin: Any) -> None:
    assert "Nothing is being planned again" in admin.get(f"{PAGE}/progress").text
    admin.post(PAGE, **form(step("far", 5)))
    publish(admin, house)
    page = admin.get(f"{PAGE}/progress").text
    assert 'http-equiv="refresh"' in page
    assert "0 of 0 visits" in page
    plan_again(house.clinic.id)
    page = admin.get(f"{PAGE}/progress").text
    assert 'http-equiv="refresh"' not in page
    assert "0 coming visits follow what is live" in page


def test_what_patients_follow_is_published_with_a_reason_only_and_the_default_can_come_back(
    house: Any, admin: Any
) -> None:
    admin.post(PAGE, **form(step("far", 5)))
    admin.post("/settings/draft/cadence/publish", edit="1", why=" ")
    page = admin.get(PAGE).text
    assert "It was not published: say why first." in page
    assert draft(house) is not None
    publish(admin, house)
    assert draft(house) is None
    assert admin.post("/settings/draft/cadence/shipped", edit="0").status_code == 303
    assert [saved_step["name"] for saved_step in draft(house).definition["steps"]] == ["72h", "24h", "2h"]
    assert admin.post("/settings/draft/clinic/shipped", edit="0").status_code == 404
    manager = house.signed_in(house.staff())
    assert manager.post("/settings/draft/cadence/shipped", edit="1").status_code == 403


def test_steps_are_called_by_when_they_are_sent_and_not_by_their_short_names(house: Any, admin: Any) -> None:
    for browser in (admin, house.signed_in(house.staff())):
        page = browser.get("/settings/cadence").text
        assert "72 hours before the visit" in page
        without_fields = re.sub(r"<input[^>]*>", "", page)
        assert "72h" not in without_fields
