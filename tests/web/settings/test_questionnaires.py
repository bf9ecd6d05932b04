"""The page of questionnaires: its draft, its mistakes at their fields, and a made-up patient."""

from typing import Any

from config import db
from messaging.versions import publishing
from reminders import schedules
from tests.web.caseload.seeding import with_registry

FORM = {
    "asks[0].name": "monthly", "asks[0].instruments": "phq9", "asks[0].who": "everyone", "asks[0].every": "4 weeks",
}  # fmt: skip


def lead(house: Any) -> Any:
    return house.signed_in(house.staff("Dana Wu", role="clinic_admin"))


def post(browser: Any, edit: int = 0, **changed: str) -> Any:
    return browser.post("/settings/schedule", edit=str(edit), **(FORM | changed))


def test_a_schedule_is_drafted_tried_beside_the_old_one_and_published(house: Any) -> None:
    browser = lead(house)
    assert post(browser).status_code == 303
    page = browser.get("/settings/schedule?from=2027-03-10&taken0=phq9&on0=2027-03-01").text
    assert "By the draft" in page
    assert "PHQ-9: answered lately, due again from Mar 29, 2027" in page
    assert "GAD-2 would no longer be asked of: not in treatment" in page
    assert browser.post("/settings/draft/schedule/publish", edit="1", why="as agreed").status_code == 303
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        schedule = publishing.live(session, house.clinic.id, "schedule")
        assert schedule is not None
        assert schedule.definition["asks"][0]["every"] == "4 weeks"


def test_mistakes_stand_at_their_fields_with_what_was_typed(house: Any) -> None:
    answer = post(lead(house), **{"asks[0].every": "now and then", "asks[0].name": "every: visit"})
    assert answer.status_code == 422
    assert 'id="asks[0].every-problem"' in answer.text
    assert 'id="asks[0].name-problem"' in answer.text
    assert 'value="now and then"' in answer.text


def test_names_are_read_and_shown_as_people_write_them(house: Any) -> None:
    browser = lead(house)
    assert post(browser, **{"asks[0].name": "Every  visit"}).status_code == 303
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        draft = publishing.draft(session, house.clinic.id, "schedule")
        assert draft is not None
        assert draft.definition["asks"][0]["name"] == "Every_visit"
    page = browser.get("/settings/schedule").text
    assert 'value="Every visit"' in page


def test_an_empty_schedule_asks_nothing(house: Any) -> None:
    browser = lead(house)
    assert browser.post("/settings/schedule", edit="0").status_code == 303
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        draft = publishing.draft(session, house.clinic.id, "schedule")
        assert draft is not None
        assert draft.definition == {"asks": []}


def test_whatever_is_asked_of_the_made_up_patient_is_answered(house: Any) -> None:
    browser = lead(house)
    for query in (
        "from=x&taken0=y&on0=z&language=xx",
        "from=9999-12-31",
        "in_treatment=on&taken0=phq9&on0=0001-01-01",
    ):
        assert browser.get(f"/settings/schedule?{query}").status_code == 200


def test_care_managers_read_it_and_the_front_desk_does_not(house: Any) -> None:
    assert "Save draft" not in house.signed_in(house.staff()).get("/settings/schedule").text
    assert house.signed_in(house.staff(role="front_desk")).get("/settings/schedule").status_code == 403


def test_a_clinic_with_a_registry_is_offered_the_usual_entries_by_phase_and_nothing_is_kept_by_that(house: Any) -> None:
    browser = lead(house)
    assert "Begin with the usual entries" not in browser.get("/settings/schedule").text
    with_registry(house)
    assert "Begin with the usual entries" in browser.get("/settings/schedule").text
    offered = browser.get("/settings/schedule?phases=usual").text
    for said in ('value="acute"', 'value="staying well"', 'value="8 weeks"', "nothing is kept before you save"):
        assert said in offered
    assert 'value="acute"' not in browser.get("/settings/schedule").text
    usual = {f"asks[{at}].{name}": said for at, ask in enumerate(schedules.USUAL) for name, said in ask.items()}
    assert post(browser, **usual).status_code == 303
    assert "Begin with the usual entries" not in browser.get("/settings/schedule").text
