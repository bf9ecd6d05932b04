"""What is due becomes an inbox item only where the clinic says so: once each time, and never gone in silence."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from caseload import due_items, episodes
from caseload.models import DueNotice, DueRound
from caseload.registry import due
from config import clock, db
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Clinic, Staff
from messaging.team import tasks
from messaging.team.models import Task
from reminders import care_model
from tests.queries import statements
from tests.web.caseload.seeding import Scene, answer, at_local, enrolled, with_registry

CALLED = timedelta(minutes=30)


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def choose(scene: Scene, *rules: str, model: str = "collaborative") -> None:
    """Let the clinic want items of these rules."""
    terms = care_model.Terms.model_validate({"model": model, "items": rules})
    with db.unit_of_work(scene.house.clinic.id) as session:
        clinic = session.get_one(Clinic, scene.house.clinic.id)
        clinic.rules = {**clinic.rules, care_model.NAME: terms.model_dump(mode="json")}


def night(scene: Scene, nights: int = 1) -> list[tuple[str, str]]:
    """Let the round of a night go by; return every item it has ever made, with its words and state."""
    with time_machine.travel(clock.now() + timedelta(days=nights), tick=False):
        while due_items.drain():
            pass
        with db.unit_of_work(scene.house.clinic.id, read_only=True) as session:
            rows = select(InboxItem).join(Task, Task.item_id == InboxItem.id).where(Task.made == "registry")
            found = list(session.scalars(rows.order_by(InboxItem.created_at, InboxItem.id)))
            db.load_keys(session, (item.key_id for item in found))
            return [(item.summary, item.state) for item in found]


def close(scene: Scene) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        clinic, rosa = session.get_one(Clinic, scene.house.clinic.id), session.get_one(Staff, scene.rosa.id)
        for item in session.scalars(select(InboxItem).where(InboxItem.kind == "task", InboxItem.state != "done")):
            tasks.end(session, clinic, item, rosa, "task_done")


def spoken(scene: Scene, patient: Any) -> None:
    work = {"kind": "call", "starts_at": at_local(scene, -CALLED), "minutes": "20", "reached": "on"}
    assert scene.browser.post(f"/patients/{patient.id}/care/log", **work).status_code == 303


def events(scene: Scene) -> list[str]:
    return [event.event for event in scene.rows(ItemEvent) if event.event.startswith("due_")]


def test_nothing_becomes_an_item_unless_the_clinic_says_so(scene: Any) -> None:
    enrolled(scene, scene.house.patient(), days_ago=40)
    assert night(scene) == []
    assert scene.rows(DueNotice) == []


def test_it_is_made_once_for_the_care_manager_and_stays_with_what_became_of_it(scene: Any) -> None:
    choose(scene, "contact")
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=40)
    assert night(scene) == [("No live contact for 41 days: get in touch", "open")]
    assert night(scene, 2) == [("No live contact for 41 days: get in touch", "open")]
    [item] = [item for item in scene.rows(InboxItem) if item.kind == "task"]
    assert (item.owner_id, item.patient_id) == (scene.rosa.id, patient.id)
    assert scene.rows(Task)[0].made_by is None
    spoken(scene, patient)
    assert night(scene, 3) == [("No longer due: No live contact for 41 days: get in touch", "open")]
    assert events(scene) == ["due_over"]
    page = scene.browser.get(f"/inbox/{item.id}").text
    assert "No longer due: what was asked for has happened" in page
    assert "Due by the registry" in page


def test_one_that_was_closed_comes_again_only_when_it_has_come_to_be_due_again(scene: Any) -> None:
    choose(scene, "contact")
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=40)
    night(scene)
    close(scene)
    assert [state for _, state in night(scene, 2)] == ["done"]
    spoken(scene, patient)
    assert [state for _, state in night(scene, 3)] == ["done"]
    assert [state for _, state in night(scene, 20)] == ["done", "open"]
    assert events(scene) == []


def test_one_that_still_stands_open_is_due_again_and_no_second_one(scene: Any) -> None:
    choose(scene, "contact")
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=40)
    night(scene)
    spoken(scene, patient)
    night(scene, 2)
    # Half an hour after the clinic's midnight the call was yesterday.
    days = 20 + (episodes.today_of(scene.house.clinic) - episodes.day_of(scene.house.clinic, clock.now() - CALLED)).days
    assert night(scene, 20) == [(f"No live contact for {days} days: get in touch", "open")]
    assert events(scene) == ["due_over", "due_again"]


@pytest.mark.parametrize(("how", "said"), [("discharged", "due_discharged"), ("off", "due_switched_off")])
def test_what_ends_otherwise_says_how(scene: Any, how: str, said: str) -> None:
    choose(scene, "contact", "review")
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=40)
    assert len(night(scene)) == 2
    if how == "off":
        choose(scene, "contact", "review", model="coordinated")
    else:
        scene.browser.post(f"/patients/{patient.id}/care/discharge", reason="declined")
    assert {state for _, state in night(scene, 2)} == {"open"}
    assert events(scene) == [said, said]
    assert {notice.ended_at is not None for notice in scene.rows(DueNotice)} == {True}


def test_an_item_goes_to_whoever_routing_chooses_once_the_manager_has_left(scene: Any) -> None:
    choose(scene, "worse", "score")
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=60)
    answer(scene.house, patient, 58, 8)
    answer(scene.house, patient, 2, 19)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, scene.rosa.id).active = False
    assert night(scene) == [("Worse by 11 points: see what has changed", "open")]
    assert next(item.owner_id for item in scene.rows(InboxItem) if item.kind == "task") is None


def test_a_large_caseload_is_gone_through_page_by_page_each_once(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(scene, "review")
    monkeypatch.setattr(due_items, "PAGE", 2)
    for _ in range(5):
        enrolled(scene, scene.house.patient(), days_ago=3)
    assert len(night(scene)) == 5
    assert len(night(scene, 2)) == 5
    [each] = scene.rows(DueRound)
    assert each.after_id is None
    assert each.try_after > clock.now() + timedelta(days=2)


def test_more_items_than_are_made_at_once_are_made_in_parts_each_once(
    scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_items, "MADE", 2)
    for name in ("Ada", "Bea", "Cleo", "Dora", "Edda"):
        enrolled(scene, scene.house.patient(first_name=name), days_ago=15)
    choose(scene, "contact", "review")
    made = night(scene)
    assert len(made) == 10
    assert night(scene, 2) == made
    (each,) = scene.rows(DueRound)
    assert each.after_id is None


def test_a_page_that_cannot_be_looked_at_holds_nobody_up(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due_items, "PAGE", 1)
    ids = sorted(enrolled(scene, scene.house.patient(), days_ago=3).id for _ in range(2))
    with db.unit_of_work(db.EVERY) as session:
        session.add(DueRound(clinic_id=scene.house.clinic.id, try_after=clock.now()))
    with db.unit_of_work(db.EVERY) as session:
        row = session.scalars(select(DueRound)).one()
        due_items.give_up(session, row)
        assert row.after_id == ids[0]
        assert row.try_after <= clock.now()


def test_what_can_be_chosen_is_what_is_due_and_has_no_item_of_its_own() -> None:
    assert set(care_model.RULES) == set(due.KEYS) - {"self_harm", "unanswered", "flagged"}


def test_an_administrator_chooses_on_the_page_of_the_care_model(scene: Any) -> None:
    admin = scene.house.signed_in(scene.house.staff("Ines Moreau", role="clinic_admin"))
    form = {"model": "collaborative", **dict.fromkeys(("contact", "score", "review"), "30")}
    form |= {"contact_in_relapse_prevention": "30", "review_in_relapse_prevention": "60", "edit": "0"}
    wrong = admin.post("/settings/care", items="everything", **form)
    assert wrong.status_code == 422
    assert "What is due and becomes an inbox item" in wrong.text
    assert admin.post("/settings/care", items=["score", "contact"], **form).status_code == 303
    page = admin.get("/settings/care").text
    assert page.count('name="items"') == len(care_model.RULES)
    assert 'value="contact" checked' in page
    assert (
        "problem"
        not in page[page.index("What is also put in the inbox") : page.index("</fieldset>", page.index("inactive"))]
    )
    assert "contact due, score due" in page


def test_many_items_of_a_night_are_written_with_as_many_statements_as_a_few(scene: Any) -> None:
    choose(scene, "contact", "review")
    sent = []
    for many in (3, 12):
        for _ in range(many):
            enrolled(scene, scene.house.patient(), days_ago=40)
        made = len(scene.rows(DueNotice))
        with statements() as heard:
            night(scene, len(sent) + 1)
        sent.append(len([each for each in heard if each.startswith(("INSERT", "UPDATE"))]))
        assert len(scene.rows(DueNotice)) == made + 2 * many
    assert 6 <= sent[1] <= sent[0]
